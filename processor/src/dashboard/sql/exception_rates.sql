-- Canonical reasons and the responsible parties, by carrier.
SELECT kind, carrier, name, party, parcels, settled_with, settled, rate, rate_low, rate_high, resolve_parcels, resolve_p50_hours
FROM exception_rate(
    from_date = {from:Date}, to_date = {to:Date}, vendor = {vendor:String}, origin = {origin:String}, dest = {dest:String})
WHERE kind IN ('reason', 'party') AND settled_with > 0 AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
ORDER BY kind, carrier, settled_with DESC, name
LIMIT 5000
