-- What could not be understood, the most frequent first.
SELECT kind, vendor, carrier, wording, events, parcels, status, example, last_received_at, last_parcel, refreshed_at
FROM unknown_wording
WHERE (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
    AND ({vendor:String} = '' OR vendor = {vendor:String})
ORDER BY parcels DESC, events DESC, kind, vendor, carrier, wording
LIMIT {limit:UInt32}
