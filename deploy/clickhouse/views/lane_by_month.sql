-- Not by day or by week: most lanes have too few parcels then for a rate or a quantile.

CREATE OR REPLACE VIEW {database}.lane_by_month
(
    `cohort_month`      Date                   COMMENT 'First day of the month of the pickup, China time. The month that has not ended is here, too',
    `origin`            LowCardinality(String) COMMENT 'Province of the origin (CN44) or municipality (CN31); empty = unknown',
    `dest`              LowCardinality(String) COMMENT 'Province or municipality of the destination, likewise',
    `parcels`           UInt64                 COMMENT 'Size of the cohort: parcels picked up that month, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`         UInt64                 COMMENT 'Parcels picked up that month and CANCELLED since; in no other column',
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
            toStartOfMonth(daily.cohort_date) AS cohort_month,
            daily.origin AS origin,
            daily.dest AS dest,
            {formula:lane_sums}
        FROM {database}.carrier_daily AS daily
        WHERE daily.level = 'province'
        GROUP BY cohort_month, origin, dest
    )
SELECT
    cohort_month,
    origin,
    dest,
    {formula:lane_figures}
FROM total
ORDER BY cohort_month DESC, origin, dest
COMMENT 'How long does a parcel take from here to there? lane_transit by pickup month, between provinces, of all carriers. No parameters';
