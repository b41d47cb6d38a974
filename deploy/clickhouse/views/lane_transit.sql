-- Lanes, for the map of provinces, of all carriers together or of one.
--
-- Parameters as in carrier_scorecard, and carrier (empty = all), lane_level (province or
-- city; a city in origin or dest means city).

CREATE OR REPLACE VIEW {database}.lane_transit
(
    `origin`              LowCardinality(String) COMMENT 'Area of the origin: of the level asked for; empty = unknown',
    `dest`                LowCardinality(String) COMMENT 'Area of the destination, likewise',
    `parcels`             UInt64                 COMMENT 'Size of the cohort: parcels picked up in the range, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`           UInt64                 COMMENT 'Parcels picked up in the range and CANCELLED since; in no other column',
    {columns:lane_figures}
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:share},
    {formula:wilson},
    {formula:hours_at},
    total AS
    (
        SELECT
            daily.origin AS origin,
            daily.dest AS dest,
            {formula:lane_sums}
        FROM {database}.carrier_daily AS daily
        WHERE daily.level = if({lane_level:String} = 'city' OR length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')
            AND {expression:is_asked}
            AND ({carrier:String} = '' OR daily.carrier = {carrier:String})
        GROUP BY origin, dest
    )
SELECT
    origin,
    dest,
    {formula:lane_figures}
FROM total
ORDER BY origin, dest
COMMENT 'How long does a parcel take from here to there? One row per lane';
