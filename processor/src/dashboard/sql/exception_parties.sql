-- Who answers for them, carrier by carrier.
SELECT carrier, name, parcels, settled_with, settled, rate, rate_low, rate_high
FROM exception_rate(
    from_date = {from:Date}, to_date = {to:Date}, vendor = {vendor:String}, origin = {origin:String}, dest = {dest:String})
WHERE kind = 'party' AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
ORDER BY carrier, settled_with DESC, name
LIMIT 1000
