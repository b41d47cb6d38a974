-- The parcel's changes of state, oldest first.
SELECT *
FROM shipment_timeline
WHERE tracking_number = {number:String}
    AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
LIMIT 2000
