-- Counts by cohort: pickup day x vendor x carrier x lane, from which every rate and quantile is made at reading time.
--
-- The tables are replaced as a whole by each refresh, from what shipment says now. Vendors rewrite history: a parcel can
-- change its lane, its pickup day or its carrier, and a row for the old one must go away. A refresh that appends to a
-- ReplacingMergeTree would leave it there for ever, and counting up events could take nothing back at all. So a refresh
-- is idempotent by construction, a reader needs no FINAL, and he sees either the old counts or the new ones.
--
-- The last 40 cohort days, which still change, every 10 minutes; the older ones, which mean reading everything, once a day.
--
-- Everything that is added up is a count or a sum, and times are kept as histograms: lanes, days, vendors and carriers
-- can be rolled up exactly. Why no t-digest or other sketch: an unfinished parcel is infinitely long, which they cannot hold,
-- their merging has no proven bound, and counts in quarters of an hour have one: 0.25 h, whatever is merged with what.
--
-- A fixed horizon (24 h) is judged over the parcels that have reached it, 6 h later for what vendors report late. What has
-- none of its own (exceptions, returns, stages, estimates) is given one of 7 days: counted is what happened within 7 days of the
-- pickup, over the settled parcels, which are 7 days + 6 h old. Without the one a young cohort would look better because its
-- slow and troublesome parcels have not had the time to show, without the other because those of an old one had more of it.
--
-- A promise is a horizon that differs from parcel to parcel: of a young cohort only the short promises are due, and those say
-- nothing of the long ones. So what is due (sla_due, lost_due) stands beside what will be (sla_parcels, promised): the rate is that of
-- the cohort only once the two are the same.

-- The counting itself, for cohorts from one day to another. received_from spares the reading of older months: newer
-- versions of a shipment never lie in an older one. The recent refresh knows parcels first heard of in the last 101 days, which
-- leaves 60 days from then until the pickup. One that vendors push for longer before anybody picks it up is
-- missing until its day passes to the older refresh, which reads everything.
CREATE VIEW IF NOT EXISTS {database}.carrier_count
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    seconds -> toUInt16(intDiv(seconds + 899, 900)) AS bin,
    -- How often each bin occurs: of a run of equal ones the last has their number. Ten times faster than sumMap of small maps.
    bins -> arrayEnumerateUniq(arraySort(bins)) AS runs,
    bins -> mapFromArrays(
        arrayCompact(arraySort(bins)),
        arrayFilter((place, next) -> next = 1, runs(bins), arrayResize(arrayPopFront(runs(bins)), length(bins), 1))) AS counted,
    measured AS
    (
        SELECT
            parcel.* EXCEPT (exception_codes, exception_reasons),
            -- What the standard says where nobody promised anything; it speaks of domestic parcels only.
            multiIf(lane_promise.hours > 0, toInt64(lane_promise.hours), parcel.is_cross_border, NULL, parcel.is_same_city, 24, 72) * 3600 AS sla_seconds,
            sla_seconds + if(parcel.is_same_city, 3, 7) * 86400 AS lost_after_seconds,
            -- The guard: vendors poll about every 4 h and repeat a failed push.
            parcel.age_seconds - 6 * 3600 AS reported_seconds,
            parcel.is_in_cohort AND reported_seconds >= 7 * 86400 AS is_settled,
            -- What happened to it within its first 7 days.
            is_settled AND ifNull(parcel.attempt_seconds <= 7 * 86400, false) AS is_attempted_early,
            is_settled AND ifNull(parcel.transit_seconds <= 7 * 86400, false) AS is_delivered_early,
            is_settled AND ifNull(parcel.available_after <= 7 * 86400, false) AS is_available_early,
            -- A day of the 7 is left for being collected, or not.
            is_settled AND ifNull(parcel.available_after <= 6 * 86400, false) AND NOT parcel.is_locker_invalid AS is_dwell_known,
            -- A destination that the delivery told makes an arrival of long ago known.
            NOT parcel.is_lane_inferred OR is_delivered_early AS is_dest_known_early,
            is_settled AND isNotNull(parcel.pickup_wait_seconds) AS is_pickup_wait_known,
            is_settled AND isNotNull(parcel.origin_seconds) AND parcel.left_origin_after <= 7 * 86400 AS is_origin_known,
            is_settled AND isNotNull(parcel.linehaul_seconds) AND parcel.arrived_dest_after <= 7 * 86400 AND is_dest_known_early AS is_linehaul_known,
            is_settled AND isNotNull(parcel.destination_seconds) AND parcel.out_after <= 7 * 86400 AND is_dest_known_early AS is_destination_known,
            is_attempted_early AND isNotNull(parcel.last_mile_seconds) AS is_last_mile_known,
            is_settled AND ifNull(parcel.eta_due_after <= 7 * 86400, false) AS is_eta_due,
            is_eta_due AND is_attempted_early AND isNotNull(parcel.eta_error_seconds) AS is_eta_error_known,
            parcel.is_open AND (parcel.is_stale_aborted OR ifNull(parcel.age_seconds > lost_after_seconds, false)) AS is_lost_presumed
        FROM {database}.parcel
        LEFT JOIN {database}.lane_promise
            ON parcel.carrier = lane_promise.carrier AND parcel.origin = lane_promise.origin AND parcel.dest = lane_promise.dest
        WHERE parcel.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
            AND parcel.received_month >= toString(toYYYYMM({received_from:DateTime('UTC')}))
    ),
    by_city AS
    (
        SELECT
            assumeNotNull(cohort_date) AS cohort_date,
            vendor,
            carrier,
            origin,
            dest,
            countIf(is_in_cohort) AS parcels,
            countIf(status = 'CANCELLED') AS cancelled,
            countIf(is_in_cohort AND is_pickup_imputed) AS pickup_imputed,
            countIf(is_in_cohort AND is_delivered) AS delivered,
            countIf(is_in_cohort AND is_sent_back) AS sent_back,
            countIf(is_in_cohort AND is_open) AS open,
            countIf(is_in_cohort AND is_returned) AS returned,
            countIf(is_in_cohort AND is_refused) AS refused,
            countIf(is_in_cohort AND is_lost_presumed) AS lost_presumed,
            countIf(is_in_cohort AND is_exception) AS with_exception,
            countIf(is_in_cohort AND NOT is_transit_invalid) AS transit_parcels,
            groupArrayIf(bin(assumeNotNull(transit_seconds)), is_in_cohort AND isNotNull(transit_seconds)) AS transit_bins,
            countIf(is_in_cohort AND NOT is_attempt_invalid) AS attempt_parcels,
            groupArrayIf(bin(assumeNotNull(attempt_seconds)), is_in_cohort AND isNotNull(attempt_seconds)) AS attempt_bins,
            countIf(is_in_cohort AND NOT is_transit_invalid AND reported_seconds >= 24 * 3600) AS due_24h,
            countIf(is_in_cohort AND reported_seconds >= 24 * 3600 AND transit_seconds <= 24 * 3600) AS within_24h,
            countIf(is_in_cohort AND NOT is_transit_invalid AND reported_seconds >= 48 * 3600) AS due_48h,
            countIf(is_in_cohort AND reported_seconds >= 48 * 3600 AND transit_seconds <= 48 * 3600) AS within_48h,
            countIf(is_in_cohort AND NOT is_transit_invalid AND reported_seconds >= 72 * 3600) AS due_72h,
            countIf(is_in_cohort AND reported_seconds >= 72 * 3600 AND transit_seconds <= 72 * 3600) AS within_72h,
            countIf(is_in_cohort AND NOT is_attempt_invalid AND isNotNull(sla_seconds)) AS sla_parcels,
            countIf(is_in_cohort AND NOT is_attempt_invalid AND reported_seconds >= sla_seconds) AS sla_due,
            countIf(is_in_cohort AND reported_seconds >= sla_seconds AND attempt_seconds <= sla_seconds) AS sla_attempted,
            countIf(is_in_cohort AND NOT is_transit_invalid AND reported_seconds >= sla_seconds) AS sla_delivered_due,
            countIf(is_in_cohort AND reported_seconds >= sla_seconds AND transit_seconds <= sla_seconds) AS sla_delivered,
            countIf(is_settled) AS settled,
            countIf(is_attempted_early) AS settled_attempted,
            countIf(is_attempted_early AND is_first_attempt) AS settled_first_attempt,
            countIf(is_attempted_early AND is_delivered_early AND is_first_attempt_cn) AS settled_first_attempt_cn,
            countIf(is_settled AND is_exception AND exception_after <= 7 * 86400) AS settled_with_exception,
            countIf(is_settled AND return_after <= 7 * 86400) AS settled_returned,
            countIf(is_settled AND is_refused AND refusal_after <= 7 * 86400) AS settled_refused,
            countIf(is_in_cohort AND isNotNull(sla_seconds)) AS promised,
            countIf(is_in_cohort AND reported_seconds >= lost_after_seconds) AS lost_due,
            countIf(is_in_cohort AND reported_seconds >= lost_after_seconds AND is_lost_presumed) AS lost_due_presumed,
            countIf(is_delivered_early OR is_available_early) AS settled_reached,
            countIf(is_available_early) AS settled_locker,
            countIf(is_dwell_known) AS locker_parcels,
            groupArrayIf(bin(assumeNotNull(locker_seconds)), is_dwell_known AND isNotNull(locker_seconds)) AS locker_bins,
            countIf(is_dwell_known AND is_locker_overdue) AS locker_overdue,
            countIf(is_pickup_wait_known) AS pickup_wait_parcels,
            sumIf(toUInt64(assumeNotNull(pickup_wait_seconds)), is_pickup_wait_known) AS pickup_wait_seconds_sum,
            countIf(is_origin_known) AS origin_parcels,
            sumIf(toUInt64(assumeNotNull(origin_seconds)), is_origin_known) AS origin_seconds_sum,
            countIf(is_linehaul_known) AS linehaul_parcels,
            sumIf(toUInt64(assumeNotNull(linehaul_seconds)), is_linehaul_known) AS linehaul_seconds_sum,
            countIf(is_destination_known) AS destination_parcels,
            sumIf(toUInt64(assumeNotNull(destination_seconds)), is_destination_known) AS destination_seconds_sum,
            countIf(is_last_mile_known) AS last_mile_parcels,
            sumIf(toUInt64(assumeNotNull(last_mile_seconds)), is_last_mile_known) AS last_mile_seconds_sum,
            countIf(is_settled AND has_eta) AS eta_parcels,
            countIf(is_eta_due) AS eta_due,
            countIf(is_eta_due AND is_eta_hit) AS eta_hit,
            countIf(is_eta_due AND is_eta_within_day) AS eta_within_day,
            countIf(is_eta_error_known) AS eta_attempted,
            sumIf(assumeNotNull(eta_error_seconds), is_eta_error_known) AS eta_error_seconds_sum,
            sumIf(abs(assumeNotNull(eta_error_seconds)), is_eta_error_known) AS eta_absolute_error_seconds_sum,
            any(observed_at) AS refreshed_at
        FROM measured
        GROUP BY cohort_date, vendor, carrier, origin, dest
    )
SELECT
    lane.1 AS level,
    by_city.cohort_date AS cohort_date,
    by_city.vendor AS vendor,
    by_city.carrier AS carrier,
    lane.2 AS origin,
    lane.3 AS dest,
    sum(by_city.parcels) AS parcels,
    sum(by_city.cancelled) AS cancelled,
    sum(by_city.pickup_imputed) AS pickup_imputed,
    sum(by_city.delivered) AS delivered,
    sum(by_city.sent_back) AS sent_back,
    sum(by_city.open) AS open,
    sum(by_city.returned) AS returned,
    sum(by_city.refused) AS refused,
    sum(by_city.lost_presumed) AS lost_presumed,
    sum(by_city.with_exception) AS with_exception,
    sum(by_city.transit_parcels) AS transit_parcels,
    counted(groupArrayArray(by_city.transit_bins)) AS transit_bins,
    sum(by_city.attempt_parcels) AS attempt_parcels,
    counted(groupArrayArray(by_city.attempt_bins)) AS attempt_bins,
    sum(by_city.due_24h) AS due_24h,
    sum(by_city.within_24h) AS within_24h,
    sum(by_city.due_48h) AS due_48h,
    sum(by_city.within_48h) AS within_48h,
    sum(by_city.due_72h) AS due_72h,
    sum(by_city.within_72h) AS within_72h,
    sum(by_city.sla_parcels) AS sla_parcels,
    sum(by_city.sla_due) AS sla_due,
    sum(by_city.sla_attempted) AS sla_attempted,
    sum(by_city.sla_delivered_due) AS sla_delivered_due,
    sum(by_city.sla_delivered) AS sla_delivered,
    sum(by_city.settled) AS settled,
    sum(by_city.settled_attempted) AS settled_attempted,
    sum(by_city.settled_first_attempt) AS settled_first_attempt,
    sum(by_city.settled_first_attempt_cn) AS settled_first_attempt_cn,
    sum(by_city.settled_with_exception) AS settled_with_exception,
    sum(by_city.settled_returned) AS settled_returned,
    sum(by_city.settled_refused) AS settled_refused,
    sum(by_city.promised) AS promised,
    sum(by_city.lost_due) AS lost_due,
    sum(by_city.lost_due_presumed) AS lost_due_presumed,
    sum(by_city.settled_reached) AS settled_reached,
    sum(by_city.settled_locker) AS settled_locker,
    sum(by_city.locker_parcels) AS locker_parcels,
    counted(groupArrayArray(by_city.locker_bins)) AS locker_bins,
    sum(by_city.locker_overdue) AS locker_overdue,
    sum(by_city.pickup_wait_parcels) AS pickup_wait_parcels,
    sum(by_city.pickup_wait_seconds_sum) AS pickup_wait_seconds_sum,
    sum(by_city.origin_parcels) AS origin_parcels,
    sum(by_city.origin_seconds_sum) AS origin_seconds_sum,
    sum(by_city.linehaul_parcels) AS linehaul_parcels,
    sum(by_city.linehaul_seconds_sum) AS linehaul_seconds_sum,
    sum(by_city.destination_parcels) AS destination_parcels,
    sum(by_city.destination_seconds_sum) AS destination_seconds_sum,
    sum(by_city.last_mile_parcels) AS last_mile_parcels,
    sum(by_city.last_mile_seconds_sum) AS last_mile_seconds_sum,
    sum(by_city.eta_parcels) AS eta_parcels,
    sum(by_city.eta_due) AS eta_due,
    sum(by_city.eta_hit) AS eta_hit,
    sum(by_city.eta_within_day) AS eta_within_day,
    sum(by_city.eta_attempted) AS eta_attempted,
    sum(by_city.eta_error_seconds_sum) AS eta_error_seconds_sum,
    sum(by_city.eta_absolute_error_seconds_sum) AS eta_absolute_error_seconds_sum,
    CAST(NULL, 'Nullable(UInt64)') AS claims,
    any(by_city.refreshed_at) AS refreshed_at
FROM by_city
ARRAY JOIN [
    ('carrier', '', ''),
    ('province', substring(by_city.origin, 1, 4), substring(by_city.dest, 1, 4)),
    ('city', toString(by_city.origin), toString(by_city.dest))] AS lane
GROUP BY lane, by_city.cohort_date, by_city.vendor, by_city.carrier
-- The defaults of these differ between releases or can be set for a user.
SETTINGS join_use_nulls = 0
COMMENT 'Counts of the cohorts from_date to_date, from shipment as it is now: what fills carrier_daily';

CREATE TABLE IF NOT EXISTS {database}.carrier_daily_recent
(
    `level`                          LowCardinality(String) COMMENT 'What origin and dest are: carrier (all lanes together), province or city. Add up rows of one level only',
    `cohort_date`                    Date                   COMMENT 'Day of the pickup, China time',
    `vendor`                         LowCardinality(String) COMMENT 'kuaidi100 or kdniao. A parcel that both vendors track counts once for each',
    `carrier`                        LowCardinality(String) COMMENT 'Canonical carrier code',
    `origin`                         LowCardinality(String) COMMENT 'Area of the origin: CN44 at level province; CN4403, or CN31 of a municipality, or CN44 where the city is unknown, at level city. Empty = unknown, or level carrier',
    `dest`                           LowCardinality(String) COMMENT 'Area of the destination, as origin',
    `parcels`                        UInt64                 COMMENT 'Size of the cohort: parcels picked up that day, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`                      UInt64                 COMMENT 'Parcels picked up that day and CANCELLED since; in no other column',
    `pickup_imputed`                 UInt64                 COMMENT 'Parcels without a pickup scan: their clock starts at the first movement',
    `delivered`                      UInt64                 COMMENT 'Parcels delivered on the forward leg',
    `sent_back`                      UInt64                 COMMENT 'Parcels back with their sender that were never delivered',
    `open`                           UInt64                 COMMENT 'Parcels neither delivered nor sent back',
    `returned`                       UInt64                 COMMENT 'Parcels on their way back or back, delivered before or not',
    `refused`                        UInt64                 COMMENT 'Parcels that the recipient refused at least once',
    `lost_presumed`                  UInt64                 COMMENT 'Open parcels older than their promise + 3 days (same city) or + 7 days (otherwise), or given up by Kuaidi100 after 60 days without change',
    `with_exception`                 UInt64                 COMMENT 'Parcels with at least one exception',
    `transit_parcels`                UInt64                 COMMENT 'Denominator of the transit quantiles: the cohort without invalid transit times (negative, over 180 days); the unfinished and those sent back undelivered count as infinitely long',
    `transit_bins`                   Map(UInt16, UInt32)    COMMENT 'Parcels delivered by transit time: key k = more than (k - 1) and at most k quarters of an hour from pickup to delivery',
    `attempt_parcels`                UInt64                 COMMENT 'Denominator of the quantiles until the first attempt, likewise',
    `attempt_bins`                   Map(UInt16, UInt32)    COMMENT 'Parcels by time from pickup to first attempt, as transit_bins',
    `due_24h`                        UInt64                 COMMENT 'Parcels of valid transit time aged 24 h + 6 h or more: what the vendors report late has come by then',
    `within_24h`                     UInt64                 COMMENT 'Of those, delivered within 24 h of the pickup',
    `due_48h`                        UInt64                 COMMENT 'Parcels of valid transit time aged 48 h + 6 h or more',
    `within_48h`                     UInt64                 COMMENT 'Of those, delivered within 48 h of the pickup',
    `due_72h`                        UInt64                 COMMENT 'Parcels of valid transit time aged 72 h + 6 h or more',
    `within_72h`                     UInt64                 COMMENT 'Of those, delivered within 72 h of the pickup',
    `sla_parcels`                    UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, of any age: those that the on-time rate is over in the end',
    `sla_due`                        UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, aged promise + 6 h or more',
    `sla_attempted`                  UInt64                 COMMENT 'Of those, first attempted within the promise',
    `sla_delivered_due`              UInt64                 COMMENT 'Parcels with a promise, of valid transit time, aged promise + 6 h or more',
    `sla_delivered`                  UInt64                 COMMENT 'Of those, delivered within the promise',
    `settled`                        UInt64                 COMMENT 'Parcels aged 7 days + 6 h or more. What can still happen to a parcel is counted over these only, and only what happened within 7 days of its pickup: a younger one would look better for want of time, an older one worse',
    `settled_attempted`              UInt64                 COMMENT 'Settled parcels first attempted within 7 days of the pickup; those of invalid attempt time are not among them',
    `settled_first_attempt`          UInt64                 COMMENT 'Of those, delivered at the first attempt, strict: no locker, no station',
    `settled_first_attempt_cn`       UInt64                 COMMENT 'Of those, delivered at the first attempt, or put into a locker or station at the first attempt and collected before overdue and within the 7 days',
    `settled_with_exception`         UInt64                 COMMENT 'Settled parcels with at least one exception within 7 days of the pickup',
    `settled_returned`               UInt64                 COMMENT 'Settled parcels that turned back within 7 days of the pickup',
    `settled_refused`                UInt64                 COMMENT 'Settled parcels that the recipient refused within 7 days of the pickup',
    `promised`                       UInt64                 COMMENT 'Parcels with a promise, of any age: those that the lost rate is over in the end',
    `lost_due`                       UInt64                 COMMENT 'Parcels old enough to be presumed lost: with a promise, aged promise + 3 days (same city) or + 7 days (otherwise) + 6 h or more',
    `lost_due_presumed`              UInt64                 COMMENT 'Of those, presumed lost',
    `settled_reached`                UInt64                 COMMENT 'Settled parcels delivered or put into a locker or station within 7 days of the pickup: denominator of the locker share',
    `settled_locker`                 UInt64                 COMMENT 'Of those, put into a locker or station within these 7 days',
    `locker_parcels`                 UInt64                 COMMENT 'Of those, the ones put there within 6 days of the pickup, of valid dwell time: denominator of dwell quantiles and of overdue',
    `locker_bins`                    Map(UInt16, UInt32)    COMMENT 'Those locker_parcels by time from locker to delivery, in quarters of an hour as transit_bins; the uncollected are in none',
    `locker_overdue`                 UInt64                 COMMENT 'Those locker_parcels that lay there for more than 18 h',
    `pickup_wait_parcels`            UInt64                 COMMENT 'Settled parcels with a known wait from order to pickup',
    `pickup_wait_seconds_sum`        UInt64                 COMMENT 'Sum of their waits',
    `origin_parcels`                 UInt64                 COMMENT 'Settled parcels with a known time from pickup to leaving the origin city, left within 7 days of the pickup',
    `origin_seconds_sum`             UInt64                 COMMENT 'Sum of these times',
    `linehaul_parcels`               UInt64                 COMMENT 'Settled parcels with a known time from leaving the origin city to arriving in the destination city, arrived within 7 days of the pickup',
    `linehaul_seconds_sum`           UInt64                 COMMENT 'Sum of these times',
    `destination_parcels`            UInt64                 COMMENT 'Settled parcels with a known time from arriving in the destination city to going out for delivery, out within 7 days of the pickup',
    `destination_seconds_sum`        UInt64                 COMMENT 'Sum of these times',
    `last_mile_parcels`              UInt64                 COMMENT 'Settled parcels with a known time from going out for delivery to the first attempt, attempted within 7 days of the pickup',
    `last_mile_seconds_sum`          UInt64                 COMMENT 'Sum of these times',
    `eta_parcels`                    UInt64                 COMMENT 'Settled parcels with an estimate of the vendor; over settled this is the coverage',
    `eta_due`                        UInt64                 COMMENT 'Of those, the ones whose first estimate is judged: the China day after it ended within 7 days of the pickup',
    `eta_hit`                        UInt64                 COMMENT 'Of those, first attempted on or before the China day of the first estimate',
    `eta_within_day`                 UInt64                 COMMENT 'Of eta_due, first attempted within one day of it, either way',
    `eta_attempted`                  UInt64                 COMMENT 'Of eta_due, with a known error: attempted within 7 days of the pickup',
    `eta_error_seconds_sum`          Int64                  COMMENT 'Sum of first attempt - first estimate of those: positive = later than estimated',
    `eta_absolute_error_seconds_sum` UInt64                 COMMENT 'Sum of its absolute value',
    `claims`                         Nullable(UInt64)       COMMENT 'Reserved: claims are in no vendor''s data. Always NULL',
    `refreshed_at`                   DateTime('UTC')        COMMENT 'The now of all ages in this row: when it was computed; UTC'
)
ENGINE = MergeTree
-- A question for a month reads that month.
PARTITION BY toYYYYMM(cohort_date)
-- One lane lies together, or all lanes of an origin; and the map of lanes adds up one histogram at a time instead of all of
-- them in turns, for about half of the processor time. The price: a destination alone, or a single day, reads all lanes of
-- its months.
ORDER BY (level, origin, dest, cohort_date, carrier, vendor)
COMMENT 'carrier_daily of the last 40 cohort days, replaced every 10 minutes';

CREATE TABLE IF NOT EXISTS {database}.carrier_daily_older AS {database}.carrier_daily_recent
ENGINE = MergeTree
PARTITION BY toYYYYMM(cohort_date)
ORDER BY (level, origin, dest, cohort_date, carrier, vendor)
COMMENT 'carrier_daily of all older cohort days, replaced once a day';

-- Half of the machine and an upper bound of memory: a refresh that would need more says so in system.view_refreshes, and the
-- last good counts stay. max_execution_time in seconds.
CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.carrier_daily_recent_refresh
REFRESH EVERY 10 MINUTE
SETTINGS refresh_retries = 2
TO {database}.carrier_daily_recent
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT *
FROM {database}.carrier_count(
    from_date = toDate(now(), 'Asia/Shanghai') - 40,
    to_date = toDate('2100-01-01'),
    received_from = now('UTC') - INTERVAL 101 DAY)
SETTINGS max_memory_usage = 8000000000, max_bytes_before_external_group_by = 3000000000, max_execution_time = 540
COMMENT 'Fills carrier_daily_recent';

-- At 03:20 China time, when few pushes come. It overlaps with the other one by ten days, so that no day is missing while
-- a cohort passes from one to the other.
CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.carrier_daily_older_refresh
REFRESH EVERY 1 DAY OFFSET 19 HOUR 20 MINUTE
SETTINGS refresh_retries = 2
TO {database}.carrier_daily_older
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT *
FROM {database}.carrier_count(
    from_date = toDate('2000-01-01'),
    to_date = toDate(now(), 'Asia/Shanghai') - 31,
    received_from = toDateTime('2000-01-01', 'UTC'))
SETTINGS max_memory_usage = 8000000000, max_bytes_before_external_group_by = 3000000000, max_execution_time = 14400
COMMENT 'Fills carrier_daily_older';

-- Each day from one table only. The boundary is the first day that the recent refresh asked for and not the oldest one that
-- it found: when all parcels have left that day, the older table must not show them again.
CREATE VIEW IF NOT EXISTS {database}.carrier_daily
(
    `level`                          LowCardinality(String) COMMENT 'What origin and dest are: carrier (all lanes together), province or city. Add up rows of one level only',
    `cohort_date`                    Date                   COMMENT 'Day of the pickup, China time',
    `vendor`                         LowCardinality(String) COMMENT 'kuaidi100 or kdniao. A parcel that both vendors track counts once for each',
    `carrier`                        LowCardinality(String) COMMENT 'Canonical carrier code',
    `origin`                         LowCardinality(String) COMMENT 'Area of the origin: CN44 at level province; CN4403, or CN31 of a municipality, or CN44 where the city is unknown, at level city. Empty = unknown, or level carrier',
    `dest`                           LowCardinality(String) COMMENT 'Area of the destination, as origin',
    `parcels`                        UInt64                 COMMENT 'Size of the cohort: parcels picked up that day, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`                      UInt64                 COMMENT 'Parcels picked up that day and CANCELLED since; in no other column',
    `pickup_imputed`                 UInt64                 COMMENT 'Parcels without a pickup scan: their clock starts at the first movement',
    `delivered`                      UInt64                 COMMENT 'Parcels delivered on the forward leg',
    `sent_back`                      UInt64                 COMMENT 'Parcels back with their sender that were never delivered',
    `open`                           UInt64                 COMMENT 'Parcels neither delivered nor sent back',
    `returned`                       UInt64                 COMMENT 'Parcels on their way back or back, delivered before or not',
    `refused`                        UInt64                 COMMENT 'Parcels that the recipient refused at least once',
    `lost_presumed`                  UInt64                 COMMENT 'Open parcels older than their promise + 3 days (same city) or + 7 days (otherwise), or given up by Kuaidi100 after 60 days without change',
    `with_exception`                 UInt64                 COMMENT 'Parcels with at least one exception',
    `transit_parcels`                UInt64                 COMMENT 'Denominator of the transit quantiles: the cohort without invalid transit times (negative, over 180 days); the unfinished and those sent back undelivered count as infinitely long',
    `transit_bins`                   Map(UInt16, UInt32)    COMMENT 'Parcels delivered by transit time: key k = more than (k - 1) and at most k quarters of an hour from pickup to delivery',
    `attempt_parcels`                UInt64                 COMMENT 'Denominator of the quantiles until the first attempt, likewise',
    `attempt_bins`                   Map(UInt16, UInt32)    COMMENT 'Parcels by time from pickup to first attempt, as transit_bins',
    `due_24h`                        UInt64                 COMMENT 'Parcels of valid transit time aged 24 h + 6 h or more: what the vendors report late has come by then',
    `within_24h`                     UInt64                 COMMENT 'Of those, delivered within 24 h of the pickup',
    `due_48h`                        UInt64                 COMMENT 'Parcels of valid transit time aged 48 h + 6 h or more',
    `within_48h`                     UInt64                 COMMENT 'Of those, delivered within 48 h of the pickup',
    `due_72h`                        UInt64                 COMMENT 'Parcels of valid transit time aged 72 h + 6 h or more',
    `within_72h`                     UInt64                 COMMENT 'Of those, delivered within 72 h of the pickup',
    `sla_parcels`                    UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, of any age: those that the on-time rate is over in the end',
    `sla_due`                        UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, aged promise + 6 h or more',
    `sla_attempted`                  UInt64                 COMMENT 'Of those, first attempted within the promise',
    `sla_delivered_due`              UInt64                 COMMENT 'Parcels with a promise, of valid transit time, aged promise + 6 h or more',
    `sla_delivered`                  UInt64                 COMMENT 'Of those, delivered within the promise',
    `settled`                        UInt64                 COMMENT 'Parcels aged 7 days + 6 h or more. What can still happen to a parcel is counted over these only, and only what happened within 7 days of its pickup: a younger one would look better for want of time, an older one worse',
    `settled_attempted`              UInt64                 COMMENT 'Settled parcels first attempted within 7 days of the pickup; those of invalid attempt time are not among them',
    `settled_first_attempt`          UInt64                 COMMENT 'Of those, delivered at the first attempt, strict: no locker, no station',
    `settled_first_attempt_cn`       UInt64                 COMMENT 'Of those, delivered at the first attempt, or put into a locker or station at the first attempt and collected before overdue and within the 7 days',
    `settled_with_exception`         UInt64                 COMMENT 'Settled parcels with at least one exception within 7 days of the pickup',
    `settled_returned`               UInt64                 COMMENT 'Settled parcels that turned back within 7 days of the pickup',
    `settled_refused`                UInt64                 COMMENT 'Settled parcels that the recipient refused within 7 days of the pickup',
    `promised`                       UInt64                 COMMENT 'Parcels with a promise, of any age: those that the lost rate is over in the end',
    `lost_due`                       UInt64                 COMMENT 'Parcels old enough to be presumed lost: with a promise, aged promise + 3 days (same city) or + 7 days (otherwise) + 6 h or more',
    `lost_due_presumed`              UInt64                 COMMENT 'Of those, presumed lost',
    `settled_reached`                UInt64                 COMMENT 'Settled parcels delivered or put into a locker or station within 7 days of the pickup: denominator of the locker share',
    `settled_locker`                 UInt64                 COMMENT 'Of those, put into a locker or station within these 7 days',
    `locker_parcels`                 UInt64                 COMMENT 'Of those, the ones put there within 6 days of the pickup, of valid dwell time: denominator of dwell quantiles and of overdue',
    `locker_bins`                    Map(UInt16, UInt32)    COMMENT 'Those locker_parcels by time from locker to delivery, in quarters of an hour as transit_bins; the uncollected are in none',
    `locker_overdue`                 UInt64                 COMMENT 'Those locker_parcels that lay there for more than 18 h',
    `pickup_wait_parcels`            UInt64                 COMMENT 'Settled parcels with a known wait from order to pickup',
    `pickup_wait_seconds_sum`        UInt64                 COMMENT 'Sum of their waits',
    `origin_parcels`                 UInt64                 COMMENT 'Settled parcels with a known time from pickup to leaving the origin city, left within 7 days of the pickup',
    `origin_seconds_sum`             UInt64                 COMMENT 'Sum of these times',
    `linehaul_parcels`               UInt64                 COMMENT 'Settled parcels with a known time from leaving the origin city to arriving in the destination city, arrived within 7 days of the pickup',
    `linehaul_seconds_sum`           UInt64                 COMMENT 'Sum of these times',
    `destination_parcels`            UInt64                 COMMENT 'Settled parcels with a known time from arriving in the destination city to going out for delivery, out within 7 days of the pickup',
    `destination_seconds_sum`        UInt64                 COMMENT 'Sum of these times',
    `last_mile_parcels`              UInt64                 COMMENT 'Settled parcels with a known time from going out for delivery to the first attempt, attempted within 7 days of the pickup',
    `last_mile_seconds_sum`          UInt64                 COMMENT 'Sum of these times',
    `eta_parcels`                    UInt64                 COMMENT 'Settled parcels with an estimate of the vendor; over settled this is the coverage',
    `eta_due`                        UInt64                 COMMENT 'Of those, the ones whose first estimate is judged: the China day after it ended within 7 days of the pickup',
    `eta_hit`                        UInt64                 COMMENT 'Of those, first attempted on or before the China day of the first estimate',
    `eta_within_day`                 UInt64                 COMMENT 'Of eta_due, first attempted within one day of it, either way',
    `eta_attempted`                  UInt64                 COMMENT 'Of eta_due, with a known error: attempted within 7 days of the pickup',
    `eta_error_seconds_sum`          Int64                  COMMENT 'Sum of first attempt - first estimate of those: positive = later than estimated',
    `eta_absolute_error_seconds_sum` UInt64                 COMMENT 'Sum of its absolute value',
    `claims`                         Nullable(UInt64)       COMMENT 'Reserved: claims are in no vendor''s data. Always NULL',
    `refreshed_at`                   DateTime('UTC')        COMMENT 'The now of all ages in this row: when it was computed; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH (SELECT ifNull(toDate(maxOrNull(refreshed_at), 'Asia/Shanghai') - 40, toDate('2100-01-01')) FROM {database}.carrier_daily_recent WHERE level = 'carrier') AS first_recent
SELECT * FROM {database}.carrier_daily_recent
UNION ALL
SELECT * FROM {database}.carrier_daily_older WHERE cohort_date < first_recent
COMMENT 'Counts and histograms by pickup day, vendor, carrier and lane, from which all rates are made. Add up rows of one level; sumMap the bins';
