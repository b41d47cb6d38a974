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
    `delivered`           UInt64                 COMMENT 'Parcels delivered on the forward leg',
    `sent_back`           UInt64                 COMMENT 'Parcels back with their sender that were never delivered',
    `open`                UInt64                 COMMENT 'Parcels neither delivered nor sent back',
    `returned`            UInt64                 COMMENT 'Parcels on their way back or back, delivered before or not',
    `refused`             UInt64                 COMMENT 'Parcels that the recipient refused at least once',
    `lost_presumed`       UInt64                 COMMENT 'Open parcels older than their promise + 3 days (same city) or + 7 days (otherwise), or given up by a vendor that waits at least 30 days for a change (vendor_fact)',
    `settled`             UInt64                 COMMENT 'Parcels aged 7 days + 6 h or more. What can still happen to a parcel is counted over these only, and only what happened within 7 days of its pickup: a younger one would look better for want of time, an older one worse',
    `maturity`            Nullable(Float64)      COMMENT 'Share of the parcels that are old enough for the 72 h rate: due_72h / transit_parcels',
    `is_mature`           Bool                   COMMENT 'maturity is at least 0.99; otherwise the figures should be shown in grey',
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
            AND {expression:is_asked}
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
    {formula:maturity},
    {formula:is_mature},
    transit_parcels,
    {formula:p50_hours},
    {formula:p90_hours},
    {formula:p95_hours},
    {formula:is_p50_sound},
    {formula:is_p90_sound},
    {formula:is_p95_sound},
    due_24h,
    {formula:rate_24h},
    due_48h,
    {formula:rate_48h},
    due_72h,
    {formula:rate_72h},
    sla_parcels,
    sla_due,
    {formula:on_time_maturity},
    {formula:is_on_time_mature},
    {formula:on_time_rate},
    {formula:exception_rate},
    {formula:return_rate},
    refreshed_at
FROM total
ORDER BY origin, dest
COMMENT 'How long does a parcel take from here to there? One row per lane';
