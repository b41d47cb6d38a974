-- The corrections by hand that hold, those first that the vendor contradicts.
SELECT *
FROM annotated_parcel
WHERE (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
    AND ({vendor:String} = '' OR vendor = {vendor:String})
ORDER BY contradicted DESC, annotated_parcel.annotated_at DESC, carrier, tracking_number, vendor, epoch
LIMIT {limit:UInt32}
