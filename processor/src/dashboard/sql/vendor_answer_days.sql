-- What the vendors answer, day by day.
SELECT *
FROM vendor_call_daily
WHERE call_date BETWEEN {from:Date} AND {to:Date}
    AND ({vendor:String} = '' OR vendor = {vendor:String})
    AND ({account:String} = '' OR account = {account:String})
ORDER BY call_date, vendor, account, api, kind, class, code
LIMIT 40000
