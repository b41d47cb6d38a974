-- As carrier_last_30_days.

CREATE OR REPLACE VIEW {database}.carrier_lane_last_30_days
(
    `from_date`         Date                   COMMENT 'First pickup day that is counted: 29 days before to_date',
    `to_date`           Date                   COMMENT 'Last pickup day that is counted, the newest whose parcels are all old enough for the 72 h rate: 4 days ago, before six in the morning 5, China time',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `origin`            LowCardinality(String) COMMENT 'Province of the origin (CN44) or municipality (CN31); empty = unknown',
    `dest`              LowCardinality(String) COMMENT 'Province or municipality of the destination, likewise',
    `parcels`           UInt64                 COMMENT 'Size of the cohort: parcels picked up in these days, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`         UInt64                 COMMENT 'Parcels picked up in these days and CANCELLED since; in no other column',
    {columns:carrier_figures}
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:share},
    {formula:wilson},
    {formula:hours_at},
    {formula:mean_hours},
    {formula:first_mature_day},
    {formula:last_mature_day},
    total AS
    (
        SELECT
            daily.carrier AS carrier,
            daily.origin AS origin,
            daily.dest AS dest,
            {formula:carrier_sums}
        FROM {database}.carrier_daily AS daily
        WHERE daily.level = 'province' AND daily.cohort_date BETWEEN first_mature_day AND last_mature_day
        GROUP BY carrier, origin, dest
    )
SELECT
    first_mature_day AS from_date,
    last_mature_day AS to_date,
    carrier,
    origin,
    dest,
    {formula:carrier_figures}
FROM total
ORDER BY carrier, origin, dest
COMMENT 'Which carrier is best on this lane? carrier_scorecard of the newest 30 pickup days that can be compared, by lane between provinces. No parameters';
