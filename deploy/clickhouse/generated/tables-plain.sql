-- 001_schema_migration.sql
CREATE DATABASE IF NOT EXISTS courier
COMMENT 'courierflow: pushes of courier-tracking vendors and what they tell of parcels';

CREATE TABLE IF NOT EXISTS courier.schema_migration
(
    `number`     UInt32                 COMMENT 'Number of the file',
    `name`       String                 COMMENT 'File name',
    `checksum`   String                 COMMENT 'XXH3-64 of the file as released, 16 hex digits: a changed file is refused',
    `applied_at` DateTime64(3, 'UTC')   COMMENT 'When it was applied, UTC'
)
ENGINE = ReplacingMergeTree
ORDER BY number
COMMENT 'Files of tables/ that were applied to this database. What a view was made of stands in its comment';

-- 002_push.sql
CREATE TABLE IF NOT EXISTS courier.push
(
    `vendor`          LowCardinality(String)   COMMENT 'Code of the vendor',
    `account`         LowCardinality(String)   COMMENT 'Vendor contract: last path segment of the callback URL',
    `received_at`     DateTime64(6, 'UTC')     COMMENT 'When ingest had read the push; UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
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
    INDEX tracking_number_bloom tracking_number TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (vendor, account, received_at, push_id, part)
TTL toDateTime(received_at) + INTERVAL 90 DAY DELETE
COMMENT 'One row per parcel of every stored push. Query with FINAL';

-- 003_shipment.sql
CREATE TABLE IF NOT EXISTS courier.shipment
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
    INDEX tracking_number_bloom tracking_number TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(first_received_at)
ORDER BY (carrier, tracking_number, vendor, epoch)
COMMENT 'One row per parcel, vendor and epoch: its whole current state. Query with FINAL';

-- 004_transition.sql
CREATE TABLE IF NOT EXISTS courier.transition
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
    INDEX tracking_number_bloom tracking_number TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(first_received_at)
ORDER BY (carrier, tracking_number, vendor, epoch, occurred_at, transition_id)
COMMENT 'One row per change of state of a parcel. Query with FINAL';

-- 005_sla_promise.sql
CREATE TABLE IF NOT EXISTS courier.sla_promise
(
    `carrier`   LowCardinality(String)  COMMENT 'Canonical carrier code; empty = every carrier',
    `origin`    LowCardinality(String)  COMMENT 'Area of the origin: CN4403 a city, CN44 a province, CN31 a municipality; empty = everywhere',
    `dest`      LowCardinality(String)  COMMENT 'Area of the destination, as origin',
    `hours`     UInt16                  COMMENT 'Hours from pickup until the first delivery attempt, 1 to 4320',
    `loaded_at` DateTime('UTC')         COMMENT 'When the file was loaded; UTC'
)
ENGINE = MergeTree
ORDER BY (carrier, origin, dest)
COMMENT 'Promised hours per carrier and lane. The most specific row speaks: first by carrier, then by origin, then by destination';

-- 006_carrier_daily.sql
CREATE TABLE IF NOT EXISTS courier.carrier_daily_recent
(
    `level`                          LowCardinality(String) COMMENT 'What origin and dest are: carrier (all lanes together), province or city. Add up rows of one level only',
    `cohort_date`                    Date                   COMMENT 'Day of the pickup, China time',
    `vendor`                         LowCardinality(String) COMMENT 'Code of the vendor. A parcel that two vendors track counts once for each',
    `carrier`                        LowCardinality(String) COMMENT 'Canonical carrier code',
    `origin`                         LowCardinality(String) COMMENT 'Area of the origin: CN44 at level province; CN4403, or CN31 of a municipality, or CN44 where the city is unknown, at level city. Empty = unknown, or level carrier',
    `dest`                           LowCardinality(String) COMMENT 'Area of the destination, as origin',
    `parcels`                        UInt64                 COMMENT 'Size of the cohort: parcels picked up that day, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`                      UInt64                 COMMENT 'Parcels picked up that day and CANCELLED since; in no other column',
    `pickup_imputed`                 UInt64                 COMMENT 'Parcels without a pickup scan: their clock starts at the first movement',
    `delivered`                      UInt64                 COMMENT 'Parcels delivered on the forward leg',
    `sent_back`                      UInt64                 COMMENT 'Parcels back with their sender that were never delivered',
    `open`                           UInt64                 COMMENT 'Parcels neither delivered nor sent back',
    `returned`                       UInt64                 COMMENT 'Parcels on their way back or back, delivered before or not',
    `refused`                        UInt64                 COMMENT 'Parcels that the recipient refused at least once',
    `lost_presumed`                  UInt64                 COMMENT 'Open parcels older than their promise + 3 days (same city) or + 7 days (otherwise), or given up by a vendor that waits at least 30 days for a change (vendor_fact)',
    `with_exception`                 UInt64                 COMMENT 'Parcels with at least one exception',
    `transit_parcels`                UInt64                 COMMENT 'Denominator of the transit quantiles: the cohort without invalid transit times (negative, over 180 days); the unfinished and those sent back undelivered count as infinitely long',
    `transit_bins`                   Map(UInt16, UInt32)    COMMENT 'Parcels delivered by transit time: key k = more than (k - 1) and at most k quarters of an hour from pickup to delivery',
    `attempt_parcels`                UInt64                 COMMENT 'Denominator of the quantiles until the first attempt, likewise',
    `attempt_bins`                   Map(UInt16, UInt32)    COMMENT 'Parcels by time from pickup to first attempt, as transit_bins',
    `due_24h`                        UInt64                 COMMENT 'Parcels of valid transit time aged 24 h + 6 h or more: what the vendors report late has come by then',
    `within_24h`                     UInt64                 COMMENT 'Of those, delivered within 24 h of the pickup',
    `due_48h`                        UInt64                 COMMENT 'Parcels of valid transit time aged 48 h + 6 h or more',
    `within_48h`                     UInt64                 COMMENT 'Of those, delivered within 48 h of the pickup',
    `due_72h`                        UInt64                 COMMENT 'Parcels of valid transit time aged 72 h + 6 h or more',
    `within_72h`                     UInt64                 COMMENT 'Of those, delivered within 72 h of the pickup',
    `sla_parcels`                    UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, of any age: those that the on-time rate is over in the end',
    `sla_due`                        UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, aged promise + 6 h or more',
    `sla_attempted`                  UInt64                 COMMENT 'Of those, first attempted within the promise',
    `sla_delivered_due`              UInt64                 COMMENT 'Parcels with a promise, of valid transit time, aged promise + 6 h or more',
    `sla_delivered`                  UInt64                 COMMENT 'Of those, delivered within the promise',
    `settled`                        UInt64                 COMMENT 'Parcels aged 7 days + 6 h or more. What can still happen to a parcel is counted over these only, and only what happened within 7 days of its pickup: a younger one would look better for want of time, an older one worse',
    `settled_attempted`              UInt64                 COMMENT 'Settled parcels first attempted within 7 days of the pickup; those of invalid attempt time are not among them',
    `settled_first_attempt`          UInt64                 COMMENT 'Of those, delivered at the first attempt, strict: no locker, no station',
    `settled_first_attempt_cn`       UInt64                 COMMENT 'Of those, delivered at the first attempt, or put into a locker or station at the first attempt and collected before overdue and within the 7 days',
    `settled_with_exception`         UInt64                 COMMENT 'Settled parcels with at least one exception within 7 days of the pickup',
    `settled_returned`               UInt64                 COMMENT 'Settled parcels that turned back within 7 days of the pickup',
    `settled_refused`                UInt64                 COMMENT 'Settled parcels that the recipient refused within 7 days of the pickup',
    `promised`                       UInt64                 COMMENT 'Parcels with a promise, of any age: those that the lost rate is over in the end',
    `lost_due`                       UInt64                 COMMENT 'Parcels old enough to be presumed lost: with a promise, aged promise + 3 days (same city) or + 7 days (otherwise) + 6 h or more',
    `lost_due_presumed`              UInt64                 COMMENT 'Of those, presumed lost',
    `settled_reached`                UInt64                 COMMENT 'Settled parcels delivered or put into a locker or station within 7 days of the pickup: denominator of the locker share',
    `settled_locker`                 UInt64                 COMMENT 'Of those, put into a locker or station within these 7 days',
    `locker_parcels`                 UInt64                 COMMENT 'Of settled_reached, the ones put there within 6 days of the pickup, of valid dwell time: denominator of dwell quantiles and of overdue',
    `locker_bins`                    Map(UInt16, UInt32)    COMMENT 'Those locker_parcels by time from locker to delivery, in quarters of an hour as transit_bins; the uncollected are in none',
    `locker_overdue`                 UInt64                 COMMENT 'Those locker_parcels that lay there for more than 18 h',
    `pickup_wait_parcels`            UInt64                 COMMENT 'Settled parcels with a known wait from order to pickup',
    `pickup_wait_seconds_sum`        UInt64                 COMMENT 'Sum of their waits',
    `origin_parcels`                 UInt64                 COMMENT 'Settled parcels with a known time from pickup to leaving the origin city, left within 7 days of the pickup',
    `origin_seconds_sum`             UInt64                 COMMENT 'Sum of these times',
    `linehaul_parcels`               UInt64                 COMMENT 'Settled parcels with a known time from leaving the origin city to arriving in the destination city, arrived within 7 days of the pickup',
    `linehaul_seconds_sum`           UInt64                 COMMENT 'Sum of these times',
    `destination_parcels`            UInt64                 COMMENT 'Settled parcels with a known time from arriving in the destination city to going out for delivery, out within 7 days of the pickup',
    `destination_seconds_sum`        UInt64                 COMMENT 'Sum of these times',
    `last_mile_parcels`              UInt64                 COMMENT 'Settled parcels with a known time from going out for delivery to the first attempt, attempted within 7 days of the pickup',
    `last_mile_seconds_sum`          UInt64                 COMMENT 'Sum of these times',
    `eta_parcels`                    UInt64                 COMMENT 'Settled parcels with an estimate of the vendor; over settled this is the coverage',
    `eta_due`                        UInt64                 COMMENT 'Of eta_parcels, the ones whose first estimate is judged: the China day after it ended within 7 days of the pickup',
    `eta_hit`                        UInt64                 COMMENT 'Of those, first attempted on or before the China day of the first estimate',
    `eta_within_day`                 UInt64                 COMMENT 'Of eta_due, first attempted within one day of it, either way',
    `eta_attempted`                  UInt64                 COMMENT 'Of eta_due, with a known error: attempted within 7 days of the pickup',
    `eta_error_seconds_sum`          Int64                  COMMENT 'Sum of first attempt - first estimate of those: positive = later than estimated',
    `eta_absolute_error_seconds_sum` UInt64                 COMMENT 'Sum of its absolute value',
    `claims`                         Nullable(UInt64)       COMMENT 'Reserved: claims are in no vendor''s data. Always NULL',
    `refreshed_at`                   DateTime('UTC')        COMMENT 'The now of all ages in this row: when it was computed; UTC'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(cohort_date)
ORDER BY (level, origin, dest, cohort_date, carrier, vendor)
COMMENT 'carrier_daily of the last 40 cohort days, replaced every 10 minutes';

CREATE TABLE IF NOT EXISTS courier.carrier_daily_older AS courier.carrier_daily_recent
ENGINE = MergeTree
PARTITION BY toYYYYMM(cohort_date)
ORDER BY (level, origin, dest, cohort_date, carrier, vendor)
COMMENT 'carrier_daily of all older cohort days, replaced once a day';

-- 007_exception_daily.sql
CREATE TABLE IF NOT EXISTS courier.exception_daily_recent
(
    `level`           LowCardinality(String) COMMENT 'carrier (all lanes together), province or city, as in carrier_daily',
    `cohort_date`     Date                   COMMENT 'Day of the pickup, China time',
    `vendor`          LowCardinality(String) COMMENT 'Code of the vendor',
    `carrier`         LowCardinality(String) COMMENT 'Canonical carrier code',
    `origin`          LowCardinality(String) COMMENT 'Area of the origin, as in carrier_daily',
    `dest`            LowCardinality(String) COMMENT 'Area of the destination, as in carrier_daily',
    `kind`            LowCardinality(String) COMMENT 'code, reason or party',
    `name`            LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason, or the party; see exception_name',
    `parcels`         UInt64                 COMMENT 'Parcels of the cohort with at least one such event',
    `settled`         UInt64                 COMMENT 'Of those, settled (aged 7 days + 6 h or more) with a first such event within 7 days of the pickup: numerator of the rate; carrier_daily.settled is its denominator',
    `resolve_parcels` UInt64                 COMMENT 'Of settled, with a valid time to resolve (not over 180 days) or none yet: denominator of its quantiles',
    `resolve_bins`    Map(UInt16, UInt32)    COMMENT 'Those parcels by time from the first such event to the next one that is no exception: key k = more than (k - 1) and at most k quarters of an hour; the unresolved are in none',
    `refreshed_at`    DateTime('UTC')        COMMENT 'The now of all ages in this row; UTC'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(cohort_date)
ORDER BY (level, origin, dest, cohort_date, carrier, vendor, kind, name)
COMMENT 'exception_daily of the last 40 cohort days, replaced every 10 minutes';

CREATE TABLE IF NOT EXISTS courier.exception_daily_older AS courier.exception_daily_recent
ENGINE = MergeTree
PARTITION BY toYYYYMM(cohort_date)
ORDER BY (level, origin, dest, cohort_date, carrier, vendor, kind, name)
COMMENT 'exception_daily of all older cohort days, replaced once a day';

-- 008_open_parcel.sql
CREATE TABLE IF NOT EXISTS courier.open_parcel
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
ENGINE = MergeTree
ORDER BY (carrier, tracking_number, vendor, epoch)
COMMENT 'Parcels that are neither delivered nor back nor cancelled, replaced every 5 minutes';

-- 009_data_quality_daily.sql
CREATE TABLE IF NOT EXISTS courier.data_quality_daily
(
    `received_date`           Date                       COMMENT 'Day of the receipt, China time: of the first push for what is counted in shipments, of the push itself for what is counted in pushes and transitions',
    `vendor`                  LowCardinality(String)     COMMENT 'Code of the vendor',
    `carrier`                 LowCardinality(String)     COMMENT 'Canonical carrier code',
    `shipments`               UInt64                     COMMENT 'Shipments first heard of that day, CARRIER_CORRECTED ones included',
    `without_events`          UInt64                     COMMENT 'Of those, without any event',
    `carrier_corrected`       UInt64                     COMMENT 'Of those, moved to another carrier by the vendor; they are in no other metric',
    `aborted_no_record`       UInt64                     COMMENT 'Of those, given up by the vendor for want of any record',
    `aborted_stale`           UInt64                     COMMENT 'Of those, given up by the vendor for want of change: after as many days as vendor_fact says',
    `lane_unknown`            UInt64                     COMMENT 'Of those, without an origin or a destination city or province',
    `duration_invalid`        UInt64                     COMMENT 'Of those, with at least one duration between milestones that is negative or over 180 days, and therefore in no figure',
    `flag_bad_time`           UInt64                     COMMENT 'Shipments flagged bad_time: an item without a usable time, left out',
    `flag_delivery_revoked`   UInt64                     COMMENT 'Shipments flagged delivery_revoked: a sign-off that a later delivery revoked',
    `flag_future_time`        UInt64                     COMMENT 'Shipments flagged future_time: an event dated later than its push',
    `flag_lane_inferred`      UInt64                     COMMENT 'Shipments flagged lane_inferred: origin or destination taken from events',
    `flag_pickup_imputed`     UInt64                     COMMENT 'Shipments flagged pickup_imputed: no pickup scan',
    `flag_post_terminal_scan` UInt64                     COMMENT 'Shipments flagged post_terminal_scan: a scan after the end of the parcel',
    `flag_return_signed`      UInt64                     COMMENT 'Shipments flagged return_signed: a sign-off on the way back, read as RETURNED',
    `flag_route_loop`         UInt64                     COMMENT 'Shipments flagged route_loop: a route that the vendor calls a loop',
    `flag_tz_assumed`         UInt64                     COMMENT 'Shipments flagged tz_assumed: a local time of unknown zone',
    `flag_unknown_code`       UInt64                     COMMENT 'Shipments flagged unknown_code: a code that no table has',
    `events`                  UInt64                     COMMENT 'Events of those',
    `events_without_code`     UInt64                     COMMENT 'Of the events, read from a name or a text because the vendor sent no code',
    `events_unknown`          UInt64                     COMMENT 'Of the events, of status UNKNOWN',
    `pushes`                  UInt64                     COMMENT 'Pushes received, one per parcel',
    `pushes_repeated`         UInt64                     COMMENT 'Of those, byte for byte the same as another one of that day: repeated by the vendor',
    `transitions`             UInt64                     COMMENT 'Changes of state that stand',
    `transitions_retracted`   UInt64                     COMMENT 'Changes of state that the vendor took back that day',
    `lag_transitions`         UInt64                     COMMENT 'Changes that came with a later push than the first of their parcel: how late they were reported can be told',
    `lag_digest`              AggregateFunction(quantilesTDigest(0.5, 0.95), Float32) COMMENT 'Seconds between those changes and their reports; to be merged',
    `refreshed_at`            DateTime('UTC')            COMMENT 'When it was counted; UTC'
)
ENGINE = MergeTree
ORDER BY (received_date, vendor, carrier)
COMMENT 'Counts of what is odd, by day of receipt, vendor and carrier; replaced every hour';

-- 010_carrier_mapping.sql
CREATE TABLE IF NOT EXISTS courier.carrier_mapping
(
    `vendor`           LowCardinality(String)  COMMENT 'Code of the vendor',
    `code`             String                  COMMENT 'The vendor''s code of the carrier, lower case',
    `carrier`          LowCardinality(String)  COMMENT 'Canonical carrier code',
    `name_zh`          LowCardinality(String)  COMMENT 'Usual name of the carrier in Chinese',
    `name_en`          LowCardinality(String)  COMMENT 'Usual name of the carrier in English',
    `is_international` Bool                    COMMENT 'All parcels under this code cross borders, even when a push names no time zone',
    `zone`             LowCardinality(String)  COMMENT 'IANA zone in which the carrier tells its times; empty = no single one is certain',
    `country`          LowCardinality(String)  COMMENT 'Country in which the carrier is at home, ISO 3166; empty = not known'
)
ENGINE = MergeTree
ORDER BY (vendor, code)
COMMENT 'Which carrier each code of a vendor means, one row per vendor and code';

-- 011_shipment_flags.sql
ALTER TABLE courier.shipment COMMENT COLUMN flags 'What to know before trusting the figures, sorted: bad_time, cross_border, delivery_revoked, future_time, lane_inferred, pickup_imputed, post_terminal_scan, return_signed, route_loop, status_inferred, truncated, tz_assumed, unknown_code';

-- 012_durable_inserts.sql
ALTER TABLE courier.push MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE courier.shipment MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE courier.transition MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE courier.sla_promise MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

-- 013_sink_offset.sql
CREATE TABLE IF NOT EXISTS courier.sink_offset
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
ENGINE = ReplacingMergeTree(next_offset)
ORDER BY (topic, partition, run_at, first_offset, minute)
TTL minute + INTERVAL 90 DAY DELETE
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Offsets of the records that the sink has inserted';

CREATE TABLE IF NOT EXISTS courier.sink_start
(
    `topic`        LowCardinality(String) COMMENT 'Kafka topic',
    `partition`    Int32                  COMMENT 'Kafka partition',
    `first_offset` UInt64                 COMMENT 'The sink reads no earlier record: the table has better rows, which `processor replay --exchange` put in place',
    `set_at`       DateTime('UTC')        DEFAULT now('UTC') COMMENT 'When; UTC'
)
ENGINE = ReplacingMergeTree(first_offset)
ORDER BY (topic, partition)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Where the topics begin to be the source of their tables. No row: at their beginning';

-- 014_subscription.sql
CREATE TABLE IF NOT EXISTS courier.subscription
(
    `vendor`               LowCardinality(String)           COMMENT 'Code of the vendor; empty when the request led to none, and as asked for when there is none of that name',
    `account`              LowCardinality(String)           COMMENT 'Vendor contract; empty when the request led to none',
    `tracking_number`      String                           COMMENT 'The carrier''s parcel number: trimmed, ASCII upper case' CODEC(ZSTD(1)),
    `carrier`              LowCardinality(String)           COMMENT 'Canonical carrier code; unknown until the vendor has detected it',
    `vendor_carrier`       LowCardinality(String)           COMMENT 'The vendor''s code of the carrier; empty: the vendor shall detect it',
    `former_carriers`      Array(LowCardinality(String))    COMMENT 'The vendor''s codes of the carriers that it has corrected since, oldest first',
    `version`              UInt64                           COMMENT 'Grows with every change of this row: microseconds since 1970 of the change, or the previous version + 1',
    `state`                LowCardinality(String)           COMMENT 'REQUESTED, CALLING, WAITING, ACTIVE (followed), FALLBACK (not followed, asked daily), QUOTA (no further subscription this month), ENDED, REJECTED, EXPIRED, CANCELLED; OTHER of a newer program',
    `reason`               LowCardinality(Nullable(String)) COMMENT 'Why it is in this state: NO_RECORD, STALE, QUOTA, UNKNOWN_CARRIER, BAD_DATA, BAD_PLACE, NOT_RECOGNISED, SENSITIVE, PHONE, VENDOR_ERROR, ACCOUNT_STOPPED, FOREIGN, CORRECTED, TOO_EARLY, IN_DOUBT, CANCELLED; OTHER of a newer program',
    `code`                 LowCardinality(Nullable(String)) COMMENT 'The vendor''s last code; masked like texts',
    `since`                DateTime64(6, 'UTC')             COMMENT 'Since when it is in this state; UTC, microseconds',
    `requested_at`         DateTime64(6, 'UTC')             COMMENT 'When it was asked for; UTC, microseconds',
    `requester`            LowCardinality(String)           COMMENT 'Who asked',
    `reference`            Nullable(String)                 COMMENT 'The requester''s own id of the order' CODEC(ZSTD(1)),
    `api`                  LowCardinality(String)           COMMENT 'Name of the vendor''s API that is called',
    `product`              LowCardinality(String)           COMMENT 'How much the vendor shall tell: PLAIN, AREA, ADVANCED or FORECAST',
    `international`        Bool                             COMMENT 'The two ends of an international parcel are given',
    `round`                UInt16                           COMMENT '1 for the first subscription, one more for each that followed after the vendor gave up',
    `attempt`              UInt16                           COMMENT 'Calls of this round',
    `call_id`              Nullable(String)                 COMMENT 'While a call is intended or under way: its call_id in vendor_call, 32 lower-case hex digits' CODEC(ZSTD(1)),
    `not_before`           Nullable(DateTime64(3, 'UTC'))   COMMENT 'When the next step is due; UTC, milliseconds',
    `calls.month`          Array(UInt32)                    COMMENT 'Month in China in which the calls began, 202612 for December 2026',
    `calls.vendor_carrier` Array(LowCardinality(String))    COMMENT 'The vendor''s code of the carrier of the calls',
    `calls.accepted`       Array(UInt16)                    COMMENT 'How many the vendor accepted, those included that it made by itself when it corrected the carrier',
    `calls.last_at`        Array(DateTime64(3, 'UTC'))      COMMENT 'When the last of them began; UTC, milliseconds',
    `duplicate`            Bool                             COMMENT 'The last success was the answer that the number is subscribed already',
    `first_push_at`        Nullable(DateTime64(6, 'UTC'))   COMMENT 'Receipt of the first push since the subscription of this round; UTC, microseconds',
    `ended_word`           LowCardinality(Nullable(String)) COMMENT 'The vendor''s word that ended it (shutdown, abort, ...), or the status with which the parcel ended; masked like texts',
    `ended_at`             Nullable(DateTime64(6, 'UTC'))   COMMENT 'When the vendor''s last word of an end came, or the end was recognised; UTC, microseconds',
    INDEX tracking_number_bloom tracking_number TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (vendor, account, tracking_number)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per subscription of a parcel at a vendor: its whole current state. Query with FINAL';

-- 015_vendor_call.sql
CREATE TABLE IF NOT EXISTS courier.vendor_call
(
    `vendor`          LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`         LowCardinality(String)           COMMENT 'Vendor contract',
    `started_at`      DateTime64(6, 'UTC')             COMMENT 'When the call began; UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    `call_id`         String                           COMMENT 'XXH3-128 of kind, vendor, account, number, round and attempt, 32 lower-case hex digits: a call that is repeated because its answer was lost has the same' CODEC(ZSTD(1)),
    `kind`            LowCardinality(String)           COMMENT 'SUBSCRIBE: to have a parcel followed. QUERY: to ask about a parcel now. OTHER of a newer program',
    `api`             LowCardinality(String)           COMMENT 'Name of the vendor''s API',
    `carrier`         LowCardinality(String)           COMMENT 'Canonical carrier code; unknown until the vendor has detected it',
    `vendor_carrier`  LowCardinality(String)           COMMENT 'The vendor''s code of the carrier; empty: the vendor shall detect it',
    `tracking_number` String                           COMMENT 'The carrier''s parcel number: trimmed, ASCII upper case' CODEC(ZSTD(1)),
    `reason`          LowCardinality(String)           COMMENT 'Why the call was made: NEW, RETRY, IN_DOUBT (its answer was lost before), RESUBSCRIBE, PROBE; of queries STALLED, GAP, FIRST_PUSH_LATE, ABORTED, ENDED_OPEN, AUDIT, MANUAL; OTHER of a newer program',
    `duration_ms`     UInt32                           COMMENT 'From then to the end of the answer; milliseconds',
    `http_status`     Nullable(UInt16)                 COMMENT 'HTTP status of the answer; NULL when there was none',
    `code`            LowCardinality(Nullable(String)) COMMENT 'The vendor''s code in the answer, masked like texts; NULL when none could be read',
    `class`           LowCardinality(String)           COMMENT 'What the answer means: DONE, DUPLICATE (subscribed already), RETRY (not now), REJECTED (not this one), ACCOUNT (the account is at fault), NO_RESULT (the vendor knows nothing of the parcel), UNKNOWN (whether the vendor did it is not known)',
    `message`         Nullable(String)                 COMMENT 'The vendor''s words, at most 200 characters, numbers and names masked' CODEC(ZSTD(1)),
    `month`           UInt32                           COMMENT 'Month in China in which the call began, 202612 for December 2026',
    `bytes`           UInt32                           COMMENT 'Length of the answer''s body; bytes',
    `items`           Nullable(UInt32)                 COMMENT 'Tracking events in the answer to a query; NULL otherwise',
    `push_id`         Nullable(String)                 COMMENT 'push_id of the row of push that was made of the answer, 32 lower-case hex digits; NULL when there is none' CODEC(ZSTD(1)),
    INDEX tracking_number_bloom tracking_number TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(started_at)
ORDER BY (vendor, account, toDate(started_at), call_id, started_at)
TTL toDateTime(started_at) + INTERVAL 400 DAY DELETE
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per call of a vendor''s API. Query with FINAL';

-- 016_origin.sql
ALTER TABLE courier.push ADD COLUMN IF NOT EXISTS `origin` LowCardinality(String) DEFAULT 'PUSH' COMMENT 'PUSH: posted by the vendor. QUERY: its answer to a query of ours; such a row counts in no figure about pushes';

ALTER TABLE courier.push ADD COLUMN IF NOT EXISTS `query_reason` LowCardinality(Nullable(String)) COMMENT 'Why it was asked, as reason in vendor_call; NULL for a push';

ALTER TABLE courier.shipment ADD COLUMN IF NOT EXISTS `event.origin` Array(String) DEFAULT arrayWithConstant(length(`event.id`), 'PUSH') COMMENT 'Who told the event first: PUSH or QUERY' CODEC(ZSTD(1));

ALTER TABLE courier.shipment ADD COLUMN IF NOT EXISTS `last_push_at` Nullable(DateTime64(6, 'UTC')) COMMENT 'Receipt of the last accepted push that was no answer to a query; UTC, microseconds. NULL in rows from before there were queries';

ALTER TABLE courier.transition ADD COLUMN IF NOT EXISTS `origin` LowCardinality(String) DEFAULT 'PUSH' COMMENT 'Who told its event first: PUSH or QUERY';

ALTER TABLE courier.data_quality_daily COMMENT COLUMN `pushes` 'Pushes received, one per parcel; answers to queries are none';

ALTER TABLE courier.data_quality_daily COMMENT COLUMN `lag_transitions` 'Changes that came with a later push than the first of their parcel, and not with the answer to a query: how late they were reported can be told';

-- 017_reconcile_gap.sql
CREATE TABLE IF NOT EXISTS courier.reconcile_gap
(
    `ordered_at` DateTime64(6, 'UTC')   COMMENT 'When it was ordered; UTC, microseconds',
    `vendor`     LowCardinality(String) COMMENT 'Code of the vendor; empty = all accounts',
    `account`    LowCardinality(String) COMMENT 'Vendor contract; empty = all accounts',
    `begun_at`   DateTime64(6, 'UTC')   COMMENT 'From when on pushes were lost; UTC, microseconds',
    `ended_at`   DateTime64(6, 'UTC')   COMMENT 'Until when; UTC, microseconds. Parcels with a later push are not asked about'
)
ENGINE = MergeTree
ORDER BY ordered_at
TTL toDateTime(ordered_at) + INTERVAL 400 DAY DELETE
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per order to ask the vendors about all open parcels after pushes were lost';

-- 018_unknown_wording.sql
CREATE TABLE IF NOT EXISTS courier.unknown_wording
(
    `kind`             LowCardinality(String) COMMENT 'code: a code that the vendor''s table lacks. text: an event that nothing gives a status. carrier: a carrier''s code without a mapping',
    `vendor`           LowCardinality(String) COMMENT 'Code of the vendor',
    `carrier`          LowCardinality(String) COMMENT 'Code under which the parcels are counted',
    `wording`          String                 COMMENT 'The vendor''s code; or the masked text without what is in 【】, its digits as 0, so that texts of one kind are one row',
    `events`           UInt64                 COMMENT 'Events with it, of parcels that were heard of in the last 30 days; of a carrier 0',
    `parcels`          UInt64                 COMMENT 'Parcels with it, likewise; of a carrier all of them',
    `status`           LowCardinality(String) COMMENT 'What most of the events were taken as; UNKNOWN if nothing could be understood; of a carrier empty',
    `example`          String                 COMMENT 'Masked text of one such event; of a carrier empty',
    `last_received_at` DateTime64(6, 'UTC')   COMMENT 'Newest push of such a parcel that was accepted; UTC',
    `last_parcel`      String                 COMMENT 'The number of that parcel, to look it up',
    `refreshed_at`     DateTime('UTC')        COMMENT 'When it was collected; UTC'
)
ENGINE = MergeTree
ORDER BY (vendor, carrier, kind, wording)
COMMENT 'Codes, texts and carriers without a meaning, the 5,000 most frequent of each kind, replaced every hour';

-- 019_durable_merges.sql
ALTER TABLE courier.push MODIFY SETTING min_rows_to_fsync_after_merge = 1;

ALTER TABLE courier.shipment MODIFY SETTING min_rows_to_fsync_after_merge = 1;

ALTER TABLE courier.transition MODIFY SETTING min_rows_to_fsync_after_merge = 1;

ALTER TABLE courier.sla_promise MODIFY SETTING min_rows_to_fsync_after_merge = 1;

ALTER TABLE courier.sink_offset MODIFY SETTING min_rows_to_fsync_after_merge = 1;

ALTER TABLE courier.sink_start MODIFY SETTING min_rows_to_fsync_after_merge = 1;

ALTER TABLE courier.subscription MODIFY SETTING min_rows_to_fsync_after_merge = 1;

ALTER TABLE courier.vendor_call MODIFY SETTING min_rows_to_fsync_after_merge = 1;

ALTER TABLE courier.reconcile_gap MODIFY SETTING min_rows_to_fsync_after_merge = 1;

-- 020_sink_offset_server.sql
ALTER TABLE courier.sink_offset ADD COLUMN IF NOT EXISTS `server_started_at` DateTime('UTC') DEFAULT toDateTime(0, 'UTC') COMMENT 'Start of the server that the run had seen, by the clock of the server; UTC. 1970: noted before there was this column';

-- 021_sink_start_table.sql
ALTER TABLE courier.sink_start ADD COLUMN IF NOT EXISTS `table_id` LowCardinality(String) DEFAULT '' COMMENT 'UUID of the table that has them. Empty: noted before there was this column, and taken for any table';

ALTER TABLE courier.sink_start ADD COLUMN IF NOT EXISTS `own_id` LowCardinality(String) DEFAULT '' COMMENT 'UUID of sink_start. In a backup that is restored, it and the table have new UUIDs: then what it says holds for that table';

-- 022_performance_change.sql
CREATE TABLE IF NOT EXISTS courier.performance_change
(
    `level`            LowCardinality(String) COMMENT 'What is judged: carrier (all lanes together) or province (a lane from province to province)',
    `carrier`          LowCardinality(String) COMMENT 'Canonical carrier code',
    `origin`           LowCardinality(String) COMMENT 'Province of the origin, CN44; empty at level carrier',
    `dest`             LowCardinality(String) COMMENT 'Province of the destination, likewise',
    `measure`          LowCardinality(String) COMMENT 'exception_rate, on_time_rate or p50_hours, each as in carrier_scorecard',
    `from_date`        Date                   COMMENT 'First pickup day of the last seven judged days, China time',
    `to_date`          Date                   COMMENT 'Last of these days. They are compared with the 28 days before from_date',
    `parcels`          UInt64                 COMMENT 'Parcels of the seven days that are judged: the denominator of the measure',
    `parcels_before`   UInt64                 COMMENT 'Those of the 28 days before',
    `value`            Nullable(Float64)      COMMENT 'The measure in the seven days: a share, or hours; NULL = the median is not reached',
    `value_before`     Nullable(Float64)      COMMENT 'The measure in the 28 days before, likewise',
    `dispersion`       Float64                COMMENT 'How much more the 28 days differ from each other than by chance alone, at least 1: the variance that they have over that of a binomial distribution',
    `statistic`        Float64                COMMENT 'Difference of the shares over its standard error, dispersion taken into account. For p50_hours the shares are those of parcels slower than value_before. Positive = the share has grown',
    `p_value`          Float64                COMMENT 'How probable so large a difference is, either way, if nothing has changed: by Student''s t distribution',
    `q_value`          Float64                COMMENT 'p_value adjusted for the number of tests of the same level (Benjamini and Hochberg): of all rows with at most this q_value, this share is expected to be chance',
    `is_worse`         Bool                   COMMENT 'More exceptions, less on time, or slower than before',
    `is_beyond_chance` Bool                   COMMENT 'q_value is at most 0.05, and the difference is at least 1 percentage point (exceptions), 2 (on time) or 1 hour (median)',
    `refreshed_at`     DateTime('UTC')        COMMENT 'When it was tested; UTC'
)
ENGINE = MergeTree
ORDER BY (level, carrier, origin, dest, measure)
COMMENT 'Has a carrier or a lane become better or worse than it was, beyond chance? Replaced every hour';

-- 023_shipment_outcome.sql
ALTER TABLE courier.shipment ADD COLUMN IF NOT EXISTS `outcome` LowCardinality(String) DEFAULT multiIf(
    tracking_state = 'CARRIER_CORRECTED', 'CORRECTED',
    status = 'CANCELLED', 'CANCELLED',
    isNotNull(delivered_at), 'DELIVERED',
    isNotNull(returned_at), 'SENT_BACK',
    'OPEN') COMMENT 'OPEN; DELIVERED on the forward leg, whatever happened later; SENT_BACK: back with its sender without having been delivered; CANCELLED; CORRECTED: the vendor has moved it to another carrier, whose row goes on';

ALTER TABLE courier.shipment ADD COLUMN IF NOT EXISTS `is_open` Bool DEFAULT outcome = 'OPEN' COMMENT 'outcome is OPEN: neither delivered nor back with its sender, cancelled or moved to another carrier';

-- 024_attempt_sum.sql
ALTER TABLE courier.carrier_daily_recent ADD COLUMN IF NOT EXISTS `settled_attempt_seconds_sum` UInt64 COMMENT 'Sum of the times from pickup to first attempt of settled_attempted' AFTER `settled_attempted`;

ALTER TABLE courier.carrier_daily_older ADD COLUMN IF NOT EXISTS `settled_attempt_seconds_sum` UInt64 COMMENT 'Sum of the times from pickup to first attempt of settled_attempted' AFTER `settled_attempted`;

-- 025_order_reference.sql
ALTER TABLE courier.push ADD COLUMN IF NOT EXISTS `reference` Nullable(String) COMMENT 'The subscriber''s own name of the order, as the push gave it back; NULL when the account does not look for one, or there was none' CODEC(ZSTD(1));

ALTER TABLE courier.push ADD COLUMN IF NOT EXISTS `push_time` Nullable(DateTime64(3, 'UTC')) COMMENT 'When the vendor says that it sent the push; UTC. received_at less this is its own delay. NULL when it said nothing, or a time more than 10 minutes after the receipt' CODEC(Delta(8), ZSTD(1));

ALTER TABLE courier.shipment ADD COLUMN IF NOT EXISTS `reference` Nullable(String) COMMENT 'The subscriber''s own name of the order: the last that a push of the parcel gave back' CODEC(ZSTD(1));

ALTER TABLE courier.shipment ADD COLUMN IF NOT EXISTS `dest_carrier` LowCardinality(Nullable(String)) COMMENT 'Canonical carrier that delivers in the destination country; NULL within a country, and where the vendor does not tell';

ALTER TABLE courier.shipment ADD COLUMN IF NOT EXISTS `dest_number` Nullable(String) COMMENT 'That carrier''s own number of the parcel' CODEC(ZSTD(1));

ALTER TABLE courier.shipment ADD COLUMN IF NOT EXISTS `corrected_to` LowCardinality(Nullable(String)) COMMENT 'Canonical carrier under which the vendor goes on; NULL unless tracking_state is CARRIER_CORRECTED';

ALTER TABLE courier.shipment ADD COLUMN IF NOT EXISTS `event.area` Array(Nullable(String)) DEFAULT arrayWithConstant(length(`event.id`), CAST(NULL, 'Nullable(String)')) COMMENT 'Name of the administrative area as the vendor gave it, masked' CODEC(ZSTD(1));

ALTER TABLE courier.shipment ADD INDEX IF NOT EXISTS reference_bloom reference TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE courier.shipment ADD INDEX IF NOT EXISTS dest_number_bloom dest_number TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE courier.subscription ADD INDEX IF NOT EXISTS reference_bloom reference TYPE bloom_filter(0.01) GRANULARITY 1;

-- 026_calendar.sql
CREATE TABLE IF NOT EXISTS courier.calendar
(
    `country`    LowCardinality(String) COMMENT 'Country, ISO 3166 alpha-2 in upper case. Figures read CN: pickups are in China',
    `date`       Date                   COMMENT 'Day in that country',
    `is_working` Bool                   COMMENT 'Whether it is worked: false on a holiday, true on a Saturday or Sunday that is worked for one',
    `name`       String                 COMMENT 'Name of the holiday; may be empty',
    `loaded_at`  DateTime('UTC')        COMMENT 'When the file was loaded; UTC'
)
ENGINE = MergeTree
ORDER BY (country, date)
COMMENT 'Days that are not as the days of the week say: without a row Monday to Friday are worked, Saturday and Sunday are not';

ALTER TABLE courier.calendar MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE courier.calendar MODIFY SETTING min_rows_to_fsync_after_merge = 1;

ALTER TABLE courier.sla_promise ADD COLUMN IF NOT EXISTS `working_days` Nullable(UInt8) COMMENT 'Working days from the day of the pickup until that of the first delivery attempt, 0 to 60; due when the last one ends. NULL = hours are promised' AFTER `hours`;

ALTER TABLE courier.sla_promise ADD COLUMN IF NOT EXISTS `cutoff` UInt16 DEFAULT 1440 COMMENT 'Minutes after midnight, China time: what is picked up then or later counts for the next working day. 1440 = no cut-off' AFTER `working_days`;

ALTER TABLE courier.sla_promise COMMENT COLUMN `hours` 'Hours from pickup until the first delivery attempt, 1 to 4320; 0 = working days are promised';

ALTER TABLE courier.carrier_daily_recent ADD COLUMN IF NOT EXISTS `transit_working_bins` Map(UInt16, UInt32) COMMENT 'Parcels delivered by transit time in working time, as transit_bins: only hours of working days count' AFTER `transit_bins`;

ALTER TABLE courier.carrier_daily_older ADD COLUMN IF NOT EXISTS `transit_working_bins` Map(UInt16, UInt32) COMMENT 'Parcels delivered by transit time in working time, as transit_bins: only hours of working days count' AFTER `transit_bins`;

-- 027_route_node.sql
CREATE TABLE IF NOT EXISTS courier.route_node
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
ENGINE = ReplacingMergeTree(version)
ORDER BY (tracking_number, vendor, account, carrier, name, visit, telling)
TTL toDateTime(received_at) + INTERVAL 90 DAY DELETE
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The way of a parcel from hub to hub: what was predicted first, and what was told last. Query with FINAL';

ALTER TABLE courier.route_node MODIFY SETTING min_rows_to_fsync_after_merge = 1;

ALTER TABLE courier.push ADD COLUMN IF NOT EXISTS `vendor_total_hours` Nullable(UInt16) COMMENT 'How long the whole way takes on average, by the vendor''s own count; hours. NULL when it does not say';

-- 028_annotation.sql
CREATE TABLE IF NOT EXISTS courier.annotation
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
    INDEX tracking_number_bloom tracking_number TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY (carrier, tracking_number, vendor, epoch, annotated_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per correction by hand. Query with FINAL';

ALTER TABLE courier.annotation MODIFY SETTING min_rows_to_fsync_after_merge = 1;

