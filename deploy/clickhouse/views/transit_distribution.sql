-- The whole distribution, for a curve: where quantiles are NULL, it still shows what share was delivered.
CREATE OR REPLACE VIEW {database}.transit_distribution
(
    `carrier`          LowCardinality(String)  COMMENT 'Canonical carrier code',
    `hours`            UInt16                  COMMENT 'Hours from pickup to delivery, rounded up',
    `parcels`          UInt64                  COMMENT 'Parcels delivered that took more than hours - 1 and at most hours',
    `transit_parcels`  UInt64                  COMMENT 'All parcels of valid transit time, the unfinished included',
    `delivered_share`  Float64                 COMMENT 'Share of transit_parcels delivered within these hours'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    total AS
    (
        SELECT
            daily.carrier AS carrier,
            sum(daily.transit_parcels) AS transit_parcels,
            sumMap(daily.transit_bins) AS transit_bins
        FROM {database}.carrier_daily AS daily
        WHERE daily.level = {expression:asked_level} AND {expression:is_asked}
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
    carrier,
    hours,
    parcels,
    transit_parcels,
    sum(parcels) OVER (PARTITION BY carrier ORDER BY hours) / transit_parcels AS delivered_share
FROM by_hour
ORDER BY carrier, hours
COMMENT 'How are the transit times of a carrier spread? One row per carrier and hour in which something was delivered';
