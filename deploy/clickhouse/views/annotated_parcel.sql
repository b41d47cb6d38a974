CREATE OR REPLACE VIEW {database}.annotated_parcel
(
    `vendor`            LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`           LowCardinality(String)           COMMENT 'Vendor contract',
    `carrier`           LowCardinality(String)           COMMENT 'Canonical carrier code',
    `tracking_number`   String                           COMMENT 'The carrier''s parcel number',
    `epoch`             Date                             COMMENT 'Life of the number',
    `annotation`        LowCardinality(Nullable(String)) COMMENT 'What was said: DELIVERED, LOST, DESTROYED or EXCLUDED; never NULL',
    `annotation_occurred_at` Nullable(DateTime('UTC'))   COMMENT 'When it was delivered, lost or destroyed, as was said; UTC. Otherwise annotated_at',
    `annotation_reason` Nullable(String)                 COMMENT 'Why, in the words of whoever said it',
    `annotated_by`      Nullable(String)                 COMMENT 'Who said it',
    `annotated_at`      Nullable(DateTime64(6, 'UTC'))   COMMENT 'When it was said; UTC',
    `contradicted`      Bool                             COMMENT 'The vendor has said something else since: look at the parcel, and take the correction back if the vendor is right. Until then it holds',
    `vendor_status`     LowCardinality(String)           COMMENT 'Status by the vendor''s word alone',
    `last_event_at`     Nullable(DateTime('UTC'))        COMMENT 'The vendor''s newest event; UTC',
    `heard_at`          DateTime64(6, 'UTC')             COMMENT 'Receipt of the vendor''s last accepted push; UTC'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT
    vendor,
    account,
    carrier,
    tracking_number,
    epoch,
    annotation,
    annotation_occurred_at,
    annotation_reason,
    annotated_by,
    shipment_now.annotated_at AS annotated_at,
    contradicted,
    vendor_status,
    shipment_now.last_event_at AS last_event_at,
    heard_at
FROM {database}.shipment_now
WHERE isNotNull(annotation)
COMMENT 'Which parcels were corrected by hand, and which of these does the vendor contradict? One row per correction that holds';
