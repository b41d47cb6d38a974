-- As carrier_last_30_days.

CREATE OR REPLACE VIEW {database}.transit_distribution_last_30_days
(
    `from_date`        Date                    COMMENT 'First pickup day that is counted: 29 days before to_date',
    `to_date`          Date                    COMMENT 'Last pickup day that is counted, the newest whose parcels are all old enough for the 72 h rate: 4 days ago, before six in the morning 5, China time',
    `carrier`          LowCardinality(String)  COMMENT 'Canonical carrier code',
    `hours`            UInt16                  COMMENT 'Hours from pickup to delivery, rounded up',
    `parcels`          UInt64                  COMMENT 'Parcels delivered that took more than hours - 1 and at most hours',
    `transit_parcels`  UInt64                  COMMENT 'All parcels of valid transit time, the unfinished included',
    `delivered_share`  Float64                 COMMENT 'Share of transit_parcels delivered within these hours'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:first_mature_day},
    {formula:last_mature_day},
    total AS
    (
        SELECT
            daily.carrier AS carrier,
            sum(daily.transit_parcels) AS transit_parcels,
            sumMap(daily.transit_bins) AS transit_bins
        FROM {database}.carrier_daily AS daily
        WHERE daily.level = 'carrier' AND daily.cohort_date BETWEEN first_mature_day AND last_mature_day
        GROUP BY daily.carrier
    ),
    by_hour AS
    (
        SELECT carrier, transit_parcels, toUInt16(intDiv(bin + 3, 4)) AS hours, sum(bin_parcels) AS parcels
        FROM total
        ARRAY JOIN mapKeys(transit_bins) AS bin, mapValues(transit_bins) AS bin_parcels
        GROUP BY carrier, transit_parcels, hours
    )
SELECT
    first_mature_day AS from_date,
    last_mature_day AS to_date,
    carrier,
    hours,
    parcels,
    transit_parcels,
    sum(parcels) OVER (PARTITION BY carrier ORDER BY hours) / transit_parcels AS delivered_share
FROM by_hour
ORDER BY carrier, hours
COMMENT 'How are the transit times of a carrier spread? transit_distribution of the newest 30 pickup days that can be compared, of all vendors and lanes. No parameters';
