-- What has changed beyond chance, the surest first; carriers before lanes, which are part of them.
SELECT level, carrier, origin, dest, measure, from_date, to_date, parcels, parcels_before, value, value_before, q_value, is_worse, refreshed_at
FROM performance_change
WHERE is_beyond_chance
    AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
    AND ({origin:String} = '' OR origin = {origin:String})
    AND ({dest:String} = '' OR dest = {dest:String})
ORDER BY level, q_value, carrier, origin, dest, measure
LIMIT {limit:UInt32}
