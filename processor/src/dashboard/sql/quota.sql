-- How many numbers have used how much of the monthly quota, the present month first.
SELECT *
FROM subscription_quota
WHERE ({vendor:String} = '' OR vendor = {vendor:String})
    AND ({account:String} = '' OR account = {account:String})
ORDER BY month DESC, numbers DESC, vendor, account
LIMIT 2000
