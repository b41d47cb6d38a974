-- Some figures of each carrier day by day, each over the parcels picked up in the seven days up to that day: a single day of
-- one carrier has too few of them. The formulas are those of carrier_trend.
WITH
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
        mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    week AS
    (
        SELECT
            daily.carrier AS carrier,
            daily.cohort_date + ahead AS day,
            sumIf(daily.parcels, ahead = 0) AS parcels,
            sum(daily.transit_parcels) AS transit_parcels,
            sumMap(daily.transit_bins) AS transit_bins,
            sum(daily.due_72h) AS due_72h,
            sum(daily.within_72h) AS within_72h,
            sum(daily.sla_parcels) AS sla_parcels,
            sum(daily.sla_due) AS sla_due,
            sum(daily.sla_attempted) AS sla_attempted
        FROM carrier_daily AS daily
        ARRAY JOIN range(7) AS ahead
        WHERE daily.level = if({origin:String} = '' AND {dest:String} = '', 'carrier', 'province')
            AND daily.cohort_date BETWEEN {from:Date} - 6 AND {to:Date}
            AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
            AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
            AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, daily.carrier))
        GROUP BY daily.carrier, day
        HAVING day BETWEEN {from:Date} AND {to:Date}
    )
SELECT
    day, carrier, parcels, transit_parcels,
    if(transit_parcels = 0, NULL, due_72h / transit_parcels) AS maturity,
    if(transit_parcels >= 10, hours_at(transit_bins, transit_parcels, 50), NULL) AS p50_hours,
    if(transit_parcels >= 50, hours_at(transit_bins, transit_parcels, 90), NULL) AS p90_hours,
    due_72h, if(due_72h >= 30, within_72h / due_72h, NULL) AS rate_72h,
    -- Short promises are due first: a young week would be judged by them alone.
    sla_due, if(sla_parcels = 0, NULL, sla_due / sla_parcels) AS on_time_maturity,
    if(sla_due >= 30 AND on_time_maturity >= 0.99, sla_attempted / sla_due, NULL) AS on_time_rate
FROM week
ORDER BY carrier, day
LIMIT 40000
