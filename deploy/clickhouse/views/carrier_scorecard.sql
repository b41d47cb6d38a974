-- The figures of each carrier. A rate is NULL if nothing can be judged yet. Its denominator is the column before it, so that
-- readers can hide rates of too few parcels (fewer than 30).
--
-- Parameters, all required in every call: from_date and to_date (pickup days, China time, both included), vendor, origin
-- and dest (area codes as in carrier_daily, a province or a city); an empty string means all. Without origin and dest
-- the rows of level carrier are added up, a few hundred; with them those of the provinces or cities.

CREATE OR REPLACE VIEW {database}.carrier_scorecard
(
    `carrier`                     LowCardinality(String) COMMENT 'Canonical carrier code',
    `parcels`                     UInt64                 COMMENT 'Size of the cohort: parcels picked up in the range, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`                   UInt64                 COMMENT 'Parcels picked up in the range and CANCELLED since; in no other column',
    {columns:carrier_figures}
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:share},
    {formula:wilson},
    {formula:hours_at},
    {formula:mean_hours},
    total AS
    (
        SELECT
            daily.carrier AS carrier,
            {formula:carrier_sums}
        FROM {database}.carrier_daily AS daily
        WHERE daily.level = {expression:asked_level} AND {expression:is_asked}
        GROUP BY carrier
    )
SELECT
    carrier,
    {formula:carrier_figures}
FROM total
ORDER BY carrier
COMMENT 'Which carrier is fast, reliable and honest? One row per carrier for the parcels picked up from from_date to to_date. Compare carriers on the same lane, because their lanes differ';
