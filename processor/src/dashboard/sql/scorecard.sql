-- The league table: the view's own figures of each carrier.
SELECT *
FROM carrier_scorecard(
    from_date = {from:Date}, to_date = {to:Date}, vendor = {vendor:String}, origin = {origin:String}, dest = {dest:String})
WHERE empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier)
ORDER BY parcels DESC, carrier
LIMIT 200
