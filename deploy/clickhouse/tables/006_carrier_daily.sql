CREATE TABLE IF NOT EXISTS {database}.carrier_daily_recent
(
    `level`                          LowCardinality(String) COMMENT 'What origin and dest are: carrier (all lanes together), province or city. Add up rows of one level only',
    `cohort_date`                    Date                   COMMENT 'Day of the pickup, China time',
    `vendor`                         LowCardinality(String) COMMENT 'Code of the vendor. A parcel that two vendors track counts once for each',
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
    `lost_presumed`                  UInt64                 COMMENT 'Open parcels older than their promise + 3 days (same city) or + 7 days (otherwise), or given up by a vendor that waits at least 30 days for a change (vendor_fact)',
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
    `locker_parcels`                 UInt64                 COMMENT 'Of settled_reached, the ones put there within 6 days of the pickup, of valid dwell time: denominator of dwell quantiles and of overdue',
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
    `eta_due`                        UInt64                 COMMENT 'Of eta_parcels, the ones whose first estimate is judged: the China day after it ended within 7 days of the pickup',
    `eta_hit`                        UInt64                 COMMENT 'Of those, first attempted on or before the China day of the first estimate',
    `eta_within_day`                 UInt64                 COMMENT 'Of eta_due, first attempted within one day of it, either way',
    `eta_attempted`                  UInt64                 COMMENT 'Of eta_due, with a known error: attempted within 7 days of the pickup',
    `eta_error_seconds_sum`          Int64                  COMMENT 'Sum of first attempt - first estimate of those: positive = later than estimated',
    `eta_absolute_error_seconds_sum` UInt64                 COMMENT 'Sum of its absolute value',
    `claims`                         Nullable(UInt64)       COMMENT 'Reserved: claims are in no vendor''s data. Always NULL',
    `refreshed_at`                   DateTime('UTC')        COMMENT 'The now of all ages in this row: when it was computed; UTC'
)
ENGINE = {engine:MergeTree}
-- A question for a month reads that month.
PARTITION BY toYYYYMM(cohort_date)
-- One lane lies together, or all lanes of an origin; and the map of lanes adds up one histogram at a time instead of all of
-- them in turns, for about half of the processor time. The price: a destination alone, or a single day, reads all lanes of
-- its months.
ORDER BY (level, origin, dest, cohort_date, carrier, vendor)
COMMENT 'carrier_daily of the last 40 cohort days, replaced every 10 minutes';

CREATE TABLE IF NOT EXISTS {database}.carrier_daily_older AS {database}.carrier_daily_recent
ENGINE = {engine:MergeTree}
PARTITION BY toYYYYMM(cohort_date)
ORDER BY (level, origin, dest, cohort_date, carrier, vendor)
COMMENT 'carrier_daily of all older cohort days, replaced once a day';
