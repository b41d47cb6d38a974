-- Number of open exceptions by carrier and reason.
SELECT carrier, reason, party, count() AS parcels, max(open_hours) AS longest_hours
FROM open_exceptions
WHERE (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
    AND ({vendor:String} = '' OR vendor = {vendor:String})
    AND startsWith(origin, {origin:String}) AND startsWith(dest, {dest:String})
GROUP BY carrier, reason, party
ORDER BY parcels DESC, carrier, reason
LIMIT 2000
