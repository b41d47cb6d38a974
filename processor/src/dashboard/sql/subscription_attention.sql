-- Subscriptions that need somebody, the longest in their state first.
SELECT *
FROM subscription_attention
WHERE (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
    AND ({vendor:String} = '' OR vendor = {vendor:String})
    AND ({account:String} = '' OR account = {account:String})
    AND ({attention:String} = '' OR attention = {attention:String})
ORDER BY since, vendor, account, tracking_number
LIMIT {limit:UInt32}
