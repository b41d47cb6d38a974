-- How many parcels there are to have an exception, and how many of them are settled; no row if there are none.
SELECT sum(daily.parcels) AS parcels, sum(daily.settled) AS settled
FROM carrier_daily AS daily
WHERE daily.level = if({origin:String} = '' AND {dest:String} = '', 'carrier', 'province')
    AND daily.cohort_date BETWEEN {from:Date} AND {to:Date}
    AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
    AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
    AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, daily.carrier))
HAVING parcels > 0
LIMIT 1
