-- Parcels without news for too long, the most overdue first.
SELECT *
FROM stalled_shipments
WHERE (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
    AND ({vendor:String} = '' OR vendor = {vendor:String})
    AND startsWith(origin, {origin:String}) AND startsWith(dest, {dest:String})
    AND ({status:String} = '' OR status = {status:String})
ORDER BY silent_hours - limit_hours DESC, carrier, tracking_number
LIMIT {limit:UInt32}
