-- What operators know and no table shows: between two moments pushes were lost. `processor reconcile --gap` inserts a row, and the
-- workers that ask vendors read it: every parcel that is open and was not heard of since is asked about once.

CREATE TABLE IF NOT EXISTS {database}.reconcile_gap
(
    `ordered_at` DateTime64(6, 'UTC')   COMMENT 'When it was ordered; UTC, microseconds',
    `vendor`     LowCardinality(String) COMMENT 'Code of the vendor; empty = all accounts',
    `account`    LowCardinality(String) COMMENT 'Vendor contract; empty = all accounts',
    `begun_at`   DateTime64(6, 'UTC')   COMMENT 'From when on pushes were lost; UTC, microseconds',
    `ended_at`   DateTime64(6, 'UTC')   COMMENT 'Until when; UTC, microseconds. Parcels with a later push are not asked about'
)
ENGINE = {engine:MergeTree}
ORDER BY ordered_at
TTL toDateTime(ordered_at) + INTERVAL 400 DAY DELETE
-- As in 012.
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per order to ask the vendors about all open parcels after pushes were lost';
