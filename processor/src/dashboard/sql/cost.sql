-- What the vendors will bill, an estimate in units, by month and contract; the present month first.
SELECT
    cost.month AS month,
    cost.vendor AS vendor,
    cost.account AS account,
    sum(cost.calls) AS calls,
    sum(cost.accepted) AS accepted,
    sum(cost.units) AS units,
    sum(cost.units_if_renewed) AS units_if_renewed
FROM vendor_cost AS cost
WHERE ({vendor:String} = '' OR cost.vendor = {vendor:String})
    AND ({account:String} = '' OR cost.account = {account:String})
    AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, cost.carrier))
GROUP BY month, vendor, account
ORDER BY month DESC, vendor, account
LIMIT 2000
