-- Are all parcels followed, and do the pushes come? Day by day and by contract.
SELECT *
FROM subscription_coverage
WHERE ({vendor:String} = '' OR vendor = {vendor:String})
    AND ({account:String} = '' OR account = {account:String})
ORDER BY day, vendor, account
LIMIT 20000
