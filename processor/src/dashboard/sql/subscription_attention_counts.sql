-- Number of subscriptions that need somebody by what for; of every kind, whichever of them is listed.
SELECT attention, vendor, account, code, count() AS subscriptions, max(age_hours) AS longest_hours
FROM subscription_attention
WHERE (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
    AND ({vendor:String} = '' OR vendor = {vendor:String})
    AND ({account:String} = '' OR account = {account:String})
GROUP BY attention, vendor, account, code
ORDER BY subscriptions DESC, attention, vendor, account, code
LIMIT 2000
