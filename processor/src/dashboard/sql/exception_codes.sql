-- Codes of all carriers asked for: counts add up, and the interval is made of the sums (Wilson, z for 95 %).
WITH
    (part, whole, side) -> if(whole = 0, NULL, least(1., greatest(0.,
        (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
            / (whole + 3.8414588206941983)))) AS wilson,
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
        SELECT vendor, name, sum(parcels) AS parcels, sum(settled_with) AS settled_with
        FROM exception_rate(
            from_date = {from:Date}, to_date = {to:Date}, vendor = {vendor:String}, origin = {origin:String}, dest = {dest:String})
        WHERE kind = 'code' AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
        GROUP BY vendor, name
    )
SELECT
    found.vendor AS vendor, found.name AS name, found.parcels AS parcels, found.settled_with AS settled_with, cohort.settled AS settled,
    if(cohort.settled = 0, NULL, found.settled_with / cohort.settled) AS rate,
    wilson(found.settled_with, cohort.settled, -1) AS rate_low,
    wilson(found.settled_with, cohort.settled, 1) AS rate_high
FROM found
INNER JOIN cohort ON found.vendor = cohort.vendor
ORDER BY settled_with DESC, vendor, name
LIMIT 200
