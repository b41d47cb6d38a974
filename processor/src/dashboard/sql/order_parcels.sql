-- The parcels of the orders of one name (indexed).
SELECT *
FROM order_parcel
WHERE reference = {reference:String} AND ({account:String} = '' OR account = {account:String})
ORDER BY account, tracking_number, vendor, carrier
LIMIT {limit:UInt32}
