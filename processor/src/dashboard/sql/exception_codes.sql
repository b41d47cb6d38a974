-- Codes of all carriers asked for, and the settled parcels that their vendor reports on. The formulas are those of
-- exception_rate, which has each carrier by itself.
WITH
    (part, whole, side) -> if(whole = 0, NULL, least(1., greatest(0.,
        (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
            / (whole + 3.8414588206941983)))) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
        mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    cohort AS
    (
        SELECT daily.vendor AS vendor, sum(daily.settled) AS settled
        FROM carrier_daily AS daily
        WHERE daily.level = if({origin:String} = '' AND {dest:String} = '', 'carrier', 'province')
            AND daily.cohort_date BETWEEN {from:Date} AND {to:Date}
            AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
            AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
            AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, daily.carrier))
        GROUP BY daily.vendor
    ),
    found AS
    (
        SELECT
            daily.vendor AS vendor, daily.name AS name, sum(daily.parcels) AS parcels, sum(daily.settled) AS settled_with,
            sum(daily.resolve_parcels) AS resolve_parcels, sumMap(daily.resolve_bins) AS resolve_bins
        FROM exception_daily AS daily
        WHERE daily.level = if({origin:String} = '' AND {dest:String} = '', 'carrier', 'province')
            AND daily.kind = 'code'
            AND daily.cohort_date BETWEEN {from:Date} AND {to:Date}
            AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
            AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
            AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, daily.carrier))
        GROUP BY daily.vendor, daily.name
    )
SELECT
    found.vendor AS vendor, found.name AS name, found.parcels AS parcels, found.settled_with AS settled_with, cohort.settled AS settled,
    if(cohort.settled = 0, NULL, least(found.settled_with, cohort.settled) / cohort.settled) AS rate,
    wilson(least(found.settled_with, cohort.settled), cohort.settled, -1) AS rate_low,
    wilson(least(found.settled_with, cohort.settled), cohort.settled, 1) AS rate_high,
    found.resolve_parcels AS resolve_parcels,
    hours_at(found.resolve_bins, found.resolve_parcels, 50) AS resolve_p50_hours
FROM found
INNER JOIN cohort ON found.vendor = cohort.vendor
WHERE found.settled_with > 0
ORDER BY settled_with DESC, vendor, name
LIMIT 200
