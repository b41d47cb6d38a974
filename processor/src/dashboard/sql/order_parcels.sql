-- The parcels of the orders of one name (indexed).
SELECT *
FROM order_parcel
WHERE reference = {reference:String} AND ({account:String} = '' OR account = {account:String})
ORDER BY vendor, account, tracking_number, carrier
LIMIT {limit:UInt32}
