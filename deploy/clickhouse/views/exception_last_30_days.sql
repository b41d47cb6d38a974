-- The same days as carrier_last_30_days; in the youngest of them few parcels are settled.

CREATE OR REPLACE VIEW {database}.exception_last_30_days
(
    `from_date`         Date                   COMMENT 'First pickup day that is counted: 29 days before to_date',
    `to_date`           Date                   COMMENT 'Last pickup day that is counted, the newest whose parcels are all old enough for the 72 h rate: 4 days ago, before six in the morning 5, China time',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `kind`              LowCardinality(String) COMMENT 'code, reason or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for reasons and parties, which are the same for all vendors',
    `name`              LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason or the party',
    {columns:exception_counts},
    `settled`           UInt64                 COMMENT 'All settled parcels of the carrier in these days, with or without it; for a code those of its vendor',
    {columns:exception_figures}
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:share},
    {formula:wilson},
    {formula:hours_at},
    {formula:first_mature_day},
    {formula:last_mature_day},
    found AS
    (
        SELECT
            daily.carrier AS carrier,
            daily.kind AS kind,
            if(daily.kind = 'code', daily.vendor, '') AS code_vendor,
            daily.name AS name,
            {formula:exception_sums}
        FROM {database}.exception_daily AS daily
        WHERE daily.level = 'carrier' AND daily.cohort_date BETWEEN first_mature_day AND last_mature_day
        GROUP BY daily.carrier, daily.kind, code_vendor, daily.name
    ),
    cohort AS
    (
        SELECT
            daily.carrier AS carrier,
            scope AS code_vendor,
            sum(daily.settled) AS settled
        FROM {database}.carrier_daily AS daily
        ARRAY JOIN [toString(daily.vendor), ''] AS scope
        WHERE daily.level = 'carrier' AND daily.cohort_date BETWEEN first_mature_day AND last_mature_day
        GROUP BY daily.carrier, scope
    )
SELECT
    first_mature_day AS from_date,
    last_mature_day AS to_date,
    found.carrier AS carrier,
    {formula:exception_figures}
FROM found
INNER JOIN cohort ON found.carrier = cohort.carrier AND found.code_vendor = cohort.code_vendor
LEFT JOIN {database}.exception_name AS named
    ON named.kind = found.kind AND named.vendor = found.code_vendor AND named.name = found.name
ORDER BY carrier, kind, vendor, name
SETTINGS join_use_nulls = 0
COMMENT 'What goes wrong with which carrier, and who is responsible? exception_rate of the newest 30 pickup days whose transit times can be compared, of all vendors and lanes. No parameters';
