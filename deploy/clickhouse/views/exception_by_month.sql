CREATE OR REPLACE VIEW {database}.exception_by_month
(
    `cohort_month`      Date                   COMMENT 'First day of the month of the pickup, China time. The month that has not ended is here, too',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `kind`              LowCardinality(String) COMMENT 'code, reason or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for reasons and parties, which are the same for all vendors',
    `name`              LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason or the party',
    {columns:exception_counts},
    `settled`           UInt64                 COMMENT 'All settled parcels of the carrier of the month, with or without it; for a code those of its vendor',
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
            toStartOfMonth(daily.cohort_date) AS cohort_month,
            daily.carrier AS carrier,
            daily.kind AS kind,
            if(daily.kind = 'code', daily.vendor, '') AS code_vendor,
            daily.name AS name,
            {formula:exception_sums}
        FROM {database}.exception_daily AS daily
        WHERE daily.level = 'carrier'
        GROUP BY cohort_month, daily.carrier, daily.kind, code_vendor, daily.name
    ),
    cohort AS
    (
        SELECT
            toStartOfMonth(daily.cohort_date) AS cohort_month,
            daily.carrier AS carrier,
            scope AS code_vendor,
            sum(daily.settled) AS settled
        FROM {database}.carrier_daily AS daily
        ARRAY JOIN [toString(daily.vendor), ''] AS scope
        WHERE daily.level = 'carrier'
        GROUP BY cohort_month, daily.carrier, scope
    )
SELECT
    found.cohort_month AS cohort_month,
    found.carrier AS carrier,
    {formula:exception_figures}
FROM found
INNER JOIN cohort ON found.cohort_month = cohort.cohort_month AND found.carrier = cohort.carrier AND found.code_vendor = cohort.code_vendor
LEFT JOIN {database}.exception_name AS named
    ON named.kind = found.kind AND named.vendor = found.code_vendor AND named.name = found.name
ORDER BY cohort_month DESC, carrier, kind, vendor, name
SETTINGS join_use_nulls = 0
COMMENT 'What goes wrong with which carrier? exception_rate by pickup month, of all vendors and lanes. No parameters';
