-- Where the subscriptions stand, by contract, carrier, state and reason.
SELECT *
FROM subscription_states
WHERE (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
    AND ({vendor:String} = '' OR vendor = {vendor:String})
    AND ({account:String} = '' OR account = {account:String})
ORDER BY subscriptions DESC, vendor, account, carrier, state, reason
LIMIT 5000
