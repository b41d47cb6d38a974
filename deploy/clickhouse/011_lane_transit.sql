-- Lanes, for the map of provinces. All carriers together, or one.
--
-- Parameters as in carrier_scorecard, and carrier (empty = all), lane_level (province or
-- city; a city in origin or dest means city).

CREATE VIEW IF NOT EXISTS {database}.lane_transit
(
    `origin`              LowCardinality(String) COMMENT 'Area of the origin: of the level asked for; empty = unknown',
    `dest`                LowCardinality(String) COMMENT 'Area of the destination, likewise',
    `parcels`             UInt64                 COMMENT 'Size of the cohort: parcels picked up in the range, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`           UInt64                 COMMENT 'Parcels picked up in the range and CANCELLED since; in no other column',
    `delivered`           UInt64                 COMMENT 'Parcels delivered on the forward leg',
    `sent_back`           UInt64                 COMMENT 'Parcels back with their sender that were never delivered',
    `open`                UInt64                 COMMENT 'Parcels neither delivered nor sent back',
    `returned`            UInt64                 COMMENT 'Parcels on their way back or back, delivered before or not',
    `refused`             UInt64                 COMMENT 'Parcels that the recipient refused at least once',
    `lost_presumed`       UInt64                 COMMENT 'Open parcels older than their promise + 3 days (same city) or + 7 days (otherwise), or given up by Kuaidi100 after 60 days without change',
    `settled`             UInt64                 COMMENT 'Parcels aged 7 days + 6 h or more. What can still happen to a parcel is counted over these only, and only what happened within 7 days of its pickup: a younger one would look better for want of time, an older one worse',
    `maturity`            Nullable(Float64)      COMMENT 'Share of the parcels that are old enough for the 72 h rate: due_72h / transit_parcels',
    `is_mature`           Bool                   COMMENT 'maturity is at least 0.99: what is younger should be shown in grey',
    `transit_parcels`     UInt64                 COMMENT 'Denominator of the transit quantiles: the cohort without invalid transit times (negative, over 180 days); the unfinished and those sent back undelivered count as infinitely long',
    `p50_hours`           Nullable(Float64)      COMMENT 'Pickup to delivery: 50 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
    `p90_hours`           Nullable(Float64)      COMMENT 'Pickup to delivery: 90 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
    `p95_hours`           Nullable(Float64)      COMMENT 'Pickup to delivery: 95 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
    `is_p50_sound`        Bool                   COMMENT 'Enough parcels for p50: transit_parcels >= 10',
    `is_p90_sound`        Bool                   COMMENT 'Enough parcels for p90: transit_parcels >= 50',
    `is_p95_sound`        Bool                   COMMENT 'Enough parcels for p95: transit_parcels >= 100',
    `due_24h`             UInt64                 COMMENT 'Parcels of valid transit time aged 24 h + 6 h or more: what the vendors report late has come by then',
    `rate_24h`            Nullable(Float64)      COMMENT 'Share delivered within 24 h of the pickup: within_24h / due_24h; NULL when nothing can be judged yet',
    `rate_24h_low`        Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `rate_24h_high`       Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `due_48h`             UInt64                 COMMENT 'Parcels of valid transit time aged 48 h + 6 h or more',
    `rate_48h`            Nullable(Float64)      COMMENT 'Share delivered within 48 h of the pickup: within_48h / due_48h; NULL when nothing can be judged yet',
    `rate_48h_low`        Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `rate_48h_high`       Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `due_72h`             UInt64                 COMMENT 'Parcels of valid transit time aged 72 h + 6 h or more',
    `rate_72h`            Nullable(Float64)      COMMENT 'Share delivered within 72 h of the pickup: within_72h / due_72h; NULL when nothing can be judged yet',
    `rate_72h_low`        Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `rate_72h_high`       Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `sla_parcels`         UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, of any age: those that the on-time rate is over in the end',
    `sla_due`             UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, aged promise + 6 h or more',
    `on_time_maturity`    Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the on-time rate: sla_due / sla_parcels',
    `is_on_time_mature`   Bool                   COMMENT 'on_time_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
    `on_time_rate`        Nullable(Float64)      COMMENT 'Share first attempted within the promise: sla_attempted / sla_due; NULL when nothing can be judged yet',
    `on_time_rate_low`    Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `on_time_rate_high`   Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `exception_rate`      Nullable(Float64)      COMMENT 'Share of parcels with at least one exception within 7 days of the pickup: settled_with_exception / settled; NULL when nothing can be judged yet',
    `exception_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `exception_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `return_rate`         Nullable(Float64)      COMMENT 'Share of parcels that turned back within 7 days of the pickup: settled_returned / settled; NULL when nothing can be judged yet',
    `return_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `return_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `refreshed_at`        DateTime('UTC')        COMMENT 'When the counts were taken, the oldest of them; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    -- Wilson score interval, z for 95 %; side is -1 or 1.
    (part, whole, side) -> multiIf(
        whole = 0, NULL,
        side < 0 AND part = 0, 0.,
        side > 0 AND part = whole, 1.,
        (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
            / (whole + 3.8414588206941983)) AS wilson,
    -- The smallest time that so many percent of the parcels needed at most; whole counts the unfinished too.
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
        mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    (seconds, parcels) -> if(parcels = 0, NULL, seconds / parcels / 3600) AS mean_hours,
    total AS
    (
        SELECT
            daily.origin AS origin,
            daily.dest AS dest,
            sum(daily.parcels) AS parcels,
            sum(daily.cancelled) AS cancelled,
            sum(daily.delivered) AS delivered,
            sum(daily.sent_back) AS sent_back,
            sum(daily.open) AS open,
            sum(daily.returned) AS returned,
            sum(daily.refused) AS refused,
            sum(daily.lost_presumed) AS lost_presumed,
            sum(daily.transit_parcels) AS transit_parcels,
            sumMap(daily.transit_bins) AS transit_bins,
            sum(daily.due_24h) AS due_24h,
            sum(daily.within_24h) AS within_24h,
            sum(daily.due_48h) AS due_48h,
            sum(daily.within_48h) AS within_48h,
            sum(daily.due_72h) AS due_72h,
            sum(daily.within_72h) AS within_72h,
            sum(daily.sla_parcels) AS sla_parcels,
            sum(daily.sla_due) AS sla_due,
            sum(daily.sla_attempted) AS sla_attempted,
            sum(daily.settled) AS settled,
            sum(daily.settled_with_exception) AS settled_with_exception,
            sum(daily.settled_returned) AS settled_returned,
            min(daily.refreshed_at) AS refreshed_at
        FROM {database}.carrier_daily AS daily
        WHERE daily.level = if({lane_level:String} = 'city' OR length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')
            AND daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
            AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
            AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
            AND ({carrier:String} = '' OR daily.carrier = {carrier:String})
        GROUP BY origin, dest
    )
SELECT
    origin,
    dest,
    parcels,
    cancelled,
    delivered,
    sent_back,
    open,
    returned,
    refused,
    lost_presumed,
    settled,
    share(due_72h, transit_parcels) AS maturity,
    toBool(ifNull(maturity >= 0.99, false)) AS is_mature,
    transit_parcels,
    hours_at(transit_bins, transit_parcels, 50) AS p50_hours,
    hours_at(transit_bins, transit_parcels, 90) AS p90_hours,
    hours_at(transit_bins, transit_parcels, 95) AS p95_hours,
    toBool(transit_parcels >= 10) AS is_p50_sound,
    toBool(transit_parcels >= 50) AS is_p90_sound,
    toBool(transit_parcels >= 100) AS is_p95_sound,
    due_24h,
    share(within_24h, due_24h) AS rate_24h,
    wilson(within_24h, due_24h, -1) AS rate_24h_low,
    wilson(within_24h, due_24h, 1) AS rate_24h_high,
    due_48h,
    share(within_48h, due_48h) AS rate_48h,
    wilson(within_48h, due_48h, -1) AS rate_48h_low,
    wilson(within_48h, due_48h, 1) AS rate_48h_high,
    due_72h,
    share(within_72h, due_72h) AS rate_72h,
    wilson(within_72h, due_72h, -1) AS rate_72h_low,
    wilson(within_72h, due_72h, 1) AS rate_72h_high,
    sla_parcels,
    sla_due,
    share(sla_due, sla_parcels) AS on_time_maturity,
    toBool(ifNull(on_time_maturity >= 0.99, false)) AS is_on_time_mature,
    share(sla_attempted, sla_due) AS on_time_rate,
    wilson(sla_attempted, sla_due, -1) AS on_time_rate_low,
    wilson(sla_attempted, sla_due, 1) AS on_time_rate_high,
    share(settled_with_exception, settled) AS exception_rate,
    wilson(settled_with_exception, settled, -1) AS exception_rate_low,
    wilson(settled_with_exception, settled, 1) AS exception_rate_high,
    share(settled_returned, settled) AS return_rate,
    wilson(settled_returned, settled, -1) AS return_rate_low,
    wilson(settled_returned, settled, 1) AS return_rate_high,
    refreshed_at
FROM total
ORDER BY origin, dest
COMMENT 'How long does a parcel take from here to there? One row per lane';

-- The whole distribution, for a curve: NULL quantiles do not show how far a carrier got.
CREATE VIEW IF NOT EXISTS {database}.transit_distribution
(
    `carrier`          LowCardinality(String)  COMMENT 'Canonical carrier code',
    `hours`            UInt16                  COMMENT 'Hours from pickup to delivery, rounded up',
    `parcels`          UInt64                  COMMENT 'Parcels delivered that took more than hours - 1 and at most hours',
    `transit_parcels`  UInt64                  COMMENT 'All parcels of valid transit time, the unfinished included',
    `delivered_share`  Float64                 COMMENT 'Share of transit_parcels delivered within these hours'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    total AS
    (
        SELECT
            daily.carrier AS carrier,
            sum(daily.transit_parcels) AS transit_parcels,
            sumMap(daily.transit_bins) AS transit_bins
        FROM {database}.carrier_daily AS daily
        WHERE daily.level = multiIf({origin:String} = '' AND {dest:String} = '', 'carrier',
        length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')
            AND daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
            AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
            AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
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
