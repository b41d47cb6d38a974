-- The parcels of the orders of one name (indexed), those first that somebody waits for.
SELECT *
FROM order_parcel
WHERE reference = {reference:String} AND ({account:String} = '' OR account = {account:String})
ORDER BY outcome IN ('DELIVERED', 'SENT_BACK', 'CANCELLED'), vendor, account, tracking_number, carrier
LIMIT {limit:UInt32}
