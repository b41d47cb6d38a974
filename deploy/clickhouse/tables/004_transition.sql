-- One row per change of (leg, status, sub-status) of a parcel. Vendors rewrite history, so a transition can be changed (a
-- newer version of the same id) and taken back (is_deleted): FINAL shows what holds now.

CREATE TABLE IF NOT EXISTS {database}.transition
(
    `vendor`            LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`           LowCardinality(String)           COMMENT 'Vendor contract of the push that brought this change',
    `carrier`           LowCardinality(String)           COMMENT 'Canonical carrier code',
    `tracking_number`   String                           COMMENT 'The carrier''s parcel number: trimmed, ASCII upper case' CODEC(ZSTD(1)),
    `epoch`             Date                             COMMENT 'Epoch of the shipment',
    `transition_id`     UInt64                           COMMENT 'Hash of the id of the event that caused it; unique within a shipment' CODEC(NONE), -- a hash does not compress
    `version`           UInt64                           COMMENT 'Version of the shipment that brought this change',
    `is_deleted`        UInt8                            COMMENT '1: the vendor rewrote history and the transition is void; FINAL leaves it out',
    `first_received_at` DateTime64(6, 'UTC')             COMMENT 'Receipt of the first accepted push of this epoch; UTC, microseconds',
    `received_at`       DateTime64(6, 'UTC')             COMMENT 'Receipt of the push that brought this change; UTC, microseconds',
    `occurred_at`       DateTime('UTC')                  COMMENT 'Time of the event that caused it; UTC',
    `from_status`       LowCardinality(String)           COMMENT 'Status before; UNKNOWN for the first transition',
    `from_sub_status`   LowCardinality(Nullable(String)) COMMENT 'Sub-status before',
    `to_status`         LowCardinality(String)           COMMENT 'Status after',
    `to_sub_status`     LowCardinality(Nullable(String)) COMMENT 'Sub-status after',
    `raw_code`          LowCardinality(Nullable(String)) COMMENT 'The vendor''s code of the event that caused it',
    `leg`               LowCardinality(String)           COMMENT 'FORWARD or RETURN, after the transition',
    `dwell_seconds`     Nullable(UInt32)                 COMMENT 'Seconds in the state before: since the previous transition; NULL for the first',
    `verdict`           LowCardinality(String)           COMMENT 'How ordinary the change is: EXPECTED, TOLERATED or ANOMALY',
    `is_exception`      Bool                             COMMENT 'The event is an exception or a refusal',
    `party`             LowCardinality(Nullable(String)) COMMENT 'Responsible for an exception: carrier, consignee, shipper, customs or unknown; NULL otherwise',
    `area_code`         LowCardinality(Nullable(String)) COMMENT 'Area code of the event, CN + 12 digits',
    `location`          Nullable(String)                 COMMENT 'Place name of the event' CODEC(ZSTD(1)),

    -- As in shipment.
    INDEX tracking_number_bloom tracking_number TYPE bloom_filter(0.01) GRANULARITY 1
)
-- A void row stays in the parts (no cleanup): it must win over older versions that a replay inserts again.
ENGINE = {engine:ReplacingMergeTree}(version, is_deleted)
-- As in shipment: the same for all versions.
PARTITION BY toYYYYMM(first_received_at)
ORDER BY (carrier, tracking_number, vendor, epoch, occurred_at, transition_id)
COMMENT 'One row per change of state of a parcel. Query with FINAL';
