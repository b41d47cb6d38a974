-- The same over all days of the view, by contract.
WITH
    {formula:share},
    {formula:wilson},
    counted AS
    (
        SELECT
            vendor,
            account,
            sum(daily.requested) AS requested,
            sum(daily.accepted) AS accepted,
            sum(daily.due) AS due,
            -- A day's share times its parcels is a whole number again.
            toUInt64(round(sum(ifNull(daily.first_push_24h_share * daily.due, 0)))) AS pushed,
            sum(daily.aborted) AS aborted,
            sum(daily.without_shipment) AS without_shipment,
            sum(daily.shipments) AS shipments,
            sum(daily.shipments_unsubscribed) AS shipments_unsubscribed
        FROM subscription_coverage AS daily
        WHERE ({vendor:String} = '' OR vendor = {vendor:String})
            AND ({account:String} = '' OR account = {account:String})
        GROUP BY vendor, account
    )
SELECT
    vendor, account, requested, accepted, due,
    share(pushed, due) AS first_push_24h_share,
    wilson(pushed, due, -1) AS first_push_24h_low,
    wilson(pushed, due, 1) AS first_push_24h_high,
    aborted, without_shipment, shipments, shipments_unsubscribed
FROM counted
ORDER BY requested DESC, shipments DESC, vendor, account
LIMIT 2000
