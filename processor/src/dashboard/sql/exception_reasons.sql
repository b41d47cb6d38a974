-- Canonical reasons, carrier by carrier.
SELECT carrier, name, party, parcels, settled_with, settled, rate, rate_low, rate_high, resolve_parcels, resolve_p50_hours
FROM exception_rate(
    from_date = {from:Date}, to_date = {to:Date}, vendor = {vendor:String}, origin = {origin:String}, dest = {dest:String})
WHERE kind = 'reason' AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
ORDER BY carrier, settled_with DESC, name
LIMIT 4000
