-- What the sink has inserted, so that it can tell when rows are missing: after a restart of the server, which may have lost what was
-- not on the disk, after a backup was restored, or when a table was made anew. It then reads these records again. Back these tables up
-- and restore them together with push, shipment and transition.

CREATE TABLE IF NOT EXISTS {database}.sink_offset
(
    `topic`        LowCardinality(String) COMMENT 'Kafka topic',
    `partition`    Int32                  COMMENT 'Kafka partition',
    `run_at`       DateTime('UTC')        COMMENT 'When a sink began to read the partition; UTC',
    `first_offset` UInt64                 COMMENT 'Where it began',
    `minute`       DateTime('UTC')        DEFAULT toStartOfMinute(now('UTC')) COMMENT 'Minute in which the rows were inserted, by the clock of the server, as run_at',
    `next_offset`  UInt64                 COMMENT 'All records from first_offset to before this one are inserted, or dead-lettered, or have no row',
    `table_id`     LowCardinality(String) COMMENT 'UUID of the table that the rows are in: another one has none of them',
    `own_id`       LowCardinality(String) COMMENT 'UUID of sink_offset. A backup that is restored has new UUIDs, and so has a table that is made anew'
)
-- One row per minute and partition remains of one per batch.
ENGINE = {engine:ReplacingMergeTree}(next_offset)
ORDER BY (topic, partition, run_at, first_offset, minute)
-- Longer than the topics keep their records: a partition without a row is read from its beginning.
TTL minute + INTERVAL 90 DAY DELETE
-- As in 012: written after the rows, and not to be there without them.
{durable:SETTINGS}
COMMENT 'Offsets of the records that the sink has inserted';

CREATE TABLE IF NOT EXISTS {database}.sink_start
(
    `topic`        LowCardinality(String) COMMENT 'Kafka topic',
    `partition`    Int32                  COMMENT 'Kafka partition',
    `first_offset` UInt64                 COMMENT 'The sink reads no earlier record: the table has better rows, which `processor replay --exchange` put in place',
    `set_at`       DateTime('UTC')        DEFAULT now('UTC') COMMENT 'When; UTC'
)
ENGINE = {engine:ReplacingMergeTree}(first_offset)
ORDER BY (topic, partition)
{durable:SETTINGS}
COMMENT 'Where the topics begin to be the source of their tables. No row: at their beginning';
