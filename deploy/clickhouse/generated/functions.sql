-- courierflow_percentile_hours, a function
CREATE FUNCTION IF NOT EXISTS courierflow_percentile_hours AS ((bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4));

