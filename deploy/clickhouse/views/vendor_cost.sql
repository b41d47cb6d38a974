-- What a vendor bills is in vendor_fact. An estimate: the invoice is the vendor's. Billable are calls that the vendor accepted; an answer
-- without any event is free. Prices are not here, because a contract's price is in the configuration alone.

CREATE OR REPLACE VIEW {database}.vendor_cost
(
    `month`            UInt32                 COMMENT 'Calendar month in China, 202612 for December 2026: of the calls, and of the begin of a unit',
    `vendor`           LowCardinality(String) COMMENT 'Code of the vendor',
    `account`          LowCardinality(String) COMMENT 'Vendor contract',
    `carrier`          LowCardinality(String) COMMENT 'Canonical carrier code; unknown until the vendor has detected it',
    `calls`            UInt64                 COMMENT 'Calls, subscriptions and queries, whatever was answered',
    `accepted`         UInt64                 COMMENT 'Of those, accepted by the vendor: done, or said to be done already when an earlier try of the same call was not answered, or told by a push when no try was answered',
    `units`            Nullable(UInt64)       COMMENT 'Units of the vendor that the accepted calls are (vendor_fact.unit): a number under a carrier once a month, or once in so many days; NULL when the vendor does not say',
    `units_if_renewed` Nullable(UInt64)       COMMENT 'The same if a subscription that is still followed in a later month is a unit again in each; no vendor says whether it is'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    -- By its vendor's carrier, for that is what is billed. Where the vendor was to detect it, the subscription knows by now.
    called AS
    (
        SELECT
            call.vendor AS vendor,
            call.account AS account,
            call.tracking_number AS tracking_number,
            if(call.vendor_carrier = '', toString(subscription.vendor_carrier), toString(call.vendor_carrier)) AS billed_carrier,
            if(call.carrier = 'unknown' AND subscription.carrier != '', toString(subscription.carrier), toString(call.carrier)) AS carrier,
            call.called_on AS called_on,
            call.is_accepted AS is_accepted,
            call.is_accepted AND call.kind = 'SUBSCRIBE' AND subscription.vendor_carrier = billed_carrier AS is_followed,
            if(subscription.state IN ('ACTIVE', 'CALLING', 'WAITING', 'REQUESTED'),
                toDate(now(), 'Asia/Shanghai'),
                -- A cancellation leaves the end of the life before where it is.
                toDate(if(subscription.state = 'CANCELLED', subscription.since, ifNull(subscription.ended_at, subscription.since)), 'Asia/Shanghai')) AS followed_until
        FROM
        (
            SELECT
                vendor, account, tracking_number, vendor_carrier, carrier, kind,
                toDate(started_at, 'Asia/Shanghai') AS called_on,
                {formula:is_accepted}
            FROM {database}.vendor_call FINAL
        ) AS call
        LEFT JOIN (SELECT * FROM {database}.subscription FINAL) AS subscription
            ON subscription.vendor = call.vendor AND subscription.account = call.account AND subscription.tracking_number = call.tracking_number
    ),
    billed AS
    (
        SELECT
            called.vendor AS vendor,
            called.account AS account,
            max(called.carrier) AS carrier,
            any(fact.unit) AS unit,
            any(fact.unit_days) AS unit_days,
            arraySort(groupUniqArrayIf(called.called_on, called.is_accepted)) AS days,
            -- The first day of each unit: a day that is not within the unit before.
            arrayFold(
                (starts, day) -> if(empty(starts) OR day >= starts[-1] + unit_days, arrayPushBack(starts, day), starts),
                days, CAST([], 'Array(Date)')) AS starts,
            multiIf(
                unit = 'MONTH', arrayDistinct(arrayMap(day -> toYYYYMM(day), days)),
                unit = 'DAYS', arrayMap(day -> toYYYYMM(day), starts),
                CAST([], 'Array(UInt32)')) AS unit_months,
            minIf(called.called_on, called.is_followed) AS followed_from,
            maxIf(called.followed_until, called.is_followed) AS followed_to,
            if(unit = 'MONTH' AND countIf(called.is_followed) > 0,
                arrayMap(
                    month -> toYYYYMM(addMonths(toStartOfMonth(followed_from), month)),
                    range(toUInt16(greatest(dateDiff('month', followed_from, followed_to), 0) + 1))),
                CAST([], 'Array(UInt32)')) AS followed_months
        FROM called
        LEFT JOIN {database}.vendor_fact AS fact ON fact.vendor = called.vendor
        GROUP BY called.vendor, called.account, called.billed_carrier, called.tracking_number
    ),
    counted AS
    (
        SELECT
            toYYYYMM(called_on) AS month, vendor, account, carrier,
            1 AS a_call, toUInt8(is_accepted) AS an_accepted, 0 AS a_unit, 0 AS a_renewed_unit
        FROM called
        UNION ALL
        SELECT
            arrayJoin(arrayDistinct(arrayConcat(unit_months, followed_months))) AS month, vendor, account, carrier,
            0 AS a_call, toUInt8(0) AS an_accepted,
            countEqual(unit_months, month) AS a_unit, greatest(countEqual(unit_months, month), 1) AS a_renewed_unit
        FROM billed
    )
SELECT
    counted.month AS month,
    counted.vendor AS vendor,
    counted.account AS account,
    counted.carrier AS carrier,
    sum(a_call) AS calls,
    sum(an_accepted) AS accepted,
    if(any(fact.unit) = '', NULL, sum(a_unit)) AS units,
    if(any(fact.unit) = '', NULL, sum(a_renewed_unit)) AS units_if_renewed
FROM counted
LEFT JOIN {database}.vendor_fact AS fact ON fact.vendor = counted.vendor
GROUP BY counted.month, counted.vendor, counted.account, counted.carrier
ORDER BY month, vendor, account, carrier
SETTINGS join_use_nulls = 0, do_not_merge_across_partitions_select_final = 0
COMMENT 'What will the vendors bill? An estimate in units from table vendor_call, by month, contract and carrier; times the price of the contract it is the cost';
