-- Share of parcels delivered within a number of hours, for a week and a half, which is what the curve shows.
SELECT carrier, hours, parcels, transit_parcels, delivered_share
FROM transit_distribution(
    from_date = {from:Date}, to_date = {to:Date}, vendor = {vendor:String}, origin = {origin:String}, dest = {dest:String})
WHERE hours <= 240 AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
ORDER BY carrier, hours
LIMIT 40000
