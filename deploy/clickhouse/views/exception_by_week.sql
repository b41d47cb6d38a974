CREATE OR REPLACE VIEW {database}.exception_by_week
(
    `cohort_week`       Date                   COMMENT 'Monday of the week of the pickup, China time. The week that has not ended is here, too',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `kind`              LowCardinality(String) COMMENT 'code, reason or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for reasons and parties, which are the same for all vendors',
    `name`              LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason or the party',
    {columns:exception_counts},
    `settled`           UInt64                 COMMENT 'All settled parcels of the carrier of the week, with or without it; for a code those of its vendor',
    {columns:exception_figures}
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:share},
    {formula:wilson},
    {formula:hours_at},
    found AS
    (
        SELECT
            toMonday(daily.cohort_date) AS cohort_week,
            daily.carrier AS carrier,
            daily.kind AS kind,
            if(daily.kind = 'code', daily.vendor, '') AS code_vendor,
            daily.name AS name,
            {formula:exception_sums}
        FROM {database}.exception_daily AS daily
        WHERE daily.level = 'carrier'
        GROUP BY cohort_week, daily.carrier, daily.kind, code_vendor, daily.name
    ),
    cohort AS
    (
        SELECT
            toMonday(daily.cohort_date) AS cohort_week,
            daily.carrier AS carrier,
            scope AS code_vendor,
            sum(daily.settled) AS settled
        FROM {database}.carrier_daily AS daily
        ARRAY JOIN [toString(daily.vendor), ''] AS scope
        WHERE daily.level = 'carrier'
        GROUP BY cohort_week, daily.carrier, scope
    )
SELECT
    found.cohort_week AS cohort_week,
    found.carrier AS carrier,
    {formula:exception_figures}
FROM found
INNER JOIN cohort ON found.cohort_week = cohort.cohort_week AND found.carrier = cohort.carrier AND found.code_vendor = cohort.code_vendor
LEFT JOIN {database}.exception_name AS named
    ON named.kind = found.kind AND named.vendor = found.code_vendor AND named.name = found.name
ORDER BY cohort_week DESC, carrier, kind, vendor, name
SETTINGS join_use_nulls = 0
COMMENT 'What goes wrong with which carrier? exception_rate by pickup week, of all vendors and lanes. No parameters';
