-- Number of stalled parcels by carrier and state.
SELECT carrier, status, count() AS parcels, max(silent_hours) AS longest_hours
FROM stalled_shipments
WHERE (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
    AND ({vendor:String} = '' OR vendor = {vendor:String})
    AND startsWith(origin, {origin:String}) AND startsWith(dest, {dest:String})
GROUP BY carrier, status
ORDER BY parcels DESC, carrier, status
LIMIT 2000
