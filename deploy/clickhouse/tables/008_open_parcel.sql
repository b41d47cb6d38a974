-- Parcels on their way that somebody could act on. Looking for them among all shipments takes seconds when there are millions,
-- so they are collected every 5 minutes; how long each has been waiting is measured when the views are read.

CREATE TABLE IF NOT EXISTS {database}.open_parcel
(
    `vendor`             LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`            LowCardinality(String)           COMMENT 'Vendor contract',
    `carrier`            LowCardinality(String)           COMMENT 'Canonical carrier code',
    `tracking_number`    String                           COMMENT 'The carrier''s parcel number',
    `epoch`              Date                             COMMENT 'Epoch of the shipment',
    `status`             LowCardinality(String)           COMMENT 'Canonical status; never DELIVERED, RETURNED or CANCELLED',
    `sub_status`         LowCardinality(Nullable(String)) COMMENT 'Canonical refinement',
    `raw_code`           LowCardinality(Nullable(String)) COMMENT 'The vendor''s code behind it',
    `leg`                LowCardinality(String)           COMMENT 'FORWARD or RETURN',
    `tracking_state`     LowCardinality(String)           COMMENT 'What the vendor does: an aborted one will not be heard of again by itself',
    `origin`             LowCardinality(String)           COMMENT 'Area of the origin as in view parcel; empty = unknown',
    `dest`               LowCardinality(String)           COMMENT 'Area of the destination as in view parcel; empty = unknown',
    `is_cross_border`    Bool                             COMMENT 'As in view parcel',
    `picked_up_at`       Nullable(DateTime('UTC'))        COMMENT 'Pickup; UTC. NULL = not yet',
    `last_event_at`      Nullable(DateTime('UTC'))        COMMENT 'Newest event; UTC',
    `last_location`      Nullable(String)                 COMMENT 'Its place',
    `exception_since`    Nullable(DateTime('UTC'))        COMMENT 'First event of the unbroken run of exceptions that the parcel is in; UTC. NULL = in none',
    `exception_party`    LowCardinality(Nullable(String)) COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
    `attempts`           UInt8                            COMMENT 'Delivery rounds so far',
    `stalled_after`      UInt32                           COMMENT 'Seconds without an event after which it counts as stalled',
    `refreshed_at`       DateTime('UTC')                  COMMENT 'When it was collected; UTC'
)
ENGINE = {engine:MergeTree}
ORDER BY (carrier, tracking_number, vendor, epoch)
COMMENT 'Parcels that are neither delivered nor back nor cancelled, replaced every 5 minutes';
