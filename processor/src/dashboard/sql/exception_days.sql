-- Codes day by day, each over the settled parcels picked up in the seven days up to that day, of both vendors.
WITH
    cohort AS
    (
        SELECT daily.cohort_date + ahead AS day, sum(daily.settled) AS settled
        FROM carrier_daily AS daily
        ARRAY JOIN range(7) AS ahead
        WHERE daily.level = if({origin:String} = '' AND {dest:String} = '', 'carrier', 'province')
            AND daily.cohort_date BETWEEN {from:Date} - 6 AND {to:Date}
            AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
            AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
            AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, daily.carrier))
        GROUP BY day
        -- A share of fewer would be chance.
        HAVING settled >= 30
    ),
    found AS
    (
        SELECT daily.cohort_date + ahead AS day, daily.vendor AS vendor, daily.name AS name, sum(daily.settled) AS settled_with
        FROM exception_daily AS daily
        ARRAY JOIN range(7) AS ahead
        WHERE daily.level = if({origin:String} = '' AND {dest:String} = '', 'carrier', 'province')
            AND daily.kind = 'code'
            AND daily.cohort_date BETWEEN {from:Date} - 6 AND {to:Date}
            AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
            AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
            AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, daily.carrier))
        GROUP BY day, daily.vendor, daily.name
    )
SELECT
    cohort.day AS day, found.vendor AS vendor, found.name AS name, found.settled_with AS settled_with, cohort.settled AS settled,
    least(settled_with, settled) / settled AS rate
FROM cohort
INNER JOIN found ON cohort.day = found.day
WHERE day BETWEEN {from:Date} AND {to:Date} AND settled_with > 0
ORDER BY day, vendor, name
LIMIT 40000
