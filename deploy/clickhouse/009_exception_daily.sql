-- Counts by cohort, lane and code, reason or party. Tables, refreshes and levels are those of carrier_daily (007), and for the
-- same reasons; a table of its own, because one parcel counts here several times.

CREATE VIEW IF NOT EXISTS {database}.exception_count
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    seconds -> toUInt16(intDiv(seconds + 899, 900)) AS bin,
    bins -> arrayEnumerateUniq(arraySort(bins)) AS runs,
    bins -> mapFromArrays(
        arrayCompact(arraySort(bins)),
        arrayFilter((place, next) -> next = 1, runs(bins), arrayResize(arrayPopFront(runs(bins)), length(bins), 1))) AS counted,
    measured AS
    (
        SELECT
            assumeNotNull(parcel.cohort_date) AS cohort_date,
            parcel.vendor AS vendor,
            parcel.carrier AS carrier,
            parcel.origin AS origin,
            parcel.dest AS dest,
            parcel.observed_at AS observed_at,
            -- As in carrier_daily: aged 7 days + 6 h, and it began within the 7.
            ifNull(parcel.age_seconds >= 7 * 86400 + 6 * 3600 AND toInt64(began_at) - toInt64(parcel.picked_up_at) <= 7 * 86400, false) AS is_settled,
            parcel_exception.kind AS kind,
            parcel_exception.name AS name,
            toInt64(resolved_at) - toInt64(began_at) AS seconds_to_resolve
        FROM {database}.parcel_exception
        INNER JOIN {database}.parcel
            ON parcel.carrier = parcel_exception.carrier AND parcel.tracking_number = parcel_exception.tracking_number
                AND parcel.vendor = parcel_exception.vendor AND parcel.epoch = parcel_exception.epoch
        WHERE parcel.is_in_cohort AND parcel.is_exception
            AND parcel.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
            AND parcel.received_month >= toString(toYYYYMM({received_from:DateTime('UTC')}))
            AND parcel_exception.received_month >= toString(toYYYYMM({received_from:DateTime('UTC')}))
    )
SELECT
    lane.1 AS level,
    measured.cohort_date AS cohort_date,
    measured.vendor AS vendor,
    measured.carrier AS carrier,
    lane.2 AS origin,
    lane.3 AS dest,
    measured.kind AS kind,
    measured.name AS name,
    count() AS parcels,
    countIf(is_settled) AS settled,
    countIf(is_settled AND ifNull(seconds_to_resolve <= 180 * 86400, true)) AS resolve_parcels,
    counted(groupArrayIf(bin(assumeNotNull(seconds_to_resolve)), is_settled AND ifNull(seconds_to_resolve <= 180 * 86400, false))) AS resolve_bins,
    any(observed_at) AS refreshed_at
FROM measured
ARRAY JOIN [
    ('carrier', '', ''),
    ('province', substring(measured.origin, 1, 4), substring(measured.dest, 1, 4)),
    ('city', toString(measured.origin), toString(measured.dest))] AS lane
GROUP BY lane, cohort_date, vendor, carrier, kind, name
SETTINGS join_use_nulls = 0
COMMENT 'Counts of the exceptions of the cohorts from_date to to_date, from shipment as it is now: what fills exception_daily';

CREATE TABLE IF NOT EXISTS {database}.exception_daily_recent
(
    `level`           LowCardinality(String) COMMENT 'carrier (all lanes together), province or city, as in carrier_daily',
    `cohort_date`     Date                   COMMENT 'Day of the pickup, China time',
    `vendor`          LowCardinality(String) COMMENT 'kuaidi100 or kdniao',
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

CREATE TABLE IF NOT EXISTS {database}.exception_daily_older AS {database}.exception_daily_recent
ENGINE = MergeTree
PARTITION BY toYYYYMM(cohort_date)
ORDER BY (level, origin, dest, cohort_date, carrier, vendor, kind, name)
COMMENT 'exception_daily of all older cohort days, replaced once a day';

-- After carrier_daily and not beside it: two that read everything at a time would take the whole machine.
CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.exception_daily_recent_refresh
REFRESH EVERY 10 MINUTE DEPENDS ON {database}.carrier_daily_recent_refresh
SETTINGS refresh_retries = 2
TO {database}.exception_daily_recent
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT *
FROM {database}.exception_count(
    from_date = toDate(now(), 'Asia/Shanghai') - 40,
    to_date = toDate('2100-01-01'),
    received_from = now('UTC') - INTERVAL 101 DAY)
SETTINGS max_memory_usage = 8000000000, max_bytes_before_external_group_by = 3000000000, max_execution_time = 540
COMMENT 'Fills exception_daily_recent';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.exception_daily_older_refresh
REFRESH EVERY 1 DAY OFFSET 19 HOUR 20 MINUTE DEPENDS ON {database}.carrier_daily_older_refresh
SETTINGS refresh_retries = 2
TO {database}.exception_daily_older
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT *
FROM {database}.exception_count(
    from_date = toDate('2000-01-01'),
    to_date = toDate(now(), 'Asia/Shanghai') - 31,
    received_from = toDateTime('2000-01-01', 'UTC'))
SETTINGS max_memory_usage = 8000000000, max_bytes_before_external_group_by = 3000000000, max_execution_time = 14400
COMMENT 'Fills exception_daily_older';

CREATE VIEW IF NOT EXISTS {database}.exception_daily
(
    `level`           LowCardinality(String) COMMENT 'carrier (all lanes together), province or city, as in carrier_daily',
    `cohort_date`     Date                   COMMENT 'Day of the pickup, China time',
    `vendor`          LowCardinality(String) COMMENT 'kuaidi100 or kdniao',
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
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
-- The same boundary as carrier_daily: the rates divide one by the other.
WITH (SELECT ifNull(toDate(maxOrNull(refreshed_at), 'Asia/Shanghai') - 40, toDate('2100-01-01')) FROM {database}.carrier_daily_recent WHERE level = 'carrier') AS first_recent
SELECT * FROM {database}.exception_daily_recent WHERE cohort_date >= first_recent
UNION ALL
SELECT * FROM {database}.exception_daily_older WHERE cohort_date < first_recent
COMMENT 'Parcels with exceptions by pickup day, vendor, carrier, lane and code, reason or party';
