-- The parcel's way from hub to hub, where its vendor tells one: what was planned first, and what has become of it.
SELECT *
FROM parcel_route
WHERE tracking_number = {number:String}
    AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
ORDER BY vendor, account, carrier, position, name
LIMIT 400
