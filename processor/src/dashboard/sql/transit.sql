-- Share delivered within so many hours; a week and a half of them is what a curve can show.
SELECT carrier, hours, parcels, transit_parcels, delivered_share
FROM transit_distribution(
    from_date = {from:Date}, to_date = {to:Date}, vendor = {vendor:String}, origin = {origin:String}, dest = {dest:String})
WHERE hours <= 240 AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
ORDER BY carrier, hours
LIMIT 40000
