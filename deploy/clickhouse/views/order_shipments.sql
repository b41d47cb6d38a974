-- How far the orders are. A customer waits for an order, which may come in several parcels.

CREATE OR REPLACE VIEW {database}.order_shipments
(
    `vendor`             LowCardinality(String)    COMMENT 'Code of the vendor',
    `account`            LowCardinality(String)    COMMENT 'Vendor contract',
    `reference`          Nullable(String)          COMMENT 'The subscriber''s own name of the order; never NULL',
    `state`              LowCardinality(String)    COMMENT 'Cancelled parcels aside, DELIVERED: every parcel is; PART_DELIVERED: some are, and open says whether more can come; SENT_BACK: all are back with the sender; LOST: all are lost or destroyed, as somebody said; OPEN: anything else. CANCELLED: every parcel is',
    `parcels`            UInt64                    COMMENT 'Parcels of the order, without those that are EXCLUDED by hand',
    `delivered`          UInt64                    COMMENT 'Of these delivered on the forward leg',
    `open`               UInt64                    COMMENT 'Of these not known to have ended: on their way, lost without a word, or not told of yet',
    `sent_back`          UInt64                    COMMENT 'Of these back with the sender without having been delivered',
    `cancelled`          UInt64                    COMMENT 'Of these cancelled',
    `lost`               UInt64                    COMMENT 'Of these lost or destroyed, as somebody said (annotated_parcel)',
    `untold`             UInt64                    COMMENT 'Of the open ones those of which the vendor has said nothing yet',
    `exceptions`         UInt64                    COMMENT 'Parcels with at least one exception',
    `first_picked_up_at` Nullable(DateTime('UTC')) COMMENT 'The first pickup; UTC',
    `first_delivered_at` Nullable(DateTime('UTC')) COMMENT 'The first delivery; UTC',
    `last_delivered_at`  Nullable(DateTime('UTC')) COMMENT 'The last delivery so far; UTC',
    `last_event_at`      Nullable(DateTime('UTC')) COMMENT 'Newest event of any parcel; UTC',
    `tracking_numbers`   Array(String)             COMMENT 'The parcels'' numbers, sorted'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT
    vendor,
    account,
    reference,
    multiIf(
        delivered > 0 AND delivered + cancelled = parcels, 'DELIVERED',
        delivered > 0, 'PART_DELIVERED',
        cancelled = parcels, 'CANCELLED',
        lost > 0 AND lost + cancelled = parcels, 'LOST',
        sent_back + cancelled = parcels, 'SENT_BACK',
        'OPEN') AS state,
    count() AS parcels,
    countIf(outcome = 'DELIVERED') AS delivered,
    countIf(outcome IN ('OPEN', 'UNTOLD', 'CORRECTED')) AS open,
    countIf(outcome = 'SENT_BACK') AS sent_back,
    countIf(outcome = 'CANCELLED') AS cancelled,
    countIf(outcome IN ('LOST', 'DESTROYED')) AS lost,
    countIf(outcome = 'UNTOLD') AS untold,
    countIf(is_exception) AS exceptions,
    min(picked_up_at) AS first_picked_up_at,
    min(delivered_at) AS first_delivered_at,
    max(delivered_at) AS last_delivered_at,
    max(order_parcel.last_event_at) AS last_event_at,
    arraySort(groupArray(tracking_number)) AS tracking_numbers
FROM {database}.order_parcel
WHERE ifNull(annotation != 'EXCLUDED', true)
GROUP BY vendor, account, reference
COMMENT 'How far is each order? One row per contract with a vendor and order: how many parcels, how many are delivered, and when';
