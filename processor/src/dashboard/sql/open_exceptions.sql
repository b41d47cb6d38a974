-- Parcels with an open exception, the longest open first.
SELECT *
FROM open_exceptions
WHERE (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
    AND ({vendor:String} = '' OR vendor = {vendor:String})
    AND startsWith(origin, {origin:String}) AND startsWith(dest, {dest:String})
    AND ({name:String} = '' OR ifNull(reason, '') = {name:String})
ORDER BY open_hours DESC NULLS LAST, carrier, tracking_number
LIMIT {limit:UInt32}
