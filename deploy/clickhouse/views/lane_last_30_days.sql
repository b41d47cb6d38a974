-- As carrier_last_30_days.

CREATE OR REPLACE VIEW {database}.lane_last_30_days
(
    `from_date`         Date                   COMMENT 'First pickup day that is counted: 29 days before to_date',
    `to_date`           Date                   COMMENT 'Last pickup day that is counted, the newest whose parcels are all old enough for the 72 h rate: 4 days ago, before six in the morning 5, China time',
    `origin`            LowCardinality(String) COMMENT 'Province of the origin (CN44) or municipality (CN31); empty = unknown',
    `dest`              LowCardinality(String) COMMENT 'Province or municipality of the destination, likewise',
    `parcels`           UInt64                 COMMENT 'Size of the cohort: parcels picked up in these days, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`         UInt64                 COMMENT 'Parcels picked up in these days and CANCELLED since; in no other column',
    {columns:lane_figures}
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:share},
    {formula:wilson},
    {formula:hours_at},
    {formula:first_mature_day},
    {formula:last_mature_day},
    total AS
    (
        SELECT
            daily.origin AS origin,
            daily.dest AS dest,
            {formula:lane_sums}
        FROM {database}.carrier_daily AS daily
        WHERE daily.level = 'province' AND daily.cohort_date BETWEEN first_mature_day AND last_mature_day
        GROUP BY origin, dest
    )
SELECT
    first_mature_day AS from_date,
    last_mature_day AS to_date,
    origin,
    dest,
    {formula:lane_figures}
FROM total
ORDER BY origin, dest
COMMENT 'How long does a parcel take from here to there? lane_transit of the newest 30 pickup days that can be compared, between provinces, of all carriers. No parameters';
