-- The push log: one row per parcel of every push that ingest stored, duplicates and stale ones included. It answers "what
-- did the vendor send, and when" and gives the duplicate and abort rates; the vendor's text itself is not here, it stays
-- on courier.push.v1, where topic, partition and offset point.

CREATE TABLE IF NOT EXISTS {database}.push
(
    `vendor`          LowCardinality(String)   COMMENT 'Code of the vendor',
    `account`         LowCardinality(String)   COMMENT 'Vendor contract: last path segment of the callback URL',
    -- Neighbours in sort order are close in time: differences of a few bytes.
    `received_at`     DateTime64(6, 'UTC')     COMMENT 'When ingest had read the push; UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    -- Hex and not FixedString(16): readable in every client, equal to what the logs print. ZSTD takes the redundancy out.
    `push_id`         String                   COMMENT 'XXH3-128 of vendor, account and raw body, 32 lower-case hex digits: equal for byte-identical pushes' CODEC(ZSTD(1)),
    `part`            UInt16                   COMMENT 'Position of the parcel in the push, from 0; bad parcels are counted',
    `parts`           UInt16                   COMMENT 'Parcels in the push, bad ones included; 1 from a vendor that pushes every parcel by itself',
    `carrier`         LowCardinality(String)   COMMENT 'Canonical carrier that the push is about: the corrected one if the push corrects it',
    `tracking_number` String                   COMMENT 'The carrier''s parcel number: trimmed, ASCII upper case' CODEC(ZSTD(1)),
    `signature`       LowCardinality(String)   COMMENT 'VERIFIED or UNSIGNED',
    `tracking_status` LowCardinality(String)   COMMENT 'The vendor''s word for its subscription (polling, shutdown, abort, updateall), trimmed, else verbatim; empty from a vendor without such words',
    `items`           UInt16                   COMMENT 'Trace items in the push, usable or not; 65535 = that many or more',
    `bytes`           UInt32                   COMMENT 'Length of the vendor''s text of this parcel, UTF-8 bytes',
    `topic`           LowCardinality(String)   COMMENT 'Kafka topic of the push event',
    `partition`       Int32                    COMMENT 'Kafka partition of the push event',
    `offset`          Int64                    COMMENT 'Kafka offset of the push event' CODEC(Delta(8), ZSTD(1)),

    -- The order serves "this account, this period"; looking a parcel up by its number would read everything.
    INDEX tracking_number_bloom tracking_number TYPE bloom_filter(0.01) GRANULARITY 1
)
-- No version: two rows of the same key come from the same record and are equal. They appear when the sink was ended
-- between an insert and its commit, or replays; FINAL or a merge leaves one.
ENGINE = {engine:ReplacingMergeTree}
-- By the month of a key column: equal keys meet in one partition, and expiry drops whole parts except in the month of the
-- boundary.
PARTITION BY toYYYYMM(received_at)
ORDER BY (vendor, account, received_at, push_id, part)
TTL toDateTime(received_at) + INTERVAL 90 DAY DELETE
COMMENT 'One row per parcel of every stored push. Query with FINAL';
