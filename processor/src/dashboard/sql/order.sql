-- How far the orders of one name are (indexed): a row for each account that knows the name.
SELECT *
FROM order_shipments
WHERE reference = {reference:String} AND ({account:String} = '' OR account = {account:String})
ORDER BY account
LIMIT 20
