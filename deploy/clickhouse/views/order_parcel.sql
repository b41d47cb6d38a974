-- Which parcels belong to an order: those whose pushes gave its name back, and those that were subscribed under it. The latter have no
-- status before the vendor's first push.

CREATE OR REPLACE VIEW {database}.order_parcel
(
    `account`           LowCardinality(String)           COMMENT 'Vendor contract: names of orders are those of its owner, and two contracts may use the same',
    `reference`         Nullable(String)                 COMMENT 'The subscriber''s own name of the order; never NULL',
    `vendor`            LowCardinality(String)           COMMENT 'Code of the vendor',
    `carrier`           LowCardinality(String)           COMMENT 'Canonical carrier code',
    `tracking_number`   String                           COMMENT 'The carrier''s parcel number',
    `epoch`             Nullable(Date)                   COMMENT 'Life of the number; NULL before the first push',
    `status`            LowCardinality(String)           COMMENT 'Canonical status; empty before the first push',
    `outcome`           LowCardinality(String)           COMMENT 'As in shipment: OPEN, DELIVERED, SENT_BACK or CANCELLED; UNTOLD before the first push',
    `is_exception`      Bool                             COMMENT 'At least one event was an exception',
    `picked_up_at`      Nullable(DateTime('UTC'))        COMMENT 'The pickup; UTC',
    `delivered_at`      Nullable(DateTime('UTC'))        COMMENT 'The delivery, on the forward leg; UTC',
    `last_event_at`     Nullable(DateTime('UTC'))        COMMENT 'Newest event; UTC',
    `dest_carrier`      LowCardinality(Nullable(String)) COMMENT 'Carrier in the destination country',
    `dest_number`       Nullable(String)                 COMMENT 'Its own number of the parcel'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT
    account, reference, vendor, carrier, tracking_number,
    newest.epoch AS epoch,
    newest.status AS status,
    newest.outcome AS outcome,
    newest.is_exception AS is_exception,
    newest.picked_up_at AS picked_up_at,
    newest.delivered_at AS delivered_at,
    newest.last_event_at AS last_event_at,
    newest.dest_carrier AS dest_carrier,
    newest.dest_number AS dest_number
FROM
(
    SELECT
        account, reference, vendor, carrier, tracking_number,
        -- As one value: alone, those that are NULL would be passed over for those of an older life of the number.
        argMax(
            CAST(
                (
                    toNullable(epoch), status, outcome, notEmpty(exception_reasons) OR notEmpty(exception_codes),
                    picked_up_at, delivered_at, shipment.last_event_at, dest_carrier, dest_number
                ),
                'Tuple(epoch Nullable(Date), status String, outcome String, is_exception Bool, picked_up_at Nullable(DateTime(\'UTC\')), delivered_at Nullable(DateTime(\'UTC\')), last_event_at Nullable(DateTime(\'UTC\')), dest_carrier Nullable(String), dest_number Nullable(String))'),
            epoch) AS newest
    FROM {database}.shipment FINAL
    WHERE isNotNull(shipment.reference) AND tracking_state != 'CARRIER_CORRECTED'
    GROUP BY account, reference, vendor, carrier, tracking_number
)
UNION ALL
SELECT
    followed.account, followed.reference, followed.vendor,
    if(told.tracking_number = '', followed.carrier, told.carrier), followed.tracking_number,
    if(told.tracking_number = '', NULL, toNullable(told.epoch)), told.status, if(told.tracking_number = '', 'UNTOLD', told.outcome),
    told.is_exception, told.picked_up_at, told.delivered_at, told.last_event_at, told.dest_carrier, told.dest_number
FROM
(
    SELECT vendor, account, carrier, tracking_number, reference
    FROM {database}.subscription FINAL
    WHERE isNotNull(subscription.reference) AND state NOT IN ('REJECTED', 'CANCELLED')
) AS followed
-- The newest life of the number, under whichever carrier the vendor has found it.
LEFT JOIN
(
    SELECT
        vendor, carrier, tracking_number, epoch, reference, status, outcome, picked_up_at, delivered_at, last_event_at, dest_carrier, dest_number,
        notEmpty(exception_reasons) OR notEmpty(exception_codes) AS is_exception
    FROM {database}.shipment FINAL
    WHERE tracking_state != 'CARRIER_CORRECTED'
        AND (vendor, tracking_number) IN (SELECT vendor, tracking_number FROM {database}.subscription FINAL WHERE isNotNull(subscription.reference))
    ORDER BY epoch DESC, received_at DESC
    LIMIT 1 BY vendor, tracking_number
) AS told ON followed.vendor = told.vendor AND followed.tracking_number = told.tracking_number
-- Otherwise its pushes have said so themselves, or belong to another order by now.
WHERE isNull(told.reference)
-- The defaults of these settings differ between releases or can be set for a user.
SETTINGS join_use_nulls = 0, do_not_merge_across_partitions_select_final = 0
COMMENT 'Which parcels belong to which order? One row per order and parcel; a parcel that two vendors track is two rows';
