CREATE OR REPLACE VIEW {database}.subscription_coverage
(
    `day`                    Date                   COMMENT 'Day in China: of the request for what is counted in subscriptions, of the first push for what is counted in shipments',
    `vendor`                 LowCardinality(String) COMMENT 'Code of the vendor; empty when the request led to none',
    `account`                LowCardinality(String) COMMENT 'Vendor contract; of a shipment that of its last accepted push',
    `requested`              UInt64                 COMMENT 'Subscriptions asked for that day; one that was asked for again counts on its last day only',
    `accepted`               UInt64                 COMMENT 'Of those, accepted by the vendor',
    `due`                    UInt64                 COMMENT 'Of the accepted, accepted at least 24 h ago: denominator of what follows',
    `first_push_24h_share`   Nullable(Float64)      COMMENT 'Share of due with a push within 24 h of being accepted; NULL when nothing can be judged yet',
    `first_push_24h_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `first_push_24h_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `first_push_p50_hours`   Nullable(Float64)      COMMENT 'Accepted to first push: half of due needed at most so many hours; those without a push count as infinitely long. NULL = not reached',
    `first_push_p95_hours`   Nullable(Float64)      COMMENT '95 % of due, likewise',
    `aborted`                UInt64                 COMMENT 'Of requested, given up by the vendor at least once, for want of a record or of change',
    `without_shipment`       UInt64                 COMMENT 'Of due, without any shipment: no push of them could be derived. Shipments first heard of more than 60 days before the period are not looked for',
    `shipments`              UInt64                 COMMENT 'Shipments first heard of that day, without the CARRIER_CORRECTED ones',
    `shipments_unsubscribed` UInt64                 COMMENT 'Of those, without a subscription of ours at that vendor: somebody else asked for their pushes, or the request was made before there were subscriptions here'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:share},
    {formula:wilson},
    {formula:first_covered_day},
    asked AS
    (
        SELECT
            toDate(subscription.requested_at, 'Asia/Shanghai') AS day,
            subscription.vendor AS vendor,
            subscription.account AS account,
            subscription.tracking_number AS tracking_number,
            subscription.round > 1 OR ifNull(subscription.reason IN ('NO_RECORD', 'STALE'), false) AS is_aborted,
            -- A call of before the request was one of an earlier life. The clocks of those who ask and of those who call may differ.
            call.accepted_at >= subscription.requested_at - INTERVAL 1 MINUTE AS is_accepted,
            is_accepted AND call.accepted_at <= now64(6, 'UTC') - INTERVAL 24 HOUR AS is_due,
            if(isNull(subscription.first_push_at), inf,
                greatest(dateDiff('second', call.accepted_at, assumeNotNull(subscription.first_push_at)), 0) / 3600) AS hours
        FROM (SELECT * FROM {database}.subscription FINAL) AS subscription
        LEFT JOIN
        (
            -- The last one is that of the present round, which first_push_at is about.
            SELECT vendor, account, tracking_number, max(started_at) AS accepted_at
            FROM (SELECT *, {formula:is_accepted} FROM {database}.vendor_call FINAL)
            WHERE kind = 'SUBSCRIBE' AND is_accepted
            GROUP BY vendor, account, tracking_number
        ) AS call
            ON call.vendor = subscription.vendor AND call.account = subscription.account AND call.tracking_number = subscription.tracking_number
        WHERE subscription.requested_at >= toDateTime(first_covered_day, 'Asia/Shanghai')
    ),
    counted AS
    (
        SELECT
            day,
            vendor,
            account,
            count() AS a_requested,
            countIf(is_accepted) AS an_accepted,
            countIf(is_due) AS a_due,
            countIf(is_due AND hours <= 24) AS a_pushed,
            quantileExactIf(0.5)(hours, is_due) AS p50,
            quantileExactIf(0.95)(hours, is_due) AS p95,
            countIf(is_aborted) AS an_aborted,
            countIf(is_due AND (vendor, tracking_number) NOT IN
            (
                SELECT heard.vendor, heard.tracking_number
                FROM {database}.shipment AS heard
                WHERE heard.first_received_at >= toDateTime(first_covered_day - 60, 'Asia/Shanghai')
                    AND heard.tracking_number IN (SELECT tracking_number FROM {database}.subscription WHERE requested_at >= toDateTime(first_covered_day, 'Asia/Shanghai'))
            )) AS a_silent,
            toUInt64(0) AS a_shipment,
            toUInt64(0) AS an_unsubscribed
        FROM asked
        GROUP BY day, vendor, account
        UNION ALL
        SELECT
            toDate(shipment.first_received_at, 'Asia/Shanghai') AS day,
            shipment.vendor AS vendor,
            shipment.account AS account,
            toUInt64(0) AS a_requested,
            toUInt64(0) AS an_accepted,
            toUInt64(0) AS a_due,
            toUInt64(0) AS a_pushed,
            inf AS p50,
            inf AS p95,
            toUInt64(0) AS an_aborted,
            toUInt64(0) AS a_silent,
            count() AS a_shipment,
            countIf((shipment.vendor, shipment.tracking_number) NOT IN (SELECT subscribed.vendor, subscribed.tracking_number FROM {database}.subscription AS subscribed)) AS an_unsubscribed
        FROM {database}.shipment FINAL
        WHERE shipment.first_received_at >= toDateTime(first_covered_day, 'Asia/Shanghai') AND tracking_state != 'CARRIER_CORRECTED'
        GROUP BY day, vendor, account
    )
SELECT
    day,
    vendor,
    account,
    sum(a_requested) AS requested,
    sum(an_accepted) AS accepted,
    sum(a_due) AS due,
    share(sum(a_pushed), due) AS first_push_24h_share,
    wilson(sum(a_pushed), due, -1) AS first_push_24h_low,
    wilson(sum(a_pushed), due, 1) AS first_push_24h_high,
    -- At most one of the rows that are added up is about subscriptions.
    if(isFinite(min(p50)) AND due > 0, min(p50), NULL) AS first_push_p50_hours,
    if(isFinite(min(p95)) AND due > 0, min(p95), NULL) AS first_push_p95_hours,
    sum(an_aborted) AS aborted,
    sum(a_silent) AS without_shipment,
    sum(a_shipment) AS shipments,
    sum(an_unsubscribed) AS shipments_unsubscribed
FROM counted
GROUP BY day, vendor, account
ORDER BY day, vendor, account
SETTINGS join_use_nulls = 0, do_not_merge_across_partitions_select_final = 0
COMMENT 'Are all parcels followed, and do the pushes come? Tables subscription, vendor_call and shipment by day, vendor and contract, of the last 30 days';
