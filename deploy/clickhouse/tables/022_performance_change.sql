-- Carriers and lanes against their own past. The test needs five weeks of cohorts of all lanes, which takes too long for a question, so it
-- is made every hour.

CREATE TABLE IF NOT EXISTS {database}.performance_change
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
ENGINE = {engine:MergeTree}
ORDER BY (level, carrier, origin, dest, measure)
COMMENT 'Has a carrier or a lane become better or worse than it was, beyond chance? Replaced every hour';
