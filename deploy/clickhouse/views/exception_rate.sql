-- Rates of codes, reasons and parties. The denominator of a vendor's code is the number of parcels that this vendor
-- tracks.
--
-- Parcels with an exception are counted some minutes after the cohorts that they are divided by, and more parcels of a
-- recent day may have settled by then. So the numerator of a rate is limited to its denominator.
--
-- Parameters as in carrier_scorecard.

CREATE OR REPLACE VIEW {database}.exception_rate
(
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `kind`              LowCardinality(String) COMMENT 'code, reason or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for reasons and parties, which are the same for all vendors',
    `name`              LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason or the party',
    {columns:exception_counts},
    `settled`           UInt64                 COMMENT 'All settled parcels of the carrier, with or without it; for a code those of its vendor',
    {columns:exception_figures}
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:share},
    {formula:wilson},
    {formula:hours_at},
    -- Codes belong to a vendor, reasons and parties are shared.
    found AS
    (
        SELECT
            daily.carrier AS carrier,
            daily.kind AS kind,
            if(daily.kind = 'code', daily.vendor, '') AS code_vendor,
            daily.name AS name,
            {formula:exception_sums}
        FROM {database}.exception_daily AS daily
        WHERE daily.level = {expression:asked_level} AND {expression:is_asked}
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
        WHERE daily.level = {expression:asked_level} AND {expression:is_asked}
        GROUP BY daily.carrier, scope
    )
SELECT
    found.carrier AS carrier,
    {formula:exception_figures}
FROM found
INNER JOIN cohort ON found.carrier = cohort.carrier AND found.code_vendor = cohort.code_vendor
LEFT JOIN {database}.exception_name AS named
    ON named.kind = found.kind AND named.vendor = found.code_vendor AND named.name = found.name
ORDER BY carrier, kind, vendor, name
SETTINGS join_use_nulls = 0
COMMENT 'What goes wrong with which carrier, who is responsible, and how long does it take to resolve? One row per carrier and code, reason or party. Each parcel counts once in a row, but can be in several';
