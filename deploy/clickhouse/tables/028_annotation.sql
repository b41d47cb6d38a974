-- What people say of parcels, against or beside what the vendors say: from courier.annotation.v1, all of it, so that who took back what
-- can be told. Views apply the newest of each life of a number (annotation_now); derive knows nothing of it, so no replay loses it.

CREATE TABLE IF NOT EXISTS {database}.annotation
(
    `vendor`          LowCardinality(String)    COMMENT 'Code of the vendor whose row of the parcel is meant',
    `account`         LowCardinality(String)    COMMENT 'Vendor contract of that row when it was said',
    `carrier`         LowCardinality(String)    COMMENT 'Canonical carrier code',
    `tracking_number` String                    COMMENT 'The carrier''s parcel number: trimmed, ASCII upper case' CODEC(ZSTD(1)),
    `epoch`           Date                      COMMENT 'Life of the number, as in shipment',
    `annotated_at`    DateTime64(6, 'UTC')      COMMENT 'When it was said; UTC, microseconds. The newest holds' CODEC(Delta(8), ZSTD(1)),
    `kind`            LowCardinality(String)    COMMENT 'DELIVERED, LOST, DESTROYED; EXCLUDED: it counts in no figure; NONE: what was said before is taken back; OTHER of a newer program',
    `occurred_at`     Nullable(DateTime('UTC')) COMMENT 'When it was delivered, lost or destroyed; UTC. NULL = annotated_at',
    `reason`          String                    COMMENT 'Why, in the words of whoever said it; telephone numbers and names are masked' CODEC(ZSTD(1)),
    `annotated_by`    String                    COMMENT 'Who said it' CODEC(ZSTD(1)),
    `seen_status`     LowCardinality(String)    COMMENT 'The vendor''s status of the parcel when it was said',
    `seen_event_at`   Nullable(DateTime('UTC')) COMMENT 'The vendor''s newest event when it was said; UTC',

    -- As in push.
    INDEX tracking_number_bloom tracking_number TYPE bloom_filter(0.01) GRANULARITY 1
)
-- No version, as in push: two rows of the same key come from the same record and are equal.
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (carrier, tracking_number, vendor, epoch, annotated_at)
-- As in 012.
{durable:SETTINGS}
COMMENT 'One row per correction by hand. Query with FINAL';

ALTER TABLE {database}.annotation {durable:MERGES};
