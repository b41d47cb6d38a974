-- Which parcels belong to an order: those whose pushes gave its name back, and those that were subscribed under it. The latter have no
-- status before the vendor's first push since then: what an older life of the number has come to says nothing of the order.

CREATE OR REPLACE VIEW {database}.order_parcel
(
    `account`           LowCardinality(String)           COMMENT 'Vendor contract: names of orders are those of its owner, and two contracts may use the same',
    `reference`         Nullable(String)                 COMMENT 'The subscriber''s own name of the order; never NULL',
    `vendor`            LowCardinality(String)           COMMENT 'Code of the vendor',
    `carrier`           LowCardinality(String)           COMMENT 'Canonical carrier code',
    `tracking_number`   String                           COMMENT 'The carrier''s parcel number',
    `epoch`             Nullable(Date)                   COMMENT 'Life of the number; NULL before the first push',
    `status`            LowCardinality(String)           COMMENT 'Canonical status; empty before the first push',
    `outcome`           LowCardinality(String)           COMMENT 'As in shipment: OPEN, DELIVERED, SENT_BACK or CANCELLED; LOST or DESTROYED by hand; CORRECTED until the right carrier is told of; UNTOLD before the first push, which never comes if the vendor has rejected the subscription',
    `is_exception`      Bool                             COMMENT 'At least one event was an exception',
    `picked_up_at`      Nullable(DateTime('UTC'))        COMMENT 'The pickup; UTC',
    `delivered_at`      Nullable(DateTime('UTC'))        COMMENT 'The delivery, on the forward leg; UTC',
    `last_event_at`     Nullable(DateTime('UTC'))        COMMENT 'Newest event; UTC',
    `dest_carrier`      LowCardinality(Nullable(String)) COMMENT 'Carrier in the destination country',
    `dest_number`       Nullable(String)                 COMMENT 'Its own number of the parcel',
    `vendor_status`     LowCardinality(String)           COMMENT 'Status by the vendor''s word alone; empty before the first push',
    `annotation`        LowCardinality(Nullable(String)) COMMENT 'Correction by hand: DELIVERED, LOST, DESTROYED, or EXCLUDED: the parcel is in no count; NULL = none',
    `annotation_reason` Nullable(String)                 COMMENT 'Why, in the words of whoever corrected it',
    `annotated_by`      Nullable(String)                 COMMENT 'Who corrected it',
    `annotated_at`      Nullable(DateTime64(6, 'UTC'))   COMMENT 'When it was corrected; UTC',
    `contradicted`      Bool                             COMMENT 'The vendor has said something else since the correction'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    -- What is told of a parcel, as one value: alone, what is NULL would be passed over for that of an older life of the number.
    (carrier, epoch, status, outcome, is_exception, picked_up_at, delivered_at, last_event_at, dest_carrier, dest_number, said) -> CAST(
        (carrier, epoch, status, outcome, is_exception, picked_up_at, delivered_at, last_event_at, dest_carrier, dest_number, said),
        'Tuple(carrier String, epoch Nullable(Date), status String, outcome String, is_exception Bool, picked_up_at Nullable(DateTime(\'UTC\')), delivered_at Nullable(DateTime(\'UTC\')), last_event_at Nullable(DateTime(\'UTC\')), dest_carrier Nullable(String), dest_number Nullable(String), said Tuple(vendor_status String, annotation Nullable(String), reason Nullable(String), by Nullable(String), at Nullable(DateTime64(6, \'UTC\')), contradicted Bool))') AS parcel_of,
    told AS
    (
        SELECT
            vendor, account, carrier, tracking_number, shipment.reference AS reference, heard_at,
            parcel_of(
                carrier, toNullable(epoch), status, outcome, notEmpty(exception_reasons) OR notEmpty(exception_codes),
                picked_up_at, delivered_at, shipment.last_event_at, dest_carrier, dest_number,
                (vendor_status, annotation, annotation_reason, annotated_by, annotated_at, contradicted)) AS parcel
        FROM {database}.shipment_now AS shipment
    ),
    followed AS
    (
        SELECT vendor, account, carrier, tracking_number, subscription.reference AS reference, state, requested_at
        FROM {database}.subscription FINAL
        WHERE isNotNull(subscription.reference)
    )
SELECT
    account, reference, vendor, newest.carrier AS carrier, tracking_number,
    newest.epoch AS epoch,
    newest.status AS status,
    newest.outcome AS outcome,
    newest.is_exception AS is_exception,
    newest.picked_up_at AS picked_up_at,
    newest.delivered_at AS delivered_at,
    newest.last_event_at AS last_event_at,
    newest.dest_carrier AS dest_carrier,
    newest.dest_number AS dest_number,
    newest.said.vendor_status AS vendor_status,
    newest.said.annotation AS annotation,
    newest.said.reason AS annotation_reason,
    newest.said.by AS annotated_by,
    newest.said.at AS annotated_at,
    newest.said.contradicted AS contradicted
FROM
(
    SELECT
        account, reference, vendor, tracking_number,
        -- What was heard last, of the right carrier if there is a wrong one: one number is one parcel of an order.
        argMax(parcel, (parcel.outcome != 'CORRECTED', heard_at)) AS newest
    FROM
    (
        SELECT account, reference, vendor, tracking_number, heard_at, parcel
        FROM told
        WHERE isNotNull(reference)
        UNION ALL
        -- What was pushed to the same contract since, under the carrier that the vendor follows. Every push names the carrier, so one that was
        -- detected or corrected stands in the subscription.
        SELECT
            followed.account, followed.reference, followed.vendor, followed.tracking_number,
            if(since.tracking_number = '', followed.requested_at, since.heard_at),
            if(
                since.tracking_number = '',
                parcel_of(followed.carrier, NULL, '', 'UNTOLD', false, NULL, NULL, NULL, NULL, NULL, ('', NULL, NULL, NULL, NULL, false)),
                since.parcel)
        FROM followed
        LEFT JOIN (SELECT * FROM told WHERE (vendor, tracking_number) IN (SELECT vendor, tracking_number FROM followed)) AS since
            ON followed.vendor = since.vendor AND followed.account = since.account AND followed.carrier = since.carrier
            AND followed.tracking_number = since.tracking_number AND followed.requested_at <= since.heard_at
        -- Nobody waits for what was cancelled before anything was told.
        WHERE followed.state != 'CANCELLED' OR since.tracking_number != ''
    )
    GROUP BY account, reference, vendor, tracking_number
)
-- The defaults of these settings differ between releases or can be set for a user.
SETTINGS join_use_nulls = 0, do_not_merge_across_partitions_select_final = 0
COMMENT 'Which parcels belong to which order? One row per contract with a vendor, order and parcel';
