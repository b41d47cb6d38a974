-- How far the orders of one name are (indexed): a row for each contract with a vendor that knows the name.
SELECT *
FROM order_shipments
WHERE reference = {reference:String} AND ({account:String} = '' OR account = {account:String})
ORDER BY vendor, account
LIMIT 20
