-- The way of a parcel from hub to hub, where a vendor tells and predicts it, and how long the vendor says that such a way takes.

-- The sink makes the rows of the pushes, beside those of push; derive reads nothing of them, so nothing here belongs to an epoch. A node of a
-- parcel has up to two rows: what was predicted first, and what was told last. Each is replaced by its own kind alone.
CREATE TABLE IF NOT EXISTS {database}.route_node
(
    `vendor`               LowCardinality(String)    COMMENT 'Code of the vendor',
    `account`              LowCardinality(String)    COMMENT 'Vendor contract',
    `carrier`              LowCardinality(String)    COMMENT 'Canonical carrier that the push is about',
    `tracking_number`      String                    COMMENT 'The carrier''s parcel number' CODEC(ZSTD(1)),
    `name`                 String                    COMMENT 'Name of the hub or depot as the vendor writes it, masked like texts' CODEC(ZSTD(1)),
    `visit`                UInt8                     COMMENT '1, or more where the way leads through a node of this name again',
    `telling`              LowCardinality(String)    COMMENT 'FIRST: the first prediction, while the parcel had not been there. LAST: what was told last',
    `version`              UInt64                    COMMENT 'The row of the highest version stays. Of LAST it is received_at in microseconds, of FIRST what that lacks to the largest number: there the oldest stays',
    `received_at`          DateTime64(6, 'UTC')      COMMENT 'When ingest had read the push; UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    `position`             UInt16                    COMMENT 'Place in that push''s list, from 1, from the sender to the recipient',
    `province`             LowCardinality(String)    COMMENT 'Province as the vendor writes it, masked like texts; empty = not told',
    `city`                 LowCardinality(String)    COMMENT 'City, likewise',
    `kind`                 LowCardinality(String)    COMMENT 'HUB (sorts and forwards), DEPOT (collects and delivers) or UNKNOWN',
    `state`                LowCardinality(String)    COMMENT 'Where the parcel was then: PASSED (gone again), CURRENT (there) or EXPECTED (not there yet)',
    `planned_arrival_at`   Nullable(DateTime('UTC')) COMMENT 'Predicted arrival, of an EXPECTED node; UTC',
    `planned_departure_at` Nullable(DateTime('UTC')) COMMENT 'Predicted departure, of a node that is not PASSED; UTC',
    `arrived_at`           Nullable(DateTime('UTC')) COMMENT 'Arrival, of a node that is not EXPECTED; UTC. NULL also when the vendor told a time after the push',
    `departed_at`          Nullable(DateTime('UTC')) COMMENT 'Departure, of a PASSED node; UTC. Likewise'
)
ENGINE = {engine:ReplacingMergeTree}(version)
-- No partitions: two pushes of a parcel may lie in two months, and equal keys must meet. The number first, for questions about a parcel.
ORDER BY (tracking_number, vendor, account, carrier, name, visit, telling)
TTL toDateTime(received_at) + INTERVAL 90 DAY DELETE
-- As in 012.
{durable:SETTINGS}
COMMENT 'The way of a parcel from hub to hub: what was predicted first, and what was told last. Query with FINAL';

ALTER TABLE {database}.route_node {durable:MERGES};

ALTER TABLE {database}.push ADD COLUMN IF NOT EXISTS `vendor_total_hours` Nullable(UInt16) COMMENT 'How long the whole way takes on average, by the vendor''s own count; hours. NULL when it does not say';
