CREATE TABLE IF NOT EXISTS {database}.exception_daily_recent
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
ENGINE = {engine:MergeTree}
PARTITION BY toYYYYMM(cohort_date)
ORDER BY (level, origin, dest, cohort_date, carrier, vendor, kind, name)
COMMENT 'exception_daily of the last 40 cohort days, replaced every 10 minutes';

CREATE TABLE IF NOT EXISTS {database}.exception_daily_older AS {database}.exception_daily_recent
ENGINE = {engine:MergeTree}
PARTITION BY toYYYYMM(cohort_date)
ORDER BY (level, origin, dest, cohort_date, carrier, vendor, kind, name)
COMMENT 'exception_daily of all older cohort days, replaced once a day';
