-- One row per parcel, vendor and epoch: its whole current state, replaced by each newer version. This is the table that
-- carrier metrics are made of: vendors rewrite history, and sums over an event stream could not take anything back.
--
-- Unknown is NULL, never 0 or 1970: a wrong average is worse than a wide column. The closed sets are
-- LowCardinality(String) and not Enum: the names appear as they are in every client, and a new one needs no ALTER.

CREATE TABLE IF NOT EXISTS {database}.shipment
(
    `vendor`            LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`           LowCardinality(String)           COMMENT 'Vendor contract of the last accepted push',
    `carrier`           LowCardinality(String)           COMMENT 'Canonical carrier code, lower case; unknown vendor codes pass through in lower case',
    `tracking_number`   String                           COMMENT 'The carrier''s parcel number: trimmed, ASCII upper case' CODEC(ZSTD(1)),
    `epoch`             Date                             COMMENT 'UTC day of the first event of this life of the number, which carriers use again; 1970-01-01 when it began without events',
    `version`           UInt64                           COMMENT 'Grows with every change of this row: microseconds since 1970 of the accepted push, or the previous version + 1',
    `is_deleted`        UInt8                            COMMENT '1: the epoch without events is void, its parcel has another name now (rule 65); FINAL leaves it out',
    `first_received_at` DateTime64(6, 'UTC')             COMMENT 'Receipt of the first accepted push of this epoch; UTC, microseconds',
    `received_at`       DateTime64(6, 'UTC')             COMMENT 'Receipt of the last accepted push; UTC, microseconds. With vendor and account it leads to the row of push',

    `status`            LowCardinality(String)           COMMENT 'UNKNOWN, INFO_RECEIVED, PICKED_UP, IN_TRANSIT, CUSTOMS, OUT_FOR_DELIVERY, AVAILABLE_FOR_PICKUP, DELIVERED, EXCEPTION, RETURNING, RETURNED, CANCELLED',
    `sub_status`        LowCardinality(Nullable(String)) COMMENT 'Canonical refinement of status (LINEHAUL, REFUSED, ...); an open set',
    `raw_code`          LowCardinality(Nullable(String)) COMMENT 'The vendor''s code behind status; NULL when a name or a text told it',
    `leg`               LowCardinality(String)           COMMENT 'FORWARD; RETURN from the first RETURNING or RETURNED on',
    `tracking_state`    LowCardinality(String)           COMMENT 'What the vendor does with its subscription: ACTIVE, ENDED, ABORTED_NO_RECORD, ABORTED_STALE, CARRIER_CORRECTED. The last leaves all metrics',

    `origin_code`       LowCardinality(Nullable(String)) COMMENT 'Area code of the origin, CN + 12 digits',
    `origin`            LowCardinality(Nullable(String)) COMMENT 'Name of the origin area',
    `dest_code`         LowCardinality(Nullable(String)) COMMENT 'Area code of the destination, CN + 12 digits',
    `dest`              LowCardinality(Nullable(String)) COMMENT 'Name of the destination area',

    -- Milestones: vendors give whole seconds, so 4 bytes are enough (until 2106).
    `created_at`          Nullable(DateTime('UTC'))      COMMENT 'First INFO_RECEIVED on the forward leg; UTC',
    `picked_up_at`        Nullable(DateTime('UTC'))      COMMENT 'First PICKED_UP on the forward leg, else first IN_TRANSIT (flag pickup_imputed); UTC. The service clock starts here',
    `left_origin_at`      Nullable(DateTime('UTC'))      COMMENT 'Last event in the origin city before the first one in another city; UTC',
    `arrived_dest_at`     Nullable(DateTime('UTC'))      COMMENT 'First event in the destination city, or coded as arrival there; UTC',
    `out_for_delivery_at` Nullable(DateTime('UTC'))      COMMENT 'First OUT_FOR_DELIVERY on the forward leg; UTC',
    `first_attempt_at`    Nullable(DateTime('UTC'))      COMMENT 'First delivery attempt: delivery, hand-over to a locker or station, or a failed attempt after OUT_FOR_DELIVERY; UTC',
    `available_at`        Nullable(DateTime('UTC'))      COMMENT 'First AVAILABLE_FOR_PICKUP on the forward leg; UTC',
    `delivered_at`        Nullable(DateTime('UTC'))      COMMENT 'First DELIVERED on the forward leg that no later delivery revoked; UTC',
    `returning_at`        Nullable(DateTime('UTC'))      COMMENT 'First RETURNING; UTC',
    `returned_at`         Nullable(DateTime('UTC'))      COMMENT 'First RETURNED; UTC',
    `cancelled_at`        Nullable(DateTime('UTC'))      COMMENT 'First CANCELLED; UTC',
    `last_event_at`       Nullable(DateTime('UTC'))      COMMENT 'Newest event, of whatever status; UTC',
    `edd_first`           Nullable(DateTime('UTC'))      COMMENT 'First estimated delivery time that the vendor gave in this epoch; UTC',
    `edd_last`            Nullable(DateTime('UTC'))      COMMENT 'Latest estimated delivery time that the vendor gave in this epoch; UTC',

    `attempts`          UInt8                            COMMENT 'Delivery rounds on the forward leg; 255 = that many or more',
    `exception_codes`   Array(LowCardinality(String))    COMMENT 'The vendor''s codes of exception events, distinct, in order of first sight',
    `exception_reasons` Array(LowCardinality(String))    COMMENT 'Canonical sub-statuses of exception events, distinct, in order of first sight',
    `flags`             Array(LowCardinality(String))    COMMENT 'What to know before trusting the figures, sorted: bad_time, delivery_revoked, future_time, lane_inferred, pickup_imputed, post_terminal_scan, return_signed, route_loop, tz_assumed, unknown_code',

    -- The events, oldest first: arrays of equal length, ARRAY JOIN event makes rows of them. Written out column by column:
    -- a Nested column takes no comments and no codecs for its parts.
    -- No LowCardinality in the arrays: rows arrive one by one, and looking 80 elements of a row up in dictionaries was two
    -- thirds of the server's work for an insert (62 instead of 25 µs a row of 20 events). ZSTD makes up for it on disk, and
    -- folds the texts, which say the same few things again and again.
    `event.id`          Array(UInt64)           COMMENT 'Deterministic id, unique within the shipment' CODEC(NONE), -- a hash does not compress
    `event.occurred_at` Array(DateTime('UTC'))  COMMENT 'Time of the event; UTC' CODEC(Delta(4), ZSTD(1)),
    `event.local_time`  Array(String)           COMMENT 'The vendor''s local time, yyyy-MM-dd HH:mm:ss' CODEC(ZSTD(1)),
    `event.status`      Array(String)           COMMENT 'Canonical status, the leg taken into account' CODEC(ZSTD(1)),
    `event.sub_status`  Array(Nullable(String)) COMMENT 'Canonical refinement' CODEC(ZSTD(1)),
    `event.raw_code`    Array(Nullable(String)) COMMENT 'The vendor''s code, as sent' CODEC(ZSTD(1)),
    `event.segment`     Array(String)           COMMENT 'ORIGIN, or DESTINATION for the destination country''s carrier' CODEC(ZSTD(1)),
    `event.area_code`   Array(Nullable(String)) COMMENT 'CN + 12 digits where the vendor gave one' CODEC(ZSTD(1)),
    `event.location`    Array(Nullable(String)) COMMENT 'Place name as the vendor gave it' CODEC(ZSTD(1)),
    `event.context`     Array(String)           COMMENT 'The vendor''s text, white space folded, personal data masked; empty with derive.context = omit' CODEC(ZSTD(1)),

    -- A parcel is often looked up without its carrier. The order alone then reads a piece of every carrier's range.
    INDEX tracking_number_bloom tracking_number TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {engine:ReplacingMergeTree}(version, is_deleted)
-- The month in which an epoch was first heard of does not change with later versions, so they meet in one partition. It
-- can only change when a parcel is heard of again after its state was dropped; FINAL compares across partitions, so keep
-- do_not_merge_across_partitions_select_final at its default 0.
PARTITION BY toYYYYMM(first_received_at)
ORDER BY (carrier, tracking_number, vendor, epoch)
COMMENT 'One row per parcel, vendor and epoch: its whole current state. Query with FINAL';
