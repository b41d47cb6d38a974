-- annotation_now.sql
CREATE OR REPLACE VIEW courier.annotation_now
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    carrier,
    tracking_number,
    vendor,
    epoch,
    newest.1 AS kind,
    ifNull(newest.2, toDateTime(newest.7, 'UTC')) AS occurred_at,
    newest.3 AS reason,
    newest.4 AS annotated_by,
    newest.5 AS seen_status,
    newest.6 AS seen_event_at,
    newest.7 AS annotated_at
FROM
(
    SELECT
        carrier, tracking_number, vendor, epoch,
        argMax((kind, occurred_at, reason, annotated_by, seen_status, seen_event_at, annotation.annotated_at), annotation.annotated_at) AS newest
    FROM courier.annotation
    GROUP BY carrier, tracking_number, vendor, epoch
)
WHERE kind != 'NONE'
COMMENT 'The correction by hand that holds of each parcel [daeeffb104dd098d]';

-- carrier_daily.sql
CREATE OR REPLACE VIEW courier.carrier_daily
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
    `transit_working_bins`           Map(UInt16, UInt32)    COMMENT 'Parcels delivered by transit time in working time, as transit_bins: only hours of working days count',
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
    `settled_attempt_seconds_sum`    UInt64                 COMMENT 'Sum of the times from pickup to first attempt of settled_attempted',
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
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH (SELECT ifNull(toDate(maxOrNull(refreshed_at), 'Asia/Shanghai') - 40, toDate('2100-01-01')) FROM courier.carrier_daily_recent WHERE level = 'carrier') AS first_recent
SELECT * FROM courier.carrier_daily_recent
UNION ALL
SELECT * FROM courier.carrier_daily_older WHERE cohort_date < first_recent
COMMENT 'Counts and histograms by pickup day, vendor, carrier and lane, from which all rates are made. Add up rows of one level; sumMap the bins [75b88f0a11ed36ca]';

-- counted_at.sql
CREATE OR REPLACE VIEW courier.counted_at
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    (SELECT ifNull(toDate(maxOrNull(refreshed_at), 'Asia/Shanghai') - 40, toDate('2100-01-01')) FROM courier.carrier_daily_recent WHERE level = 'carrier') AS first_recent,
    (SELECT ifNull(maxOrNull(refreshed_at), now('UTC')) FROM courier.carrier_daily_recent WHERE level = 'carrier') AS recent_at,
    recent_at - INTERVAL 101 DAY AS recent_received_from,
    (SELECT ifNull(maxOrNull(refreshed_at), now('UTC')) FROM courier.carrier_daily_older WHERE level = 'carrier') AS older_at,
    (SELECT ifNull(maxOrNull(refreshed_at), now('UTC')) FROM courier.exception_daily_recent WHERE level = 'carrier') AS recent_exceptions_at,
    (SELECT ifNull(maxOrNull(refreshed_at), now('UTC')) FROM courier.exception_daily_older WHERE level = 'carrier') AS older_exceptions_at
COMMENT 'When carrier_daily and exception_daily were counted [bfb7be7d0b1c605a]';

-- data_quality.sql
CREATE OR REPLACE VIEW courier.data_quality
(
    `received_date`             Date                     COMMENT 'Day of the receipt, China time: of the first push for what is counted in shipments, of the push itself for what is counted in pushes and transitions',
    `vendor`                    LowCardinality(String)   COMMENT 'Code of the vendor',
    `carrier`                   LowCardinality(String)   COMMENT 'Canonical carrier code',
    `shipments`                 UInt64                   COMMENT 'Shipments first heard of that day, CARRIER_CORRECTED ones included',
    `events`                    UInt64                   COMMENT 'Events of those',
    `pushes`                    UInt64                   COMMENT 'Pushes received, one per parcel; answers to queries are none',
    `transitions`               UInt64                   COMMENT 'Changes of state that stand',
    `lag_transitions`           UInt64                   COMMENT 'Changes that came with a later push than the first of their parcel, and not with the answer to a query: how late they were reported can be told',
    `without_events_share`      Nullable(Float64)        COMMENT 'Of those, without any event: without_events / shipments',
    `carrier_corrected_share`   Nullable(Float64)        COMMENT 'Of those, moved to another carrier by the vendor; they are in no other metric: carrier_corrected / shipments',
    `aborted_share`             Nullable(Float64)        COMMENT '(aborted_no_record + aborted_stale) / shipments',
    `lane_unknown_share`        Nullable(Float64)        COMMENT 'Of those, without an origin or a destination city or province: lane_unknown / shipments',
    `duration_invalid_share`    Nullable(Float64)        COMMENT 'Of those, with at least one duration between milestones that is negative or over 180 days, and therefore in no figure: duration_invalid / shipments',
    `bad_time_share`            Nullable(Float64)        COMMENT 'Shipments flagged bad_time: an item without a usable time, left out: flag_bad_time / shipments',
    `delivery_revoked_share`    Nullable(Float64)        COMMENT 'Shipments flagged delivery_revoked: a sign-off that a later delivery revoked: flag_delivery_revoked / shipments',
    `future_time_share`         Nullable(Float64)        COMMENT 'Shipments flagged future_time: an event dated later than its push: flag_future_time / shipments',
    `lane_inferred_share`       Nullable(Float64)        COMMENT 'Shipments flagged lane_inferred: origin or destination taken from events: flag_lane_inferred / shipments',
    `pickup_imputed_share`      Nullable(Float64)        COMMENT 'Shipments flagged pickup_imputed: no pickup scan: flag_pickup_imputed / shipments',
    `post_terminal_scan_share`  Nullable(Float64)        COMMENT 'Shipments flagged post_terminal_scan: a scan after the end of the parcel: flag_post_terminal_scan / shipments',
    `return_signed_share`       Nullable(Float64)        COMMENT 'Shipments flagged return_signed: a sign-off on the way back, read as RETURNED: flag_return_signed / shipments',
    `route_loop_share`          Nullable(Float64)        COMMENT 'Shipments flagged route_loop: a route that the vendor calls a loop: flag_route_loop / shipments',
    `tz_assumed_share`          Nullable(Float64)        COMMENT 'Shipments flagged tz_assumed: a local time of unknown zone: flag_tz_assumed / shipments',
    `unknown_code_share`        Nullable(Float64)        COMMENT 'Shipments flagged unknown_code: a code that no table has: flag_unknown_code / shipments',
    `events_without_code_share` Nullable(Float64)        COMMENT 'Of the events, read from a name or a text because the vendor sent no code: events_without_code / events',
    `events_unknown_share`      Nullable(Float64)        COMMENT 'Of the events, of status UNKNOWN: events_unknown / events',
    `pushes_repeated_share`     Nullable(Float64)        COMMENT 'Of those, byte for byte the same as another one of that day: repeated by the vendor: pushes_repeated / pushes',
    `retracted_share`           Nullable(Float64)        COMMENT 'Changes of state that the vendor took back that day: transitions_retracted / (transitions + transitions_retracted)',
    `report_lag_p50_hours`      Nullable(Float64)        COMMENT 'Half of the changes were reported within so many hours; an estimate (t-digest)',
    `report_lag_p95_hours`      Nullable(Float64)        COMMENT '95 % of the changes were reported within so many hours; an estimate (t-digest)',
    `refreshed_at`              DateTime('UTC')          COMMENT 'When it was counted; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share
SELECT
    received_date,
    vendor,
    carrier,
    data_quality_daily.shipments AS shipments,
    data_quality_daily.events AS events,
    data_quality_daily.pushes AS pushes,
    data_quality_daily.transitions AS transitions,
    data_quality_daily.lag_transitions AS lag_transitions,
    share(without_events, shipments) AS without_events_share,
    share(carrier_corrected, shipments) AS carrier_corrected_share,
    share(aborted_no_record + aborted_stale, shipments) AS aborted_share,
    share(lane_unknown, shipments) AS lane_unknown_share,
    share(duration_invalid, shipments) AS duration_invalid_share,
    share(flag_bad_time, shipments) AS bad_time_share,
    share(flag_delivery_revoked, shipments) AS delivery_revoked_share,
    share(flag_future_time, shipments) AS future_time_share,
    share(flag_lane_inferred, shipments) AS lane_inferred_share,
    share(flag_pickup_imputed, shipments) AS pickup_imputed_share,
    share(flag_post_terminal_scan, shipments) AS post_terminal_scan_share,
    share(flag_return_signed, shipments) AS return_signed_share,
    share(flag_route_loop, shipments) AS route_loop_share,
    share(flag_tz_assumed, shipments) AS tz_assumed_share,
    share(flag_unknown_code, shipments) AS unknown_code_share,
    share(events_without_code, events) AS events_without_code_share,
    share(events_unknown, events) AS events_unknown_share,
    share(pushes_repeated, pushes) AS pushes_repeated_share,
    share(transitions_retracted, transitions + transitions_retracted) AS retracted_share,
    if(lag_transitions = 0, NULL, lags[1] / 3600) AS report_lag_p50_hours,
    if(lag_transitions = 0, NULL, lags[2] / 3600) AS report_lag_p95_hours,
    refreshed_at
FROM
(
    SELECT *, finalizeAggregation(lag_digest) AS lags
    FROM courier.data_quality_daily
) AS data_quality_daily
ORDER BY received_date, vendor, carrier
COMMENT 'How far can the figures be trusted? One row per day of receipt, vendor and carrier, of the last 40 days [a6c2dcedf1878c40]';

-- data_quality_refresh.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS courier.data_quality_refresh
REFRESH EVERY 1 HOUR OFFSET 7 MINUTE
SETTINGS refresh_retries = 2
TO courier.data_quality_daily
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    seconds -> seconds BETWEEN 0 AND 180 * 86400 AS is_believed,
    (start, end) -> ifNull(NOT is_believed(toInt64(end) - toInt64(start)), false) AS is_odd,
    counted AS
    (
        SELECT
            toDate(shipment.first_received_at, 'Asia/Shanghai') AS received_date,
            vendor,
            carrier,
            count() AS counted_shipments,
            countIf(empty(event.id)) AS counted_without_events,
            countIf(tracking_state = 'CARRIER_CORRECTED') AS counted_carrier_corrected,
            countIf(tracking_state = 'ABORTED_NO_RECORD') AS counted_aborted_no_record,
            countIf(tracking_state = 'ABORTED_STALE') AS counted_aborted_stale,
            countIf(NOT startsWith(ifNull(origin_code, ''), 'CN') OR NOT startsWith(ifNull(dest_code, ''), 'CN')) AS counted_lane_unknown,
            countIf(
                is_odd(created_at, picked_up_at) OR is_odd(picked_up_at, delivered_at) OR is_odd(picked_up_at, first_attempt_at)
                OR is_odd(picked_up_at, left_origin_at) OR is_odd(left_origin_at, arrived_dest_at)
                OR is_odd(arrived_dest_at, out_for_delivery_at) OR is_odd(out_for_delivery_at, first_attempt_at)
                OR is_odd(available_at, delivered_at)) AS counted_duration_invalid,
            countIf(has(flags, 'bad_time')) AS counted_flag_bad_time,
            countIf(has(flags, 'delivery_revoked')) AS counted_flag_delivery_revoked,
            countIf(has(flags, 'future_time')) AS counted_flag_future_time,
            countIf(has(flags, 'lane_inferred')) AS counted_flag_lane_inferred,
            countIf(has(flags, 'pickup_imputed')) AS counted_flag_pickup_imputed,
            countIf(has(flags, 'post_terminal_scan')) AS counted_flag_post_terminal_scan,
            countIf(has(flags, 'return_signed')) AS counted_flag_return_signed,
            countIf(has(flags, 'route_loop')) AS counted_flag_route_loop,
            countIf(has(flags, 'tz_assumed')) AS counted_flag_tz_assumed,
            countIf(has(flags, 'unknown_code')) AS counted_flag_unknown_code,
            sum(length(event.id)) AS counted_events,
            sum(arrayCount(code -> isNull(code), event.raw_code)) AS counted_events_without_code,
            sum(countEqual(event.status, 'UNKNOWN')) AS counted_events_unknown,
            toUInt64(0) AS counted_pushes,
            toUInt64(0) AS counted_pushes_repeated,
            toUInt64(0) AS counted_transitions,
            toUInt64(0) AS counted_transitions_retracted,
            toUInt64(0) AS counted_lag_transitions,
            arrayReduce('quantilesTDigestState(0.5, 0.95)', CAST([], 'Array(Float32)')) AS counted_lag_digest
        FROM courier.shipment FINAL
        WHERE shipment.first_received_at >= toDateTime((toDate(now(), 'Asia/Shanghai') - 40), 'Asia/Shanghai') AND _partition_id >= toString(toYYYYMM(now('UTC') - INTERVAL 42 DAY))
        GROUP BY received_date, vendor, carrier
        UNION ALL
        SELECT
            toDate(push.received_at, 'Asia/Shanghai') AS received_date,
            vendor,
            carrier,
            toUInt64(0) AS counted_shipments,
            toUInt64(0) AS counted_without_events,
            toUInt64(0) AS counted_carrier_corrected,
            toUInt64(0) AS counted_aborted_no_record,
            toUInt64(0) AS counted_aborted_stale,
            toUInt64(0) AS counted_lane_unknown,
            toUInt64(0) AS counted_duration_invalid,
            toUInt64(0) AS counted_flag_bad_time,
            toUInt64(0) AS counted_flag_delivery_revoked,
            toUInt64(0) AS counted_flag_future_time,
            toUInt64(0) AS counted_flag_lane_inferred,
            toUInt64(0) AS counted_flag_pickup_imputed,
            toUInt64(0) AS counted_flag_post_terminal_scan,
            toUInt64(0) AS counted_flag_return_signed,
            toUInt64(0) AS counted_flag_route_loop,
            toUInt64(0) AS counted_flag_tz_assumed,
            toUInt64(0) AS counted_flag_unknown_code,
            toUInt64(0) AS counted_events,
            toUInt64(0) AS counted_events_without_code,
            toUInt64(0) AS counted_events_unknown,
            count() AS counted_pushes,
            toUInt64(count() - uniqExact(account, push_id, part)) AS counted_pushes_repeated,
            toUInt64(0) AS counted_transitions,
            toUInt64(0) AS counted_transitions_retracted,
            toUInt64(0) AS counted_lag_transitions,
            arrayReduce('quantilesTDigestState(0.5, 0.95)', CAST([], 'Array(Float32)')) AS counted_lag_digest
        FROM courier.push FINAL
        WHERE push.received_at >= toDateTime((toDate(now(), 'Asia/Shanghai') - 40), 'Asia/Shanghai') AND push.origin = 'PUSH'
        GROUP BY received_date, vendor, carrier
        UNION ALL
        SELECT
            toDate(transition.received_at, 'Asia/Shanghai') AS received_date,
            vendor,
            carrier,
            toUInt64(0) AS counted_shipments,
            toUInt64(0) AS counted_without_events,
            toUInt64(0) AS counted_carrier_corrected,
            toUInt64(0) AS counted_aborted_no_record,
            toUInt64(0) AS counted_aborted_stale,
            toUInt64(0) AS counted_lane_unknown,
            toUInt64(0) AS counted_duration_invalid,
            toUInt64(0) AS counted_flag_bad_time,
            toUInt64(0) AS counted_flag_delivery_revoked,
            toUInt64(0) AS counted_flag_future_time,
            toUInt64(0) AS counted_flag_lane_inferred,
            toUInt64(0) AS counted_flag_pickup_imputed,
            toUInt64(0) AS counted_flag_post_terminal_scan,
            toUInt64(0) AS counted_flag_return_signed,
            toUInt64(0) AS counted_flag_route_loop,
            toUInt64(0) AS counted_flag_tz_assumed,
            toUInt64(0) AS counted_flag_unknown_code,
            toUInt64(0) AS counted_events,
            toUInt64(0) AS counted_events_without_code,
            toUInt64(0) AS counted_events_unknown,
            toUInt64(0) AS counted_pushes,
            toUInt64(0) AS counted_pushes_repeated,
            count() AS counted_transitions,
            toUInt64(0) AS counted_transitions_retracted,
            countIf(transition.received_at > transition.first_received_at AND transition.origin = 'PUSH') AS counted_lag_transitions,
            quantilesTDigestStateIf(0.5, 0.95)(toFloat32(dateDiff('second', transition.occurred_at, transition.received_at)), transition.received_at > transition.first_received_at AND transition.origin = 'PUSH') AS counted_lag_digest
        FROM courier.transition FINAL
        WHERE transition.received_at >= toDateTime((toDate(now(), 'Asia/Shanghai') - 40), 'Asia/Shanghai') AND _partition_id >= toString(toYYYYMM(now('UTC') - INTERVAL 180 DAY))
        GROUP BY received_date, vendor, carrier
        UNION ALL
        SELECT
            toDate(voided_at, 'Asia/Shanghai') AS received_date,
            vendor,
            carrier,
            toUInt64(0) AS counted_shipments,
            toUInt64(0) AS counted_without_events,
            toUInt64(0) AS counted_carrier_corrected,
            toUInt64(0) AS counted_aborted_no_record,
            toUInt64(0) AS counted_aborted_stale,
            toUInt64(0) AS counted_lane_unknown,
            toUInt64(0) AS counted_duration_invalid,
            toUInt64(0) AS counted_flag_bad_time,
            toUInt64(0) AS counted_flag_delivery_revoked,
            toUInt64(0) AS counted_flag_future_time,
            toUInt64(0) AS counted_flag_lane_inferred,
            toUInt64(0) AS counted_flag_pickup_imputed,
            toUInt64(0) AS counted_flag_post_terminal_scan,
            toUInt64(0) AS counted_flag_return_signed,
            toUInt64(0) AS counted_flag_route_loop,
            toUInt64(0) AS counted_flag_tz_assumed,
            toUInt64(0) AS counted_flag_unknown_code,
            toUInt64(0) AS counted_events,
            toUInt64(0) AS counted_events_without_code,
            toUInt64(0) AS counted_events_unknown,
            toUInt64(0) AS counted_pushes,
            toUInt64(0) AS counted_pushes_repeated,
            toUInt64(0) AS counted_transitions,
            count() AS counted_transitions_retracted,
            toUInt64(0) AS counted_lag_transitions,
            arrayReduce('quantilesTDigestState(0.5, 0.95)', CAST([], 'Array(Float32)')) AS counted_lag_digest
        FROM (
            SELECT vendor, carrier, max(transition.received_at) AS voided_at
            FROM courier.transition
            WHERE (carrier, tracking_number, vendor, epoch, transition.occurred_at, transition_id) IN
            (
                SELECT carrier, tracking_number, vendor, epoch, transition.occurred_at, transition_id
                FROM courier.transition
                WHERE is_deleted = 1 AND _partition_id >= toString(toYYYYMM(now('UTC') - INTERVAL 180 DAY))
            )
            GROUP BY carrier, tracking_number, vendor, epoch, transition.occurred_at, transition_id
            HAVING argMax(is_deleted, version) = 1
        )
        WHERE voided_at >= toDateTime((toDate(now(), 'Asia/Shanghai') - 40), 'Asia/Shanghai')
        GROUP BY received_date, vendor, carrier
    )
SELECT
    received_date,
    vendor,
    carrier,
    sum(counted_shipments) AS shipments,
    sum(counted_without_events) AS without_events,
    sum(counted_carrier_corrected) AS carrier_corrected,
    sum(counted_aborted_no_record) AS aborted_no_record,
    sum(counted_aborted_stale) AS aborted_stale,
    sum(counted_lane_unknown) AS lane_unknown,
    sum(counted_duration_invalid) AS duration_invalid,
    sum(counted_flag_bad_time) AS flag_bad_time,
    sum(counted_flag_delivery_revoked) AS flag_delivery_revoked,
    sum(counted_flag_future_time) AS flag_future_time,
    sum(counted_flag_lane_inferred) AS flag_lane_inferred,
    sum(counted_flag_pickup_imputed) AS flag_pickup_imputed,
    sum(counted_flag_post_terminal_scan) AS flag_post_terminal_scan,
    sum(counted_flag_return_signed) AS flag_return_signed,
    sum(counted_flag_route_loop) AS flag_route_loop,
    sum(counted_flag_tz_assumed) AS flag_tz_assumed,
    sum(counted_flag_unknown_code) AS flag_unknown_code,
    sum(counted_events) AS events,
    sum(counted_events_without_code) AS events_without_code,
    sum(counted_events_unknown) AS events_unknown,
    sum(counted_pushes) AS pushes,
    sum(counted_pushes_repeated) AS pushes_repeated,
    sum(counted_transitions) AS transitions,
    sum(counted_transitions_retracted) AS transitions_retracted,
    sum(counted_lag_transitions) AS lag_transitions,
    quantilesTDigestMergeState(0.5, 0.95)(counted_lag_digest) AS lag_digest,
    now('UTC') AS refreshed_at
FROM counted
GROUP BY received_date, vendor, carrier
SETTINGS do_not_merge_across_partitions_select_final = 0, max_memory_usage = 8000000000, max_bytes_before_external_group_by = 3000000000, max_execution_time = 1800
COMMENT 'Fills data_quality_daily [81921277465f5e46]';

-- exception_daily.sql
CREATE OR REPLACE VIEW courier.exception_daily
(
    `level`           LowCardinality(String) COMMENT 'carrier (all lanes together), province or city, as in carrier_daily',
    `cohort_date`     Date                   COMMENT 'Day of the pickup, China time',
    `vendor`          LowCardinality(String) COMMENT 'Code of the vendor',
    `carrier`         LowCardinality(String) COMMENT 'Canonical carrier code',
    `origin`          LowCardinality(String) COMMENT 'Area of the origin, as in carrier_daily',
    `dest`            LowCardinality(String) COMMENT 'Area of the destination, as in carrier_daily',
    `kind`            LowCardinality(String) COMMENT 'code, reason or party',
    `name`            LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason, or the party; see exception_name',
    `parcels`         UInt64                 COMMENT 'Parcels of the cohort with at least one such event',
    `settled`         UInt64                 COMMENT 'Of those, settled (aged 7 days + 6 h or more) with a first such event within 7 days of the pickup: numerator of the rate; carrier_daily.settled is its denominator',
    `resolve_parcels` UInt64                 COMMENT 'Of settled, with a valid time to resolve (not over 180 days) or none yet: denominator of its quantiles',
    `resolve_bins`    Map(UInt16, UInt32)    COMMENT 'Those parcels by time from the first such event to the next one that is no exception: key k = more than (k - 1) and at most k quarters of an hour; the unresolved are in none',
    `refreshed_at`    DateTime('UTC')        COMMENT 'The now of all ages in this row; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH (SELECT ifNull(toDate(maxOrNull(refreshed_at), 'Asia/Shanghai') - 40, toDate('2100-01-01')) FROM courier.carrier_daily_recent WHERE level = 'carrier') AS first_recent
SELECT * FROM courier.exception_daily_recent WHERE cohort_date >= first_recent
UNION ALL
SELECT * FROM courier.exception_daily_older WHERE cohort_date < first_recent
COMMENT 'Parcels with exceptions by pickup day, vendor, carrier, lane and code, reason or party [c24982c6d59d09a5]';

-- lane_promise.sql
CREATE OR REPLACE VIEW courier.lane_promise
(
    `carrier`   LowCardinality(String)  COMMENT 'Canonical carrier code',
    `origin`    String                  COMMENT 'Area of the origin as in view parcel; empty = unknown',
    `dest`      String                  COMMENT 'Area of the destination as in view parcel; empty = unknown',
    `hours`        UInt16               COMMENT 'Hours promised on this lane; 0 = working days are',
    `working_days` Nullable(UInt8)      COMMENT 'Working days promised on this lane; NULL = hours are',
    `cutoff`       UInt16               COMMENT 'Minutes after midnight, China time: a pickup then or later counts for the next working day. 1440 = no cut-off'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    place -> place IN ('CN11', 'CN12', 'CN31', 'CN50') AS is_municipality,
    code -> multiIf(
    NOT startsWith(ifNull(code, ''), 'CN'), '',
    is_municipality(substring(code, 1, 4)), substring(code, 1, 4),
    length(code) < 6 OR substring(code, 5, 2) = '00', substring(code, 1, 4),
    substring(code, 1, 6)) AS area,
    lanes AS
    (
        SELECT DISTINCT toString(lane.carrier) AS lane_carrier, toString(lane.origin) AS lane_origin, toString(lane.dest) AS lane_dest
        FROM (SELECT carrier, assumeNotNull(area(origin_code)) AS origin, assumeNotNull(if(has(flags, 'lane_inferred'), '', area(dest_code))) AS dest FROM courier.shipment) AS lane
    ),
    questions AS
    (
        SELECT
            *,
            arrayJoin(arrayFlatten(arrayMap(
                by_carrier -> arrayMap(
                    by_origin -> arrayMap(
                        by_dest -> (by_carrier, by_origin, by_dest),
                        arrayDistinct([lane_dest, substring(lane_dest, 1, 4), ''])),
                    arrayDistinct([lane_origin, substring(lane_origin, 1, 4), ''])),
                [lane_carrier, '']))) AS question
        FROM lanes
    ),
    argMax((promise.hours, promise.working_days, promise.cutoff), (promise.carrier != '', length(promise.origin), length(promise.dest))) AS found
SELECT
    lane_carrier AS carrier,
    lane_origin AS origin,
    lane_dest AS dest,
    found.1 AS hours,
    found.2 AS working_days,
    found.3 AS cutoff
FROM questions
INNER JOIN courier.sla_promise AS promise
    ON question.1 = promise.carrier AND question.2 = promise.origin AND question.3 = promise.dest
GROUP BY lane_carrier, lane_origin, lane_dest
COMMENT 'The promise of sla_promise that holds on each lane of each carrier; lanes for which no row speaks are not here [8e7d31fe2945415a]';

-- parcel_route.sql
CREATE OR REPLACE VIEW courier.parcel_route
(
    `vendor`                LowCardinality(String)    COMMENT 'Code of the vendor',
    `account`               LowCardinality(String)    COMMENT 'Vendor contract',
    `carrier`               LowCardinality(String)    COMMENT 'Canonical carrier code',
    `tracking_number`       String                    COMMENT 'The carrier''s parcel number',
    `position`              UInt16                    COMMENT 'Place in the route, from 1, from the sender to the recipient',
    `name`                  String                    COMMENT 'Name of the hub or depot, as the vendor writes it, masked',
    `visit`                 UInt8                     COMMENT '1, or more where the way leads through a node of this name again',
    `province`              LowCardinality(String)    COMMENT 'Province as the vendor writes it; empty = not told',
    `city`                  LowCardinality(String)    COMMENT 'City, likewise',
    `kind`                  LowCardinality(String)    COMMENT 'HUB (sorts and forwards), DEPOT (collects and delivers) or UNKNOWN',
    `state`                 LowCardinality(String)    COMMENT 'PASSED (gone again), CURRENT (there), EXPECTED (not there yet) or DROPPED: expected before, and not in the newest route any more',
    `planned_at`            Nullable(DateTime('UTC')) COMMENT 'When the node was first predicted; UTC. NULL when the parcel had been there by the first push with a route',
    `planned_arrival_at`    Nullable(DateTime('UTC')) COMMENT 'Arrival by the first prediction; UTC',
    `planned_departure_at`  Nullable(DateTime('UTC')) COMMENT 'Departure by the first prediction; UTC',
    `expected_arrival_at`   Nullable(DateTime('UTC')) COMMENT 'Arrival by the newest prediction, of an EXPECTED node; UTC',
    `expected_departure_at` Nullable(DateTime('UTC')) COMMENT 'Departure by the newest prediction, of an EXPECTED or CURRENT node; UTC',
    `arrived_at`            Nullable(DateTime('UTC')) COMMENT 'Arrival; UTC. NULL until then',
    `departed_at`           Nullable(DateTime('UTC')) COMMENT 'Departure; UTC. NULL until then',
    `dwell_hours`           Nullable(Float64)         COMMENT 'Hours from the arrival to the departure; NULL until then, and when they are negative or over 180 days',
    `late_hours`            Nullable(Float64)         COMMENT 'Hours by which the arrival is later than first planned, else by which it is now expected to be; negative = earlier. NULL without a plan',
    `is_late`               Bool                      COMMENT 'late_hours is more than 2',
    `became_late`           Bool                      COMMENT 'The first node of the route at which the parcel was late or is expected to be',
    `is_next`               Bool                      COMMENT 'The node that the parcel is expected at next',
    `told_at`               DateTime('UTC')           COMMENT 'Newest push with a route of the parcel; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    seconds -> seconds BETWEEN 0 AND 180 * 86400 AS is_believed,
    (start, end) -> if(is_believed(toInt64(end) - toInt64(start)), toInt64(end) - toInt64(start), NULL) AS span,
    2 AS late_after,
    30 * 86400 AS route_life,
    node AS
    (
        SELECT
            vendor, account, carrier, tracking_number, name, visit,
            maxIf(route_node.received_at, telling = 'LAST') AS last_at,
            minIf(route_node.received_at, telling = 'FIRST') AS first_at,
            countIf(telling = 'FIRST') > 0 AND dateDiff('second', first_at, last_at) <= route_life AS has_plan,
            anyIf(position, telling = 'LAST') AS place,
            anyIf(province, telling = 'LAST') AS last_province,
            anyIf(city, telling = 'LAST') AS last_city,
            anyIf(kind, telling = 'LAST') AS last_kind,
            anyIf(state, telling = 'LAST') AS last_state,
            if(has_plan, anyIf(route_node.planned_arrival_at, telling = 'FIRST'), NULL) AS first_arrival,
            if(has_plan, anyIf(route_node.planned_departure_at, telling = 'FIRST'), NULL) AS first_departure,
            anyIf(route_node.planned_arrival_at, telling = 'LAST') AS last_arrival,
            anyIf(route_node.planned_departure_at, telling = 'LAST') AS last_departure,
            anyIf(route_node.arrived_at, telling = 'LAST') AS arrival,
            anyIf(route_node.departed_at, telling = 'LAST') AS departure
        FROM courier.route_node FINAL
        GROUP BY vendor, account, carrier, tracking_number, name, visit
    ),
    of_parcel AS
    (
        SELECT *, max(last_at) OVER (PARTITION BY vendor, account, carrier, tracking_number) AS newest_at
        FROM node
    ),
    judged AS
    (
        SELECT
            *,
            last_state != 'PASSED' AND last_at < newest_at AS is_dropped,
            NOT is_dropped AND last_state = 'EXPECTED' AS is_ahead,
            if(is_dropped, NULL, last_arrival) AS expected,
            ifNull(arrival, expected) AS due,
            if(abs(toInt64(due) - toInt64(first_arrival)) <= 180 * 86400, (toInt64(due) - toInt64(first_arrival)) / 3600, NULL) AS late,
            ifNull(late > late_after, false) AS is_behind
        FROM of_parcel
        WHERE dateDiff('second', last_at, newest_at) <= route_life
    )
SELECT
    vendor,
    account,
    carrier,
    tracking_number,
    place AS position,
    name,
    visit,
    last_province AS province,
    last_city AS city,
    last_kind AS kind,
    if(is_dropped, 'DROPPED', last_state) AS state,
    if(has_plan, toDateTime(first_at, 'UTC'), NULL) AS planned_at,
    first_arrival AS planned_arrival_at,
    first_departure AS planned_departure_at,
    expected AS expected_arrival_at,
    if(is_dropped, NULL, last_departure) AS expected_departure_at,
    arrival AS arrived_at,
    departure AS departed_at,
    span(arrival, departure) / 3600 AS dwell_hours,
    late AS late_hours,
    toBool(is_behind) AS is_late,
    toBool(is_behind AND place = minIf(place, is_behind) OVER (PARTITION BY vendor, account, carrier, tracking_number)) AS became_late,
    toBool(is_ahead AND place = minIf(place, is_ahead) OVER (PARTITION BY vendor, account, carrier, tracking_number)) AS is_next,
    toDateTime(newest_at, 'UTC') AS told_at
FROM judged
COMMENT 'Where was this parcel, where is it expected next, and where did it become late? One row per parcel and node of its route [4bee54a2ec490ac8]';

-- push_completeness.sql
CREATE OR REPLACE VIEW courier.push_completeness
(
    `query_date`       Date                   COMMENT 'Day of the audits, China time',
    `vendor`           LowCardinality(String) COMMENT 'Code of the vendor',
    `carrier`          LowCardinality(String) COMMENT 'Canonical carrier code',
    `audited`          UInt64                 COMMENT 'Parcels asked about without a reason, of which the vendor knew something',
    `with_missed`      UInt64                 COMMENT 'Of those, with at least one missed event',
    `with_missed_share` Nullable(Float64)    COMMENT 'with_missed / audited',
    `with_missed_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `with_missed_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `events`           UInt64                 COMMENT 'Events of the audited parcels that were older than 6 h at the audit, since the audit before',
    `missed`           UInt64                 COMMENT 'Of those, told first by a query',
    `missed_share`     Nullable(Float64)      COMMENT 'missed / events; events of one parcel are missed together, so its interval would be wider than it looks, and is not given',
    `pushed_changes`   UInt64                 COMMENT 'Changes of state of those parcels and that time which a push told first, and not the first push of the parcel: denominator of the quantiles',
    `pushed_p50_hours` Nullable(Float64)      COMMENT 'Half of them were told within so many hours of the event',
    `pushed_p95_hours` Nullable(Float64)      COMMENT '95 % of them, likewise'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    6 * 3600 AS report_lag,
    audit AS
    (
        SELECT
            vendor,
            carrier,
            tracking_number,
            toDate(started_at, 'Asia/Shanghai') AS query_date,
            started_at - toIntervalSecond(report_lag) AS end,
            lagInFrame(started_at, 1, toDateTime64('1970-01-01 00:00:00', 6, 'UTC')) OVER
                (PARTITION BY vendor, carrier, tracking_number ORDER BY started_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS start
        FROM courier.vendor_call FINAL
        WHERE kind = 'QUERY' AND reason = 'AUDIT' AND class = 'DONE'
    ),
    told AS
    (
        SELECT vendor, carrier, tracking_number, event.occurred_at AS times, event.origin AS origins
        FROM courier.shipment FINAL
        WHERE (carrier, tracking_number) IN (SELECT carrier, tracking_number FROM audit) AND tracking_state != 'CARRIER_CORRECTED'
        ORDER BY epoch DESC
        LIMIT 1 BY vendor, carrier, tracking_number
    ),
    judged AS
    (
        SELECT
            audit.query_date AS query_date,
            audit.vendor AS vendor,
            audit.carrier AS carrier,
            arrayCount(time -> time > audit.start AND time <= audit.end, told.times) AS events,
            arrayCount((time, origin) -> time > audit.start AND time <= audit.end AND origin = 'QUERY', told.times, told.origins) AS missed
        FROM audit
        LEFT JOIN told ON told.vendor = audit.vendor AND told.carrier = audit.carrier AND told.tracking_number = audit.tracking_number
    ),
    pushed AS
    (
        SELECT
            audit.query_date AS query_date,
            audit.vendor AS vendor,
            audit.carrier AS carrier,
            count() AS changes,
            quantilesExact(0.5, 0.95)(dateDiff('second', change.occurred_at, change.received_at) / 3600) AS hours
        FROM audit
        INNER JOIN
        (
            SELECT vendor, carrier, tracking_number, occurred_at, received_at
            FROM courier.transition FINAL
            WHERE (carrier, tracking_number) IN (SELECT carrier, tracking_number FROM audit)
                AND origin = 'PUSH' AND received_at > first_received_at
        ) AS change
            ON change.vendor = audit.vendor AND change.carrier = audit.carrier AND change.tracking_number = audit.tracking_number
        WHERE change.occurred_at > audit.start AND change.occurred_at <= audit.end
        GROUP BY query_date, vendor, carrier
    ),
    counted AS
    (
        SELECT
            query_date,
            vendor,
            carrier,
            count() AS audited,
            countIf(judged.missed > 0) AS with_missed,
            sum(judged.events) AS all_events,
            sum(judged.missed) AS all_missed
        FROM judged
        GROUP BY query_date, vendor, carrier
    )
SELECT
    counted.query_date AS query_date,
    counted.vendor AS vendor,
    counted.carrier AS carrier,
    counted.audited AS audited,
    counted.with_missed AS with_missed,
    share(with_missed, audited) AS with_missed_share,
    wilson(with_missed, audited, -1) AS with_missed_low,
    wilson(with_missed, audited, 1) AS with_missed_high,
    all_events AS events,
    all_missed AS missed,
    share(missed, events) AS missed_share,
    pushed.changes AS pushed_changes,
    if(pushed_changes = 0, NULL, pushed.hours[1]) AS pushed_p50_hours,
    if(pushed_changes = 0, NULL, pushed.hours[2]) AS pushed_p95_hours
FROM counted
LEFT JOIN pushed ON pushed.query_date = counted.query_date AND pushed.vendor = counted.vendor AND pushed.carrier = counted.carrier
ORDER BY query_date, vendor, carrier
SETTINGS join_use_nulls = 0, do_not_merge_across_partitions_select_final = 0
COMMENT 'What do the pushes leave out? Audits in table vendor_call against the events of shipment, by day, vendor and carrier [1ea07f092219169c]';

-- stalled_shipments.sql
CREATE OR REPLACE VIEW courier.stalled_shipments
(
    `carrier`            LowCardinality(String)           COMMENT 'Canonical carrier code',
    `vendor`             LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`            LowCardinality(String)           COMMENT 'Vendor contract',
    `tracking_number`    String                           COMMENT 'The carrier''s parcel number',
    `epoch`              Date                             COMMENT 'Epoch of the shipment',
    `status`             LowCardinality(String)           COMMENT 'State in which it has stalled',
    `sub_status`         LowCardinality(Nullable(String)) COMMENT 'Canonical refinement',
    `last_event_at`      DateTime('UTC')                  COMMENT 'Newest event; UTC',
    `silent_hours`       Float64                          COMMENT 'Hours since then, at the time of the query',
    `limit_hours`        Float64                          COMMENT 'Hours after which it counts as stalled: not picked up 48, in transit 48 (cross-border 240), out for delivery 36, locker or station 18, customs 120; an exception or a return as in transit',
    `last_location`      Nullable(String)                 COMMENT 'Place of the newest event',
    `origin`             LowCardinality(String)           COMMENT 'Area of the origin; empty = unknown',
    `dest`               LowCardinality(String)           COMMENT 'Area of the destination as in view parcel; empty = unknown',
    `is_cross_border`    Bool                             COMMENT 'As in view parcel',
    `leg`                LowCardinality(String)           COMMENT 'FORWARD or RETURN',
    `tracking_state`     LowCardinality(String)           COMMENT 'What the vendor does with its subscription: an aborted one will not be heard of again by itself',
    `refreshed_at`       DateTime('UTC')                  COMMENT 'When the parcel was last looked at; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    carrier,
    vendor,
    account,
    tracking_number,
    epoch,
    status,
    sub_status,
    assumeNotNull(open_parcel.last_event_at) AS last_event_at,
    dateDiff('second', assumeNotNull(open_parcel.last_event_at), now('UTC')) / 3600 AS silent_hours,
    stalled_after / 3600 AS limit_hours,
    last_location,
    origin,
    dest,
    is_cross_border,
    leg,
    tracking_state,
    refreshed_at
FROM courier.open_parcel
WHERE isNotNull(open_parcel.last_event_at)
    AND dateDiff('second', assumeNotNull(open_parcel.last_event_at), now('UTC')) > stalled_after
COMMENT 'Which parcels have not been heard of for too long? One row per open parcel; the vendors report late by up to 4 h, more when a push was repeated [23aa8982f0e8c22d]';

-- status_name.sql
CREATE OR REPLACE VIEW courier.status_name
(
    `kind`              LowCardinality(String) COMMENT 'What the row names: status, meaning (a status with its refinement), code (of a vendor), reason (of an exception) or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for all that vendors share',
    `code`              String                 COMMENT 'The vendor''s code, as sent; empty where kind is not code',
    `status`            LowCardinality(String) COMMENT 'Canonical status; empty for a party',
    `sub_status`        LowCardinality(String) COMMENT 'Canonical refinement; empty for a status and for a party',
    `rank`              UInt8                  COMMENT 'How far along the status is: changes of one second are in this order',
    `party`             LowCardinality(String) COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown; empty for what is no exception',
    `is_exception`      Bool                   COMMENT 'An event of it is an exception or a refusal',
    `is_failed_attempt` Bool                   COMMENT 'It is a failed attempt at delivery: a courier was at the door',
    `is_vendor_clock`   Bool                   COMMENT 'It comes from the vendor''s clock, not from a scan of the carrier, and can vanish later',
    `name_zh`           String                 COMMENT 'Name in Chinese; of a code as in the vendor''s documents',
    `name_en`           String                 COMMENT 'Name in English'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT *
FROM VALUES(
    'kind String, vendor String, code String, status String, sub_status String, rank UInt8, party String, is_exception Bool, is_failed_attempt Bool, is_vendor_clock Bool, name_zh String, name_en String',
    ('status', '', '', 'UNKNOWN', '', 0, '', false, false, false, '', ''),
    ('status', '', '', 'INFO_RECEIVED', '', 10, '', false, false, false, '', ''),
    ('status', '', '', 'PICKED_UP', '', 20, '', false, false, false, '', ''),
    ('status', '', '', 'IN_TRANSIT', '', 30, '', false, false, false, '', ''),
    ('status', '', '', 'CUSTOMS', '', 30, '', false, false, false, '', ''),
    ('status', '', '', 'OUT_FOR_DELIVERY', '', 40, '', false, false, false, '', ''),
    ('status', '', '', 'AVAILABLE_FOR_PICKUP', '', 45, '', false, false, false, '', ''),
    ('status', '', '', 'DELIVERED', '', 50, '', false, false, false, '', ''),
    ('status', '', '', 'EXCEPTION', '', 42, '', false, false, false, '', ''),
    ('status', '', '', 'RETURNING', '', 60, '', false, false, false, '', ''),
    ('status', '', '', 'RETURNED', '', 70, '', false, false, false, '', ''),
    ('status', '', '', 'CANCELLED', '', 80, '', false, false, false, '', ''),
    ('meaning', '', '', 'UNKNOWN', 'NO_TRACE', 0, '', false, false, false, '暂无轨迹', 'No trace yet'),
    ('meaning', '', '', 'INFO_RECEIVED', 'ORDER_CREATED', 10, '', false, false, false, '已下单', 'Order created'),
    ('meaning', '', '', 'INFO_RECEIVED', 'AWAITING_PICKUP', 10, '', false, false, false, '待揽收', 'Awaiting pick-up'),
    ('meaning', '', '', 'PICKED_UP', 'PICKED_UP', 20, '', false, false, false, '已揽收', 'Picked up'),
    ('meaning', '', '', 'IN_TRANSIT', 'IN_TRANSIT', 30, '', false, false, false, '在途', 'In transit'),
    ('meaning', '', '', 'IN_TRANSIT', 'LINEHAUL', 30, '', false, false, false, '干线', 'Line haul'),
    ('meaning', '', '', 'IN_TRANSIT', 'LEFT_ORIGIN_DEPOT', 30, '', false, false, false, '寄件网点发件', 'Left origin depot'),
    ('meaning', '', '', 'IN_TRANSIT', 'ARRIVED_HUB', 30, '', false, false, false, '到达转运中心', 'Arrived at hub'),
    ('meaning', '', '', 'IN_TRANSIT', 'ARRIVED_DEST_CITY', 30, '', false, false, false, '到达派件城市', 'Arrived in destination city'),
    ('meaning', '', '', 'IN_TRANSIT', 'ARRIVED_DELIVERY_DEPOT', 30, '', false, false, false, '到达派件网点', 'Arrived at delivery depot'),
    ('meaning', '', '', 'IN_TRANSIT', 'REDIRECTED_NEW_ADDRESS', 30, '', false, false, false, '转寄', 'Redirected to another address'),
    ('meaning', '', '', 'IN_TRANSIT', 'HANDED_TO_OTHER_CARRIER', 30, '', false, false, false, '转投', 'Handed to another carrier'),
    ('meaning', '', '', 'IN_TRANSIT', 'LEFT_ORIGIN_COUNTRY', 30, '', false, false, false, '离开发件国', 'Left the country of origin'),
    ('meaning', '', '', 'IN_TRANSIT', 'ARRIVED_DEST_COUNTRY', 30, '', false, false, false, '到达目的国', 'Arrived in the destination country'),
    ('meaning', '', '', 'CUSTOMS', 'UNSPECIFIED', 30, '', false, false, false, '清关', 'Customs'),
    ('meaning', '', '', 'CUSTOMS', 'AWAITING', 30, '', false, false, false, '待清关', 'Awaiting customs'),
    ('meaning', '', '', 'CUSTOMS', 'IN_PROGRESS', 30, '', false, false, false, '清关中', 'In customs'),
    ('meaning', '', '', 'CUSTOMS', 'CLEARED', 30, '', false, false, false, '已清关', 'Customs cleared'),
    ('meaning', '', '', 'OUT_FOR_DELIVERY', 'OUT_FOR_DELIVERY', 40, '', false, false, false, '派件中', 'Out for delivery'),
    ('meaning', '', '', 'OUT_FOR_DELIVERY', 'REATTEMPT', 40, '', false, false, false, '重新派送', 'Delivery tried again'),
    ('meaning', '', '', 'OUT_FOR_DELIVERY', 'RETRIEVED_FROM_LOCKER', 40, '', false, false, false, '快件取出', 'Taken out of the locker'),
    ('meaning', '', '', 'AVAILABLE_FOR_PICKUP', 'LOCKER_OR_STATION', 45, '', false, false, false, '投柜或驿站', 'In a locker or station'),
    ('meaning', '', '', 'DELIVERED', 'UNSPECIFIED', 50, '', false, false, false, '签收', 'Delivered'),
    ('meaning', '', '', 'DELIVERED', 'RECIPIENT', 50, '', false, false, false, '本人签收', 'Delivered to recipient'),
    ('meaning', '', '', 'DELIVERED', 'AFTER_EXCEPTION', 50, '', false, false, false, '派件异常后签收', 'Delivered after an exception'),
    ('meaning', '', '', 'DELIVERED', 'PROXY', 50, '', false, false, false, '代签', 'Delivered to somebody else'),
    ('meaning', '', '', 'DELIVERED', 'LOCKER_OR_STATION', 50, '', false, false, false, '投柜或驿站签收', 'Collected from a locker or station'),
    ('meaning', '', '', 'EXCEPTION', 'UNSPECIFIED', 42, 'unknown', true, false, false, '疑难', 'Problem'),
    ('meaning', '', '', 'EXCEPTION', 'DELIVERY_OVERDUE', 42, 'carrier', true, false, true, '超时未签收', 'Not signed for in time'),
    ('meaning', '', '', 'EXCEPTION', 'NO_UPDATE', 42, 'carrier', true, false, true, '超时未更新', 'No update in time'),
    ('meaning', '', '', 'EXCEPTION', 'REFUSED', 42, 'consignee', true, true, false, '拒收', 'Refused by the recipient'),
    ('meaning', '', '', 'EXCEPTION', 'DELIVERY_FAILED', 42, 'carrier', true, true, false, '派件异常', 'Delivery failed'),
    ('meaning', '', '', 'EXCEPTION', 'PICKUP_OVERDUE', 42, 'consignee', true, false, true, '柜或驿站超时未取', 'Not collected from locker or station in time'),
    ('meaning', '', '', 'EXCEPTION', 'RECIPIENT_UNREACHABLE', 42, 'consignee', true, true, false, '无法联系', 'Recipient unreachable'),
    ('meaning', '', '', 'EXCEPTION', 'OUT_OF_SERVICE_AREA', 42, 'shipper', true, false, false, '超区', 'Outside the service area'),
    ('meaning', '', '', 'EXCEPTION', 'HELD_AT_DEPOT', 42, 'carrier', true, false, false, '滞留', 'Held at the depot'),
    ('meaning', '', '', 'EXCEPTION', 'DAMAGED', 42, 'carrier', true, false, false, '破损', 'Damaged'),
    ('meaning', '', '', 'EXCEPTION', 'LOST', 42, 'carrier', true, false, false, '丢失', 'Lost'),
    ('meaning', '', '', 'EXCEPTION', 'DESTROYED', 42, 'unknown', true, false, false, '销毁', 'Destroyed'),
    ('meaning', '', '', 'EXCEPTION', 'CANCEL_REQUESTED', 42, 'shipper', true, false, false, '销单', 'Cancellation requested'),
    ('meaning', '', '', 'EXCEPTION', 'CUSTOMS_EXCEPTION', 42, 'customs', true, false, false, '清关异常', 'Customs exception'),
    ('meaning', '', '', 'EXCEPTION', 'SECURITY_OR_FEES', 42, 'unknown', true, false, false, '安检或费用问题', 'Security or fees'),
    ('meaning', '', '', 'EXCEPTION', 'NO_CARRIER_INFO', 42, 'shipper', true, false, false, '发货无信息', 'Shipped, no information'),
    ('meaning', '', '', 'EXCEPTION', 'INTERCEPTED', 42, 'shipper', true, false, false, '已拦截', 'Intercepted'),
    ('meaning', '', '', 'EXCEPTION', 'DELAYED', 42, 'carrier', true, false, false, '配送延迟', 'Delivery delayed'),
    ('meaning', '', '', 'EXCEPTION', 'BAD_ADDRESS', 42, 'shipper', true, true, false, '地址不详', 'Incomplete address'),
    ('meaning', '', '', 'EXCEPTION', 'BAD_PHONE', 42, 'consignee', true, true, false, '电话错误', 'Wrong phone number'),
    ('meaning', '', '', 'EXCEPTION', 'MISSORTED', 42, 'carrier', true, false, false, '错分件', 'Missorted'),
    ('meaning', '', '', 'RETURNING', 'RETURNING', 60, '', false, false, false, '退回', 'On its way back'),
    ('meaning', '', '', 'RETURNING', 'REFUSED', 60, 'consignee', true, true, false, '拒收退件', 'Refused, going back'),
    ('meaning', '', '', 'RETURNED', 'RETURN_SIGNED', 70, '', false, false, false, '退签', 'Returned to the sender'),
    ('meaning', '', '', 'RETURNED', 'REFUSED', 70, 'consignee', true, true, false, '拒签', 'Refused and returned'),
    ('meaning', '', '', 'CANCELLED', 'WAYBILL_VOIDED', 80, '', false, false, false, '已销单', 'Waybill voided'),
    ('meaning', '', '', 'CANCELLED', 'CANCELLED_BY_SHIPPER', 80, '', false, false, false, '客户取消发货', 'Cancelled by the shipper'),
    ('code', 'kuaidi100', '0', 'IN_TRANSIT', 'IN_TRANSIT', 30, '', false, false, false, '在途', 'In transit'),
    ('code', 'kuaidi100', '1', 'PICKED_UP', 'PICKED_UP', 20, '', false, false, false, '揽收', 'Picked up'),
    ('code', 'kuaidi100', '2', 'EXCEPTION', 'UNSPECIFIED', 42, 'unknown', true, false, false, '疑难', 'Problem'),
    ('code', 'kuaidi100', '3', 'DELIVERED', 'UNSPECIFIED', 50, '', false, false, false, '签收', 'Delivered'),
    ('code', 'kuaidi100', '4', 'RETURNED', 'RETURN_SIGNED', 70, '', false, false, false, '退签', 'Returned to the sender'),
    ('code', 'kuaidi100', '5', 'OUT_FOR_DELIVERY', 'OUT_FOR_DELIVERY', 40, '', false, false, false, '派件', 'Out for delivery'),
    ('code', 'kuaidi100', '6', 'RETURNING', 'RETURNING', 60, '', false, false, false, '退回', 'On its way back'),
    ('code', 'kuaidi100', '7', 'IN_TRANSIT', 'HANDED_TO_OTHER_CARRIER', 30, '', false, false, false, '转投', 'Handed to another carrier'),
    ('code', 'kuaidi100', '8', 'CUSTOMS', 'UNSPECIFIED', 30, '', false, false, false, '清关', 'Customs'),
    ('code', 'kuaidi100', '10', 'CUSTOMS', 'AWAITING', 30, '', false, false, false, '待清关', 'Awaiting customs'),
    ('code', 'kuaidi100', '11', 'CUSTOMS', 'IN_PROGRESS', 30, '', false, false, false, '清关中', 'In customs'),
    ('code', 'kuaidi100', '12', 'CUSTOMS', 'CLEARED', 30, '', false, false, false, '已清关', 'Customs cleared'),
    ('code', 'kuaidi100', '13', 'EXCEPTION', 'CUSTOMS_EXCEPTION', 42, 'customs', true, false, false, '清关异常', 'Customs exception'),
    ('code', 'kuaidi100', '14', 'EXCEPTION', 'REFUSED', 42, 'consignee', true, true, false, '拒签', 'Refused by the recipient'),
    ('code', 'kuaidi100', '101', 'INFO_RECEIVED', 'ORDER_CREATED', 10, '', false, false, false, '已下单', 'Order created'),
    ('code', 'kuaidi100', '102', 'INFO_RECEIVED', 'AWAITING_PICKUP', 10, '', false, false, false, '待揽收', 'Awaiting pick-up'),
    ('code', 'kuaidi100', '103', 'PICKED_UP', 'PICKED_UP', 20, '', false, false, false, '已揽收', 'Picked up'),
    ('code', 'kuaidi100', '201', 'EXCEPTION', 'DELIVERY_OVERDUE', 42, 'carrier', true, false, true, '超时未签收', 'Not signed for in time'),
    ('code', 'kuaidi100', '202', 'EXCEPTION', 'NO_UPDATE', 42, 'carrier', true, false, true, '超时未更新', 'No update in time'),
    ('code', 'kuaidi100', '203', 'EXCEPTION', 'REFUSED', 42, 'consignee', true, true, false, '拒收', 'Refused by the recipient'),
    ('code', 'kuaidi100', '204', 'EXCEPTION', 'DELIVERY_FAILED', 42, 'carrier', true, true, false, '派件异常', 'Delivery failed'),
    ('code', 'kuaidi100', '205', 'EXCEPTION', 'PICKUP_OVERDUE', 42, 'consignee', true, false, true, '柜或驿站超时未取', 'Not collected from locker or station in time'),
    ('code', 'kuaidi100', '206', 'EXCEPTION', 'RECIPIENT_UNREACHABLE', 42, 'consignee', true, true, false, '无法联系', 'Recipient unreachable'),
    ('code', 'kuaidi100', '207', 'EXCEPTION', 'OUT_OF_SERVICE_AREA', 42, 'shipper', true, false, false, '超区', 'Outside the service area'),
    ('code', 'kuaidi100', '208', 'EXCEPTION', 'HELD_AT_DEPOT', 42, 'carrier', true, false, false, '滞留', 'Held at the depot'),
    ('code', 'kuaidi100', '209', 'EXCEPTION', 'DAMAGED', 42, 'carrier', true, false, false, '破损', 'Damaged'),
    ('code', 'kuaidi100', '210', 'EXCEPTION', 'CANCEL_REQUESTED', 42, 'shipper', true, false, false, '销单', 'Cancellation requested'),
    ('code', 'kuaidi100', '301', 'DELIVERED', 'RECIPIENT', 50, '', false, false, false, '本人签收', 'Delivered to recipient'),
    ('code', 'kuaidi100', '302', 'DELIVERED', 'AFTER_EXCEPTION', 50, '', false, false, false, '派件异常后签收', 'Delivered after an exception'),
    ('code', 'kuaidi100', '303', 'DELIVERED', 'PROXY', 50, '', false, false, false, '代签', 'Delivered to somebody else'),
    ('code', 'kuaidi100', '304', 'DELIVERED', 'LOCKER_OR_STATION', 50, '', false, false, false, '投柜或驿站签收', 'Collected from a locker or station'),
    ('code', 'kuaidi100', '401', 'CANCELLED', 'WAYBILL_VOIDED', 80, '', false, false, false, '已销单', 'Waybill voided'),
    ('code', 'kuaidi100', '501', 'AVAILABLE_FOR_PICKUP', 'LOCKER_OR_STATION', 45, '', false, false, false, '投柜或驿站', 'In a locker or station'),
    ('code', 'kuaidi100', '1001', 'IN_TRANSIT', 'ARRIVED_DEST_CITY', 30, '', false, false, false, '到达派件城市', 'Arrived in destination city'),
    ('code', 'kuaidi100', '1002', 'IN_TRANSIT', 'LINEHAUL', 30, '', false, false, false, '干线', 'Line haul'),
    ('code', 'kuaidi100', '1003', 'IN_TRANSIT', 'REDIRECTED_NEW_ADDRESS', 30, '', false, false, false, '转递', 'Redirected to another address'),
    ('code', 'kdniao', '0', 'UNKNOWN', 'NO_TRACE', 0, '', false, false, false, '暂无轨迹', 'No trace yet'),
    ('code', 'kdniao', '1', 'PICKED_UP', 'PICKED_UP', 20, '', false, false, false, '已揽收', 'Picked up'),
    ('code', 'kdniao', '2', 'IN_TRANSIT', 'IN_TRANSIT', 30, '', false, false, false, '在途', 'In transit'),
    ('code', 'kdniao', '3', 'DELIVERED', 'UNSPECIFIED', 50, '', false, false, false, '已签收', 'Delivered'),
    ('code', 'kdniao', '4', 'EXCEPTION', 'UNSPECIFIED', 42, 'unknown', true, false, false, '问题件', 'Problem'),
    ('code', 'kdniao', '5', 'IN_TRANSIT', 'REDIRECTED_NEW_ADDRESS', 30, '', false, false, false, '转寄', 'Redirected to another address'),
    ('code', 'kdniao', '6', 'CUSTOMS', 'UNSPECIFIED', 30, '', false, false, false, '清关', 'Customs'),
    ('code', 'kdniao', '10', 'INFO_RECEIVED', 'AWAITING_PICKUP', 10, '', false, false, false, '待揽件', 'Awaiting pick-up'),
    ('code', 'kdniao', '201', 'IN_TRANSIT', 'ARRIVED_DEST_CITY', 30, '', false, false, false, '到达派件城市', 'Arrived in destination city'),
    ('code', 'kdniao', '202', 'OUT_FOR_DELIVERY', 'OUT_FOR_DELIVERY', 40, '', false, false, false, '派件中', 'Out for delivery'),
    ('code', 'kdniao', '204', 'IN_TRANSIT', 'ARRIVED_HUB', 30, '', false, false, false, '到达转运中心', 'Arrived at hub'),
    ('code', 'kdniao', '205', 'IN_TRANSIT', 'ARRIVED_DELIVERY_DEPOT', 30, '', false, false, false, '到达派件网点', 'Arrived at delivery depot'),
    ('code', 'kdniao', '206', 'IN_TRANSIT', 'LEFT_ORIGIN_DEPOT', 30, '', false, false, false, '寄件网点发件', 'Left origin depot'),
    ('code', 'kdniao', '211', 'AVAILABLE_FOR_PICKUP', 'LOCKER_OR_STATION', 45, '', false, false, false, '已放入快递柜或驿站', 'In a locker or station'),
    ('code', 'kdniao', '301', 'DELIVERED', 'RECIPIENT', 50, '', false, false, false, '正常签收', 'Delivered to recipient'),
    ('code', 'kdniao', '302', 'DELIVERED', 'AFTER_EXCEPTION', 50, '', false, false, false, '异常后最终签收', 'Delivered after an exception'),
    ('code', 'kdniao', '304', 'DELIVERED', 'PROXY', 50, '', false, false, false, '代收签收', 'Delivered to somebody else'),
    ('code', 'kdniao', '311', 'DELIVERED', 'LOCKER_OR_STATION', 50, '', false, false, false, '快递柜或驿站签收', 'Collected from a locker or station'),
    ('code', 'kdniao', '401', 'EXCEPTION', 'NO_CARRIER_INFO', 42, 'shipper', true, false, false, '发货无信息', 'Shipped, no information'),
    ('code', 'kdniao', '402', 'EXCEPTION', 'DELIVERY_OVERDUE', 42, 'carrier', true, false, true, '超时未签收', 'Not signed for in time'),
    ('code', 'kdniao', '403', 'EXCEPTION', 'NO_UPDATE', 42, 'carrier', true, false, true, '超时未更新', 'No update in time'),
    ('code', 'kdniao', '404', 'RETURNING', 'REFUSED', 60, 'consignee', true, true, false, '拒收(退件)', 'Refused, going back'),
    ('code', 'kdniao', '405', 'EXCEPTION', 'DELIVERY_FAILED', 42, 'carrier', true, true, false, '派件异常', 'Delivery failed'),
    ('code', 'kdniao', '406', 'RETURNED', 'RETURN_SIGNED', 70, '', false, false, false, '退货签收', 'Returned to the sender'),
    ('code', 'kdniao', '407', 'RETURNING', 'RETURNING', 60, '', false, false, false, '退货未签收', 'On its way back'),
    ('code', 'kdniao', '412', 'EXCEPTION', 'PICKUP_OVERDUE', 42, 'consignee', true, false, true, '柜/站超时未取', 'Not collected from locker or station in time'),
    ('code', 'kdniao', '413', 'EXCEPTION', 'INTERCEPTED', 42, 'shipper', true, false, false, '单号已拦截', 'Intercepted'),
    ('code', 'kdniao', '414', 'EXCEPTION', 'DAMAGED', 42, 'carrier', true, false, false, '破损', 'Damaged'),
    ('code', 'kdniao', '415', 'CANCELLED', 'CANCELLED_BY_SHIPPER', 80, '', false, false, false, '客户取消发货', 'Cancelled by the shipper'),
    ('code', 'kdniao', '416', 'EXCEPTION', 'RECIPIENT_UNREACHABLE', 42, 'consignee', true, true, false, '无法联系', 'Recipient unreachable'),
    ('code', 'kdniao', '417', 'EXCEPTION', 'DELAYED', 42, 'carrier', true, false, false, '配送延迟', 'Delivery delayed'),
    ('code', 'kdniao', '418', 'OUT_FOR_DELIVERY', 'RETRIEVED_FROM_LOCKER', 40, '', false, false, false, '快件取出', 'Taken out of the locker'),
    ('code', 'kdniao', '419', 'OUT_FOR_DELIVERY', 'REATTEMPT', 40, '', false, false, false, '重新派送', 'Delivery tried again'),
    ('code', 'kdniao', '420', 'EXCEPTION', 'BAD_ADDRESS', 42, 'shipper', true, true, false, '地址不详', 'Incomplete address'),
    ('code', 'kdniao', '421', 'EXCEPTION', 'BAD_PHONE', 42, 'consignee', true, true, false, '电话错误', 'Wrong phone number'),
    ('code', 'kdniao', '422', 'EXCEPTION', 'MISSORTED', 42, 'carrier', true, false, false, '错分件', 'Missorted'),
    ('code', 'kdniao', '423', 'EXCEPTION', 'OUT_OF_SERVICE_AREA', 42, 'shipper', true, false, false, '超区件', 'Outside the service area'),
    ('code', 'kdniao', '601', 'CUSTOMS', 'AWAITING', 30, '', false, false, false, '待清关', 'Awaiting customs'),
    ('code', 'kdniao', '602', 'CUSTOMS', 'IN_PROGRESS', 30, '', false, false, false, '清关中', 'In customs'),
    ('code', 'kdniao', '603', 'CUSTOMS', 'CLEARED', 30, '', false, false, false, '已清关', 'Customs cleared'),
    ('code', 'kdniao', '604', 'EXCEPTION', 'CUSTOMS_EXCEPTION', 42, 'customs', true, false, false, '清关异常', 'Customs exception'),
    ('code', '17track', 'NotFound_Other', 'UNKNOWN', 'NO_TRACE', 0, '', false, false, false, '暂无轨迹', 'No trace yet'),
    ('code', '17track', 'NotFound_InvalidCode', 'UNKNOWN', 'NO_TRACE', 0, '', false, false, false, '暂无轨迹', 'No trace yet'),
    ('code', '17track', 'InfoReceived', 'INFO_RECEIVED', 'ORDER_CREATED', 10, '', false, false, false, '已下单', 'Order created'),
    ('code', '17track', 'InTransit_PickedUp', 'PICKED_UP', 'PICKED_UP', 20, '', false, false, false, '已揽收', 'Picked up'),
    ('code', '17track', 'InTransit_Other', 'IN_TRANSIT', 'IN_TRANSIT', 30, '', false, false, false, '在途', 'In transit'),
    ('code', '17track', 'InTransit_Departure', 'IN_TRANSIT', 'LEFT_ORIGIN_COUNTRY', 30, '', false, false, false, '离开发件国', 'Left the country of origin'),
    ('code', '17track', 'InTransit_Arrival', 'IN_TRANSIT', 'ARRIVED_DEST_COUNTRY', 30, '', false, false, false, '到达目的国', 'Arrived in the destination country'),
    ('code', '17track', 'InTransit_TransportArrived', 'IN_TRANSIT', 'LINEHAUL', 30, '', false, false, false, '干线', 'Line haul'),
    ('code', '17track', 'InTransit_TransportDeparted', 'IN_TRANSIT', 'LINEHAUL', 30, '', false, false, false, '干线', 'Line haul'),
    ('code', '17track', 'InTransit_CustomsProcessing', 'CUSTOMS', 'IN_PROGRESS', 30, '', false, false, false, '清关中', 'In customs'),
    ('code', '17track', 'InTransit_CustomsReleased', 'CUSTOMS', 'CLEARED', 30, '', false, false, false, '已清关', 'Customs cleared'),
    ('code', '17track', 'InTransit_CustomsRequiringInformation', 'EXCEPTION', 'CUSTOMS_EXCEPTION', 42, 'customs', true, false, false, '清关异常', 'Customs exception'),
    ('code', '17track', 'Expired_Other', 'EXCEPTION', 'NO_UPDATE', 42, 'carrier', true, false, true, '超时未更新', 'No update in time'),
    ('code', '17track', 'AvailableForPickup_Other', 'AVAILABLE_FOR_PICKUP', 'LOCKER_OR_STATION', 45, '', false, false, false, '投柜或驿站', 'In a locker or station'),
    ('code', '17track', 'OutForDelivery_Other', 'OUT_FOR_DELIVERY', 'OUT_FOR_DELIVERY', 40, '', false, false, false, '派件中', 'Out for delivery'),
    ('code', '17track', 'DeliveryFailure_Other', 'EXCEPTION', 'DELIVERY_FAILED', 42, 'carrier', true, true, false, '派件异常', 'Delivery failed'),
    ('code', '17track', 'DeliveryFailure_NoBody', 'EXCEPTION', 'RECIPIENT_UNREACHABLE', 42, 'consignee', true, true, false, '无法联系', 'Recipient unreachable'),
    ('code', '17track', 'DeliveryFailure_Security', 'EXCEPTION', 'SECURITY_OR_FEES', 42, 'unknown', true, false, false, '安检或费用问题', 'Security or fees'),
    ('code', '17track', 'DeliveryFailure_Rejected', 'EXCEPTION', 'REFUSED', 42, 'consignee', true, true, false, '拒收', 'Refused by the recipient'),
    ('code', '17track', 'DeliveryFailure_InvalidAddress', 'EXCEPTION', 'BAD_ADDRESS', 42, 'shipper', true, true, false, '地址不详', 'Incomplete address'),
    ('code', '17track', 'Delivered_Other', 'DELIVERED', 'UNSPECIFIED', 50, '', false, false, false, '签收', 'Delivered'),
    ('code', '17track', 'Exception_Other', 'EXCEPTION', 'UNSPECIFIED', 42, 'unknown', true, false, false, '疑难', 'Problem'),
    ('code', '17track', 'Exception_Returning', 'RETURNING', 'RETURNING', 60, '', false, false, false, '退回', 'On its way back'),
    ('code', '17track', 'Exception_Returned', 'RETURNED', 'RETURN_SIGNED', 70, '', false, false, false, '退签', 'Returned to the sender'),
    ('code', '17track', 'Exception_NoBody', 'EXCEPTION', 'RECIPIENT_UNREACHABLE', 42, 'consignee', true, true, false, '无法联系', 'Recipient unreachable'),
    ('code', '17track', 'Exception_Security', 'EXCEPTION', 'SECURITY_OR_FEES', 42, 'unknown', true, false, false, '安检或费用问题', 'Security or fees'),
    ('code', '17track', 'Exception_Damage', 'EXCEPTION', 'DAMAGED', 42, 'carrier', true, false, false, '破损', 'Damaged'),
    ('code', '17track', 'Exception_Damaged', 'EXCEPTION', 'DAMAGED', 42, 'carrier', true, false, false, '破损', 'Damaged'),
    ('code', '17track', 'Exception_Rejected', 'EXCEPTION', 'REFUSED', 42, 'consignee', true, true, false, '拒收', 'Refused by the recipient'),
    ('code', '17track', 'Exception_Delayed', 'EXCEPTION', 'DELAYED', 42, 'carrier', true, false, false, '配送延迟', 'Delivery delayed'),
    ('code', '17track', 'Exception_Lost', 'EXCEPTION', 'LOST', 42, 'carrier', true, false, false, '丢失', 'Lost'),
    ('code', '17track', 'Exception_Destroyed', 'EXCEPTION', 'DESTROYED', 42, 'unknown', true, false, false, '销毁', 'Destroyed'),
    ('code', '17track', 'Exception_Cancel', 'CANCELLED', 'WAYBILL_VOIDED', 80, '', false, false, false, '已销单', 'Waybill voided'),
    ('code', '17track', 'PickedUp', 'PICKED_UP', 'PICKED_UP', 20, '', false, false, false, '已揽收', 'Picked up'),
    ('code', '17track', 'Departure', 'IN_TRANSIT', 'LEFT_ORIGIN_COUNTRY', 30, '', false, false, false, '离开发件国', 'Left the country of origin'),
    ('code', '17track', 'Arrival', 'IN_TRANSIT', 'ARRIVED_DEST_COUNTRY', 30, '', false, false, false, '到达目的国', 'Arrived in the destination country'),
    ('code', '17track', 'AvailableForPickup', 'AVAILABLE_FOR_PICKUP', 'LOCKER_OR_STATION', 45, '', false, false, false, '投柜或驿站', 'In a locker or station'),
    ('code', '17track', 'OutForDelivery', 'OUT_FOR_DELIVERY', 'OUT_FOR_DELIVERY', 40, '', false, false, false, '派件中', 'Out for delivery'),
    ('code', '17track', 'Delivered', 'DELIVERED', 'UNSPECIFIED', 50, '', false, false, false, '签收', 'Delivered'),
    ('code', '17track', 'Returning', 'RETURNING', 'RETURNING', 60, '', false, false, false, '退回', 'On its way back'),
    ('code', '17track', 'Returned', 'RETURNED', 'RETURN_SIGNED', 70, '', false, false, false, '退签', 'Returned to the sender'),
    ('reason', '', '', 'EXCEPTION', 'UNSPECIFIED', 42, 'unknown', true, false, false, '疑难', 'Problem'),
    ('reason', '', '', 'EXCEPTION', 'DELIVERY_OVERDUE', 42, 'carrier', true, false, true, '超时未签收', 'Not signed for in time'),
    ('reason', '', '', 'EXCEPTION', 'NO_UPDATE', 42, 'carrier', true, false, true, '超时未更新', 'No update in time'),
    ('reason', '', '', 'EXCEPTION', 'REFUSED', 42, 'consignee', true, true, false, '拒收', 'Refused by the recipient'),
    ('reason', '', '', 'EXCEPTION', 'DELIVERY_FAILED', 42, 'carrier', true, true, false, '派件异常', 'Delivery failed'),
    ('reason', '', '', 'EXCEPTION', 'PICKUP_OVERDUE', 42, 'consignee', true, false, true, '柜或驿站超时未取', 'Not collected from locker or station in time'),
    ('reason', '', '', 'EXCEPTION', 'RECIPIENT_UNREACHABLE', 42, 'consignee', true, true, false, '无法联系', 'Recipient unreachable'),
    ('reason', '', '', 'EXCEPTION', 'OUT_OF_SERVICE_AREA', 42, 'shipper', true, false, false, '超区', 'Outside the service area'),
    ('reason', '', '', 'EXCEPTION', 'HELD_AT_DEPOT', 42, 'carrier', true, false, false, '滞留', 'Held at the depot'),
    ('reason', '', '', 'EXCEPTION', 'DAMAGED', 42, 'carrier', true, false, false, '破损', 'Damaged'),
    ('reason', '', '', 'EXCEPTION', 'LOST', 42, 'carrier', true, false, false, '丢失', 'Lost'),
    ('reason', '', '', 'EXCEPTION', 'DESTROYED', 42, 'unknown', true, false, false, '销毁', 'Destroyed'),
    ('reason', '', '', 'EXCEPTION', 'CANCEL_REQUESTED', 42, 'shipper', true, false, false, '销单', 'Cancellation requested'),
    ('reason', '', '', 'EXCEPTION', 'CUSTOMS_EXCEPTION', 42, 'customs', true, false, false, '清关异常', 'Customs exception'),
    ('reason', '', '', 'EXCEPTION', 'SECURITY_OR_FEES', 42, 'unknown', true, false, false, '安检或费用问题', 'Security or fees'),
    ('reason', '', '', 'EXCEPTION', 'NO_CARRIER_INFO', 42, 'shipper', true, false, false, '发货无信息', 'Shipped, no information'),
    ('reason', '', '', 'EXCEPTION', 'INTERCEPTED', 42, 'shipper', true, false, false, '已拦截', 'Intercepted'),
    ('reason', '', '', 'EXCEPTION', 'DELAYED', 42, 'carrier', true, false, false, '配送延迟', 'Delivery delayed'),
    ('reason', '', '', 'EXCEPTION', 'BAD_ADDRESS', 42, 'shipper', true, true, false, '地址不详', 'Incomplete address'),
    ('reason', '', '', 'EXCEPTION', 'BAD_PHONE', 42, 'consignee', true, true, false, '电话错误', 'Wrong phone number'),
    ('reason', '', '', 'EXCEPTION', 'MISSORTED', 42, 'carrier', true, false, false, '错分件', 'Missorted'),
    ('party', '', '', '', '', 0, 'carrier', false, false, false, '快递公司', 'Carrier'),
    ('party', '', '', '', '', 0, 'consignee', false, false, false, '收件人', 'Consignee'),
    ('party', '', '', '', '', 0, 'shipper', false, false, false, '寄件人', 'Shipper'),
    ('party', '', '', '', '', 0, 'customs', false, false, false, '海关', 'Customs'),
    ('party', '', '', '', '', 0, 'unknown', false, false, false, '未知', 'Unknown')) AS named
COMMENT 'Names of statuses, sub-statuses, vendors'' codes, reasons and parties [5a8686756754d4df]';

-- subscription_attention.sql
CREATE OR REPLACE VIEW courier.subscription_attention
(
    `attention`       LowCardinality(String)           COMMENT 'NO_FIRST_PUSH: followed for 24 h or more, and no push came. FOREIGN: somebody else has subscribed the number. QUOTA: no further subscription this month. ACCOUNT_STOPPED: the account cannot make calls. REJECTED: refused in the last 30 days',
    `vendor`          LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`         LowCardinality(String)           COMMENT 'Vendor contract',
    `carrier`         LowCardinality(String)           COMMENT 'Canonical carrier code; unknown until the vendor has detected it',
    `tracking_number` String                           COMMENT 'The carrier''s parcel number',
    `state`           LowCardinality(String)           COMMENT 'Where the subscription stands, as in subscription',
    `reason`          LowCardinality(Nullable(String)) COMMENT 'Why, as in subscription',
    `code`            LowCardinality(Nullable(String)) COMMENT 'The vendor''s last code',
    `round`           UInt16                           COMMENT '1 for the first subscription, one more for each that followed after the vendor gave up',
    `reference`       Nullable(String)                 COMMENT 'The requester''s own id of the order',
    `requester`       LowCardinality(String)           COMMENT 'Who asked',
    `since`           DateTime64(6, 'UTC')             COMMENT 'Since when it is in this state; UTC',
    `age_hours`       Float64                          COMMENT 'Hours since then, at the time of the query'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    multiIf(
        state = 'REJECTED', if(subscription.since >= now('UTC') - INTERVAL 30 DAY, 'REJECTED', ''),
        state IN ('ENDED', 'EXPIRED', 'CANCELLED'), '',
        ifNull(reason = 'FOREIGN', false), 'FOREIGN',
        ifNull(reason = 'ACCOUNT_STOPPED', false), 'ACCOUNT_STOPPED',
        state = 'QUOTA', 'QUOTA',
        state = 'ACTIVE' AND isNull(first_push_at) AND subscription.since <= now('UTC') - INTERVAL 24 HOUR, 'NO_FIRST_PUSH',
        '') AS attention,
    vendor,
    account,
    carrier,
    tracking_number,
    state,
    reason,
    code,
    round,
    reference,
    requester,
    subscription.since AS since,
    dateDiff('second', subscription.since, now64(6, 'UTC')) / 3600 AS age_hours
FROM courier.subscription FINAL
WHERE attention != ''
ORDER BY attention, since
COMMENT 'Which subscriptions need somebody? One row per subscription of table subscription that is stuck, refused, or followed in name only [630d5a9097459ab6]';

-- subscription_coverage.sql
CREATE OR REPLACE VIEW courier.subscription_coverage
(
    `day`                    Date                   COMMENT 'Day in China: of the request for what is counted in subscriptions, of the first push for what is counted in shipments',
    `vendor`                 LowCardinality(String) COMMENT 'Code of the vendor; empty when the request led to none',
    `account`                LowCardinality(String) COMMENT 'Vendor contract; of a shipment that of its last accepted push',
    `requested`              UInt64                 COMMENT 'Subscriptions asked for that day; one that was asked for again counts on its last day only',
    `accepted`               UInt64                 COMMENT 'Of those, accepted by the vendor',
    `due`                    UInt64                 COMMENT 'Of the accepted, accepted at least 24 h ago: denominator of what follows',
    `first_push_24h_share`   Nullable(Float64)      COMMENT 'Share of due with a push within 24 h of being accepted; NULL when nothing can be judged yet',
    `first_push_24h_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `first_push_24h_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `first_push_p50_hours`   Nullable(Float64)      COMMENT 'Accepted to first push: half of due needed at most so many hours; those without a push count as infinitely long. NULL = not reached',
    `first_push_p95_hours`   Nullable(Float64)      COMMENT '95 % of due, likewise',
    `aborted`                UInt64                 COMMENT 'Of requested, given up by the vendor at least once, for want of a record or of change',
    `without_shipment`       UInt64                 COMMENT 'Of due, without any shipment: no push of them could be derived. Shipments first heard of more than 60 days before the period are not looked for',
    `shipments`              UInt64                 COMMENT 'Shipments first heard of that day, without the CARRIER_CORRECTED ones',
    `shipments_unsubscribed` UInt64                 COMMENT 'Of those, without a subscription of ours at that vendor: somebody else asked for their pushes, or the request was made before there were subscriptions here'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    toDate(now(), 'Asia/Shanghai') - 30 AS first_covered_day,
    asked AS
    (
        SELECT
            toDate(subscription.requested_at, 'Asia/Shanghai') AS day,
            subscription.vendor AS vendor,
            subscription.account AS account,
            subscription.tracking_number AS tracking_number,
            subscription.round > 1 OR ifNull(subscription.reason IN ('NO_RECORD', 'STALE'), false) AS is_aborted,
            call.accepted_at >= subscription.requested_at - INTERVAL 1 MINUTE AS is_accepted,
            is_accepted AND call.accepted_at <= now64(6, 'UTC') - INTERVAL 24 HOUR AS is_due,
            if(isNull(subscription.first_push_at), inf,
                greatest(dateDiff('second', call.accepted_at, assumeNotNull(subscription.first_push_at)), 0) / 3600) AS hours
        FROM (SELECT * FROM courier.subscription FINAL) AS subscription
        LEFT JOIN
        (
            SELECT vendor, account, tracking_number, max(started_at) AS accepted_at
            FROM (SELECT *, class = 'DONE' OR class = 'DUPLICATE' AND (reason = 'IN_DOUBT' OR call_id IN
    (SELECT unanswered.call_id FROM courier.vendor_call AS unanswered WHERE unanswered.class = 'UNKNOWN'))
    OR class = 'UNKNOWN' AND kind = 'SUBSCRIBE' AND (call_id, started_at) IN
    (
        SELECT argMax(tried.call_id, tried.started_at), max(tried.started_at)
        FROM courier.vendor_call AS tried
        WHERE tried.kind = 'SUBSCRIBE' AND (tried.vendor, tried.account, tried.tracking_number, tried.month, tried.vendor_carrier) IN
        (
            SELECT subscribed.vendor, subscribed.account, subscribed.tracking_number, calls.month, arrayJoin(['', toString(calls.vendor_carrier)])
            FROM courier.subscription AS subscribed FINAL
            ARRAY JOIN calls
            WHERE calls.accepted > 0
        )
        GROUP BY tried.vendor, tried.account, tried.tracking_number, tried.month
        HAVING countIf(tried.class IN ('DONE', 'DUPLICATE')) = 0
    ) AS is_accepted FROM courier.vendor_call FINAL)
            WHERE kind = 'SUBSCRIBE' AND is_accepted
            GROUP BY vendor, account, tracking_number
        ) AS call
            ON call.vendor = subscription.vendor AND call.account = subscription.account AND call.tracking_number = subscription.tracking_number
        WHERE subscription.requested_at >= toDateTime(first_covered_day, 'Asia/Shanghai')
    ),
    counted AS
    (
        SELECT
            day,
            vendor,
            account,
            count() AS a_requested,
            countIf(is_accepted) AS an_accepted,
            countIf(is_due) AS a_due,
            countIf(is_due AND hours <= 24) AS a_pushed,
            quantileExactIf(0.5)(hours, is_due) AS p50,
            quantileExactIf(0.95)(hours, is_due) AS p95,
            countIf(is_aborted) AS an_aborted,
            countIf(is_due AND (vendor, tracking_number) NOT IN
            (
                SELECT heard.vendor, heard.tracking_number
                FROM courier.shipment AS heard
                WHERE heard.first_received_at >= toDateTime(first_covered_day - 60, 'Asia/Shanghai')
                    AND heard.tracking_number IN (SELECT tracking_number FROM courier.subscription WHERE requested_at >= toDateTime(first_covered_day, 'Asia/Shanghai'))
            )) AS a_silent,
            toUInt64(0) AS a_shipment,
            toUInt64(0) AS an_unsubscribed
        FROM asked
        GROUP BY day, vendor, account
        UNION ALL
        SELECT
            toDate(shipment.first_received_at, 'Asia/Shanghai') AS day,
            shipment.vendor AS vendor,
            shipment.account AS account,
            toUInt64(0) AS a_requested,
            toUInt64(0) AS an_accepted,
            toUInt64(0) AS a_due,
            toUInt64(0) AS a_pushed,
            inf AS p50,
            inf AS p95,
            toUInt64(0) AS an_aborted,
            toUInt64(0) AS a_silent,
            count() AS a_shipment,
            countIf((shipment.vendor, shipment.tracking_number) NOT IN (SELECT subscribed.vendor, subscribed.tracking_number FROM courier.subscription AS subscribed)) AS an_unsubscribed
        FROM courier.shipment FINAL
        WHERE shipment.first_received_at >= toDateTime(first_covered_day, 'Asia/Shanghai') AND tracking_state != 'CARRIER_CORRECTED'
        GROUP BY day, vendor, account
    )
SELECT
    day,
    vendor,
    account,
    sum(a_requested) AS requested,
    sum(an_accepted) AS accepted,
    sum(a_due) AS due,
    share(sum(a_pushed), due) AS first_push_24h_share,
    wilson(sum(a_pushed), due, -1) AS first_push_24h_low,
    wilson(sum(a_pushed), due, 1) AS first_push_24h_high,
    if(isFinite(min(p50)) AND due > 0, min(p50), NULL) AS first_push_p50_hours,
    if(isFinite(min(p95)) AND due > 0, min(p95), NULL) AS first_push_p95_hours,
    sum(an_aborted) AS aborted,
    sum(a_silent) AS without_shipment,
    sum(a_shipment) AS shipments,
    sum(an_unsubscribed) AS shipments_unsubscribed
FROM counted
GROUP BY day, vendor, account
ORDER BY day, vendor, account
SETTINGS join_use_nulls = 0, do_not_merge_across_partitions_select_final = 0
COMMENT 'Are all parcels followed, and do the pushes come? Tables subscription, vendor_call and shipment by day, vendor and contract, of the last 30 days [ff2bff7d8667da21]';

-- subscription_quota.sql
CREATE OR REPLACE VIEW courier.subscription_quota
(
    `month`      UInt32                 COMMENT 'Calendar month in China, 202612 for December 2026, in which the calls began',
    `vendor`     LowCardinality(String) COMMENT 'Code of the vendor',
    `account`    LowCardinality(String) COMMENT 'Vendor contract',
    `numbers`    UInt64                 COMMENT 'Numbers, each under one of the vendor''s carriers, of which the vendor accepted at least one subscription',
    `accepted_1` UInt64                 COMMENT 'Of those, with one accepted subscription',
    `accepted_2` UInt64                 COMMENT 'Of those, with two',
    `accepted_3` UInt64                 COMMENT 'Of those, with three',
    `accepted_4` UInt64                 COMMENT 'Of those, with four or more: where a vendor takes no more than four a month, their quota is used up',
    `accepted`   UInt64                 COMMENT 'Accepted subscriptions of all of them'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    calls.month AS month,
    vendor,
    account,
    countIf(calls.accepted > 0) AS numbers,
    countIf(calls.accepted = 1) AS accepted_1,
    countIf(calls.accepted = 2) AS accepted_2,
    countIf(calls.accepted = 3) AS accepted_3,
    countIf(calls.accepted >= 4) AS accepted_4,
    sum(calls.accepted) AS accepted
FROM courier.subscription FINAL
ARRAY JOIN calls
GROUP BY month, vendor, account
ORDER BY month, vendor, account
COMMENT 'How much of the monthly quota is used? Numbers by accepted subscriptions, as the processor counts them (calls of table subscription). A subscription keeps the month of its last call and the month before, so earlier months fade [d5445c1940454b33]';

-- subscription_states.sql
CREATE OR REPLACE VIEW courier.subscription_states
(
    `vendor`        LowCardinality(String)           COMMENT 'Code of the vendor; empty when the request led to none',
    `account`       LowCardinality(String)           COMMENT 'Vendor contract; empty when the request led to none',
    `carrier`       LowCardinality(String)           COMMENT 'Canonical carrier code; unknown until the vendor has detected it',
    `state`         LowCardinality(String)           COMMENT 'Where the subscriptions stand, as in subscription',
    `reason`        LowCardinality(Nullable(String)) COMMENT 'Why, as in subscription; NULL when it goes without saying',
    `subscriptions` UInt64                           COMMENT 'How many, ended ones included',
    `oldest_since`  DateTime64(6, 'UTC')             COMMENT 'Since when the one is in this state that is so for longest; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    vendor,
    account,
    carrier,
    state,
    reason,
    count() AS subscriptions,
    min(since) AS oldest_since
FROM courier.subscription FINAL
GROUP BY vendor, account, carrier, state, reason
ORDER BY vendor, account, carrier, state, reason
COMMENT 'Where do the subscriptions stand? Counts of table subscription by contract, carrier, state and reason [6229e5a5626c2eb8]';

-- unmapped_carrier.sql
CREATE OR REPLACE VIEW courier.unmapped_carrier
(
    `vendor`           LowCardinality(String)  COMMENT 'Code of the vendor',
    `code`             String                  COMMENT 'The vendor''s code, lower case',
    `carrier`          LowCardinality(String)  COMMENT 'The code under which the parcels are counted: the vendor''s, behind its name and a dot where another company has that canonical code',
    `parcels`          UInt64                  COMMENT 'Tracking numbers',
    `last_received_at` DateTime64(6, 'UTC')    COMMENT 'Newest push of them that was accepted; UTC',
    `last_parcel`      String                  COMMENT 'The number of that parcel, to look the carrier up'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    vendor,
    if(startsWith(carrier, concat(vendor, '.')), substring(carrier, length(vendor) + 2), toString(carrier)) AS code,
    carrier,
    uniqExact(tracking_number) AS parcels,
    max(received_at) AS last_received_at,
    argMax(tracking_number, received_at) AS last_parcel
FROM courier.shipment
WHERE carrier != 'unknown'
    AND carrier NOT IN (SELECT mapped.carrier FROM courier.carrier_mapping AS mapped)
    AND (vendor, code) NOT IN (SELECT mapped.vendor, mapped.code FROM courier.carrier_mapping AS mapped)
GROUP BY vendor, carrier
COMMENT 'Carrier codes of the vendors that are not in the mapping, with their parcels. Codes that the vendors leave out are not here [aba6cbbc07fae1be]';

-- vendor_call_daily.sql
CREATE OR REPLACE VIEW courier.vendor_call_daily
(
    `call_date` Date                             COMMENT 'Day on which the calls began, China time',
    `vendor`    LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`   LowCardinality(String)           COMMENT 'Vendor contract',
    `api`       LowCardinality(String)           COMMENT 'Name of the vendor''s API',
    `kind`      LowCardinality(String)           COMMENT 'SUBSCRIBE or QUERY',
    `class`     LowCardinality(String)           COMMENT 'What the answers mean, as in vendor_call',
    `code`      LowCardinality(Nullable(String)) COMMENT 'The vendor''s code; NULL when none could be read',
    `calls`     UInt64                           COMMENT 'How many; a repetition of a call whose answer was lost counts',
    `p50_ms`    UInt32                           COMMENT 'Half of them were answered within so many milliseconds, or given up',
    `p95_ms`    UInt32                           COMMENT '95 % of them, likewise'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    toDate(started_at, 'Asia/Shanghai') AS call_date,
    vendor,
    account,
    api,
    kind,
    class,
    code,
    count() AS calls,
    quantileExact(0.5)(duration_ms) AS p50_ms,
    quantileExact(0.95)(duration_ms) AS p95_ms
FROM courier.vendor_call FINAL
GROUP BY call_date, vendor, account, api, kind, class, code
ORDER BY call_date, vendor, account, api, kind, class, code
SETTINGS do_not_merge_across_partitions_select_final = 0
COMMENT 'What do the vendors answer, and how fast? Calls of table vendor_call by day, contract, API, class and code [ba1da03c3ea92fb3]';

-- vendor_fact.sql
CREATE OR REPLACE VIEW courier.vendor_fact
(
    `vendor`     LowCardinality(String) COMMENT 'Code of the vendor',
    `name_zh`    String                 COMMENT 'Its name in Chinese',
    `name_en`    String                 COMMENT 'Its name in English',
    `stale_days` Nullable(UInt16)       COMMENT 'Days without change after which it gives a parcel up (tracking_state ABORTED_STALE); NULL if it does not or does not say',
    `unit`       LowCardinality(String) COMMENT 'What it bills together as one unit of a parcel under one of its carriers: MONTH = all calls of a calendar month, DAYS = all calls of unit_days days from the first one on, China time; empty = it does not say',
    `unit_days`  UInt16                 COMMENT 'Calendar days that a unit of kind DAYS lasts; 0 otherwise'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT *
FROM VALUES('vendor String, name_zh String, name_en String, stale_days Nullable(UInt16), unit String, unit_days UInt16', ('kuaidi100', '快递100', 'Kuaidi100', 60, 'MONTH', 0),
    ('kdniao', '快递鸟', 'Kdniao', 7, 'DAYS', 40),
    ('17track', '17TRACK', '17TRACK', 30, '', 0)) AS fact
COMMENT 'The vendors, and what differs between them [eafbfd0d7570230c]';

-- working_day.sql
CREATE OR REPLACE VIEW courier.working_day
(
    `country`    LowCardinality(String) COMMENT 'Country, ISO 3166 alpha-2: CN, and every one of table calendar',
    `date`       Date                   COMMENT 'Day in that country: every one that a Date can be',
    `is_working` Bool                   COMMENT 'Whether it is worked: as the calendar says, else Monday to Friday',
    `name`       String                 COMMENT 'Name of the holiday, or of the one that it is worked for; empty = an ordinary day'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT ordinary.country AS country, ordinary.date AS date, toBool(toDayOfWeek(ordinary.date) <= 5) AS is_working, '' AS name
FROM
(
    SELECT
        arrayJoin((SELECT arrayDistinct(arrayPushFront(groupUniqArray(toString(country)), 'CN')) FROM courier.calendar)) AS country,
        toDate(number) AS date
    FROM numbers(65536)
) AS ordinary
WHERE (ordinary.country, ordinary.date) NOT IN (SELECT told.country, told.date FROM courier.calendar AS told)
UNION ALL
SELECT country, date, is_working, name
FROM courier.calendar
COMMENT 'Which days are worked? One row per country and day [536706538de6e494]';

-- carrier_by_day.sql
CREATE OR REPLACE VIEW courier.carrier_by_day
(
    `cohort_date`       Date                   COMMENT 'Day of the pickup, China time',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `parcels`           UInt64                 COMMENT 'Size of the cohort: parcels picked up that day, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`         UInt64                 COMMENT 'Parcels picked up that day and CANCELLED since; in no other column',
    `pickup_imputed`              UInt64                 COMMENT 'Parcels without a pickup scan: their clock starts at the first movement',
`delivered`                   UInt64                 COMMENT 'Parcels delivered on the forward leg',
`sent_back`                   UInt64                 COMMENT 'Parcels back with their sender that were never delivered',
`open`                        UInt64                 COMMENT 'Parcels neither delivered nor sent back',
`returned`                    UInt64                 COMMENT 'Parcels on their way back or back, delivered before or not',
`refused`                     UInt64                 COMMENT 'Parcels that the recipient refused at least once',
`lost_presumed`               UInt64                 COMMENT 'Open parcels older than their promise + 3 days (same city) or + 7 days (otherwise), or given up by a vendor that waits at least 30 days for a change (vendor_fact)',
`with_exception`              UInt64                 COMMENT 'Parcels with at least one exception',
`settled`                     UInt64                 COMMENT 'Parcels aged 7 days + 6 h or more. What can still happen to a parcel is counted over these only, and only what happened within 7 days of its pickup: a younger one would look better for want of time, an older one worse',
`maturity`                    Nullable(Float64)      COMMENT 'Share of the parcels that are old enough for the 72 h rate: due_72h / transit_parcels',
`is_mature`                   Bool                   COMMENT 'maturity is at least 0.99; otherwise the figures should be shown in grey',
`transit_parcels`             UInt64                 COMMENT 'Denominator of the transit quantiles: the cohort without invalid transit times (negative, over 180 days); the unfinished and those sent back undelivered count as infinitely long',
`p50_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 50 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p90_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 90 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p95_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 95 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`is_p50_sound`                Bool                   COMMENT 'Enough parcels for p50: transit_parcels >= 10',
`is_p90_sound`                Bool                   COMMENT 'Enough parcels for p90: transit_parcels >= 50',
`is_p95_sound`                Bool                   COMMENT 'Enough parcels for p95: transit_parcels >= 100',
`transit_working_p50_hours`   Nullable(Float64)      COMMENT 'As p50_hours, in working time: hours of weekends and holidays do not count (table calendar)',
`transit_working_p90_hours`   Nullable(Float64)      COMMENT 'As p90_hours, in working time',
`attempt_parcels`             UInt64                 COMMENT 'Denominator of the quantiles until the first attempt, likewise',
`attempt_p50_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 50 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`attempt_p90_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 90 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`due_24h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 24 h + 6 h or more: what the vendors report late has come by then',
`rate_24h`                    Nullable(Float64)      COMMENT 'Share delivered within 24 h of the pickup: within_24h / due_24h; NULL when nothing can be judged yet',
`rate_24h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_24h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_48h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 48 h + 6 h or more',
`rate_48h`                    Nullable(Float64)      COMMENT 'Share delivered within 48 h of the pickup: within_48h / due_48h; NULL when nothing can be judged yet',
`rate_48h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_48h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_72h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 72 h + 6 h or more',
`rate_72h`                    Nullable(Float64)      COMMENT 'Share delivered within 72 h of the pickup: within_72h / due_72h; NULL when nothing can be judged yet',
`rate_72h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_72h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_parcels`                 UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, of any age: those that the on-time rate is over in the end',
`sla_due`                     UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, aged promise + 6 h or more',
`on_time_maturity`            Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the on-time rate: sla_due / sla_parcels',
`is_on_time_mature`           Bool                   COMMENT 'on_time_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`on_time_rate`                Nullable(Float64)      COMMENT 'Share first attempted within the promise: sla_attempted / sla_due; NULL when nothing can be judged yet',
`on_time_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_delivered_due`           UInt64                 COMMENT 'Parcels with a promise, of valid transit time, aged promise + 6 h or more',
`on_time_delivered_rate`      Nullable(Float64)      COMMENT 'Share delivered within the promise: sla_delivered / sla_delivered_due; NULL when nothing can be judged yet',
`on_time_delivered_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_delivered_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_attempted`           UInt64                 COMMENT 'Settled parcels first attempted within 7 days of the pickup; those of invalid attempt time are not among them',
`settled_attempt_hours`       Nullable(Float64)      COMMENT 'Hours from pickup to the first attempt, mean over settled_attempted: the whole that the stages after the pickup are parts of, each over the parcels of which it is known',
`first_attempt_rate`          Nullable(Float64)      COMMENT 'First-attempt delivery rate, strict: settled_first_attempt / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_rate_low`      Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_rate_high`     Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`first_attempt_cn_rate`       Nullable(Float64)      COMMENT 'First-attempt delivery rate, Chinese practice: lockers and stations count when collected before overdue and within the 7 days: settled_first_attempt_cn / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_cn_rate_low`   Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_cn_rate_high`  Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`exception_rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one exception within 7 days of the pickup: settled_with_exception / settled; NULL when nothing can be judged yet',
`exception_rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`exception_rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`return_rate`                 Nullable(Float64)      COMMENT 'Share of parcels that turned back within 7 days of the pickup: settled_returned / settled; NULL when nothing can be judged yet',
`return_rate_low`             Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`return_rate_high`            Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`refusal_rate`                Nullable(Float64)      COMMENT 'Share of parcels that the recipient refused within 7 days of the pickup: settled_refused / settled; NULL when nothing can be judged yet',
`refusal_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`refusal_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`promised`                    UInt64                 COMMENT 'Parcels with a promise, of any age: those that the lost rate is over in the end',
`lost_due`                    UInt64                 COMMENT 'Parcels old enough to be presumed lost: with a promise, aged promise + 3 days (same city) or + 7 days (otherwise) + 6 h or more',
`lost_maturity`               Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the lost rate: lost_due / promised',
`is_lost_mature`              Bool                   COMMENT 'lost_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`lost_rate`                   Nullable(Float64)      COMMENT 'Share of parcels presumed lost: lost_due_presumed / lost_due; NULL when nothing can be judged yet',
`lost_rate_low`               Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`lost_rate_high`              Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_reached`             UInt64                 COMMENT 'Settled parcels delivered or put into a locker or station within 7 days of the pickup: denominator of the locker share',
`locker_share`                Nullable(Float64)      COMMENT 'Share of the parcels that reached the recipient''s place which went into a locker or station: settled_locker / settled_reached; NULL when nothing can be judged yet',
`locker_share_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_share_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`locker_parcels`              UInt64                 COMMENT 'Of settled_reached, the ones put there within 6 days of the pickup, of valid dwell time: denominator of dwell quantiles and of overdue',
`locker_p50_hours`            Nullable(Float64)      COMMENT 'Locker or station to delivery: 50 % of locker_parcels needed at most so many hours; the uncollected count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`locker_overdue_rate`         Nullable(Float64)      COMMENT 'Share of locker parcels that lay there for more than 18 h: locker_overdue / locker_parcels; NULL when nothing can be judged yet',
`locker_overdue_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_overdue_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`pickup_wait_parcels`         UInt64                 COMMENT 'Settled parcels with a known wait from order to pickup',
`pickup_wait_hours`           Nullable(Float64)      COMMENT 'Hours from order to pickup, mean over the settled parcels of which it is known (pickup_wait_parcels)',
`origin_parcels`              UInt64                 COMMENT 'Settled parcels with a known time from pickup to leaving the origin city, left within 7 days of the pickup',
`origin_hours`                Nullable(Float64)      COMMENT 'Hours from pickup to leaving the origin city, mean over the settled parcels that ended it within 7 days of the pickup (origin_parcels)',
`linehaul_parcels`            UInt64                 COMMENT 'Settled parcels with a known time from leaving the origin city to arriving in the destination city, arrived within 7 days of the pickup',
`linehaul_hours`              Nullable(Float64)      COMMENT 'Hours from the origin city to the destination city, mean over the settled parcels that ended it within 7 days of the pickup (linehaul_parcels)',
`destination_parcels`         UInt64                 COMMENT 'Settled parcels with a known time from arriving in the destination city to going out for delivery, out within 7 days of the pickup',
`destination_hours`           Nullable(Float64)      COMMENT 'Hours from arriving in the destination city to going out for delivery, mean over the settled parcels that ended it within 7 days of the pickup (destination_parcels)',
`last_mile_parcels`           UInt64                 COMMENT 'Settled parcels with a known time from going out for delivery to the first attempt, attempted within 7 days of the pickup',
`last_mile_hours`             Nullable(Float64)      COMMENT 'Hours from going out for delivery to the first attempt, mean over the settled parcels that ended it within 7 days of the pickup (last_mile_parcels)',
`eta_parcels`                 UInt64                 COMMENT 'Settled parcels with an estimate of the vendor; over settled this is the coverage',
`eta_coverage`                Nullable(Float64)      COMMENT 'Share of settled parcels with an estimate of the vendor: eta_parcels / settled',
`eta_due`                     UInt64                 COMMENT 'Of eta_parcels, the ones whose first estimate is judged: the China day after it ended within 7 days of the pickup',
`eta_hit_rate`                Nullable(Float64)      COMMENT 'Share first attempted on or before the day of the first estimate: eta_hit / eta_due; NULL when nothing can be judged yet',
`eta_hit_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_hit_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_within_day_rate`         Nullable(Float64)      COMMENT 'Share first attempted within one day of the first estimate: eta_within_day / eta_due; NULL when nothing can be judged yet',
`eta_within_day_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_within_day_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_attempted`               UInt64                 COMMENT 'Of eta_due, with a known error: attempted within 7 days of the pickup',
`eta_bias_hours`              Nullable(Float64)      COMMENT 'Mean of first attempt - first estimate over those of eta_due attempted within 7 days of the pickup (eta_attempted): positive = later than estimated',
`eta_mae_hours`               Nullable(Float64)      COMMENT 'Mean of its absolute value',
`claims`                      Nullable(UInt64)       COMMENT 'Reserved: claims are in no vendor''s data. Always NULL',
`refreshed_at`                DateTime('UTC')        COMMENT 'When the counts were taken, the oldest of them; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    (seconds, parcels) -> if(parcels = 0, NULL, seconds / parcels / 3600) AS mean_hours,
    total AS
    (
        SELECT
            daily.cohort_date AS cohort_date,
            daily.carrier AS carrier,
            sum(daily.parcels) AS parcels,
sum(daily.cancelled) AS cancelled,
sum(daily.pickup_imputed) AS pickup_imputed,
sum(daily.delivered) AS delivered,
sum(daily.sent_back) AS sent_back,
sum(daily.open) AS open,
sum(daily.returned) AS returned,
sum(daily.refused) AS refused,
sum(daily.lost_presumed) AS lost_presumed,
sum(daily.with_exception) AS with_exception,
sum(daily.transit_parcels) AS transit_parcels,
sumMap(daily.transit_bins) AS transit_bins,
sumMap(daily.transit_working_bins) AS transit_working_bins,
sum(daily.attempt_parcels) AS attempt_parcels,
sumMap(daily.attempt_bins) AS attempt_bins,
sum(daily.due_24h) AS due_24h,
sum(daily.within_24h) AS within_24h,
sum(daily.due_48h) AS due_48h,
sum(daily.within_48h) AS within_48h,
sum(daily.due_72h) AS due_72h,
sum(daily.within_72h) AS within_72h,
sum(daily.sla_parcels) AS sla_parcels,
sum(daily.sla_due) AS sla_due,
sum(daily.sla_attempted) AS sla_attempted,
sum(daily.sla_delivered_due) AS sla_delivered_due,
sum(daily.sla_delivered) AS sla_delivered,
sum(daily.settled) AS settled,
sum(daily.settled_attempted) AS settled_attempted,
sum(daily.settled_attempt_seconds_sum) AS settled_attempt_seconds_sum,
sum(daily.settled_first_attempt) AS settled_first_attempt,
sum(daily.settled_first_attempt_cn) AS settled_first_attempt_cn,
sum(daily.settled_with_exception) AS settled_with_exception,
sum(daily.settled_returned) AS settled_returned,
sum(daily.settled_refused) AS settled_refused,
sum(daily.promised) AS promised,
sum(daily.lost_due) AS lost_due,
sum(daily.lost_due_presumed) AS lost_due_presumed,
sum(daily.settled_reached) AS settled_reached,
sum(daily.settled_locker) AS settled_locker,
sum(daily.locker_parcels) AS locker_parcels,
sumMap(daily.locker_bins) AS locker_bins,
sum(daily.locker_overdue) AS locker_overdue,
sum(daily.pickup_wait_parcels) AS pickup_wait_parcels,
sum(daily.pickup_wait_seconds_sum) AS pickup_wait_seconds_sum,
sum(daily.origin_parcels) AS origin_parcels,
sum(daily.origin_seconds_sum) AS origin_seconds_sum,
sum(daily.linehaul_parcels) AS linehaul_parcels,
sum(daily.linehaul_seconds_sum) AS linehaul_seconds_sum,
sum(daily.destination_parcels) AS destination_parcels,
sum(daily.destination_seconds_sum) AS destination_seconds_sum,
sum(daily.last_mile_parcels) AS last_mile_parcels,
sum(daily.last_mile_seconds_sum) AS last_mile_seconds_sum,
sum(daily.eta_parcels) AS eta_parcels,
sum(daily.eta_due) AS eta_due,
sum(daily.eta_hit) AS eta_hit,
sum(daily.eta_within_day) AS eta_within_day,
sum(daily.eta_attempted) AS eta_attempted,
sum(daily.eta_error_seconds_sum) AS eta_error_seconds_sum,
sum(daily.eta_absolute_error_seconds_sum) AS eta_absolute_error_seconds_sum,
sum(daily.claims) AS claims,
min(daily.refreshed_at) AS refreshed_at
        FROM courier.carrier_daily AS daily
        WHERE daily.level = 'carrier'
        GROUP BY cohort_date, carrier
    )
SELECT
    cohort_date,
    carrier,
    parcels,
cancelled,
pickup_imputed,
delivered,
sent_back,
open,
returned,
refused,
lost_presumed,
with_exception,
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
hours_at(transit_working_bins, transit_parcels, 50) AS transit_working_p50_hours,
hours_at(transit_working_bins, transit_parcels, 90) AS transit_working_p90_hours,
attempt_parcels,
hours_at(attempt_bins, attempt_parcels, 50) AS attempt_p50_hours,
hours_at(attempt_bins, attempt_parcels, 90) AS attempt_p90_hours,
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
sla_delivered_due,
share(sla_delivered, sla_delivered_due) AS on_time_delivered_rate,
wilson(sla_delivered, sla_delivered_due, -1) AS on_time_delivered_rate_low,
wilson(sla_delivered, sla_delivered_due, 1) AS on_time_delivered_rate_high,
settled_attempted,
mean_hours(settled_attempt_seconds_sum, settled_attempted) AS settled_attempt_hours,
share(settled_first_attempt, settled_attempted) AS first_attempt_rate,
wilson(settled_first_attempt, settled_attempted, -1) AS first_attempt_rate_low,
wilson(settled_first_attempt, settled_attempted, 1) AS first_attempt_rate_high,
share(settled_first_attempt_cn, settled_attempted) AS first_attempt_cn_rate,
wilson(settled_first_attempt_cn, settled_attempted, -1) AS first_attempt_cn_rate_low,
wilson(settled_first_attempt_cn, settled_attempted, 1) AS first_attempt_cn_rate_high,
share(settled_with_exception, settled) AS exception_rate,
wilson(settled_with_exception, settled, -1) AS exception_rate_low,
wilson(settled_with_exception, settled, 1) AS exception_rate_high,
share(settled_returned, settled) AS return_rate,
wilson(settled_returned, settled, -1) AS return_rate_low,
wilson(settled_returned, settled, 1) AS return_rate_high,
share(settled_refused, settled) AS refusal_rate,
wilson(settled_refused, settled, -1) AS refusal_rate_low,
wilson(settled_refused, settled, 1) AS refusal_rate_high,
promised,
lost_due,
share(lost_due, promised) AS lost_maturity,
toBool(ifNull(lost_maturity >= 0.99, false)) AS is_lost_mature,
share(lost_due_presumed, lost_due) AS lost_rate,
wilson(lost_due_presumed, lost_due, -1) AS lost_rate_low,
wilson(lost_due_presumed, lost_due, 1) AS lost_rate_high,
settled_reached,
share(settled_locker, settled_reached) AS locker_share,
wilson(settled_locker, settled_reached, -1) AS locker_share_low,
wilson(settled_locker, settled_reached, 1) AS locker_share_high,
locker_parcels,
hours_at(locker_bins, locker_parcels, 50) AS locker_p50_hours,
share(locker_overdue, locker_parcels) AS locker_overdue_rate,
wilson(locker_overdue, locker_parcels, -1) AS locker_overdue_rate_low,
wilson(locker_overdue, locker_parcels, 1) AS locker_overdue_rate_high,
pickup_wait_parcels,
mean_hours(pickup_wait_seconds_sum, pickup_wait_parcels) AS pickup_wait_hours,
origin_parcels,
mean_hours(origin_seconds_sum, origin_parcels) AS origin_hours,
linehaul_parcels,
mean_hours(linehaul_seconds_sum, linehaul_parcels) AS linehaul_hours,
destination_parcels,
mean_hours(destination_seconds_sum, destination_parcels) AS destination_hours,
last_mile_parcels,
mean_hours(last_mile_seconds_sum, last_mile_parcels) AS last_mile_hours,
eta_parcels,
share(eta_parcels, settled) AS eta_coverage,
eta_due,
share(eta_hit, eta_due) AS eta_hit_rate,
wilson(eta_hit, eta_due, -1) AS eta_hit_rate_low,
wilson(eta_hit, eta_due, 1) AS eta_hit_rate_high,
share(eta_within_day, eta_due) AS eta_within_day_rate,
wilson(eta_within_day, eta_due, -1) AS eta_within_day_rate_low,
wilson(eta_within_day, eta_due, 1) AS eta_within_day_rate_high,
eta_attempted,
mean_hours(eta_error_seconds_sum, eta_attempted) AS eta_bias_hours,
mean_hours(eta_absolute_error_seconds_sum, eta_attempted) AS eta_mae_hours,
claims,
refreshed_at
FROM total
ORDER BY cohort_date DESC, carrier
COMMENT 'How does each carrier develop? carrier_scorecard by pickup day, of all vendors and lanes. No parameters [b4347e4f61ded502]';

-- carrier_by_month.sql
CREATE OR REPLACE VIEW courier.carrier_by_month
(
    `cohort_month`      Date                   COMMENT 'First day of the month of the pickup, China time. The month that has not ended is here, too',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `parcels`           UInt64                 COMMENT 'Size of the cohort: parcels picked up that month, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`         UInt64                 COMMENT 'Parcels picked up that month and CANCELLED since; in no other column',
    `pickup_imputed`              UInt64                 COMMENT 'Parcels without a pickup scan: their clock starts at the first movement',
`delivered`                   UInt64                 COMMENT 'Parcels delivered on the forward leg',
`sent_back`                   UInt64                 COMMENT 'Parcels back with their sender that were never delivered',
`open`                        UInt64                 COMMENT 'Parcels neither delivered nor sent back',
`returned`                    UInt64                 COMMENT 'Parcels on their way back or back, delivered before or not',
`refused`                     UInt64                 COMMENT 'Parcels that the recipient refused at least once',
`lost_presumed`               UInt64                 COMMENT 'Open parcels older than their promise + 3 days (same city) or + 7 days (otherwise), or given up by a vendor that waits at least 30 days for a change (vendor_fact)',
`with_exception`              UInt64                 COMMENT 'Parcels with at least one exception',
`settled`                     UInt64                 COMMENT 'Parcels aged 7 days + 6 h or more. What can still happen to a parcel is counted over these only, and only what happened within 7 days of its pickup: a younger one would look better for want of time, an older one worse',
`maturity`                    Nullable(Float64)      COMMENT 'Share of the parcels that are old enough for the 72 h rate: due_72h / transit_parcels',
`is_mature`                   Bool                   COMMENT 'maturity is at least 0.99; otherwise the figures should be shown in grey',
`transit_parcels`             UInt64                 COMMENT 'Denominator of the transit quantiles: the cohort without invalid transit times (negative, over 180 days); the unfinished and those sent back undelivered count as infinitely long',
`p50_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 50 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p90_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 90 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p95_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 95 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`is_p50_sound`                Bool                   COMMENT 'Enough parcels for p50: transit_parcels >= 10',
`is_p90_sound`                Bool                   COMMENT 'Enough parcels for p90: transit_parcels >= 50',
`is_p95_sound`                Bool                   COMMENT 'Enough parcels for p95: transit_parcels >= 100',
`transit_working_p50_hours`   Nullable(Float64)      COMMENT 'As p50_hours, in working time: hours of weekends and holidays do not count (table calendar)',
`transit_working_p90_hours`   Nullable(Float64)      COMMENT 'As p90_hours, in working time',
`attempt_parcels`             UInt64                 COMMENT 'Denominator of the quantiles until the first attempt, likewise',
`attempt_p50_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 50 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`attempt_p90_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 90 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`due_24h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 24 h + 6 h or more: what the vendors report late has come by then',
`rate_24h`                    Nullable(Float64)      COMMENT 'Share delivered within 24 h of the pickup: within_24h / due_24h; NULL when nothing can be judged yet',
`rate_24h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_24h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_48h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 48 h + 6 h or more',
`rate_48h`                    Nullable(Float64)      COMMENT 'Share delivered within 48 h of the pickup: within_48h / due_48h; NULL when nothing can be judged yet',
`rate_48h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_48h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_72h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 72 h + 6 h or more',
`rate_72h`                    Nullable(Float64)      COMMENT 'Share delivered within 72 h of the pickup: within_72h / due_72h; NULL when nothing can be judged yet',
`rate_72h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_72h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_parcels`                 UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, of any age: those that the on-time rate is over in the end',
`sla_due`                     UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, aged promise + 6 h or more',
`on_time_maturity`            Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the on-time rate: sla_due / sla_parcels',
`is_on_time_mature`           Bool                   COMMENT 'on_time_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`on_time_rate`                Nullable(Float64)      COMMENT 'Share first attempted within the promise: sla_attempted / sla_due; NULL when nothing can be judged yet',
`on_time_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_delivered_due`           UInt64                 COMMENT 'Parcels with a promise, of valid transit time, aged promise + 6 h or more',
`on_time_delivered_rate`      Nullable(Float64)      COMMENT 'Share delivered within the promise: sla_delivered / sla_delivered_due; NULL when nothing can be judged yet',
`on_time_delivered_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_delivered_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_attempted`           UInt64                 COMMENT 'Settled parcels first attempted within 7 days of the pickup; those of invalid attempt time are not among them',
`settled_attempt_hours`       Nullable(Float64)      COMMENT 'Hours from pickup to the first attempt, mean over settled_attempted: the whole that the stages after the pickup are parts of, each over the parcels of which it is known',
`first_attempt_rate`          Nullable(Float64)      COMMENT 'First-attempt delivery rate, strict: settled_first_attempt / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_rate_low`      Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_rate_high`     Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`first_attempt_cn_rate`       Nullable(Float64)      COMMENT 'First-attempt delivery rate, Chinese practice: lockers and stations count when collected before overdue and within the 7 days: settled_first_attempt_cn / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_cn_rate_low`   Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_cn_rate_high`  Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`exception_rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one exception within 7 days of the pickup: settled_with_exception / settled; NULL when nothing can be judged yet',
`exception_rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`exception_rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`return_rate`                 Nullable(Float64)      COMMENT 'Share of parcels that turned back within 7 days of the pickup: settled_returned / settled; NULL when nothing can be judged yet',
`return_rate_low`             Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`return_rate_high`            Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`refusal_rate`                Nullable(Float64)      COMMENT 'Share of parcels that the recipient refused within 7 days of the pickup: settled_refused / settled; NULL when nothing can be judged yet',
`refusal_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`refusal_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`promised`                    UInt64                 COMMENT 'Parcels with a promise, of any age: those that the lost rate is over in the end',
`lost_due`                    UInt64                 COMMENT 'Parcels old enough to be presumed lost: with a promise, aged promise + 3 days (same city) or + 7 days (otherwise) + 6 h or more',
`lost_maturity`               Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the lost rate: lost_due / promised',
`is_lost_mature`              Bool                   COMMENT 'lost_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`lost_rate`                   Nullable(Float64)      COMMENT 'Share of parcels presumed lost: lost_due_presumed / lost_due; NULL when nothing can be judged yet',
`lost_rate_low`               Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`lost_rate_high`              Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_reached`             UInt64                 COMMENT 'Settled parcels delivered or put into a locker or station within 7 days of the pickup: denominator of the locker share',
`locker_share`                Nullable(Float64)      COMMENT 'Share of the parcels that reached the recipient''s place which went into a locker or station: settled_locker / settled_reached; NULL when nothing can be judged yet',
`locker_share_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_share_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`locker_parcels`              UInt64                 COMMENT 'Of settled_reached, the ones put there within 6 days of the pickup, of valid dwell time: denominator of dwell quantiles and of overdue',
`locker_p50_hours`            Nullable(Float64)      COMMENT 'Locker or station to delivery: 50 % of locker_parcels needed at most so many hours; the uncollected count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`locker_overdue_rate`         Nullable(Float64)      COMMENT 'Share of locker parcels that lay there for more than 18 h: locker_overdue / locker_parcels; NULL when nothing can be judged yet',
`locker_overdue_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_overdue_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`pickup_wait_parcels`         UInt64                 COMMENT 'Settled parcels with a known wait from order to pickup',
`pickup_wait_hours`           Nullable(Float64)      COMMENT 'Hours from order to pickup, mean over the settled parcels of which it is known (pickup_wait_parcels)',
`origin_parcels`              UInt64                 COMMENT 'Settled parcels with a known time from pickup to leaving the origin city, left within 7 days of the pickup',
`origin_hours`                Nullable(Float64)      COMMENT 'Hours from pickup to leaving the origin city, mean over the settled parcels that ended it within 7 days of the pickup (origin_parcels)',
`linehaul_parcels`            UInt64                 COMMENT 'Settled parcels with a known time from leaving the origin city to arriving in the destination city, arrived within 7 days of the pickup',
`linehaul_hours`              Nullable(Float64)      COMMENT 'Hours from the origin city to the destination city, mean over the settled parcels that ended it within 7 days of the pickup (linehaul_parcels)',
`destination_parcels`         UInt64                 COMMENT 'Settled parcels with a known time from arriving in the destination city to going out for delivery, out within 7 days of the pickup',
`destination_hours`           Nullable(Float64)      COMMENT 'Hours from arriving in the destination city to going out for delivery, mean over the settled parcels that ended it within 7 days of the pickup (destination_parcels)',
`last_mile_parcels`           UInt64                 COMMENT 'Settled parcels with a known time from going out for delivery to the first attempt, attempted within 7 days of the pickup',
`last_mile_hours`             Nullable(Float64)      COMMENT 'Hours from going out for delivery to the first attempt, mean over the settled parcels that ended it within 7 days of the pickup (last_mile_parcels)',
`eta_parcels`                 UInt64                 COMMENT 'Settled parcels with an estimate of the vendor; over settled this is the coverage',
`eta_coverage`                Nullable(Float64)      COMMENT 'Share of settled parcels with an estimate of the vendor: eta_parcels / settled',
`eta_due`                     UInt64                 COMMENT 'Of eta_parcels, the ones whose first estimate is judged: the China day after it ended within 7 days of the pickup',
`eta_hit_rate`                Nullable(Float64)      COMMENT 'Share first attempted on or before the day of the first estimate: eta_hit / eta_due; NULL when nothing can be judged yet',
`eta_hit_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_hit_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_within_day_rate`         Nullable(Float64)      COMMENT 'Share first attempted within one day of the first estimate: eta_within_day / eta_due; NULL when nothing can be judged yet',
`eta_within_day_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_within_day_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_attempted`               UInt64                 COMMENT 'Of eta_due, with a known error: attempted within 7 days of the pickup',
`eta_bias_hours`              Nullable(Float64)      COMMENT 'Mean of first attempt - first estimate over those of eta_due attempted within 7 days of the pickup (eta_attempted): positive = later than estimated',
`eta_mae_hours`               Nullable(Float64)      COMMENT 'Mean of its absolute value',
`claims`                      Nullable(UInt64)       COMMENT 'Reserved: claims are in no vendor''s data. Always NULL',
`refreshed_at`                DateTime('UTC')        COMMENT 'When the counts were taken, the oldest of them; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    (seconds, parcels) -> if(parcels = 0, NULL, seconds / parcels / 3600) AS mean_hours,
    total AS
    (
        SELECT
            toStartOfMonth(daily.cohort_date) AS cohort_month,
            daily.carrier AS carrier,
            sum(daily.parcels) AS parcels,
sum(daily.cancelled) AS cancelled,
sum(daily.pickup_imputed) AS pickup_imputed,
sum(daily.delivered) AS delivered,
sum(daily.sent_back) AS sent_back,
sum(daily.open) AS open,
sum(daily.returned) AS returned,
sum(daily.refused) AS refused,
sum(daily.lost_presumed) AS lost_presumed,
sum(daily.with_exception) AS with_exception,
sum(daily.transit_parcels) AS transit_parcels,
sumMap(daily.transit_bins) AS transit_bins,
sumMap(daily.transit_working_bins) AS transit_working_bins,
sum(daily.attempt_parcels) AS attempt_parcels,
sumMap(daily.attempt_bins) AS attempt_bins,
sum(daily.due_24h) AS due_24h,
sum(daily.within_24h) AS within_24h,
sum(daily.due_48h) AS due_48h,
sum(daily.within_48h) AS within_48h,
sum(daily.due_72h) AS due_72h,
sum(daily.within_72h) AS within_72h,
sum(daily.sla_parcels) AS sla_parcels,
sum(daily.sla_due) AS sla_due,
sum(daily.sla_attempted) AS sla_attempted,
sum(daily.sla_delivered_due) AS sla_delivered_due,
sum(daily.sla_delivered) AS sla_delivered,
sum(daily.settled) AS settled,
sum(daily.settled_attempted) AS settled_attempted,
sum(daily.settled_attempt_seconds_sum) AS settled_attempt_seconds_sum,
sum(daily.settled_first_attempt) AS settled_first_attempt,
sum(daily.settled_first_attempt_cn) AS settled_first_attempt_cn,
sum(daily.settled_with_exception) AS settled_with_exception,
sum(daily.settled_returned) AS settled_returned,
sum(daily.settled_refused) AS settled_refused,
sum(daily.promised) AS promised,
sum(daily.lost_due) AS lost_due,
sum(daily.lost_due_presumed) AS lost_due_presumed,
sum(daily.settled_reached) AS settled_reached,
sum(daily.settled_locker) AS settled_locker,
sum(daily.locker_parcels) AS locker_parcels,
sumMap(daily.locker_bins) AS locker_bins,
sum(daily.locker_overdue) AS locker_overdue,
sum(daily.pickup_wait_parcels) AS pickup_wait_parcels,
sum(daily.pickup_wait_seconds_sum) AS pickup_wait_seconds_sum,
sum(daily.origin_parcels) AS origin_parcels,
sum(daily.origin_seconds_sum) AS origin_seconds_sum,
sum(daily.linehaul_parcels) AS linehaul_parcels,
sum(daily.linehaul_seconds_sum) AS linehaul_seconds_sum,
sum(daily.destination_parcels) AS destination_parcels,
sum(daily.destination_seconds_sum) AS destination_seconds_sum,
sum(daily.last_mile_parcels) AS last_mile_parcels,
sum(daily.last_mile_seconds_sum) AS last_mile_seconds_sum,
sum(daily.eta_parcels) AS eta_parcels,
sum(daily.eta_due) AS eta_due,
sum(daily.eta_hit) AS eta_hit,
sum(daily.eta_within_day) AS eta_within_day,
sum(daily.eta_attempted) AS eta_attempted,
sum(daily.eta_error_seconds_sum) AS eta_error_seconds_sum,
sum(daily.eta_absolute_error_seconds_sum) AS eta_absolute_error_seconds_sum,
sum(daily.claims) AS claims,
min(daily.refreshed_at) AS refreshed_at
        FROM courier.carrier_daily AS daily
        WHERE daily.level = 'carrier'
        GROUP BY cohort_month, carrier
    )
SELECT
    cohort_month,
    carrier,
    parcels,
cancelled,
pickup_imputed,
delivered,
sent_back,
open,
returned,
refused,
lost_presumed,
with_exception,
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
hours_at(transit_working_bins, transit_parcels, 50) AS transit_working_p50_hours,
hours_at(transit_working_bins, transit_parcels, 90) AS transit_working_p90_hours,
attempt_parcels,
hours_at(attempt_bins, attempt_parcels, 50) AS attempt_p50_hours,
hours_at(attempt_bins, attempt_parcels, 90) AS attempt_p90_hours,
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
sla_delivered_due,
share(sla_delivered, sla_delivered_due) AS on_time_delivered_rate,
wilson(sla_delivered, sla_delivered_due, -1) AS on_time_delivered_rate_low,
wilson(sla_delivered, sla_delivered_due, 1) AS on_time_delivered_rate_high,
settled_attempted,
mean_hours(settled_attempt_seconds_sum, settled_attempted) AS settled_attempt_hours,
share(settled_first_attempt, settled_attempted) AS first_attempt_rate,
wilson(settled_first_attempt, settled_attempted, -1) AS first_attempt_rate_low,
wilson(settled_first_attempt, settled_attempted, 1) AS first_attempt_rate_high,
share(settled_first_attempt_cn, settled_attempted) AS first_attempt_cn_rate,
wilson(settled_first_attempt_cn, settled_attempted, -1) AS first_attempt_cn_rate_low,
wilson(settled_first_attempt_cn, settled_attempted, 1) AS first_attempt_cn_rate_high,
share(settled_with_exception, settled) AS exception_rate,
wilson(settled_with_exception, settled, -1) AS exception_rate_low,
wilson(settled_with_exception, settled, 1) AS exception_rate_high,
share(settled_returned, settled) AS return_rate,
wilson(settled_returned, settled, -1) AS return_rate_low,
wilson(settled_returned, settled, 1) AS return_rate_high,
share(settled_refused, settled) AS refusal_rate,
wilson(settled_refused, settled, -1) AS refusal_rate_low,
wilson(settled_refused, settled, 1) AS refusal_rate_high,
promised,
lost_due,
share(lost_due, promised) AS lost_maturity,
toBool(ifNull(lost_maturity >= 0.99, false)) AS is_lost_mature,
share(lost_due_presumed, lost_due) AS lost_rate,
wilson(lost_due_presumed, lost_due, -1) AS lost_rate_low,
wilson(lost_due_presumed, lost_due, 1) AS lost_rate_high,
settled_reached,
share(settled_locker, settled_reached) AS locker_share,
wilson(settled_locker, settled_reached, -1) AS locker_share_low,
wilson(settled_locker, settled_reached, 1) AS locker_share_high,
locker_parcels,
hours_at(locker_bins, locker_parcels, 50) AS locker_p50_hours,
share(locker_overdue, locker_parcels) AS locker_overdue_rate,
wilson(locker_overdue, locker_parcels, -1) AS locker_overdue_rate_low,
wilson(locker_overdue, locker_parcels, 1) AS locker_overdue_rate_high,
pickup_wait_parcels,
mean_hours(pickup_wait_seconds_sum, pickup_wait_parcels) AS pickup_wait_hours,
origin_parcels,
mean_hours(origin_seconds_sum, origin_parcels) AS origin_hours,
linehaul_parcels,
mean_hours(linehaul_seconds_sum, linehaul_parcels) AS linehaul_hours,
destination_parcels,
mean_hours(destination_seconds_sum, destination_parcels) AS destination_hours,
last_mile_parcels,
mean_hours(last_mile_seconds_sum, last_mile_parcels) AS last_mile_hours,
eta_parcels,
share(eta_parcels, settled) AS eta_coverage,
eta_due,
share(eta_hit, eta_due) AS eta_hit_rate,
wilson(eta_hit, eta_due, -1) AS eta_hit_rate_low,
wilson(eta_hit, eta_due, 1) AS eta_hit_rate_high,
share(eta_within_day, eta_due) AS eta_within_day_rate,
wilson(eta_within_day, eta_due, -1) AS eta_within_day_rate_low,
wilson(eta_within_day, eta_due, 1) AS eta_within_day_rate_high,
eta_attempted,
mean_hours(eta_error_seconds_sum, eta_attempted) AS eta_bias_hours,
mean_hours(eta_absolute_error_seconds_sum, eta_attempted) AS eta_mae_hours,
claims,
refreshed_at
FROM total
ORDER BY cohort_month DESC, carrier
COMMENT 'How does each carrier develop? carrier_scorecard by pickup month, of all vendors and lanes. No parameters [ed260a2fe32bdd70]';

-- carrier_by_week.sql
CREATE OR REPLACE VIEW courier.carrier_by_week
(
    `cohort_week`       Date                   COMMENT 'Monday of the week of the pickup, China time. The week that has not ended is here, too',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `parcels`           UInt64                 COMMENT 'Size of the cohort: parcels picked up that week, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`         UInt64                 COMMENT 'Parcels picked up that week and CANCELLED since; in no other column',
    `pickup_imputed`              UInt64                 COMMENT 'Parcels without a pickup scan: their clock starts at the first movement',
`delivered`                   UInt64                 COMMENT 'Parcels delivered on the forward leg',
`sent_back`                   UInt64                 COMMENT 'Parcels back with their sender that were never delivered',
`open`                        UInt64                 COMMENT 'Parcels neither delivered nor sent back',
`returned`                    UInt64                 COMMENT 'Parcels on their way back or back, delivered before or not',
`refused`                     UInt64                 COMMENT 'Parcels that the recipient refused at least once',
`lost_presumed`               UInt64                 COMMENT 'Open parcels older than their promise + 3 days (same city) or + 7 days (otherwise), or given up by a vendor that waits at least 30 days for a change (vendor_fact)',
`with_exception`              UInt64                 COMMENT 'Parcels with at least one exception',
`settled`                     UInt64                 COMMENT 'Parcels aged 7 days + 6 h or more. What can still happen to a parcel is counted over these only, and only what happened within 7 days of its pickup: a younger one would look better for want of time, an older one worse',
`maturity`                    Nullable(Float64)      COMMENT 'Share of the parcels that are old enough for the 72 h rate: due_72h / transit_parcels',
`is_mature`                   Bool                   COMMENT 'maturity is at least 0.99; otherwise the figures should be shown in grey',
`transit_parcels`             UInt64                 COMMENT 'Denominator of the transit quantiles: the cohort without invalid transit times (negative, over 180 days); the unfinished and those sent back undelivered count as infinitely long',
`p50_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 50 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p90_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 90 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p95_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 95 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`is_p50_sound`                Bool                   COMMENT 'Enough parcels for p50: transit_parcels >= 10',
`is_p90_sound`                Bool                   COMMENT 'Enough parcels for p90: transit_parcels >= 50',
`is_p95_sound`                Bool                   COMMENT 'Enough parcels for p95: transit_parcels >= 100',
`transit_working_p50_hours`   Nullable(Float64)      COMMENT 'As p50_hours, in working time: hours of weekends and holidays do not count (table calendar)',
`transit_working_p90_hours`   Nullable(Float64)      COMMENT 'As p90_hours, in working time',
`attempt_parcels`             UInt64                 COMMENT 'Denominator of the quantiles until the first attempt, likewise',
`attempt_p50_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 50 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`attempt_p90_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 90 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`due_24h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 24 h + 6 h or more: what the vendors report late has come by then',
`rate_24h`                    Nullable(Float64)      COMMENT 'Share delivered within 24 h of the pickup: within_24h / due_24h; NULL when nothing can be judged yet',
`rate_24h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_24h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_48h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 48 h + 6 h or more',
`rate_48h`                    Nullable(Float64)      COMMENT 'Share delivered within 48 h of the pickup: within_48h / due_48h; NULL when nothing can be judged yet',
`rate_48h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_48h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_72h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 72 h + 6 h or more',
`rate_72h`                    Nullable(Float64)      COMMENT 'Share delivered within 72 h of the pickup: within_72h / due_72h; NULL when nothing can be judged yet',
`rate_72h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_72h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_parcels`                 UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, of any age: those that the on-time rate is over in the end',
`sla_due`                     UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, aged promise + 6 h or more',
`on_time_maturity`            Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the on-time rate: sla_due / sla_parcels',
`is_on_time_mature`           Bool                   COMMENT 'on_time_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`on_time_rate`                Nullable(Float64)      COMMENT 'Share first attempted within the promise: sla_attempted / sla_due; NULL when nothing can be judged yet',
`on_time_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_delivered_due`           UInt64                 COMMENT 'Parcels with a promise, of valid transit time, aged promise + 6 h or more',
`on_time_delivered_rate`      Nullable(Float64)      COMMENT 'Share delivered within the promise: sla_delivered / sla_delivered_due; NULL when nothing can be judged yet',
`on_time_delivered_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_delivered_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_attempted`           UInt64                 COMMENT 'Settled parcels first attempted within 7 days of the pickup; those of invalid attempt time are not among them',
`settled_attempt_hours`       Nullable(Float64)      COMMENT 'Hours from pickup to the first attempt, mean over settled_attempted: the whole that the stages after the pickup are parts of, each over the parcels of which it is known',
`first_attempt_rate`          Nullable(Float64)      COMMENT 'First-attempt delivery rate, strict: settled_first_attempt / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_rate_low`      Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_rate_high`     Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`first_attempt_cn_rate`       Nullable(Float64)      COMMENT 'First-attempt delivery rate, Chinese practice: lockers and stations count when collected before overdue and within the 7 days: settled_first_attempt_cn / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_cn_rate_low`   Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_cn_rate_high`  Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`exception_rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one exception within 7 days of the pickup: settled_with_exception / settled; NULL when nothing can be judged yet',
`exception_rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`exception_rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`return_rate`                 Nullable(Float64)      COMMENT 'Share of parcels that turned back within 7 days of the pickup: settled_returned / settled; NULL when nothing can be judged yet',
`return_rate_low`             Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`return_rate_high`            Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`refusal_rate`                Nullable(Float64)      COMMENT 'Share of parcels that the recipient refused within 7 days of the pickup: settled_refused / settled; NULL when nothing can be judged yet',
`refusal_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`refusal_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`promised`                    UInt64                 COMMENT 'Parcels with a promise, of any age: those that the lost rate is over in the end',
`lost_due`                    UInt64                 COMMENT 'Parcels old enough to be presumed lost: with a promise, aged promise + 3 days (same city) or + 7 days (otherwise) + 6 h or more',
`lost_maturity`               Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the lost rate: lost_due / promised',
`is_lost_mature`              Bool                   COMMENT 'lost_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`lost_rate`                   Nullable(Float64)      COMMENT 'Share of parcels presumed lost: lost_due_presumed / lost_due; NULL when nothing can be judged yet',
`lost_rate_low`               Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`lost_rate_high`              Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_reached`             UInt64                 COMMENT 'Settled parcels delivered or put into a locker or station within 7 days of the pickup: denominator of the locker share',
`locker_share`                Nullable(Float64)      COMMENT 'Share of the parcels that reached the recipient''s place which went into a locker or station: settled_locker / settled_reached; NULL when nothing can be judged yet',
`locker_share_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_share_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`locker_parcels`              UInt64                 COMMENT 'Of settled_reached, the ones put there within 6 days of the pickup, of valid dwell time: denominator of dwell quantiles and of overdue',
`locker_p50_hours`            Nullable(Float64)      COMMENT 'Locker or station to delivery: 50 % of locker_parcels needed at most so many hours; the uncollected count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`locker_overdue_rate`         Nullable(Float64)      COMMENT 'Share of locker parcels that lay there for more than 18 h: locker_overdue / locker_parcels; NULL when nothing can be judged yet',
`locker_overdue_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_overdue_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`pickup_wait_parcels`         UInt64                 COMMENT 'Settled parcels with a known wait from order to pickup',
`pickup_wait_hours`           Nullable(Float64)      COMMENT 'Hours from order to pickup, mean over the settled parcels of which it is known (pickup_wait_parcels)',
`origin_parcels`              UInt64                 COMMENT 'Settled parcels with a known time from pickup to leaving the origin city, left within 7 days of the pickup',
`origin_hours`                Nullable(Float64)      COMMENT 'Hours from pickup to leaving the origin city, mean over the settled parcels that ended it within 7 days of the pickup (origin_parcels)',
`linehaul_parcels`            UInt64                 COMMENT 'Settled parcels with a known time from leaving the origin city to arriving in the destination city, arrived within 7 days of the pickup',
`linehaul_hours`              Nullable(Float64)      COMMENT 'Hours from the origin city to the destination city, mean over the settled parcels that ended it within 7 days of the pickup (linehaul_parcels)',
`destination_parcels`         UInt64                 COMMENT 'Settled parcels with a known time from arriving in the destination city to going out for delivery, out within 7 days of the pickup',
`destination_hours`           Nullable(Float64)      COMMENT 'Hours from arriving in the destination city to going out for delivery, mean over the settled parcels that ended it within 7 days of the pickup (destination_parcels)',
`last_mile_parcels`           UInt64                 COMMENT 'Settled parcels with a known time from going out for delivery to the first attempt, attempted within 7 days of the pickup',
`last_mile_hours`             Nullable(Float64)      COMMENT 'Hours from going out for delivery to the first attempt, mean over the settled parcels that ended it within 7 days of the pickup (last_mile_parcels)',
`eta_parcels`                 UInt64                 COMMENT 'Settled parcels with an estimate of the vendor; over settled this is the coverage',
`eta_coverage`                Nullable(Float64)      COMMENT 'Share of settled parcels with an estimate of the vendor: eta_parcels / settled',
`eta_due`                     UInt64                 COMMENT 'Of eta_parcels, the ones whose first estimate is judged: the China day after it ended within 7 days of the pickup',
`eta_hit_rate`                Nullable(Float64)      COMMENT 'Share first attempted on or before the day of the first estimate: eta_hit / eta_due; NULL when nothing can be judged yet',
`eta_hit_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_hit_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_within_day_rate`         Nullable(Float64)      COMMENT 'Share first attempted within one day of the first estimate: eta_within_day / eta_due; NULL when nothing can be judged yet',
`eta_within_day_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_within_day_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_attempted`               UInt64                 COMMENT 'Of eta_due, with a known error: attempted within 7 days of the pickup',
`eta_bias_hours`              Nullable(Float64)      COMMENT 'Mean of first attempt - first estimate over those of eta_due attempted within 7 days of the pickup (eta_attempted): positive = later than estimated',
`eta_mae_hours`               Nullable(Float64)      COMMENT 'Mean of its absolute value',
`claims`                      Nullable(UInt64)       COMMENT 'Reserved: claims are in no vendor''s data. Always NULL',
`refreshed_at`                DateTime('UTC')        COMMENT 'When the counts were taken, the oldest of them; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    (seconds, parcels) -> if(parcels = 0, NULL, seconds / parcels / 3600) AS mean_hours,
    total AS
    (
        SELECT
            toMonday(daily.cohort_date) AS cohort_week,
            daily.carrier AS carrier,
            sum(daily.parcels) AS parcels,
sum(daily.cancelled) AS cancelled,
sum(daily.pickup_imputed) AS pickup_imputed,
sum(daily.delivered) AS delivered,
sum(daily.sent_back) AS sent_back,
sum(daily.open) AS open,
sum(daily.returned) AS returned,
sum(daily.refused) AS refused,
sum(daily.lost_presumed) AS lost_presumed,
sum(daily.with_exception) AS with_exception,
sum(daily.transit_parcels) AS transit_parcels,
sumMap(daily.transit_bins) AS transit_bins,
sumMap(daily.transit_working_bins) AS transit_working_bins,
sum(daily.attempt_parcels) AS attempt_parcels,
sumMap(daily.attempt_bins) AS attempt_bins,
sum(daily.due_24h) AS due_24h,
sum(daily.within_24h) AS within_24h,
sum(daily.due_48h) AS due_48h,
sum(daily.within_48h) AS within_48h,
sum(daily.due_72h) AS due_72h,
sum(daily.within_72h) AS within_72h,
sum(daily.sla_parcels) AS sla_parcels,
sum(daily.sla_due) AS sla_due,
sum(daily.sla_attempted) AS sla_attempted,
sum(daily.sla_delivered_due) AS sla_delivered_due,
sum(daily.sla_delivered) AS sla_delivered,
sum(daily.settled) AS settled,
sum(daily.settled_attempted) AS settled_attempted,
sum(daily.settled_attempt_seconds_sum) AS settled_attempt_seconds_sum,
sum(daily.settled_first_attempt) AS settled_first_attempt,
sum(daily.settled_first_attempt_cn) AS settled_first_attempt_cn,
sum(daily.settled_with_exception) AS settled_with_exception,
sum(daily.settled_returned) AS settled_returned,
sum(daily.settled_refused) AS settled_refused,
sum(daily.promised) AS promised,
sum(daily.lost_due) AS lost_due,
sum(daily.lost_due_presumed) AS lost_due_presumed,
sum(daily.settled_reached) AS settled_reached,
sum(daily.settled_locker) AS settled_locker,
sum(daily.locker_parcels) AS locker_parcels,
sumMap(daily.locker_bins) AS locker_bins,
sum(daily.locker_overdue) AS locker_overdue,
sum(daily.pickup_wait_parcels) AS pickup_wait_parcels,
sum(daily.pickup_wait_seconds_sum) AS pickup_wait_seconds_sum,
sum(daily.origin_parcels) AS origin_parcels,
sum(daily.origin_seconds_sum) AS origin_seconds_sum,
sum(daily.linehaul_parcels) AS linehaul_parcels,
sum(daily.linehaul_seconds_sum) AS linehaul_seconds_sum,
sum(daily.destination_parcels) AS destination_parcels,
sum(daily.destination_seconds_sum) AS destination_seconds_sum,
sum(daily.last_mile_parcels) AS last_mile_parcels,
sum(daily.last_mile_seconds_sum) AS last_mile_seconds_sum,
sum(daily.eta_parcels) AS eta_parcels,
sum(daily.eta_due) AS eta_due,
sum(daily.eta_hit) AS eta_hit,
sum(daily.eta_within_day) AS eta_within_day,
sum(daily.eta_attempted) AS eta_attempted,
sum(daily.eta_error_seconds_sum) AS eta_error_seconds_sum,
sum(daily.eta_absolute_error_seconds_sum) AS eta_absolute_error_seconds_sum,
sum(daily.claims) AS claims,
min(daily.refreshed_at) AS refreshed_at
        FROM courier.carrier_daily AS daily
        WHERE daily.level = 'carrier'
        GROUP BY cohort_week, carrier
    )
SELECT
    cohort_week,
    carrier,
    parcels,
cancelled,
pickup_imputed,
delivered,
sent_back,
open,
returned,
refused,
lost_presumed,
with_exception,
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
hours_at(transit_working_bins, transit_parcels, 50) AS transit_working_p50_hours,
hours_at(transit_working_bins, transit_parcels, 90) AS transit_working_p90_hours,
attempt_parcels,
hours_at(attempt_bins, attempt_parcels, 50) AS attempt_p50_hours,
hours_at(attempt_bins, attempt_parcels, 90) AS attempt_p90_hours,
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
sla_delivered_due,
share(sla_delivered, sla_delivered_due) AS on_time_delivered_rate,
wilson(sla_delivered, sla_delivered_due, -1) AS on_time_delivered_rate_low,
wilson(sla_delivered, sla_delivered_due, 1) AS on_time_delivered_rate_high,
settled_attempted,
mean_hours(settled_attempt_seconds_sum, settled_attempted) AS settled_attempt_hours,
share(settled_first_attempt, settled_attempted) AS first_attempt_rate,
wilson(settled_first_attempt, settled_attempted, -1) AS first_attempt_rate_low,
wilson(settled_first_attempt, settled_attempted, 1) AS first_attempt_rate_high,
share(settled_first_attempt_cn, settled_attempted) AS first_attempt_cn_rate,
wilson(settled_first_attempt_cn, settled_attempted, -1) AS first_attempt_cn_rate_low,
wilson(settled_first_attempt_cn, settled_attempted, 1) AS first_attempt_cn_rate_high,
share(settled_with_exception, settled) AS exception_rate,
wilson(settled_with_exception, settled, -1) AS exception_rate_low,
wilson(settled_with_exception, settled, 1) AS exception_rate_high,
share(settled_returned, settled) AS return_rate,
wilson(settled_returned, settled, -1) AS return_rate_low,
wilson(settled_returned, settled, 1) AS return_rate_high,
share(settled_refused, settled) AS refusal_rate,
wilson(settled_refused, settled, -1) AS refusal_rate_low,
wilson(settled_refused, settled, 1) AS refusal_rate_high,
promised,
lost_due,
share(lost_due, promised) AS lost_maturity,
toBool(ifNull(lost_maturity >= 0.99, false)) AS is_lost_mature,
share(lost_due_presumed, lost_due) AS lost_rate,
wilson(lost_due_presumed, lost_due, -1) AS lost_rate_low,
wilson(lost_due_presumed, lost_due, 1) AS lost_rate_high,
settled_reached,
share(settled_locker, settled_reached) AS locker_share,
wilson(settled_locker, settled_reached, -1) AS locker_share_low,
wilson(settled_locker, settled_reached, 1) AS locker_share_high,
locker_parcels,
hours_at(locker_bins, locker_parcels, 50) AS locker_p50_hours,
share(locker_overdue, locker_parcels) AS locker_overdue_rate,
wilson(locker_overdue, locker_parcels, -1) AS locker_overdue_rate_low,
wilson(locker_overdue, locker_parcels, 1) AS locker_overdue_rate_high,
pickup_wait_parcels,
mean_hours(pickup_wait_seconds_sum, pickup_wait_parcels) AS pickup_wait_hours,
origin_parcels,
mean_hours(origin_seconds_sum, origin_parcels) AS origin_hours,
linehaul_parcels,
mean_hours(linehaul_seconds_sum, linehaul_parcels) AS linehaul_hours,
destination_parcels,
mean_hours(destination_seconds_sum, destination_parcels) AS destination_hours,
last_mile_parcels,
mean_hours(last_mile_seconds_sum, last_mile_parcels) AS last_mile_hours,
eta_parcels,
share(eta_parcels, settled) AS eta_coverage,
eta_due,
share(eta_hit, eta_due) AS eta_hit_rate,
wilson(eta_hit, eta_due, -1) AS eta_hit_rate_low,
wilson(eta_hit, eta_due, 1) AS eta_hit_rate_high,
share(eta_within_day, eta_due) AS eta_within_day_rate,
wilson(eta_within_day, eta_due, -1) AS eta_within_day_rate_low,
wilson(eta_within_day, eta_due, 1) AS eta_within_day_rate_high,
eta_attempted,
mean_hours(eta_error_seconds_sum, eta_attempted) AS eta_bias_hours,
mean_hours(eta_absolute_error_seconds_sum, eta_attempted) AS eta_mae_hours,
claims,
refreshed_at
FROM total
ORDER BY cohort_week DESC, carrier
COMMENT 'How does each carrier develop? carrier_scorecard by pickup week, of all vendors and lanes. No parameters [c50e7ca9c6b651b5]';

-- carrier_lane_last_30_days.sql
CREATE OR REPLACE VIEW courier.carrier_lane_last_30_days
(
    `from_date`         Date                   COMMENT 'First pickup day that is counted: 29 days before to_date',
    `to_date`           Date                   COMMENT 'Last pickup day that is counted, the newest whose parcels are all old enough for the 72 h rate: 4 days ago, before six in the morning 5, China time',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `origin`            LowCardinality(String) COMMENT 'Province of the origin (CN44) or municipality (CN31); empty = unknown',
    `dest`              LowCardinality(String) COMMENT 'Province or municipality of the destination, likewise',
    `parcels`           UInt64                 COMMENT 'Size of the cohort: parcels picked up in these days, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`         UInt64                 COMMENT 'Parcels picked up in these days and CANCELLED since; in no other column',
    `pickup_imputed`              UInt64                 COMMENT 'Parcels without a pickup scan: their clock starts at the first movement',
`delivered`                   UInt64                 COMMENT 'Parcels delivered on the forward leg',
`sent_back`                   UInt64                 COMMENT 'Parcels back with their sender that were never delivered',
`open`                        UInt64                 COMMENT 'Parcels neither delivered nor sent back',
`returned`                    UInt64                 COMMENT 'Parcels on their way back or back, delivered before or not',
`refused`                     UInt64                 COMMENT 'Parcels that the recipient refused at least once',
`lost_presumed`               UInt64                 COMMENT 'Open parcels older than their promise + 3 days (same city) or + 7 days (otherwise), or given up by a vendor that waits at least 30 days for a change (vendor_fact)',
`with_exception`              UInt64                 COMMENT 'Parcels with at least one exception',
`settled`                     UInt64                 COMMENT 'Parcels aged 7 days + 6 h or more. What can still happen to a parcel is counted over these only, and only what happened within 7 days of its pickup: a younger one would look better for want of time, an older one worse',
`maturity`                    Nullable(Float64)      COMMENT 'Share of the parcels that are old enough for the 72 h rate: due_72h / transit_parcels',
`is_mature`                   Bool                   COMMENT 'maturity is at least 0.99; otherwise the figures should be shown in grey',
`transit_parcels`             UInt64                 COMMENT 'Denominator of the transit quantiles: the cohort without invalid transit times (negative, over 180 days); the unfinished and those sent back undelivered count as infinitely long',
`p50_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 50 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p90_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 90 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p95_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 95 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`is_p50_sound`                Bool                   COMMENT 'Enough parcels for p50: transit_parcels >= 10',
`is_p90_sound`                Bool                   COMMENT 'Enough parcels for p90: transit_parcels >= 50',
`is_p95_sound`                Bool                   COMMENT 'Enough parcels for p95: transit_parcels >= 100',
`transit_working_p50_hours`   Nullable(Float64)      COMMENT 'As p50_hours, in working time: hours of weekends and holidays do not count (table calendar)',
`transit_working_p90_hours`   Nullable(Float64)      COMMENT 'As p90_hours, in working time',
`attempt_parcels`             UInt64                 COMMENT 'Denominator of the quantiles until the first attempt, likewise',
`attempt_p50_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 50 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`attempt_p90_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 90 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`due_24h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 24 h + 6 h or more: what the vendors report late has come by then',
`rate_24h`                    Nullable(Float64)      COMMENT 'Share delivered within 24 h of the pickup: within_24h / due_24h; NULL when nothing can be judged yet',
`rate_24h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_24h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_48h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 48 h + 6 h or more',
`rate_48h`                    Nullable(Float64)      COMMENT 'Share delivered within 48 h of the pickup: within_48h / due_48h; NULL when nothing can be judged yet',
`rate_48h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_48h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_72h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 72 h + 6 h or more',
`rate_72h`                    Nullable(Float64)      COMMENT 'Share delivered within 72 h of the pickup: within_72h / due_72h; NULL when nothing can be judged yet',
`rate_72h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_72h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_parcels`                 UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, of any age: those that the on-time rate is over in the end',
`sla_due`                     UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, aged promise + 6 h or more',
`on_time_maturity`            Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the on-time rate: sla_due / sla_parcels',
`is_on_time_mature`           Bool                   COMMENT 'on_time_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`on_time_rate`                Nullable(Float64)      COMMENT 'Share first attempted within the promise: sla_attempted / sla_due; NULL when nothing can be judged yet',
`on_time_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_delivered_due`           UInt64                 COMMENT 'Parcels with a promise, of valid transit time, aged promise + 6 h or more',
`on_time_delivered_rate`      Nullable(Float64)      COMMENT 'Share delivered within the promise: sla_delivered / sla_delivered_due; NULL when nothing can be judged yet',
`on_time_delivered_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_delivered_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_attempted`           UInt64                 COMMENT 'Settled parcels first attempted within 7 days of the pickup; those of invalid attempt time are not among them',
`settled_attempt_hours`       Nullable(Float64)      COMMENT 'Hours from pickup to the first attempt, mean over settled_attempted: the whole that the stages after the pickup are parts of, each over the parcels of which it is known',
`first_attempt_rate`          Nullable(Float64)      COMMENT 'First-attempt delivery rate, strict: settled_first_attempt / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_rate_low`      Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_rate_high`     Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`first_attempt_cn_rate`       Nullable(Float64)      COMMENT 'First-attempt delivery rate, Chinese practice: lockers and stations count when collected before overdue and within the 7 days: settled_first_attempt_cn / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_cn_rate_low`   Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_cn_rate_high`  Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`exception_rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one exception within 7 days of the pickup: settled_with_exception / settled; NULL when nothing can be judged yet',
`exception_rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`exception_rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`return_rate`                 Nullable(Float64)      COMMENT 'Share of parcels that turned back within 7 days of the pickup: settled_returned / settled; NULL when nothing can be judged yet',
`return_rate_low`             Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`return_rate_high`            Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`refusal_rate`                Nullable(Float64)      COMMENT 'Share of parcels that the recipient refused within 7 days of the pickup: settled_refused / settled; NULL when nothing can be judged yet',
`refusal_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`refusal_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`promised`                    UInt64                 COMMENT 'Parcels with a promise, of any age: those that the lost rate is over in the end',
`lost_due`                    UInt64                 COMMENT 'Parcels old enough to be presumed lost: with a promise, aged promise + 3 days (same city) or + 7 days (otherwise) + 6 h or more',
`lost_maturity`               Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the lost rate: lost_due / promised',
`is_lost_mature`              Bool                   COMMENT 'lost_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`lost_rate`                   Nullable(Float64)      COMMENT 'Share of parcels presumed lost: lost_due_presumed / lost_due; NULL when nothing can be judged yet',
`lost_rate_low`               Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`lost_rate_high`              Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_reached`             UInt64                 COMMENT 'Settled parcels delivered or put into a locker or station within 7 days of the pickup: denominator of the locker share',
`locker_share`                Nullable(Float64)      COMMENT 'Share of the parcels that reached the recipient''s place which went into a locker or station: settled_locker / settled_reached; NULL when nothing can be judged yet',
`locker_share_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_share_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`locker_parcels`              UInt64                 COMMENT 'Of settled_reached, the ones put there within 6 days of the pickup, of valid dwell time: denominator of dwell quantiles and of overdue',
`locker_p50_hours`            Nullable(Float64)      COMMENT 'Locker or station to delivery: 50 % of locker_parcels needed at most so many hours; the uncollected count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`locker_overdue_rate`         Nullable(Float64)      COMMENT 'Share of locker parcels that lay there for more than 18 h: locker_overdue / locker_parcels; NULL when nothing can be judged yet',
`locker_overdue_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_overdue_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`pickup_wait_parcels`         UInt64                 COMMENT 'Settled parcels with a known wait from order to pickup',
`pickup_wait_hours`           Nullable(Float64)      COMMENT 'Hours from order to pickup, mean over the settled parcels of which it is known (pickup_wait_parcels)',
`origin_parcels`              UInt64                 COMMENT 'Settled parcels with a known time from pickup to leaving the origin city, left within 7 days of the pickup',
`origin_hours`                Nullable(Float64)      COMMENT 'Hours from pickup to leaving the origin city, mean over the settled parcels that ended it within 7 days of the pickup (origin_parcels)',
`linehaul_parcels`            UInt64                 COMMENT 'Settled parcels with a known time from leaving the origin city to arriving in the destination city, arrived within 7 days of the pickup',
`linehaul_hours`              Nullable(Float64)      COMMENT 'Hours from the origin city to the destination city, mean over the settled parcels that ended it within 7 days of the pickup (linehaul_parcels)',
`destination_parcels`         UInt64                 COMMENT 'Settled parcels with a known time from arriving in the destination city to going out for delivery, out within 7 days of the pickup',
`destination_hours`           Nullable(Float64)      COMMENT 'Hours from arriving in the destination city to going out for delivery, mean over the settled parcels that ended it within 7 days of the pickup (destination_parcels)',
`last_mile_parcels`           UInt64                 COMMENT 'Settled parcels with a known time from going out for delivery to the first attempt, attempted within 7 days of the pickup',
`last_mile_hours`             Nullable(Float64)      COMMENT 'Hours from going out for delivery to the first attempt, mean over the settled parcels that ended it within 7 days of the pickup (last_mile_parcels)',
`eta_parcels`                 UInt64                 COMMENT 'Settled parcels with an estimate of the vendor; over settled this is the coverage',
`eta_coverage`                Nullable(Float64)      COMMENT 'Share of settled parcels with an estimate of the vendor: eta_parcels / settled',
`eta_due`                     UInt64                 COMMENT 'Of eta_parcels, the ones whose first estimate is judged: the China day after it ended within 7 days of the pickup',
`eta_hit_rate`                Nullable(Float64)      COMMENT 'Share first attempted on or before the day of the first estimate: eta_hit / eta_due; NULL when nothing can be judged yet',
`eta_hit_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_hit_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_within_day_rate`         Nullable(Float64)      COMMENT 'Share first attempted within one day of the first estimate: eta_within_day / eta_due; NULL when nothing can be judged yet',
`eta_within_day_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_within_day_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_attempted`               UInt64                 COMMENT 'Of eta_due, with a known error: attempted within 7 days of the pickup',
`eta_bias_hours`              Nullable(Float64)      COMMENT 'Mean of first attempt - first estimate over those of eta_due attempted within 7 days of the pickup (eta_attempted): positive = later than estimated',
`eta_mae_hours`               Nullable(Float64)      COMMENT 'Mean of its absolute value',
`claims`                      Nullable(UInt64)       COMMENT 'Reserved: claims are in no vendor''s data. Always NULL',
`refreshed_at`                DateTime('UTC')        COMMENT 'When the counts were taken, the oldest of them; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    (seconds, parcels) -> if(parcels = 0, NULL, seconds / parcels / 3600) AS mean_hours,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 30 AS first_mature_day,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 1 AS last_mature_day,
    total AS
    (
        SELECT
            daily.carrier AS carrier,
            daily.origin AS origin,
            daily.dest AS dest,
            sum(daily.parcels) AS parcels,
sum(daily.cancelled) AS cancelled,
sum(daily.pickup_imputed) AS pickup_imputed,
sum(daily.delivered) AS delivered,
sum(daily.sent_back) AS sent_back,
sum(daily.open) AS open,
sum(daily.returned) AS returned,
sum(daily.refused) AS refused,
sum(daily.lost_presumed) AS lost_presumed,
sum(daily.with_exception) AS with_exception,
sum(daily.transit_parcels) AS transit_parcels,
sumMap(daily.transit_bins) AS transit_bins,
sumMap(daily.transit_working_bins) AS transit_working_bins,
sum(daily.attempt_parcels) AS attempt_parcels,
sumMap(daily.attempt_bins) AS attempt_bins,
sum(daily.due_24h) AS due_24h,
sum(daily.within_24h) AS within_24h,
sum(daily.due_48h) AS due_48h,
sum(daily.within_48h) AS within_48h,
sum(daily.due_72h) AS due_72h,
sum(daily.within_72h) AS within_72h,
sum(daily.sla_parcels) AS sla_parcels,
sum(daily.sla_due) AS sla_due,
sum(daily.sla_attempted) AS sla_attempted,
sum(daily.sla_delivered_due) AS sla_delivered_due,
sum(daily.sla_delivered) AS sla_delivered,
sum(daily.settled) AS settled,
sum(daily.settled_attempted) AS settled_attempted,
sum(daily.settled_attempt_seconds_sum) AS settled_attempt_seconds_sum,
sum(daily.settled_first_attempt) AS settled_first_attempt,
sum(daily.settled_first_attempt_cn) AS settled_first_attempt_cn,
sum(daily.settled_with_exception) AS settled_with_exception,
sum(daily.settled_returned) AS settled_returned,
sum(daily.settled_refused) AS settled_refused,
sum(daily.promised) AS promised,
sum(daily.lost_due) AS lost_due,
sum(daily.lost_due_presumed) AS lost_due_presumed,
sum(daily.settled_reached) AS settled_reached,
sum(daily.settled_locker) AS settled_locker,
sum(daily.locker_parcels) AS locker_parcels,
sumMap(daily.locker_bins) AS locker_bins,
sum(daily.locker_overdue) AS locker_overdue,
sum(daily.pickup_wait_parcels) AS pickup_wait_parcels,
sum(daily.pickup_wait_seconds_sum) AS pickup_wait_seconds_sum,
sum(daily.origin_parcels) AS origin_parcels,
sum(daily.origin_seconds_sum) AS origin_seconds_sum,
sum(daily.linehaul_parcels) AS linehaul_parcels,
sum(daily.linehaul_seconds_sum) AS linehaul_seconds_sum,
sum(daily.destination_parcels) AS destination_parcels,
sum(daily.destination_seconds_sum) AS destination_seconds_sum,
sum(daily.last_mile_parcels) AS last_mile_parcels,
sum(daily.last_mile_seconds_sum) AS last_mile_seconds_sum,
sum(daily.eta_parcels) AS eta_parcels,
sum(daily.eta_due) AS eta_due,
sum(daily.eta_hit) AS eta_hit,
sum(daily.eta_within_day) AS eta_within_day,
sum(daily.eta_attempted) AS eta_attempted,
sum(daily.eta_error_seconds_sum) AS eta_error_seconds_sum,
sum(daily.eta_absolute_error_seconds_sum) AS eta_absolute_error_seconds_sum,
sum(daily.claims) AS claims,
min(daily.refreshed_at) AS refreshed_at
        FROM courier.carrier_daily AS daily
        WHERE daily.level = 'province' AND daily.cohort_date BETWEEN first_mature_day AND last_mature_day
        GROUP BY carrier, origin, dest
    )
SELECT
    first_mature_day AS from_date,
    last_mature_day AS to_date,
    carrier,
    origin,
    dest,
    parcels,
cancelled,
pickup_imputed,
delivered,
sent_back,
open,
returned,
refused,
lost_presumed,
with_exception,
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
hours_at(transit_working_bins, transit_parcels, 50) AS transit_working_p50_hours,
hours_at(transit_working_bins, transit_parcels, 90) AS transit_working_p90_hours,
attempt_parcels,
hours_at(attempt_bins, attempt_parcels, 50) AS attempt_p50_hours,
hours_at(attempt_bins, attempt_parcels, 90) AS attempt_p90_hours,
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
sla_delivered_due,
share(sla_delivered, sla_delivered_due) AS on_time_delivered_rate,
wilson(sla_delivered, sla_delivered_due, -1) AS on_time_delivered_rate_low,
wilson(sla_delivered, sla_delivered_due, 1) AS on_time_delivered_rate_high,
settled_attempted,
mean_hours(settled_attempt_seconds_sum, settled_attempted) AS settled_attempt_hours,
share(settled_first_attempt, settled_attempted) AS first_attempt_rate,
wilson(settled_first_attempt, settled_attempted, -1) AS first_attempt_rate_low,
wilson(settled_first_attempt, settled_attempted, 1) AS first_attempt_rate_high,
share(settled_first_attempt_cn, settled_attempted) AS first_attempt_cn_rate,
wilson(settled_first_attempt_cn, settled_attempted, -1) AS first_attempt_cn_rate_low,
wilson(settled_first_attempt_cn, settled_attempted, 1) AS first_attempt_cn_rate_high,
share(settled_with_exception, settled) AS exception_rate,
wilson(settled_with_exception, settled, -1) AS exception_rate_low,
wilson(settled_with_exception, settled, 1) AS exception_rate_high,
share(settled_returned, settled) AS return_rate,
wilson(settled_returned, settled, -1) AS return_rate_low,
wilson(settled_returned, settled, 1) AS return_rate_high,
share(settled_refused, settled) AS refusal_rate,
wilson(settled_refused, settled, -1) AS refusal_rate_low,
wilson(settled_refused, settled, 1) AS refusal_rate_high,
promised,
lost_due,
share(lost_due, promised) AS lost_maturity,
toBool(ifNull(lost_maturity >= 0.99, false)) AS is_lost_mature,
share(lost_due_presumed, lost_due) AS lost_rate,
wilson(lost_due_presumed, lost_due, -1) AS lost_rate_low,
wilson(lost_due_presumed, lost_due, 1) AS lost_rate_high,
settled_reached,
share(settled_locker, settled_reached) AS locker_share,
wilson(settled_locker, settled_reached, -1) AS locker_share_low,
wilson(settled_locker, settled_reached, 1) AS locker_share_high,
locker_parcels,
hours_at(locker_bins, locker_parcels, 50) AS locker_p50_hours,
share(locker_overdue, locker_parcels) AS locker_overdue_rate,
wilson(locker_overdue, locker_parcels, -1) AS locker_overdue_rate_low,
wilson(locker_overdue, locker_parcels, 1) AS locker_overdue_rate_high,
pickup_wait_parcels,
mean_hours(pickup_wait_seconds_sum, pickup_wait_parcels) AS pickup_wait_hours,
origin_parcels,
mean_hours(origin_seconds_sum, origin_parcels) AS origin_hours,
linehaul_parcels,
mean_hours(linehaul_seconds_sum, linehaul_parcels) AS linehaul_hours,
destination_parcels,
mean_hours(destination_seconds_sum, destination_parcels) AS destination_hours,
last_mile_parcels,
mean_hours(last_mile_seconds_sum, last_mile_parcels) AS last_mile_hours,
eta_parcels,
share(eta_parcels, settled) AS eta_coverage,
eta_due,
share(eta_hit, eta_due) AS eta_hit_rate,
wilson(eta_hit, eta_due, -1) AS eta_hit_rate_low,
wilson(eta_hit, eta_due, 1) AS eta_hit_rate_high,
share(eta_within_day, eta_due) AS eta_within_day_rate,
wilson(eta_within_day, eta_due, -1) AS eta_within_day_rate_low,
wilson(eta_within_day, eta_due, 1) AS eta_within_day_rate_high,
eta_attempted,
mean_hours(eta_error_seconds_sum, eta_attempted) AS eta_bias_hours,
mean_hours(eta_absolute_error_seconds_sum, eta_attempted) AS eta_mae_hours,
claims,
refreshed_at
FROM total
ORDER BY carrier, origin, dest
COMMENT 'Which carrier is best on this lane? carrier_scorecard of the newest 30 pickup days that can be compared, by lane between provinces. No parameters [5a43a90a41156a12]';

-- carrier_last_30_days.sql
CREATE OR REPLACE VIEW courier.carrier_last_30_days
(
    `from_date`         Date                   COMMENT 'First pickup day that is counted: 29 days before to_date',
    `to_date`           Date                   COMMENT 'Last pickup day that is counted, the newest whose parcels are all old enough for the 72 h rate: 4 days ago, before six in the morning 5, China time',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `parcels`           UInt64                 COMMENT 'Size of the cohort: parcels picked up in these days, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`         UInt64                 COMMENT 'Parcels picked up in these days and CANCELLED since; in no other column',
    `pickup_imputed`              UInt64                 COMMENT 'Parcels without a pickup scan: their clock starts at the first movement',
`delivered`                   UInt64                 COMMENT 'Parcels delivered on the forward leg',
`sent_back`                   UInt64                 COMMENT 'Parcels back with their sender that were never delivered',
`open`                        UInt64                 COMMENT 'Parcels neither delivered nor sent back',
`returned`                    UInt64                 COMMENT 'Parcels on their way back or back, delivered before or not',
`refused`                     UInt64                 COMMENT 'Parcels that the recipient refused at least once',
`lost_presumed`               UInt64                 COMMENT 'Open parcels older than their promise + 3 days (same city) or + 7 days (otherwise), or given up by a vendor that waits at least 30 days for a change (vendor_fact)',
`with_exception`              UInt64                 COMMENT 'Parcels with at least one exception',
`settled`                     UInt64                 COMMENT 'Parcels aged 7 days + 6 h or more. What can still happen to a parcel is counted over these only, and only what happened within 7 days of its pickup: a younger one would look better for want of time, an older one worse',
`maturity`                    Nullable(Float64)      COMMENT 'Share of the parcels that are old enough for the 72 h rate: due_72h / transit_parcels',
`is_mature`                   Bool                   COMMENT 'maturity is at least 0.99; otherwise the figures should be shown in grey',
`transit_parcels`             UInt64                 COMMENT 'Denominator of the transit quantiles: the cohort without invalid transit times (negative, over 180 days); the unfinished and those sent back undelivered count as infinitely long',
`p50_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 50 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p90_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 90 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p95_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 95 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`is_p50_sound`                Bool                   COMMENT 'Enough parcels for p50: transit_parcels >= 10',
`is_p90_sound`                Bool                   COMMENT 'Enough parcels for p90: transit_parcels >= 50',
`is_p95_sound`                Bool                   COMMENT 'Enough parcels for p95: transit_parcels >= 100',
`transit_working_p50_hours`   Nullable(Float64)      COMMENT 'As p50_hours, in working time: hours of weekends and holidays do not count (table calendar)',
`transit_working_p90_hours`   Nullable(Float64)      COMMENT 'As p90_hours, in working time',
`attempt_parcels`             UInt64                 COMMENT 'Denominator of the quantiles until the first attempt, likewise',
`attempt_p50_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 50 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`attempt_p90_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 90 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`due_24h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 24 h + 6 h or more: what the vendors report late has come by then',
`rate_24h`                    Nullable(Float64)      COMMENT 'Share delivered within 24 h of the pickup: within_24h / due_24h; NULL when nothing can be judged yet',
`rate_24h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_24h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_48h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 48 h + 6 h or more',
`rate_48h`                    Nullable(Float64)      COMMENT 'Share delivered within 48 h of the pickup: within_48h / due_48h; NULL when nothing can be judged yet',
`rate_48h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_48h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_72h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 72 h + 6 h or more',
`rate_72h`                    Nullable(Float64)      COMMENT 'Share delivered within 72 h of the pickup: within_72h / due_72h; NULL when nothing can be judged yet',
`rate_72h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_72h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_parcels`                 UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, of any age: those that the on-time rate is over in the end',
`sla_due`                     UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, aged promise + 6 h or more',
`on_time_maturity`            Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the on-time rate: sla_due / sla_parcels',
`is_on_time_mature`           Bool                   COMMENT 'on_time_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`on_time_rate`                Nullable(Float64)      COMMENT 'Share first attempted within the promise: sla_attempted / sla_due; NULL when nothing can be judged yet',
`on_time_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_delivered_due`           UInt64                 COMMENT 'Parcels with a promise, of valid transit time, aged promise + 6 h or more',
`on_time_delivered_rate`      Nullable(Float64)      COMMENT 'Share delivered within the promise: sla_delivered / sla_delivered_due; NULL when nothing can be judged yet',
`on_time_delivered_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_delivered_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_attempted`           UInt64                 COMMENT 'Settled parcels first attempted within 7 days of the pickup; those of invalid attempt time are not among them',
`settled_attempt_hours`       Nullable(Float64)      COMMENT 'Hours from pickup to the first attempt, mean over settled_attempted: the whole that the stages after the pickup are parts of, each over the parcels of which it is known',
`first_attempt_rate`          Nullable(Float64)      COMMENT 'First-attempt delivery rate, strict: settled_first_attempt / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_rate_low`      Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_rate_high`     Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`first_attempt_cn_rate`       Nullable(Float64)      COMMENT 'First-attempt delivery rate, Chinese practice: lockers and stations count when collected before overdue and within the 7 days: settled_first_attempt_cn / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_cn_rate_low`   Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_cn_rate_high`  Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`exception_rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one exception within 7 days of the pickup: settled_with_exception / settled; NULL when nothing can be judged yet',
`exception_rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`exception_rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`return_rate`                 Nullable(Float64)      COMMENT 'Share of parcels that turned back within 7 days of the pickup: settled_returned / settled; NULL when nothing can be judged yet',
`return_rate_low`             Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`return_rate_high`            Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`refusal_rate`                Nullable(Float64)      COMMENT 'Share of parcels that the recipient refused within 7 days of the pickup: settled_refused / settled; NULL when nothing can be judged yet',
`refusal_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`refusal_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`promised`                    UInt64                 COMMENT 'Parcels with a promise, of any age: those that the lost rate is over in the end',
`lost_due`                    UInt64                 COMMENT 'Parcels old enough to be presumed lost: with a promise, aged promise + 3 days (same city) or + 7 days (otherwise) + 6 h or more',
`lost_maturity`               Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the lost rate: lost_due / promised',
`is_lost_mature`              Bool                   COMMENT 'lost_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`lost_rate`                   Nullable(Float64)      COMMENT 'Share of parcels presumed lost: lost_due_presumed / lost_due; NULL when nothing can be judged yet',
`lost_rate_low`               Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`lost_rate_high`              Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_reached`             UInt64                 COMMENT 'Settled parcels delivered or put into a locker or station within 7 days of the pickup: denominator of the locker share',
`locker_share`                Nullable(Float64)      COMMENT 'Share of the parcels that reached the recipient''s place which went into a locker or station: settled_locker / settled_reached; NULL when nothing can be judged yet',
`locker_share_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_share_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`locker_parcels`              UInt64                 COMMENT 'Of settled_reached, the ones put there within 6 days of the pickup, of valid dwell time: denominator of dwell quantiles and of overdue',
`locker_p50_hours`            Nullable(Float64)      COMMENT 'Locker or station to delivery: 50 % of locker_parcels needed at most so many hours; the uncollected count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`locker_overdue_rate`         Nullable(Float64)      COMMENT 'Share of locker parcels that lay there for more than 18 h: locker_overdue / locker_parcels; NULL when nothing can be judged yet',
`locker_overdue_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_overdue_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`pickup_wait_parcels`         UInt64                 COMMENT 'Settled parcels with a known wait from order to pickup',
`pickup_wait_hours`           Nullable(Float64)      COMMENT 'Hours from order to pickup, mean over the settled parcels of which it is known (pickup_wait_parcels)',
`origin_parcels`              UInt64                 COMMENT 'Settled parcels with a known time from pickup to leaving the origin city, left within 7 days of the pickup',
`origin_hours`                Nullable(Float64)      COMMENT 'Hours from pickup to leaving the origin city, mean over the settled parcels that ended it within 7 days of the pickup (origin_parcels)',
`linehaul_parcels`            UInt64                 COMMENT 'Settled parcels with a known time from leaving the origin city to arriving in the destination city, arrived within 7 days of the pickup',
`linehaul_hours`              Nullable(Float64)      COMMENT 'Hours from the origin city to the destination city, mean over the settled parcels that ended it within 7 days of the pickup (linehaul_parcels)',
`destination_parcels`         UInt64                 COMMENT 'Settled parcels with a known time from arriving in the destination city to going out for delivery, out within 7 days of the pickup',
`destination_hours`           Nullable(Float64)      COMMENT 'Hours from arriving in the destination city to going out for delivery, mean over the settled parcels that ended it within 7 days of the pickup (destination_parcels)',
`last_mile_parcels`           UInt64                 COMMENT 'Settled parcels with a known time from going out for delivery to the first attempt, attempted within 7 days of the pickup',
`last_mile_hours`             Nullable(Float64)      COMMENT 'Hours from going out for delivery to the first attempt, mean over the settled parcels that ended it within 7 days of the pickup (last_mile_parcels)',
`eta_parcels`                 UInt64                 COMMENT 'Settled parcels with an estimate of the vendor; over settled this is the coverage',
`eta_coverage`                Nullable(Float64)      COMMENT 'Share of settled parcels with an estimate of the vendor: eta_parcels / settled',
`eta_due`                     UInt64                 COMMENT 'Of eta_parcels, the ones whose first estimate is judged: the China day after it ended within 7 days of the pickup',
`eta_hit_rate`                Nullable(Float64)      COMMENT 'Share first attempted on or before the day of the first estimate: eta_hit / eta_due; NULL when nothing can be judged yet',
`eta_hit_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_hit_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_within_day_rate`         Nullable(Float64)      COMMENT 'Share first attempted within one day of the first estimate: eta_within_day / eta_due; NULL when nothing can be judged yet',
`eta_within_day_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_within_day_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_attempted`               UInt64                 COMMENT 'Of eta_due, with a known error: attempted within 7 days of the pickup',
`eta_bias_hours`              Nullable(Float64)      COMMENT 'Mean of first attempt - first estimate over those of eta_due attempted within 7 days of the pickup (eta_attempted): positive = later than estimated',
`eta_mae_hours`               Nullable(Float64)      COMMENT 'Mean of its absolute value',
`claims`                      Nullable(UInt64)       COMMENT 'Reserved: claims are in no vendor''s data. Always NULL',
`refreshed_at`                DateTime('UTC')        COMMENT 'When the counts were taken, the oldest of them; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    (seconds, parcels) -> if(parcels = 0, NULL, seconds / parcels / 3600) AS mean_hours,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 30 AS first_mature_day,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 1 AS last_mature_day,
    total AS
    (
        SELECT
            daily.carrier AS carrier,
            sum(daily.parcels) AS parcels,
sum(daily.cancelled) AS cancelled,
sum(daily.pickup_imputed) AS pickup_imputed,
sum(daily.delivered) AS delivered,
sum(daily.sent_back) AS sent_back,
sum(daily.open) AS open,
sum(daily.returned) AS returned,
sum(daily.refused) AS refused,
sum(daily.lost_presumed) AS lost_presumed,
sum(daily.with_exception) AS with_exception,
sum(daily.transit_parcels) AS transit_parcels,
sumMap(daily.transit_bins) AS transit_bins,
sumMap(daily.transit_working_bins) AS transit_working_bins,
sum(daily.attempt_parcels) AS attempt_parcels,
sumMap(daily.attempt_bins) AS attempt_bins,
sum(daily.due_24h) AS due_24h,
sum(daily.within_24h) AS within_24h,
sum(daily.due_48h) AS due_48h,
sum(daily.within_48h) AS within_48h,
sum(daily.due_72h) AS due_72h,
sum(daily.within_72h) AS within_72h,
sum(daily.sla_parcels) AS sla_parcels,
sum(daily.sla_due) AS sla_due,
sum(daily.sla_attempted) AS sla_attempted,
sum(daily.sla_delivered_due) AS sla_delivered_due,
sum(daily.sla_delivered) AS sla_delivered,
sum(daily.settled) AS settled,
sum(daily.settled_attempted) AS settled_attempted,
sum(daily.settled_attempt_seconds_sum) AS settled_attempt_seconds_sum,
sum(daily.settled_first_attempt) AS settled_first_attempt,
sum(daily.settled_first_attempt_cn) AS settled_first_attempt_cn,
sum(daily.settled_with_exception) AS settled_with_exception,
sum(daily.settled_returned) AS settled_returned,
sum(daily.settled_refused) AS settled_refused,
sum(daily.promised) AS promised,
sum(daily.lost_due) AS lost_due,
sum(daily.lost_due_presumed) AS lost_due_presumed,
sum(daily.settled_reached) AS settled_reached,
sum(daily.settled_locker) AS settled_locker,
sum(daily.locker_parcels) AS locker_parcels,
sumMap(daily.locker_bins) AS locker_bins,
sum(daily.locker_overdue) AS locker_overdue,
sum(daily.pickup_wait_parcels) AS pickup_wait_parcels,
sum(daily.pickup_wait_seconds_sum) AS pickup_wait_seconds_sum,
sum(daily.origin_parcels) AS origin_parcels,
sum(daily.origin_seconds_sum) AS origin_seconds_sum,
sum(daily.linehaul_parcels) AS linehaul_parcels,
sum(daily.linehaul_seconds_sum) AS linehaul_seconds_sum,
sum(daily.destination_parcels) AS destination_parcels,
sum(daily.destination_seconds_sum) AS destination_seconds_sum,
sum(daily.last_mile_parcels) AS last_mile_parcels,
sum(daily.last_mile_seconds_sum) AS last_mile_seconds_sum,
sum(daily.eta_parcels) AS eta_parcels,
sum(daily.eta_due) AS eta_due,
sum(daily.eta_hit) AS eta_hit,
sum(daily.eta_within_day) AS eta_within_day,
sum(daily.eta_attempted) AS eta_attempted,
sum(daily.eta_error_seconds_sum) AS eta_error_seconds_sum,
sum(daily.eta_absolute_error_seconds_sum) AS eta_absolute_error_seconds_sum,
sum(daily.claims) AS claims,
min(daily.refreshed_at) AS refreshed_at
        FROM courier.carrier_daily AS daily
        WHERE daily.level = 'carrier' AND daily.cohort_date BETWEEN first_mature_day AND last_mature_day
        GROUP BY carrier
    )
SELECT
    first_mature_day AS from_date,
    last_mature_day AS to_date,
    carrier,
    parcels,
cancelled,
pickup_imputed,
delivered,
sent_back,
open,
returned,
refused,
lost_presumed,
with_exception,
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
hours_at(transit_working_bins, transit_parcels, 50) AS transit_working_p50_hours,
hours_at(transit_working_bins, transit_parcels, 90) AS transit_working_p90_hours,
attempt_parcels,
hours_at(attempt_bins, attempt_parcels, 50) AS attempt_p50_hours,
hours_at(attempt_bins, attempt_parcels, 90) AS attempt_p90_hours,
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
sla_delivered_due,
share(sla_delivered, sla_delivered_due) AS on_time_delivered_rate,
wilson(sla_delivered, sla_delivered_due, -1) AS on_time_delivered_rate_low,
wilson(sla_delivered, sla_delivered_due, 1) AS on_time_delivered_rate_high,
settled_attempted,
mean_hours(settled_attempt_seconds_sum, settled_attempted) AS settled_attempt_hours,
share(settled_first_attempt, settled_attempted) AS first_attempt_rate,
wilson(settled_first_attempt, settled_attempted, -1) AS first_attempt_rate_low,
wilson(settled_first_attempt, settled_attempted, 1) AS first_attempt_rate_high,
share(settled_first_attempt_cn, settled_attempted) AS first_attempt_cn_rate,
wilson(settled_first_attempt_cn, settled_attempted, -1) AS first_attempt_cn_rate_low,
wilson(settled_first_attempt_cn, settled_attempted, 1) AS first_attempt_cn_rate_high,
share(settled_with_exception, settled) AS exception_rate,
wilson(settled_with_exception, settled, -1) AS exception_rate_low,
wilson(settled_with_exception, settled, 1) AS exception_rate_high,
share(settled_returned, settled) AS return_rate,
wilson(settled_returned, settled, -1) AS return_rate_low,
wilson(settled_returned, settled, 1) AS return_rate_high,
share(settled_refused, settled) AS refusal_rate,
wilson(settled_refused, settled, -1) AS refusal_rate_low,
wilson(settled_refused, settled, 1) AS refusal_rate_high,
promised,
lost_due,
share(lost_due, promised) AS lost_maturity,
toBool(ifNull(lost_maturity >= 0.99, false)) AS is_lost_mature,
share(lost_due_presumed, lost_due) AS lost_rate,
wilson(lost_due_presumed, lost_due, -1) AS lost_rate_low,
wilson(lost_due_presumed, lost_due, 1) AS lost_rate_high,
settled_reached,
share(settled_locker, settled_reached) AS locker_share,
wilson(settled_locker, settled_reached, -1) AS locker_share_low,
wilson(settled_locker, settled_reached, 1) AS locker_share_high,
locker_parcels,
hours_at(locker_bins, locker_parcels, 50) AS locker_p50_hours,
share(locker_overdue, locker_parcels) AS locker_overdue_rate,
wilson(locker_overdue, locker_parcels, -1) AS locker_overdue_rate_low,
wilson(locker_overdue, locker_parcels, 1) AS locker_overdue_rate_high,
pickup_wait_parcels,
mean_hours(pickup_wait_seconds_sum, pickup_wait_parcels) AS pickup_wait_hours,
origin_parcels,
mean_hours(origin_seconds_sum, origin_parcels) AS origin_hours,
linehaul_parcels,
mean_hours(linehaul_seconds_sum, linehaul_parcels) AS linehaul_hours,
destination_parcels,
mean_hours(destination_seconds_sum, destination_parcels) AS destination_hours,
last_mile_parcels,
mean_hours(last_mile_seconds_sum, last_mile_parcels) AS last_mile_hours,
eta_parcels,
share(eta_parcels, settled) AS eta_coverage,
eta_due,
share(eta_hit, eta_due) AS eta_hit_rate,
wilson(eta_hit, eta_due, -1) AS eta_hit_rate_low,
wilson(eta_hit, eta_due, 1) AS eta_hit_rate_high,
share(eta_within_day, eta_due) AS eta_within_day_rate,
wilson(eta_within_day, eta_due, -1) AS eta_within_day_rate_low,
wilson(eta_within_day, eta_due, 1) AS eta_within_day_rate_high,
eta_attempted,
mean_hours(eta_error_seconds_sum, eta_attempted) AS eta_bias_hours,
mean_hours(eta_absolute_error_seconds_sum, eta_attempted) AS eta_mae_hours,
claims,
refreshed_at
FROM total
ORDER BY carrier
COMMENT 'Which carrier is fast, reliable and honest? carrier_scorecard of the newest 30 pickup days that can be compared, of all vendors and lanes. No parameters [4ad7d18ec4e2eac8]';

-- carrier_scorecard.sql
CREATE OR REPLACE VIEW courier.carrier_scorecard
(
    `carrier`                     LowCardinality(String) COMMENT 'Canonical carrier code',
    `parcels`                     UInt64                 COMMENT 'Size of the cohort: parcels picked up in the range, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`                   UInt64                 COMMENT 'Parcels picked up in the range and CANCELLED since; in no other column',
    `pickup_imputed`              UInt64                 COMMENT 'Parcels without a pickup scan: their clock starts at the first movement',
`delivered`                   UInt64                 COMMENT 'Parcels delivered on the forward leg',
`sent_back`                   UInt64                 COMMENT 'Parcels back with their sender that were never delivered',
`open`                        UInt64                 COMMENT 'Parcels neither delivered nor sent back',
`returned`                    UInt64                 COMMENT 'Parcels on their way back or back, delivered before or not',
`refused`                     UInt64                 COMMENT 'Parcels that the recipient refused at least once',
`lost_presumed`               UInt64                 COMMENT 'Open parcels older than their promise + 3 days (same city) or + 7 days (otherwise), or given up by a vendor that waits at least 30 days for a change (vendor_fact)',
`with_exception`              UInt64                 COMMENT 'Parcels with at least one exception',
`settled`                     UInt64                 COMMENT 'Parcels aged 7 days + 6 h or more. What can still happen to a parcel is counted over these only, and only what happened within 7 days of its pickup: a younger one would look better for want of time, an older one worse',
`maturity`                    Nullable(Float64)      COMMENT 'Share of the parcels that are old enough for the 72 h rate: due_72h / transit_parcels',
`is_mature`                   Bool                   COMMENT 'maturity is at least 0.99; otherwise the figures should be shown in grey',
`transit_parcels`             UInt64                 COMMENT 'Denominator of the transit quantiles: the cohort without invalid transit times (negative, over 180 days); the unfinished and those sent back undelivered count as infinitely long',
`p50_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 50 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p90_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 90 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p95_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 95 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`is_p50_sound`                Bool                   COMMENT 'Enough parcels for p50: transit_parcels >= 10',
`is_p90_sound`                Bool                   COMMENT 'Enough parcels for p90: transit_parcels >= 50',
`is_p95_sound`                Bool                   COMMENT 'Enough parcels for p95: transit_parcels >= 100',
`transit_working_p50_hours`   Nullable(Float64)      COMMENT 'As p50_hours, in working time: hours of weekends and holidays do not count (table calendar)',
`transit_working_p90_hours`   Nullable(Float64)      COMMENT 'As p90_hours, in working time',
`attempt_parcels`             UInt64                 COMMENT 'Denominator of the quantiles until the first attempt, likewise',
`attempt_p50_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 50 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`attempt_p90_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 90 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`due_24h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 24 h + 6 h or more: what the vendors report late has come by then',
`rate_24h`                    Nullable(Float64)      COMMENT 'Share delivered within 24 h of the pickup: within_24h / due_24h; NULL when nothing can be judged yet',
`rate_24h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_24h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_48h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 48 h + 6 h or more',
`rate_48h`                    Nullable(Float64)      COMMENT 'Share delivered within 48 h of the pickup: within_48h / due_48h; NULL when nothing can be judged yet',
`rate_48h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_48h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_72h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 72 h + 6 h or more',
`rate_72h`                    Nullable(Float64)      COMMENT 'Share delivered within 72 h of the pickup: within_72h / due_72h; NULL when nothing can be judged yet',
`rate_72h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_72h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_parcels`                 UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, of any age: those that the on-time rate is over in the end',
`sla_due`                     UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, aged promise + 6 h or more',
`on_time_maturity`            Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the on-time rate: sla_due / sla_parcels',
`is_on_time_mature`           Bool                   COMMENT 'on_time_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`on_time_rate`                Nullable(Float64)      COMMENT 'Share first attempted within the promise: sla_attempted / sla_due; NULL when nothing can be judged yet',
`on_time_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_delivered_due`           UInt64                 COMMENT 'Parcels with a promise, of valid transit time, aged promise + 6 h or more',
`on_time_delivered_rate`      Nullable(Float64)      COMMENT 'Share delivered within the promise: sla_delivered / sla_delivered_due; NULL when nothing can be judged yet',
`on_time_delivered_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_delivered_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_attempted`           UInt64                 COMMENT 'Settled parcels first attempted within 7 days of the pickup; those of invalid attempt time are not among them',
`settled_attempt_hours`       Nullable(Float64)      COMMENT 'Hours from pickup to the first attempt, mean over settled_attempted: the whole that the stages after the pickup are parts of, each over the parcels of which it is known',
`first_attempt_rate`          Nullable(Float64)      COMMENT 'First-attempt delivery rate, strict: settled_first_attempt / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_rate_low`      Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_rate_high`     Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`first_attempt_cn_rate`       Nullable(Float64)      COMMENT 'First-attempt delivery rate, Chinese practice: lockers and stations count when collected before overdue and within the 7 days: settled_first_attempt_cn / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_cn_rate_low`   Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_cn_rate_high`  Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`exception_rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one exception within 7 days of the pickup: settled_with_exception / settled; NULL when nothing can be judged yet',
`exception_rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`exception_rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`return_rate`                 Nullable(Float64)      COMMENT 'Share of parcels that turned back within 7 days of the pickup: settled_returned / settled; NULL when nothing can be judged yet',
`return_rate_low`             Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`return_rate_high`            Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`refusal_rate`                Nullable(Float64)      COMMENT 'Share of parcels that the recipient refused within 7 days of the pickup: settled_refused / settled; NULL when nothing can be judged yet',
`refusal_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`refusal_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`promised`                    UInt64                 COMMENT 'Parcels with a promise, of any age: those that the lost rate is over in the end',
`lost_due`                    UInt64                 COMMENT 'Parcels old enough to be presumed lost: with a promise, aged promise + 3 days (same city) or + 7 days (otherwise) + 6 h or more',
`lost_maturity`               Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the lost rate: lost_due / promised',
`is_lost_mature`              Bool                   COMMENT 'lost_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`lost_rate`                   Nullable(Float64)      COMMENT 'Share of parcels presumed lost: lost_due_presumed / lost_due; NULL when nothing can be judged yet',
`lost_rate_low`               Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`lost_rate_high`              Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_reached`             UInt64                 COMMENT 'Settled parcels delivered or put into a locker or station within 7 days of the pickup: denominator of the locker share',
`locker_share`                Nullable(Float64)      COMMENT 'Share of the parcels that reached the recipient''s place which went into a locker or station: settled_locker / settled_reached; NULL when nothing can be judged yet',
`locker_share_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_share_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`locker_parcels`              UInt64                 COMMENT 'Of settled_reached, the ones put there within 6 days of the pickup, of valid dwell time: denominator of dwell quantiles and of overdue',
`locker_p50_hours`            Nullable(Float64)      COMMENT 'Locker or station to delivery: 50 % of locker_parcels needed at most so many hours; the uncollected count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`locker_overdue_rate`         Nullable(Float64)      COMMENT 'Share of locker parcels that lay there for more than 18 h: locker_overdue / locker_parcels; NULL when nothing can be judged yet',
`locker_overdue_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_overdue_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`pickup_wait_parcels`         UInt64                 COMMENT 'Settled parcels with a known wait from order to pickup',
`pickup_wait_hours`           Nullable(Float64)      COMMENT 'Hours from order to pickup, mean over the settled parcels of which it is known (pickup_wait_parcels)',
`origin_parcels`              UInt64                 COMMENT 'Settled parcels with a known time from pickup to leaving the origin city, left within 7 days of the pickup',
`origin_hours`                Nullable(Float64)      COMMENT 'Hours from pickup to leaving the origin city, mean over the settled parcels that ended it within 7 days of the pickup (origin_parcels)',
`linehaul_parcels`            UInt64                 COMMENT 'Settled parcels with a known time from leaving the origin city to arriving in the destination city, arrived within 7 days of the pickup',
`linehaul_hours`              Nullable(Float64)      COMMENT 'Hours from the origin city to the destination city, mean over the settled parcels that ended it within 7 days of the pickup (linehaul_parcels)',
`destination_parcels`         UInt64                 COMMENT 'Settled parcels with a known time from arriving in the destination city to going out for delivery, out within 7 days of the pickup',
`destination_hours`           Nullable(Float64)      COMMENT 'Hours from arriving in the destination city to going out for delivery, mean over the settled parcels that ended it within 7 days of the pickup (destination_parcels)',
`last_mile_parcels`           UInt64                 COMMENT 'Settled parcels with a known time from going out for delivery to the first attempt, attempted within 7 days of the pickup',
`last_mile_hours`             Nullable(Float64)      COMMENT 'Hours from going out for delivery to the first attempt, mean over the settled parcels that ended it within 7 days of the pickup (last_mile_parcels)',
`eta_parcels`                 UInt64                 COMMENT 'Settled parcels with an estimate of the vendor; over settled this is the coverage',
`eta_coverage`                Nullable(Float64)      COMMENT 'Share of settled parcels with an estimate of the vendor: eta_parcels / settled',
`eta_due`                     UInt64                 COMMENT 'Of eta_parcels, the ones whose first estimate is judged: the China day after it ended within 7 days of the pickup',
`eta_hit_rate`                Nullable(Float64)      COMMENT 'Share first attempted on or before the day of the first estimate: eta_hit / eta_due; NULL when nothing can be judged yet',
`eta_hit_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_hit_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_within_day_rate`         Nullable(Float64)      COMMENT 'Share first attempted within one day of the first estimate: eta_within_day / eta_due; NULL when nothing can be judged yet',
`eta_within_day_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_within_day_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_attempted`               UInt64                 COMMENT 'Of eta_due, with a known error: attempted within 7 days of the pickup',
`eta_bias_hours`              Nullable(Float64)      COMMENT 'Mean of first attempt - first estimate over those of eta_due attempted within 7 days of the pickup (eta_attempted): positive = later than estimated',
`eta_mae_hours`               Nullable(Float64)      COMMENT 'Mean of its absolute value',
`claims`                      Nullable(UInt64)       COMMENT 'Reserved: claims are in no vendor''s data. Always NULL',
`refreshed_at`                DateTime('UTC')        COMMENT 'When the counts were taken, the oldest of them; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    (seconds, parcels) -> if(parcels = 0, NULL, seconds / parcels / 3600) AS mean_hours,
    total AS
    (
        SELECT
            daily.carrier AS carrier,
            sum(daily.parcels) AS parcels,
sum(daily.cancelled) AS cancelled,
sum(daily.pickup_imputed) AS pickup_imputed,
sum(daily.delivered) AS delivered,
sum(daily.sent_back) AS sent_back,
sum(daily.open) AS open,
sum(daily.returned) AS returned,
sum(daily.refused) AS refused,
sum(daily.lost_presumed) AS lost_presumed,
sum(daily.with_exception) AS with_exception,
sum(daily.transit_parcels) AS transit_parcels,
sumMap(daily.transit_bins) AS transit_bins,
sumMap(daily.transit_working_bins) AS transit_working_bins,
sum(daily.attempt_parcels) AS attempt_parcels,
sumMap(daily.attempt_bins) AS attempt_bins,
sum(daily.due_24h) AS due_24h,
sum(daily.within_24h) AS within_24h,
sum(daily.due_48h) AS due_48h,
sum(daily.within_48h) AS within_48h,
sum(daily.due_72h) AS due_72h,
sum(daily.within_72h) AS within_72h,
sum(daily.sla_parcels) AS sla_parcels,
sum(daily.sla_due) AS sla_due,
sum(daily.sla_attempted) AS sla_attempted,
sum(daily.sla_delivered_due) AS sla_delivered_due,
sum(daily.sla_delivered) AS sla_delivered,
sum(daily.settled) AS settled,
sum(daily.settled_attempted) AS settled_attempted,
sum(daily.settled_attempt_seconds_sum) AS settled_attempt_seconds_sum,
sum(daily.settled_first_attempt) AS settled_first_attempt,
sum(daily.settled_first_attempt_cn) AS settled_first_attempt_cn,
sum(daily.settled_with_exception) AS settled_with_exception,
sum(daily.settled_returned) AS settled_returned,
sum(daily.settled_refused) AS settled_refused,
sum(daily.promised) AS promised,
sum(daily.lost_due) AS lost_due,
sum(daily.lost_due_presumed) AS lost_due_presumed,
sum(daily.settled_reached) AS settled_reached,
sum(daily.settled_locker) AS settled_locker,
sum(daily.locker_parcels) AS locker_parcels,
sumMap(daily.locker_bins) AS locker_bins,
sum(daily.locker_overdue) AS locker_overdue,
sum(daily.pickup_wait_parcels) AS pickup_wait_parcels,
sum(daily.pickup_wait_seconds_sum) AS pickup_wait_seconds_sum,
sum(daily.origin_parcels) AS origin_parcels,
sum(daily.origin_seconds_sum) AS origin_seconds_sum,
sum(daily.linehaul_parcels) AS linehaul_parcels,
sum(daily.linehaul_seconds_sum) AS linehaul_seconds_sum,
sum(daily.destination_parcels) AS destination_parcels,
sum(daily.destination_seconds_sum) AS destination_seconds_sum,
sum(daily.last_mile_parcels) AS last_mile_parcels,
sum(daily.last_mile_seconds_sum) AS last_mile_seconds_sum,
sum(daily.eta_parcels) AS eta_parcels,
sum(daily.eta_due) AS eta_due,
sum(daily.eta_hit) AS eta_hit,
sum(daily.eta_within_day) AS eta_within_day,
sum(daily.eta_attempted) AS eta_attempted,
sum(daily.eta_error_seconds_sum) AS eta_error_seconds_sum,
sum(daily.eta_absolute_error_seconds_sum) AS eta_absolute_error_seconds_sum,
sum(daily.claims) AS claims,
min(daily.refreshed_at) AS refreshed_at
        FROM courier.carrier_daily AS daily
        WHERE daily.level = (multiIf({origin:String} = '' AND {dest:String} = '', 'carrier', length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')) AND (daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
    AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
    AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String}))
        GROUP BY carrier
    )
SELECT
    carrier,
    parcels,
cancelled,
pickup_imputed,
delivered,
sent_back,
open,
returned,
refused,
lost_presumed,
with_exception,
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
hours_at(transit_working_bins, transit_parcels, 50) AS transit_working_p50_hours,
hours_at(transit_working_bins, transit_parcels, 90) AS transit_working_p90_hours,
attempt_parcels,
hours_at(attempt_bins, attempt_parcels, 50) AS attempt_p50_hours,
hours_at(attempt_bins, attempt_parcels, 90) AS attempt_p90_hours,
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
sla_delivered_due,
share(sla_delivered, sla_delivered_due) AS on_time_delivered_rate,
wilson(sla_delivered, sla_delivered_due, -1) AS on_time_delivered_rate_low,
wilson(sla_delivered, sla_delivered_due, 1) AS on_time_delivered_rate_high,
settled_attempted,
mean_hours(settled_attempt_seconds_sum, settled_attempted) AS settled_attempt_hours,
share(settled_first_attempt, settled_attempted) AS first_attempt_rate,
wilson(settled_first_attempt, settled_attempted, -1) AS first_attempt_rate_low,
wilson(settled_first_attempt, settled_attempted, 1) AS first_attempt_rate_high,
share(settled_first_attempt_cn, settled_attempted) AS first_attempt_cn_rate,
wilson(settled_first_attempt_cn, settled_attempted, -1) AS first_attempt_cn_rate_low,
wilson(settled_first_attempt_cn, settled_attempted, 1) AS first_attempt_cn_rate_high,
share(settled_with_exception, settled) AS exception_rate,
wilson(settled_with_exception, settled, -1) AS exception_rate_low,
wilson(settled_with_exception, settled, 1) AS exception_rate_high,
share(settled_returned, settled) AS return_rate,
wilson(settled_returned, settled, -1) AS return_rate_low,
wilson(settled_returned, settled, 1) AS return_rate_high,
share(settled_refused, settled) AS refusal_rate,
wilson(settled_refused, settled, -1) AS refusal_rate_low,
wilson(settled_refused, settled, 1) AS refusal_rate_high,
promised,
lost_due,
share(lost_due, promised) AS lost_maturity,
toBool(ifNull(lost_maturity >= 0.99, false)) AS is_lost_mature,
share(lost_due_presumed, lost_due) AS lost_rate,
wilson(lost_due_presumed, lost_due, -1) AS lost_rate_low,
wilson(lost_due_presumed, lost_due, 1) AS lost_rate_high,
settled_reached,
share(settled_locker, settled_reached) AS locker_share,
wilson(settled_locker, settled_reached, -1) AS locker_share_low,
wilson(settled_locker, settled_reached, 1) AS locker_share_high,
locker_parcels,
hours_at(locker_bins, locker_parcels, 50) AS locker_p50_hours,
share(locker_overdue, locker_parcels) AS locker_overdue_rate,
wilson(locker_overdue, locker_parcels, -1) AS locker_overdue_rate_low,
wilson(locker_overdue, locker_parcels, 1) AS locker_overdue_rate_high,
pickup_wait_parcels,
mean_hours(pickup_wait_seconds_sum, pickup_wait_parcels) AS pickup_wait_hours,
origin_parcels,
mean_hours(origin_seconds_sum, origin_parcels) AS origin_hours,
linehaul_parcels,
mean_hours(linehaul_seconds_sum, linehaul_parcels) AS linehaul_hours,
destination_parcels,
mean_hours(destination_seconds_sum, destination_parcels) AS destination_hours,
last_mile_parcels,
mean_hours(last_mile_seconds_sum, last_mile_parcels) AS last_mile_hours,
eta_parcels,
share(eta_parcels, settled) AS eta_coverage,
eta_due,
share(eta_hit, eta_due) AS eta_hit_rate,
wilson(eta_hit, eta_due, -1) AS eta_hit_rate_low,
wilson(eta_hit, eta_due, 1) AS eta_hit_rate_high,
share(eta_within_day, eta_due) AS eta_within_day_rate,
wilson(eta_within_day, eta_due, -1) AS eta_within_day_rate_low,
wilson(eta_within_day, eta_due, 1) AS eta_within_day_rate_high,
eta_attempted,
mean_hours(eta_error_seconds_sum, eta_attempted) AS eta_bias_hours,
mean_hours(eta_absolute_error_seconds_sum, eta_attempted) AS eta_mae_hours,
claims,
refreshed_at
FROM total
ORDER BY carrier
COMMENT 'Which carrier is fast, reliable and honest? One row per carrier for the parcels picked up from from_date to to_date. Compare carriers on the same lane, because their lanes differ [5b404a0851fc9334]';

-- carrier_trend.sql
CREATE OR REPLACE VIEW courier.carrier_trend
(
    `cohort_date`                 Date                   COMMENT 'Day of the pickup, China time',
    `carrier`                     LowCardinality(String) COMMENT 'Canonical carrier code',
    `parcels`                     UInt64                 COMMENT 'Size of the cohort: parcels picked up that day, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`                   UInt64                 COMMENT 'Parcels picked up that day and CANCELLED since; in no other column',
    `pickup_imputed`              UInt64                 COMMENT 'Parcels without a pickup scan: their clock starts at the first movement',
`delivered`                   UInt64                 COMMENT 'Parcels delivered on the forward leg',
`sent_back`                   UInt64                 COMMENT 'Parcels back with their sender that were never delivered',
`open`                        UInt64                 COMMENT 'Parcels neither delivered nor sent back',
`returned`                    UInt64                 COMMENT 'Parcels on their way back or back, delivered before or not',
`refused`                     UInt64                 COMMENT 'Parcels that the recipient refused at least once',
`lost_presumed`               UInt64                 COMMENT 'Open parcels older than their promise + 3 days (same city) or + 7 days (otherwise), or given up by a vendor that waits at least 30 days for a change (vendor_fact)',
`with_exception`              UInt64                 COMMENT 'Parcels with at least one exception',
`settled`                     UInt64                 COMMENT 'Parcels aged 7 days + 6 h or more. What can still happen to a parcel is counted over these only, and only what happened within 7 days of its pickup: a younger one would look better for want of time, an older one worse',
`maturity`                    Nullable(Float64)      COMMENT 'Share of the parcels that are old enough for the 72 h rate: due_72h / transit_parcels',
`is_mature`                   Bool                   COMMENT 'maturity is at least 0.99; otherwise the figures should be shown in grey',
`transit_parcels`             UInt64                 COMMENT 'Denominator of the transit quantiles: the cohort without invalid transit times (negative, over 180 days); the unfinished and those sent back undelivered count as infinitely long',
`p50_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 50 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p90_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 90 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`p95_hours`                   Nullable(Float64)      COMMENT 'Pickup to delivery: 95 % of transit_parcels needed at most so many hours; the unfinished and those sent back undelivered count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`is_p50_sound`                Bool                   COMMENT 'Enough parcels for p50: transit_parcels >= 10',
`is_p90_sound`                Bool                   COMMENT 'Enough parcels for p90: transit_parcels >= 50',
`is_p95_sound`                Bool                   COMMENT 'Enough parcels for p95: transit_parcels >= 100',
`transit_working_p50_hours`   Nullable(Float64)      COMMENT 'As p50_hours, in working time: hours of weekends and holidays do not count (table calendar)',
`transit_working_p90_hours`   Nullable(Float64)      COMMENT 'As p90_hours, in working time',
`attempt_parcels`             UInt64                 COMMENT 'Denominator of the quantiles until the first attempt, likewise',
`attempt_p50_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 50 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`attempt_p90_hours`           Nullable(Float64)      COMMENT 'Pickup to first attempt: 90 % of attempt_parcels needed at most so many hours; those never attempted count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`due_24h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 24 h + 6 h or more: what the vendors report late has come by then',
`rate_24h`                    Nullable(Float64)      COMMENT 'Share delivered within 24 h of the pickup: within_24h / due_24h; NULL when nothing can be judged yet',
`rate_24h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_24h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_48h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 48 h + 6 h or more',
`rate_48h`                    Nullable(Float64)      COMMENT 'Share delivered within 48 h of the pickup: within_48h / due_48h; NULL when nothing can be judged yet',
`rate_48h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_48h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`due_72h`                     UInt64                 COMMENT 'Parcels of valid transit time aged 72 h + 6 h or more',
`rate_72h`                    Nullable(Float64)      COMMENT 'Share delivered within 72 h of the pickup: within_72h / due_72h; NULL when nothing can be judged yet',
`rate_72h_low`                Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_72h_high`               Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_parcels`                 UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, of any age: those that the on-time rate is over in the end',
`sla_due`                     UInt64                 COMMENT 'Parcels with a promise, of valid attempt time, aged promise + 6 h or more',
`on_time_maturity`            Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the on-time rate: sla_due / sla_parcels',
`is_on_time_mature`           Bool                   COMMENT 'on_time_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`on_time_rate`                Nullable(Float64)      COMMENT 'Share first attempted within the promise: sla_attempted / sla_due; NULL when nothing can be judged yet',
`on_time_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`sla_delivered_due`           UInt64                 COMMENT 'Parcels with a promise, of valid transit time, aged promise + 6 h or more',
`on_time_delivered_rate`      Nullable(Float64)      COMMENT 'Share delivered within the promise: sla_delivered / sla_delivered_due; NULL when nothing can be judged yet',
`on_time_delivered_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`on_time_delivered_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_attempted`           UInt64                 COMMENT 'Settled parcels first attempted within 7 days of the pickup; those of invalid attempt time are not among them',
`settled_attempt_hours`       Nullable(Float64)      COMMENT 'Hours from pickup to the first attempt, mean over settled_attempted: the whole that the stages after the pickup are parts of, each over the parcels of which it is known',
`first_attempt_rate`          Nullable(Float64)      COMMENT 'First-attempt delivery rate, strict: settled_first_attempt / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_rate_low`      Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_rate_high`     Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`first_attempt_cn_rate`       Nullable(Float64)      COMMENT 'First-attempt delivery rate, Chinese practice: lockers and stations count when collected before overdue and within the 7 days: settled_first_attempt_cn / settled_attempted; NULL when nothing can be judged yet',
`first_attempt_cn_rate_low`   Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`first_attempt_cn_rate_high`  Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`exception_rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one exception within 7 days of the pickup: settled_with_exception / settled; NULL when nothing can be judged yet',
`exception_rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`exception_rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`return_rate`                 Nullable(Float64)      COMMENT 'Share of parcels that turned back within 7 days of the pickup: settled_returned / settled; NULL when nothing can be judged yet',
`return_rate_low`             Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`return_rate_high`            Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`refusal_rate`                Nullable(Float64)      COMMENT 'Share of parcels that the recipient refused within 7 days of the pickup: settled_refused / settled; NULL when nothing can be judged yet',
`refusal_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`refusal_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`promised`                    UInt64                 COMMENT 'Parcels with a promise, of any age: those that the lost rate is over in the end',
`lost_due`                    UInt64                 COMMENT 'Parcels old enough to be presumed lost: with a promise, aged promise + 3 days (same city) or + 7 days (otherwise) + 6 h or more',
`lost_maturity`               Nullable(Float64)      COMMENT 'Share of the parcels with a promise that are old enough for the lost rate: lost_due / promised',
`is_lost_mature`              Bool                   COMMENT 'lost_maturity is at least 0.99. Before, mostly short promises are judged: what is younger should not be shown',
`lost_rate`                   Nullable(Float64)      COMMENT 'Share of parcels presumed lost: lost_due_presumed / lost_due; NULL when nothing can be judged yet',
`lost_rate_low`               Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`lost_rate_high`              Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`settled_reached`             UInt64                 COMMENT 'Settled parcels delivered or put into a locker or station within 7 days of the pickup: denominator of the locker share',
`locker_share`                Nullable(Float64)      COMMENT 'Share of the parcels that reached the recipient''s place which went into a locker or station: settled_locker / settled_reached; NULL when nothing can be judged yet',
`locker_share_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_share_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`locker_parcels`              UInt64                 COMMENT 'Of settled_reached, the ones put there within 6 days of the pickup, of valid dwell time: denominator of dwell quantiles and of overdue',
`locker_p50_hours`            Nullable(Float64)      COMMENT 'Locker or station to delivery: 50 % of locker_parcels needed at most so many hours; the uncollected count as infinitely long. NULL = not reached. At most 0.25 h above the true value',
`locker_overdue_rate`         Nullable(Float64)      COMMENT 'Share of locker parcels that lay there for more than 18 h: locker_overdue / locker_parcels; NULL when nothing can be judged yet',
`locker_overdue_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`locker_overdue_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`pickup_wait_parcels`         UInt64                 COMMENT 'Settled parcels with a known wait from order to pickup',
`pickup_wait_hours`           Nullable(Float64)      COMMENT 'Hours from order to pickup, mean over the settled parcels of which it is known (pickup_wait_parcels)',
`origin_parcels`              UInt64                 COMMENT 'Settled parcels with a known time from pickup to leaving the origin city, left within 7 days of the pickup',
`origin_hours`                Nullable(Float64)      COMMENT 'Hours from pickup to leaving the origin city, mean over the settled parcels that ended it within 7 days of the pickup (origin_parcels)',
`linehaul_parcels`            UInt64                 COMMENT 'Settled parcels with a known time from leaving the origin city to arriving in the destination city, arrived within 7 days of the pickup',
`linehaul_hours`              Nullable(Float64)      COMMENT 'Hours from the origin city to the destination city, mean over the settled parcels that ended it within 7 days of the pickup (linehaul_parcels)',
`destination_parcels`         UInt64                 COMMENT 'Settled parcels with a known time from arriving in the destination city to going out for delivery, out within 7 days of the pickup',
`destination_hours`           Nullable(Float64)      COMMENT 'Hours from arriving in the destination city to going out for delivery, mean over the settled parcels that ended it within 7 days of the pickup (destination_parcels)',
`last_mile_parcels`           UInt64                 COMMENT 'Settled parcels with a known time from going out for delivery to the first attempt, attempted within 7 days of the pickup',
`last_mile_hours`             Nullable(Float64)      COMMENT 'Hours from going out for delivery to the first attempt, mean over the settled parcels that ended it within 7 days of the pickup (last_mile_parcels)',
`eta_parcels`                 UInt64                 COMMENT 'Settled parcels with an estimate of the vendor; over settled this is the coverage',
`eta_coverage`                Nullable(Float64)      COMMENT 'Share of settled parcels with an estimate of the vendor: eta_parcels / settled',
`eta_due`                     UInt64                 COMMENT 'Of eta_parcels, the ones whose first estimate is judged: the China day after it ended within 7 days of the pickup',
`eta_hit_rate`                Nullable(Float64)      COMMENT 'Share first attempted on or before the day of the first estimate: eta_hit / eta_due; NULL when nothing can be judged yet',
`eta_hit_rate_low`            Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_hit_rate_high`           Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_within_day_rate`         Nullable(Float64)      COMMENT 'Share first attempted within one day of the first estimate: eta_within_day / eta_due; NULL when nothing can be judged yet',
`eta_within_day_rate_low`     Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`eta_within_day_rate_high`    Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`eta_attempted`               UInt64                 COMMENT 'Of eta_due, with a known error: attempted within 7 days of the pickup',
`eta_bias_hours`              Nullable(Float64)      COMMENT 'Mean of first attempt - first estimate over those of eta_due attempted within 7 days of the pickup (eta_attempted): positive = later than estimated',
`eta_mae_hours`               Nullable(Float64)      COMMENT 'Mean of its absolute value',
`claims`                      Nullable(UInt64)       COMMENT 'Reserved: claims are in no vendor''s data. Always NULL',
`refreshed_at`                DateTime('UTC')        COMMENT 'When the counts were taken, the oldest of them; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    (seconds, parcels) -> if(parcels = 0, NULL, seconds / parcels / 3600) AS mean_hours,
    total AS
    (
        SELECT
            daily.cohort_date AS cohort_date,
            daily.carrier AS carrier,
            sum(daily.parcels) AS parcels,
sum(daily.cancelled) AS cancelled,
sum(daily.pickup_imputed) AS pickup_imputed,
sum(daily.delivered) AS delivered,
sum(daily.sent_back) AS sent_back,
sum(daily.open) AS open,
sum(daily.returned) AS returned,
sum(daily.refused) AS refused,
sum(daily.lost_presumed) AS lost_presumed,
sum(daily.with_exception) AS with_exception,
sum(daily.transit_parcels) AS transit_parcels,
sumMap(daily.transit_bins) AS transit_bins,
sumMap(daily.transit_working_bins) AS transit_working_bins,
sum(daily.attempt_parcels) AS attempt_parcels,
sumMap(daily.attempt_bins) AS attempt_bins,
sum(daily.due_24h) AS due_24h,
sum(daily.within_24h) AS within_24h,
sum(daily.due_48h) AS due_48h,
sum(daily.within_48h) AS within_48h,
sum(daily.due_72h) AS due_72h,
sum(daily.within_72h) AS within_72h,
sum(daily.sla_parcels) AS sla_parcels,
sum(daily.sla_due) AS sla_due,
sum(daily.sla_attempted) AS sla_attempted,
sum(daily.sla_delivered_due) AS sla_delivered_due,
sum(daily.sla_delivered) AS sla_delivered,
sum(daily.settled) AS settled,
sum(daily.settled_attempted) AS settled_attempted,
sum(daily.settled_attempt_seconds_sum) AS settled_attempt_seconds_sum,
sum(daily.settled_first_attempt) AS settled_first_attempt,
sum(daily.settled_first_attempt_cn) AS settled_first_attempt_cn,
sum(daily.settled_with_exception) AS settled_with_exception,
sum(daily.settled_returned) AS settled_returned,
sum(daily.settled_refused) AS settled_refused,
sum(daily.promised) AS promised,
sum(daily.lost_due) AS lost_due,
sum(daily.lost_due_presumed) AS lost_due_presumed,
sum(daily.settled_reached) AS settled_reached,
sum(daily.settled_locker) AS settled_locker,
sum(daily.locker_parcels) AS locker_parcels,
sumMap(daily.locker_bins) AS locker_bins,
sum(daily.locker_overdue) AS locker_overdue,
sum(daily.pickup_wait_parcels) AS pickup_wait_parcels,
sum(daily.pickup_wait_seconds_sum) AS pickup_wait_seconds_sum,
sum(daily.origin_parcels) AS origin_parcels,
sum(daily.origin_seconds_sum) AS origin_seconds_sum,
sum(daily.linehaul_parcels) AS linehaul_parcels,
sum(daily.linehaul_seconds_sum) AS linehaul_seconds_sum,
sum(daily.destination_parcels) AS destination_parcels,
sum(daily.destination_seconds_sum) AS destination_seconds_sum,
sum(daily.last_mile_parcels) AS last_mile_parcels,
sum(daily.last_mile_seconds_sum) AS last_mile_seconds_sum,
sum(daily.eta_parcels) AS eta_parcels,
sum(daily.eta_due) AS eta_due,
sum(daily.eta_hit) AS eta_hit,
sum(daily.eta_within_day) AS eta_within_day,
sum(daily.eta_attempted) AS eta_attempted,
sum(daily.eta_error_seconds_sum) AS eta_error_seconds_sum,
sum(daily.eta_absolute_error_seconds_sum) AS eta_absolute_error_seconds_sum,
sum(daily.claims) AS claims,
min(daily.refreshed_at) AS refreshed_at
        FROM courier.carrier_daily AS daily
        WHERE daily.level = (multiIf({origin:String} = '' AND {dest:String} = '', 'carrier', length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')) AND (daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
    AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
    AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String}))
        GROUP BY cohort_date, carrier
    )
SELECT
    cohort_date,
    carrier,
    parcels,
cancelled,
pickup_imputed,
delivered,
sent_back,
open,
returned,
refused,
lost_presumed,
with_exception,
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
hours_at(transit_working_bins, transit_parcels, 50) AS transit_working_p50_hours,
hours_at(transit_working_bins, transit_parcels, 90) AS transit_working_p90_hours,
attempt_parcels,
hours_at(attempt_bins, attempt_parcels, 50) AS attempt_p50_hours,
hours_at(attempt_bins, attempt_parcels, 90) AS attempt_p90_hours,
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
sla_delivered_due,
share(sla_delivered, sla_delivered_due) AS on_time_delivered_rate,
wilson(sla_delivered, sla_delivered_due, -1) AS on_time_delivered_rate_low,
wilson(sla_delivered, sla_delivered_due, 1) AS on_time_delivered_rate_high,
settled_attempted,
mean_hours(settled_attempt_seconds_sum, settled_attempted) AS settled_attempt_hours,
share(settled_first_attempt, settled_attempted) AS first_attempt_rate,
wilson(settled_first_attempt, settled_attempted, -1) AS first_attempt_rate_low,
wilson(settled_first_attempt, settled_attempted, 1) AS first_attempt_rate_high,
share(settled_first_attempt_cn, settled_attempted) AS first_attempt_cn_rate,
wilson(settled_first_attempt_cn, settled_attempted, -1) AS first_attempt_cn_rate_low,
wilson(settled_first_attempt_cn, settled_attempted, 1) AS first_attempt_cn_rate_high,
share(settled_with_exception, settled) AS exception_rate,
wilson(settled_with_exception, settled, -1) AS exception_rate_low,
wilson(settled_with_exception, settled, 1) AS exception_rate_high,
share(settled_returned, settled) AS return_rate,
wilson(settled_returned, settled, -1) AS return_rate_low,
wilson(settled_returned, settled, 1) AS return_rate_high,
share(settled_refused, settled) AS refusal_rate,
wilson(settled_refused, settled, -1) AS refusal_rate_low,
wilson(settled_refused, settled, 1) AS refusal_rate_high,
promised,
lost_due,
share(lost_due, promised) AS lost_maturity,
toBool(ifNull(lost_maturity >= 0.99, false)) AS is_lost_mature,
share(lost_due_presumed, lost_due) AS lost_rate,
wilson(lost_due_presumed, lost_due, -1) AS lost_rate_low,
wilson(lost_due_presumed, lost_due, 1) AS lost_rate_high,
settled_reached,
share(settled_locker, settled_reached) AS locker_share,
wilson(settled_locker, settled_reached, -1) AS locker_share_low,
wilson(settled_locker, settled_reached, 1) AS locker_share_high,
locker_parcels,
hours_at(locker_bins, locker_parcels, 50) AS locker_p50_hours,
share(locker_overdue, locker_parcels) AS locker_overdue_rate,
wilson(locker_overdue, locker_parcels, -1) AS locker_overdue_rate_low,
wilson(locker_overdue, locker_parcels, 1) AS locker_overdue_rate_high,
pickup_wait_parcels,
mean_hours(pickup_wait_seconds_sum, pickup_wait_parcels) AS pickup_wait_hours,
origin_parcels,
mean_hours(origin_seconds_sum, origin_parcels) AS origin_hours,
linehaul_parcels,
mean_hours(linehaul_seconds_sum, linehaul_parcels) AS linehaul_hours,
destination_parcels,
mean_hours(destination_seconds_sum, destination_parcels) AS destination_hours,
last_mile_parcels,
mean_hours(last_mile_seconds_sum, last_mile_parcels) AS last_mile_hours,
eta_parcels,
share(eta_parcels, settled) AS eta_coverage,
eta_due,
share(eta_hit, eta_due) AS eta_hit_rate,
wilson(eta_hit, eta_due, -1) AS eta_hit_rate_low,
wilson(eta_hit, eta_due, 1) AS eta_hit_rate_high,
share(eta_within_day, eta_due) AS eta_within_day_rate,
wilson(eta_within_day, eta_due, -1) AS eta_within_day_rate_low,
wilson(eta_within_day, eta_due, 1) AS eta_within_day_rate_high,
eta_attempted,
mean_hours(eta_error_seconds_sum, eta_attempted) AS eta_bias_hours,
mean_hours(eta_absolute_error_seconds_sum, eta_attempted) AS eta_mae_hours,
claims,
refreshed_at
FROM total
ORDER BY carrier, cohort_date
COMMENT 'How does a carrier develop? carrier_scorecard by pickup day [d852e70fc5c65000]';

-- exception_name.sql
CREATE OR REPLACE VIEW courier.exception_name
(
    `kind`            String            COMMENT 'code, reason or party',
    `vendor`          String            COMMENT 'Whose code it is; empty for reasons and parties, which all vendors share',
    `name`            String            COMMENT 'The vendor''s code, the canonical reason, or the party',
    `reason`          Nullable(String)  COMMENT 'Canonical reason behind a code; NULL for a party',
    `party`           String            COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
    `name_zh`         String            COMMENT 'Name in Chinese; of a code as in the vendor''s documents',
    `name_en`         String            COMMENT 'Name in English',
    `is_vendor_clock` Bool              COMMENT 'It comes from the vendor''s clock, not from a scan of the carrier, and can vanish later'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    named.kind AS kind,
    named.vendor AS vendor,
    multiIf(named.kind = 'code', named.code, named.kind = 'reason', named.sub_status, named.party) AS name,
    nullIf(named.sub_status, '') AS reason,
    named.party AS party,
    named.name_zh AS name_zh,
    named.name_en AS name_en,
    named.is_vendor_clock AS is_vendor_clock
FROM courier.status_name AS named
WHERE named.kind IN ('reason', 'party') OR named.kind = 'code' AND named.is_exception
COMMENT 'Names of the exception codes, reasons and parties [ad428796f27a1d1f]';

-- lane_by_month.sql
CREATE OR REPLACE VIEW courier.lane_by_month
(
    `cohort_month`      Date                   COMMENT 'First day of the month of the pickup, China time. The month that has not ended is here, too',
    `origin`            LowCardinality(String) COMMENT 'Province of the origin (CN44) or municipality (CN31); empty = unknown',
    `dest`              LowCardinality(String) COMMENT 'Province or municipality of the destination, likewise',
    `parcels`           UInt64                 COMMENT 'Size of the cohort: parcels picked up that month, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`         UInt64                 COMMENT 'Parcels picked up that month and CANCELLED since; in no other column',
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
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    total AS
    (
        SELECT
            toStartOfMonth(daily.cohort_date) AS cohort_month,
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
        FROM courier.carrier_daily AS daily
        WHERE daily.level = 'province'
        GROUP BY cohort_month, origin, dest
    )
SELECT
    cohort_month,
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
ORDER BY cohort_month DESC, origin, dest
COMMENT 'How long does a parcel take from here to there? lane_transit by pickup month, between provinces, of all carriers. No parameters [2388dbfc627d9eb4]';

-- lane_last_30_days.sql
CREATE OR REPLACE VIEW courier.lane_last_30_days
(
    `from_date`         Date                   COMMENT 'First pickup day that is counted: 29 days before to_date',
    `to_date`           Date                   COMMENT 'Last pickup day that is counted, the newest whose parcels are all old enough for the 72 h rate: 4 days ago, before six in the morning 5, China time',
    `origin`            LowCardinality(String) COMMENT 'Province of the origin (CN44) or municipality (CN31); empty = unknown',
    `dest`              LowCardinality(String) COMMENT 'Province or municipality of the destination, likewise',
    `parcels`           UInt64                 COMMENT 'Size of the cohort: parcels picked up in these days, without the CANCELLED and those given up for want of any record. delivered + sent_back + open',
    `cancelled`         UInt64                 COMMENT 'Parcels picked up in these days and CANCELLED since; in no other column',
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
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 30 AS first_mature_day,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 1 AS last_mature_day,
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
        FROM courier.carrier_daily AS daily
        WHERE daily.level = 'province' AND daily.cohort_date BETWEEN first_mature_day AND last_mature_day
        GROUP BY origin, dest
    )
SELECT
    first_mature_day AS from_date,
    last_mature_day AS to_date,
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
COMMENT 'How long does a parcel take from here to there? lane_transit of the newest 30 pickup days that can be compared, between provinces, of all carriers. No parameters [9e4d90e9d9a864de]';

-- lane_transit.sql
CREATE OR REPLACE VIEW courier.lane_transit
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
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
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
        FROM courier.carrier_daily AS daily
        WHERE daily.level = if({lane_level:String} = 'city' OR length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')
            AND (daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
    AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
    AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String}))
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
COMMENT 'How long does a parcel take from here to there? One row per lane [fa30946f1d4054c6]';

-- performance_change_refresh.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS courier.performance_change_refresh
REFRESH EVERY 1 HOUR OFFSET 13 MINUTE
SETTINGS refresh_retries = 2
TO courier.performance_change
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    (t, freedom) -> erfc((8 * freedom + 1) / (8 * freedom + 3) * sqrt(freedom * log(1 + t * t / freedom)) / sqrt(2)) AS students_t_p_value,
    toDate(now('UTC') - INTERVAL 174 HOUR, 'Asia/Shanghai') - 1 AS last_settled_day,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 1 AS last_mature_day,
    daily AS
    (
        SELECT
            daily.level AS level,
            daily.carrier AS carrier,
            daily.origin AS origin,
            daily.dest AS dest,
            daily.cohort_date AS cohort_date,
            sum(daily.settled) AS settled,
            sum(daily.settled_with_exception) AS with_exception,
            sum(daily.sla_parcels) AS promised,
            sum(daily.sla_due) AS promised_due,
            sum(daily.sla_attempted) AS on_time,
            sum(daily.transit_parcels) AS transit_parcels,
            sumMap(daily.transit_bins) AS transit_bins,
            cohort_date BETWEEN last_settled_day - 6 AND last_settled_day AS is_settled_now,
            cohort_date BETWEEN last_settled_day - 34 AND last_settled_day - 7 AS is_settled_before,
            cohort_date BETWEEN last_mature_day - 6 AND last_mature_day AS is_mature_now,
            cohort_date BETWEEN last_mature_day - 34 AND last_mature_day - 7 AS is_mature_before
        FROM courier.carrier_daily AS daily
        WHERE daily.level IN ('carrier', 'province')
            AND daily.cohort_date BETWEEN last_settled_day - 34 AND last_mature_day
            AND (daily.level = 'carrier' OR daily.origin != '' AND daily.dest != '')
        GROUP BY level, carrier, origin, dest, cohort_date
    ),
    counted AS
    (
        SELECT
            level,
            carrier,
            origin,
            dest,
            sumMapIf(transit_bins, is_mature_now) AS bins,
            sumMapIf(transit_bins, is_mature_before) AS bins_before,
            sumIf(transit_parcels, is_mature_now) AS transit_now,
            sumIf(transit_parcels, is_mature_before) AS transit_before,
            hours_at(bins, transit_now, 50) AS median,
            hours_at(bins_before, transit_before, 50) AS median_before,
            sumIf(promised_due, is_settled_now OR is_settled_before) >= 0.99 * sumIf(promised, is_settled_now OR is_settled_before) AS is_on_time_mature,
            groupArrayIf((settled, with_exception), is_settled_now) AS exceptions_now,
            groupArrayIf((settled, with_exception), is_settled_before) AS exceptions_before,
            groupArrayIf((promised_due, on_time), is_settled_now) AS on_time_now,
            groupArrayIf((promised_due, on_time), is_settled_before) AS on_time_before,
            groupArrayIf((transit_parcels, transit_bins), is_mature_now) AS transits_now,
            groupArrayIf((transit_parcels, transit_bins), is_mature_before) AS transits_before
        FROM daily
        GROUP BY level, carrier, origin, dest
    ),
    (transit, hours) -> (transit.1, toUInt64(transit.1 - arraySum(mapValues(mapFilter((bin, parcels) -> bin <= hours * 4, transit.2))))) AS slower_than,
    measured AS
    (
        SELECT
            level,
            carrier,
            origin,
            dest,
            tested.1 AS measure,
            tested.2 AS now_by_day,
            arrayFilter(day -> day.1 > 0, tested.3) AS before_by_day,
            tested.4 AS last_day,
            arraySum(now_by_day.1) AS parcels,
            arraySum(before_by_day.1) AS parcels_before,
            arraySum(now_by_day.2) AS events,
            arraySum(before_by_day.2) AS events_before,
            if(measure = 'p50_hours', median, share(events, parcels)) AS value,
            if(measure = 'p50_hours', median_before, share(events_before, parcels_before)) AS value_before
        FROM counted
        ARRAY JOIN arrayConcat(
            [('exception_rate', exceptions_now, exceptions_before, last_settled_day)],
            if(is_on_time_mature, [('on_time_rate', on_time_now, on_time_before, last_settled_day)], []),
            if(ifNull(median_before <= 72, false), [(
                'p50_hours',
                arrayMap(day -> slower_than(day, assumeNotNull(median_before)), transits_now),
                arrayMap(day -> slower_than(day, assumeNotNull(median_before)), transits_before),
                last_mature_day)], [])) AS tested
    ),
    tested AS
    (
        SELECT
            *,
            events / parcels AS rate,
            events_before / parcels_before AS rate_before,
            (events + events_before) / (parcels + parcels_before) AS rate_of_all,
            length(before_by_day) - 1 AS freedom,
            greatest(1., if(rate_before IN (0, 1), 1.,
                arraySum(day -> pow(day.2 - day.1 * rate_before, 2) / (day.1 * rate_before * (1 - rate_before)), before_by_day) / freedom)) AS dispersion,
            (rate - rate_before) / sqrt(dispersion * rate_of_all * (1 - rate_of_all) * (1 / parcels + 1 / parcels_before)) AS statistic,
            students_t_p_value(statistic, freedom) AS p_value
        FROM measured
        WHERE parcels >= 50 AND parcels_before >= 200 AND length(before_by_day) >= 14
            AND parcels * rate_of_all * (1 - rate_of_all) >= 5
    ),
    ranked AS
    (
        SELECT
            *,
            p_value * count() OVER (PARTITION BY level) / row_number() OVER (PARTITION BY level ORDER BY p_value, carrier, origin, dest, measure) AS p_times_tests
        FROM tested
    )
SELECT
    level,
    carrier,
    origin,
    dest,
    measure,
    last_day - 6 AS from_date,
    last_day AS to_date,
    parcels,
    parcels_before,
    value,
    value_before,
    dispersion,
    statistic,
    p_value,
    least(1., min(p_times_tests) OVER (PARTITION BY level ORDER BY p_value, carrier, origin, dest, measure ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)) AS q_value,
    if(measure = 'on_time_rate', statistic < 0, statistic > 0) AS is_worse,
    q_value <= 0.05 AND ifNull(abs(value - value_before) >= transform(measure, ['exception_rate', 'on_time_rate', 'p50_hours'], [0.01, 0.02, 1.], 0.), true) AS is_beyond_chance,
    now('UTC') AS refreshed_at
FROM ranked
SETTINGS join_use_nulls = 0, max_memory_usage = 8000000000, max_execution_time = 600
COMMENT 'Fills performance_change [6b7da42881bb5496]';

-- route_hub_last_30_days.sql
CREATE OR REPLACE VIEW courier.route_hub_last_30_days
(
    `from_date`             Date                   COMMENT 'First day of arrival that is counted, China time: 29 days before to_date',
    `to_date`               Date                   COMMENT 'Last day of arrival that is counted: 4 days ago, before six in the morning 5, China time',
    `carrier`               LowCardinality(String) COMMENT 'Canonical carrier code',
    `name`                  String                 COMMENT 'Name of the hub or depot, as the vendor writes it, masked',
    `city`                  LowCardinality(String) COMMENT 'City as the vendor writes it; empty = not told',
    `kind`                  LowCardinality(String) COMMENT 'HUB, DEPOT or UNKNOWN',
    `arrived`               UInt64                 COMMENT 'Parcels that arrived there in these days; one that came twice counts twice, and so does one that two contracts follow',
    `dwell_parcels`         UInt64                 COMMENT 'Of these those whose time there is known, or which are still there: denominator of the quantiles',
    `dwell_p50_hours`       Nullable(Float64)      COMMENT 'Half of dwell_parcels were gone within so many hours; those still there count as infinitely long. NULL = not reached',
    `dwell_p90_hours`       Nullable(Float64)      COMMENT '90 % of them, likewise',
    `planned`               UInt64                 COMMENT 'Of arrived those whose arrival was predicted before: denominator of became_late_rate',
    `became_late`           UInt64                 COMMENT 'Of these those that were more than 2 h later than first planned here, and at no node before',
    `became_late_rate`      Nullable(Float64)      COMMENT 'Share of parcels that became late here: became_late / planned',
    `became_late_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `became_late_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    time -> toDate(time, 'Asia/Shanghai') AS china_day,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 30 AS first_mature_day,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 1 AS last_mature_day,
    time -> ifNull(china_day(time) BETWEEN first_mature_day AND last_mature_day, false) AS is_planned_within,
    (hours, parcels, percent) -> if(
        parcels = 0 OR length(hours) * 100 < parcels * percent, NULL,
        arraySort(hours)[toUInt64(ceil(parcels * percent / 100))]) AS hours_of,
    counted AS
    (
        SELECT
            carrier,
            name,
            anyLast(city) AS any_city,
            anyLast(kind) AS any_kind,
            count() AS arrived,
            countIf(isNotNull(dwell_hours) OR state = 'CURRENT') AS dwell_parcels,
            groupArray(assumeNotNull(dwell_hours)) FILTER (WHERE isNotNull(dwell_hours)) AS hours,
            countIf(isNotNull(planned_arrival_at)) AS planned,
            countIf(route.became_late) AS late_here
        FROM courier.parcel_route AS route
        WHERE is_planned_within(arrived_at)
            AND (vendor, carrier, tracking_number) NOT IN (SELECT vendor, carrier, tracking_number FROM courier.annotation_now WHERE kind = 'EXCLUDED')
        GROUP BY carrier, name
    )
SELECT
    first_mature_day AS from_date,
    last_mature_day AS to_date,
    carrier,
    name,
    any_city AS city,
    any_kind AS kind,
    arrived,
    dwell_parcels,
    hours_of(hours, dwell_parcels, 50) AS dwell_p50_hours,
    hours_of(hours, dwell_parcels, 90) AS dwell_p90_hours,
    planned,
    late_here AS became_late,
    share(late_here, planned) AS became_late_rate,
    wilson(late_here, planned, -1) AS became_late_rate_low,
    wilson(late_here, planned, 1) AS became_late_rate_high
FROM counted
ORDER BY carrier, arrived DESC, name
COMMENT 'How long do parcels lie in a hub, and where do they become late? Arrivals of 30 days, by carrier and hub. No parameters [35dbbc15c14c8d83]';

-- shipment_now.sql
CREATE OR REPLACE VIEW courier.shipment_now
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    vendor,
    account,
    carrier,
    tracking_number,
    epoch,
    _partition_id AS received_month,
    first_received_at,
    received_at,
    received_at AS heard_at,
    leg,
    tracking_state,
    origin_code,
    dest_code,
    created_at,
    picked_up_at,
    left_origin_at,
    arrived_dest_at,
    out_for_delivery_at,
    available_at,
    returning_at,
    last_event_at,
    edd_first,
    exception_codes,
    flags,
    reference,
    dest_carrier,
    dest_number,
    status,
    sub_status,
    raw_code,
    outcome,
    delivered_at,
    first_attempt_at,
    returned_at,
    attempts,
    exception_reasons,
    event.id AS `event.id`,
    event.occurred_at AS `event.occurred_at`,
    event.status AS `event.status`,
    event.sub_status AS `event.sub_status`,
    event.raw_code AS `event.raw_code`,
    event.location AS `event.location`,
    status AS vendor_status,
    CAST(NULL, 'LowCardinality(Nullable(String))') AS annotation,
    CAST(NULL, 'Nullable(DateTime(\'UTC\'))') AS annotation_occurred_at,
    CAST(NULL, 'Nullable(String)') AS annotation_reason,
    CAST(NULL, 'Nullable(String)') AS annotated_by,
    CAST(NULL, 'Nullable(DateTime64(6, \'UTC\'))') AS annotated_at,
    false AS contradicted
FROM courier.shipment FINAL
WHERE (carrier, tracking_number, vendor, epoch) NOT IN (SELECT carrier, tracking_number, vendor, epoch FROM courier.annotation_now)
SETTINGS do_not_merge_across_partitions_select_final = 0
UNION ALL
WITH
    said.kind = 'DELIVERED' AS is_said_delivered,
    said.kind IN ('LOST', 'DESTROYED') AS is_said_gone,
    is_said_delivered OR is_said_gone AS is_said_ended
SELECT
    told.vendor,
    told.account,
    told.carrier,
    told.tracking_number,
    told.epoch,
    told.received_month,
    told.first_received_at,
    greatest(told.received_at, said.annotated_at) AS received_at,
    told.received_at AS heard_at,
    told.leg,
    told.tracking_state,
    told.origin_code,
    told.dest_code,
    told.created_at,
    told.picked_up_at,
    told.left_origin_at,
    told.arrived_dest_at,
    told.out_for_delivery_at,
    told.available_at,
    told.returning_at,
    told.last_event_at,
    told.edd_first,
    told.exception_codes,
    told.flags,
    told.reference,
    told.dest_carrier,
    told.dest_number,
    CAST(multiIf(is_said_delivered, 'DELIVERED', is_said_gone, 'EXCEPTION', told.status), 'LowCardinality(String)') AS status,
    CAST(multiIf(is_said_delivered, NULL, is_said_gone, said.kind, told.sub_status), 'LowCardinality(Nullable(String))') AS sub_status,
    CAST(if(is_said_ended, NULL, told.raw_code), 'LowCardinality(Nullable(String))') AS raw_code,
    CAST(if(is_said_ended AND told.outcome != 'CORRECTED', said.kind, told.outcome), 'LowCardinality(String)') AS outcome,
    multiIf(is_said_delivered, toNullable(said.occurred_at), is_said_gone, NULL, told.delivered_at) AS delivered_at,
    multiIf(
        NOT is_said_ended OR ifNull(told.first_attempt_at < said.occurred_at, false) AND ifNull(told.first_attempt_at != told.delivered_at, true),
        told.first_attempt_at,
        is_said_delivered, toNullable(said.occurred_at),
        ifNull(told.first_attempt_at != told.delivered_at, true), told.first_attempt_at,
        NULL) AS first_attempt_at,
    if(is_said_gone, NULL, told.returned_at) AS returned_at,
    if(is_said_delivered, greatest(told.attempts, toUInt8(1)), told.attempts) AS attempts,
    CAST(
        if(is_said_gone AND NOT has(told.exception_reasons, said.kind), arrayPushBack(told.exception_reasons, said.kind), told.exception_reasons),
        'Array(LowCardinality(String))') AS exception_reasons,
    if(is_said_ended, arrayPushBack(told.event.id, toUInt64(0)), told.event.id) AS `event.id`,
    if(is_said_ended, arrayPushBack(told.event.occurred_at, said.occurred_at), told.event.occurred_at) AS `event.occurred_at`,
    if(is_said_ended, arrayPushBack(told.event.status, toString(status)), told.event.status) AS `event.status`,
    if(is_said_ended, arrayPushBack(told.event.sub_status, CAST(sub_status, 'Nullable(String)')), told.event.sub_status) AS `event.sub_status`,
    if(is_said_ended, arrayPushBack(told.event.raw_code, NULL), told.event.raw_code) AS `event.raw_code`,
    if(is_said_ended, arrayPushBack(told.event.location, NULL), told.event.location) AS `event.location`,
    told.status AS vendor_status,
    CAST(said.kind, 'LowCardinality(Nullable(String))') AS annotation,
    toNullable(said.occurred_at) AS annotation_occurred_at,
    toNullable(said.reason) AS annotation_reason,
    toNullable(said.annotated_by) AS annotated_by,
    toNullable(said.annotated_at) AS annotated_at,
    toBool(is_said_ended
        AND NOT (is_said_delivered AND isNotNull(told.delivered_at))
        AND NOT ifNull(told.status = 'EXCEPTION' AND told.sub_status = said.kind, false)
        AND (
            told.tracking_state = 'CARRIER_CORRECTED' OR told.status != said.seen_status
            OR ifNull(toUInt32(told.last_event_at), 0) > ifNull(toUInt32(said.seen_event_at), 0))) AS contradicted
FROM
(
    SELECT *, _partition_id AS received_month
    FROM courier.shipment FINAL
    WHERE (carrier, tracking_number, vendor, epoch) IN (SELECT carrier, tracking_number, vendor, epoch FROM courier.annotation_now)
    SETTINGS do_not_merge_across_partitions_select_final = 0
) AS told
INNER JOIN courier.annotation_now AS said
    ON said.carrier = told.carrier AND said.tracking_number = told.tracking_number AND said.vendor = told.vendor AND said.epoch = told.epoch
COMMENT 'Every shipment as it counts, with the corrections by hand [6bcb46392d8f9f57]';

-- shipment_timeline.sql
CREATE OR REPLACE VIEW courier.shipment_timeline
(
    `vendor`             LowCardinality(String)           COMMENT 'Code of the vendor: each reports its own history of a parcel',
    `carrier`            LowCardinality(String)           COMMENT 'Canonical carrier code',
    `tracking_number`    String                           COMMENT 'The carrier''s parcel number: trimmed, ASCII upper case',
    `epoch`              Date                             COMMENT 'Life of the number: carriers reuse numbers',
    `occurred_at`        DateTime('UTC')                  COMMENT 'Time of the change; UTC',
    `occurred_at_china`  DateTime('Asia/Shanghai')        COMMENT 'The same, China time',
    `from_status`        LowCardinality(String)           COMMENT 'Status before; UNKNOWN for the first change',
    `from_sub_status`    LowCardinality(Nullable(String)) COMMENT 'Sub-status before',
    `to_status`          LowCardinality(String)           COMMENT 'Status after',
    `to_sub_status`      LowCardinality(Nullable(String)) COMMENT 'Sub-status after',
    `leg`                LowCardinality(String)           COMMENT 'FORWARD or RETURN, after the change',
    `dwell_hours`        Nullable(Float64)                COMMENT 'Hours in the state before; NULL for the first change',
    `raw_code`           LowCardinality(Nullable(String)) COMMENT 'The vendor''s code',
    `is_exception`       Bool                             COMMENT 'The event is an exception or a refusal',
    `party`              LowCardinality(Nullable(String)) COMMENT 'Who answers for an exception',
    `verdict`            LowCardinality(String)           COMMENT 'How ordinary the change is: EXPECTED, TOLERATED or ANOMALY',
    `area_code`          LowCardinality(Nullable(String)) COMMENT 'Area code of the event',
    `location`           Nullable(String)                 COMMENT 'Place name of the event',
    `received_at`        DateTime64(6, 'UTC')             COMMENT 'Receipt of the push that brought it; UTC',
    `reported_hours`     Float64                          COMMENT 'Hours between the change and its report'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH (SELECT mapFromArrays(groupArray(status), groupArray(rank)) FROM courier.status_name WHERE kind = 'status') AS ranks
SELECT
    vendor,
    carrier,
    tracking_number,
    epoch,
    transition.occurred_at AS occurred_at,
    toTimeZone(transition.occurred_at, 'Asia/Shanghai') AS occurred_at_china,
    from_status,
    from_sub_status,
    to_status,
    to_sub_status,
    leg,
    dwell_seconds / 3600 AS dwell_hours,
    raw_code,
    is_exception,
    party,
    verdict,
    area_code,
    location,
    transition.received_at AS received_at,
    dateDiff('second', transition.occurred_at, transition.received_at) / 3600 AS reported_hours
FROM courier.transition FINAL
ORDER BY
    carrier, tracking_number, vendor, epoch, occurred_at,
    ranks[toString(to_status)], transition_id
SETTINGS do_not_merge_across_partitions_select_final = 0
COMMENT 'What happened to this parcel, and when did we hear of it? One row per valid change of state; retracted changes are left out [d07be591cfaf8a3a]';

-- transit_distribution.sql
CREATE OR REPLACE VIEW courier.transit_distribution
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
        FROM courier.carrier_daily AS daily
        WHERE daily.level = (multiIf({origin:String} = '' AND {dest:String} = '', 'carrier', length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')) AND (daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
    AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
    AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String}))
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
COMMENT 'How are the transit times of a carrier spread? One row per carrier and hour in which something was delivered [39b1c1205ae15a7e]';

-- transit_distribution_last_30_days.sql
CREATE OR REPLACE VIEW courier.transit_distribution_last_30_days
(
    `from_date`        Date                    COMMENT 'First pickup day that is counted: 29 days before to_date',
    `to_date`          Date                    COMMENT 'Last pickup day that is counted, the newest whose parcels are all old enough for the 72 h rate: 4 days ago, before six in the morning 5, China time',
    `carrier`          LowCardinality(String)  COMMENT 'Canonical carrier code',
    `hours`            UInt16                  COMMENT 'Hours from pickup to delivery, rounded up',
    `parcels`          UInt64                  COMMENT 'Parcels delivered that took more than hours - 1 and at most hours',
    `transit_parcels`  UInt64                  COMMENT 'All parcels of valid transit time, the unfinished included',
    `delivered_share`  Float64                 COMMENT 'Share of transit_parcels delivered within these hours'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 30 AS first_mature_day,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 1 AS last_mature_day,
    total AS
    (
        SELECT
            daily.carrier AS carrier,
            sum(daily.transit_parcels) AS transit_parcels,
            sumMap(daily.transit_bins) AS transit_bins
        FROM courier.carrier_daily AS daily
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
COMMENT 'How are the transit times of a carrier spread? transit_distribution of the newest 30 pickup days that can be compared, of all vendors and lanes. No parameters [c5fcb5877d3f1f5a]';

-- unknown_wording_refresh.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS courier.unknown_wording_refresh
REFRESH EVERY 1 HOUR OFFSET 11 MINUTE
SETTINGS refresh_retries = 2
TO courier.unknown_wording
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (SELECT groupArray((named.vendor, named.code)) FROM courier.status_name AS named WHERE named.kind = 'code') AS codes,
    arrayFilter(i -> ifNull(event.raw_code[i], '') != '' AND NOT has(codes, (toString(vendor), ifNull(event.raw_code[i], ''))), arrayEnumerate(event.id)) AS unknown_codes,
    arrayFilter(i -> event.status[i] = 'UNKNOWN' AND isNull(event.sub_status[i]) AND event.context[i] != '', arrayEnumerate(event.id)) AS unknown_texts,
    found AS
    (
        SELECT
            vendor,
            carrier,
            tracking_number,
            received_at,
            arrayJoin(arrayConcat(
                arrayMap(i -> ('code', ifNull(event.raw_code[i], ''), toString(event.status[i]), event.context[i]), unknown_codes),
                arrayMap(
                    i -> ('text', replaceRegexpAll(replaceRegexpAll(event.context[i], '【[^】]*】', '【】'), '[0-9]+', '0'), 'UNKNOWN', event.context[i]),
                    unknown_texts))) AS mention
        FROM courier.shipment FINAL
        WHERE received_at >= now('UTC') - INTERVAL 30 DAY
            AND tracking_state != 'CARRIER_CORRECTED'
            AND (has(flags, 'unknown_code') OR has(event.status, 'UNKNOWN'))
            AND first_received_at >= (now('UTC') - INTERVAL 101 DAY)
            AND _partition_id >= toString(toYYYYMM((now('UTC') - INTERVAL 101 DAY)))
    )
SELECT
    mention.1 AS kind,
    vendor,
    carrier,
    mention.2 AS wording,
    count() AS events,
    uniqExact(tracking_number) AS parcels,
    topK(1)(mention.3)[1] AS status,
    argMax(mention.4, (received_at, tracking_number)) AS example,
    max(received_at) AS last_received_at,
    argMax(tracking_number, (received_at, tracking_number)) AS last_parcel,
    now('UTC') AS refreshed_at
FROM found
GROUP BY kind, vendor, carrier, wording
ORDER BY parcels DESC, kind, vendor, carrier, wording
LIMIT 5000 BY kind
UNION ALL
SELECT 'carrier' AS kind, vendor, carrier, code AS wording, toUInt64(0) AS events, parcels, '' AS status, '' AS example, last_received_at, last_parcel, now('UTC') AS refreshed_at
FROM courier.unmapped_carrier
ORDER BY parcels DESC, vendor, carrier
LIMIT 5000
SETTINGS do_not_merge_across_partitions_select_final = 0, max_memory_usage = 8000000000, max_execution_time = 240
COMMENT 'Fills unknown_wording [6c9815cb40c4881e]';

-- vendor_cost.sql
CREATE OR REPLACE VIEW courier.vendor_cost
(
    `month`            UInt32                 COMMENT 'Calendar month in China, 202612 for December 2026: of the calls, and of the begin of a unit',
    `vendor`           LowCardinality(String) COMMENT 'Code of the vendor',
    `account`          LowCardinality(String) COMMENT 'Vendor contract',
    `carrier`          LowCardinality(String) COMMENT 'Canonical carrier code; unknown until the vendor has detected it',
    `calls`            UInt64                 COMMENT 'Calls, subscriptions and queries, whatever was answered',
    `accepted`         UInt64                 COMMENT 'Of those, accepted by the vendor: done, or said to be done already when an earlier try of the same call was not answered, or told by a push when no try was answered',
    `units`            Nullable(UInt64)       COMMENT 'Units of the vendor that the accepted calls are (vendor_fact.unit): a number under a carrier once a month, or once in so many days; NULL when the vendor does not say',
    `units_if_renewed` Nullable(UInt64)       COMMENT 'The same if a subscription that is still followed in a later month is a unit again in each; no vendor says whether it is'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    called AS
    (
        SELECT
            call.vendor AS vendor,
            call.account AS account,
            call.tracking_number AS tracking_number,
            if(call.vendor_carrier = '', toString(subscription.vendor_carrier), toString(call.vendor_carrier)) AS billed_carrier,
            if(call.carrier = 'unknown' AND subscription.carrier != '', toString(subscription.carrier), toString(call.carrier)) AS carrier,
            call.called_on AS called_on,
            call.is_accepted AS is_accepted,
            call.is_accepted AND call.kind = 'SUBSCRIBE' AND subscription.vendor_carrier = billed_carrier AS is_followed,
            if(subscription.state IN ('ACTIVE', 'CALLING', 'WAITING', 'REQUESTED'),
                toDate(now(), 'Asia/Shanghai'),
                toDate(if(subscription.state = 'CANCELLED', subscription.since, ifNull(subscription.ended_at, subscription.since)), 'Asia/Shanghai')) AS followed_until
        FROM
        (
            SELECT
                vendor, account, tracking_number, vendor_carrier, carrier, kind,
                toDate(started_at, 'Asia/Shanghai') AS called_on,
                class = 'DONE' OR class = 'DUPLICATE' AND (reason = 'IN_DOUBT' OR call_id IN
    (SELECT unanswered.call_id FROM courier.vendor_call AS unanswered WHERE unanswered.class = 'UNKNOWN'))
    OR class = 'UNKNOWN' AND kind = 'SUBSCRIBE' AND (call_id, started_at) IN
    (
        SELECT argMax(tried.call_id, tried.started_at), max(tried.started_at)
        FROM courier.vendor_call AS tried
        WHERE tried.kind = 'SUBSCRIBE' AND (tried.vendor, tried.account, tried.tracking_number, tried.month, tried.vendor_carrier) IN
        (
            SELECT subscribed.vendor, subscribed.account, subscribed.tracking_number, calls.month, arrayJoin(['', toString(calls.vendor_carrier)])
            FROM courier.subscription AS subscribed FINAL
            ARRAY JOIN calls
            WHERE calls.accepted > 0
        )
        GROUP BY tried.vendor, tried.account, tried.tracking_number, tried.month
        HAVING countIf(tried.class IN ('DONE', 'DUPLICATE')) = 0
    ) AS is_accepted
            FROM courier.vendor_call FINAL
        ) AS call
        LEFT JOIN (SELECT * FROM courier.subscription FINAL) AS subscription
            ON subscription.vendor = call.vendor AND subscription.account = call.account AND subscription.tracking_number = call.tracking_number
    ),
    billed AS
    (
        SELECT
            called.vendor AS vendor,
            called.account AS account,
            max(called.carrier) AS carrier,
            any(fact.unit) AS unit,
            any(fact.unit_days) AS unit_days,
            arraySort(groupUniqArrayIf(called.called_on, called.is_accepted)) AS days,
            arrayFold(
                (starts, day) -> if(empty(starts) OR day >= starts[-1] + unit_days, arrayPushBack(starts, day), starts),
                days, CAST([], 'Array(Date)')) AS starts,
            multiIf(
                unit = 'MONTH', arrayDistinct(arrayMap(day -> toYYYYMM(day), days)),
                unit = 'DAYS', arrayMap(day -> toYYYYMM(day), starts),
                CAST([], 'Array(UInt32)')) AS unit_months,
            minIf(called.called_on, called.is_followed) AS followed_from,
            maxIf(called.followed_until, called.is_followed) AS followed_to,
            if(unit = 'MONTH' AND countIf(called.is_followed) > 0,
                arrayMap(
                    month -> toYYYYMM(addMonths(toStartOfMonth(followed_from), month)),
                    range(toUInt16(greatest(dateDiff('month', followed_from, followed_to), 0) + 1))),
                CAST([], 'Array(UInt32)')) AS followed_months
        FROM called
        LEFT JOIN courier.vendor_fact AS fact ON fact.vendor = called.vendor
        GROUP BY called.vendor, called.account, called.billed_carrier, called.tracking_number
    ),
    counted AS
    (
        SELECT
            toYYYYMM(called_on) AS month, vendor, account, carrier,
            1 AS a_call, toUInt8(is_accepted) AS an_accepted, 0 AS a_unit, 0 AS a_renewed_unit
        FROM called
        UNION ALL
        SELECT
            arrayJoin(arrayDistinct(arrayConcat(unit_months, followed_months))) AS month, vendor, account, carrier,
            0 AS a_call, toUInt8(0) AS an_accepted,
            countEqual(unit_months, month) AS a_unit, greatest(countEqual(unit_months, month), 1) AS a_renewed_unit
        FROM billed
    )
SELECT
    counted.month AS month,
    counted.vendor AS vendor,
    counted.account AS account,
    counted.carrier AS carrier,
    sum(a_call) AS calls,
    sum(an_accepted) AS accepted,
    if(any(fact.unit) = '', NULL, sum(a_unit)) AS units,
    if(any(fact.unit) = '', NULL, sum(a_renewed_unit)) AS units_if_renewed
FROM counted
LEFT JOIN courier.vendor_fact AS fact ON fact.vendor = counted.vendor
GROUP BY counted.month, counted.vendor, counted.account, counted.carrier
ORDER BY month, vendor, account, carrier
SETTINGS join_use_nulls = 0, do_not_merge_across_partitions_select_final = 0
COMMENT 'What will the vendors bill? An estimate in units from table vendor_call, by month, contract and carrier; times the price of the contract it is the cost [43090c54590675c6]';

-- annotated_parcel.sql
CREATE OR REPLACE VIEW courier.annotated_parcel
(
    `vendor`            LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`           LowCardinality(String)           COMMENT 'Vendor contract',
    `carrier`           LowCardinality(String)           COMMENT 'Canonical carrier code',
    `tracking_number`   String                           COMMENT 'The carrier''s parcel number',
    `epoch`             Date                             COMMENT 'Life of the number',
    `annotation`        LowCardinality(Nullable(String)) COMMENT 'What was said: DELIVERED, LOST, DESTROYED or EXCLUDED; never NULL',
    `annotation_occurred_at` Nullable(DateTime('UTC'))   COMMENT 'When it was delivered, lost or destroyed, as was said; UTC. Otherwise annotated_at',
    `annotation_reason` Nullable(String)                 COMMENT 'Why, in the words of whoever said it',
    `annotated_by`      Nullable(String)                 COMMENT 'Who said it',
    `annotated_at`      Nullable(DateTime64(6, 'UTC'))   COMMENT 'When it was said; UTC',
    `contradicted`      Bool                             COMMENT 'The vendor has said something else since: look at the parcel, and take the correction back if the vendor is right. Until then it holds',
    `vendor_status`     LowCardinality(String)           COMMENT 'Status by the vendor''s word alone',
    `last_event_at`     Nullable(DateTime('UTC'))        COMMENT 'The vendor''s newest event; UTC',
    `heard_at`          DateTime64(6, 'UTC')             COMMENT 'Receipt of the vendor''s last accepted push; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    vendor,
    account,
    carrier,
    tracking_number,
    epoch,
    annotation,
    annotation_occurred_at,
    annotation_reason,
    annotated_by,
    shipment_now.annotated_at AS annotated_at,
    contradicted,
    vendor_status,
    shipment_now.last_event_at AS last_event_at,
    heard_at
FROM courier.shipment_now
WHERE isNotNull(annotation)
COMMENT 'Which parcels were corrected by hand, and which of these does the vendor contradict? One row per correction that holds [1f4bb245aa9dde85]';

-- exception_by_day.sql
CREATE OR REPLACE VIEW courier.exception_by_day
(
    `cohort_date`       Date                   COMMENT 'Day of the pickup, China time',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `kind`              LowCardinality(String) COMMENT 'code, reason or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for reasons and parties, which are the same for all vendors',
    `name`              LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason or the party',
    `name_zh`           Nullable(String)       COMMENT 'Its name in Chinese; NULL for a code that is not documented',
`name_en`           Nullable(String)       COMMENT 'Its name in English; likewise',
`reason`            Nullable(String)       COMMENT 'Canonical reason behind a code',
`party`             Nullable(String)       COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
`is_vendor_clock`   Nullable(Bool)         COMMENT 'It comes from the vendor''s clock, not from a scan of the carrier',
`parcels`           UInt64                 COMMENT 'Parcels with at least one such event',
`settled_with`      UInt64                 COMMENT 'Of parcels, the settled ones (aged 7 days + 6 h or more) with a first such event within 7 days of the pickup',
    `settled`           UInt64                 COMMENT 'All settled parcels of the carrier of the day, with or without it; for a code those of its vendor',
    `rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one such event within 7 days of the pickup: settled_with / settled, at most 1; NULL when nothing can be judged yet',
`rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`resolve_parcels`   UInt64                 COMMENT 'Of settled_with, those whose time to resolve is known or still running',
`resolve_p50_hours` Nullable(Float64)      COMMENT 'Half of them had their next event that is no exception within so many hours; NULL = not reached. At most 0.25 h above the true value',
`refreshed_at`      DateTime('UTC')        COMMENT 'When the counts were taken; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    found AS
    (
        SELECT
            daily.cohort_date AS cohort_date,
            daily.carrier AS carrier,
            daily.kind AS kind,
            if(daily.kind = 'code', daily.vendor, '') AS code_vendor,
            daily.name AS name,
            sum(daily.parcels) AS parcels,
sum(daily.settled) AS settled_with,
sum(daily.resolve_parcels) AS resolve_parcels,
sumMap(daily.resolve_bins) AS resolve_bins,
min(daily.refreshed_at) AS refreshed_at
        FROM courier.exception_daily AS daily
        WHERE daily.level = 'carrier'
        GROUP BY cohort_date, daily.carrier, daily.kind, code_vendor, daily.name
    ),
    cohort AS
    (
        SELECT
            daily.cohort_date AS cohort_date,
            daily.carrier AS carrier,
            scope AS code_vendor,
            sum(daily.settled) AS settled
        FROM courier.carrier_daily AS daily
        ARRAY JOIN [toString(daily.vendor), ''] AS scope
        WHERE daily.level = 'carrier'
        GROUP BY cohort_date, daily.carrier, scope
    )
SELECT
    found.cohort_date AS cohort_date,
    found.carrier AS carrier,
    found.kind AS kind,
found.code_vendor AS vendor,
found.name AS name,
nullIf(named.name_zh, '') AS name_zh,
nullIf(named.name_en, '') AS name_en,
named.reason AS reason,
nullIf(named.party, '') AS party,
if(named.name_en = '', NULL, named.is_vendor_clock) AS is_vendor_clock,
found.parcels AS parcels,
found.settled_with AS settled_with,
cohort.settled AS settled,
share(least(settled_with, settled), settled) AS rate,
wilson(least(settled_with, settled), settled, -1) AS rate_low,
wilson(least(settled_with, settled), settled, 1) AS rate_high,
found.resolve_parcels AS resolve_parcels,
hours_at(resolve_bins, resolve_parcels, 50) AS resolve_p50_hours,
found.refreshed_at AS refreshed_at
FROM found
INNER JOIN cohort ON found.cohort_date = cohort.cohort_date AND found.carrier = cohort.carrier AND found.code_vendor = cohort.code_vendor
LEFT JOIN courier.exception_name AS named
    ON named.kind = found.kind AND named.vendor = found.code_vendor AND named.name = found.name
ORDER BY cohort_date DESC, carrier, kind, vendor, name
SETTINGS join_use_nulls = 0
COMMENT 'What goes wrong with which carrier? exception_rate by pickup day, of all vendors and lanes. No parameters [95cf7f79ae3d5d2a]';

-- exception_by_month.sql
CREATE OR REPLACE VIEW courier.exception_by_month
(
    `cohort_month`      Date                   COMMENT 'First day of the month of the pickup, China time. The month that has not ended is here, too',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `kind`              LowCardinality(String) COMMENT 'code, reason or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for reasons and parties, which are the same for all vendors',
    `name`              LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason or the party',
    `name_zh`           Nullable(String)       COMMENT 'Its name in Chinese; NULL for a code that is not documented',
`name_en`           Nullable(String)       COMMENT 'Its name in English; likewise',
`reason`            Nullable(String)       COMMENT 'Canonical reason behind a code',
`party`             Nullable(String)       COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
`is_vendor_clock`   Nullable(Bool)         COMMENT 'It comes from the vendor''s clock, not from a scan of the carrier',
`parcels`           UInt64                 COMMENT 'Parcels with at least one such event',
`settled_with`      UInt64                 COMMENT 'Of parcels, the settled ones (aged 7 days + 6 h or more) with a first such event within 7 days of the pickup',
    `settled`           UInt64                 COMMENT 'All settled parcels of the carrier of the month, with or without it; for a code those of its vendor',
    `rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one such event within 7 days of the pickup: settled_with / settled, at most 1; NULL when nothing can be judged yet',
`rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`resolve_parcels`   UInt64                 COMMENT 'Of settled_with, those whose time to resolve is known or still running',
`resolve_p50_hours` Nullable(Float64)      COMMENT 'Half of them had their next event that is no exception within so many hours; NULL = not reached. At most 0.25 h above the true value',
`refreshed_at`      DateTime('UTC')        COMMENT 'When the counts were taken; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    found AS
    (
        SELECT
            toStartOfMonth(daily.cohort_date) AS cohort_month,
            daily.carrier AS carrier,
            daily.kind AS kind,
            if(daily.kind = 'code', daily.vendor, '') AS code_vendor,
            daily.name AS name,
            sum(daily.parcels) AS parcels,
sum(daily.settled) AS settled_with,
sum(daily.resolve_parcels) AS resolve_parcels,
sumMap(daily.resolve_bins) AS resolve_bins,
min(daily.refreshed_at) AS refreshed_at
        FROM courier.exception_daily AS daily
        WHERE daily.level = 'carrier'
        GROUP BY cohort_month, daily.carrier, daily.kind, code_vendor, daily.name
    ),
    cohort AS
    (
        SELECT
            toStartOfMonth(daily.cohort_date) AS cohort_month,
            daily.carrier AS carrier,
            scope AS code_vendor,
            sum(daily.settled) AS settled
        FROM courier.carrier_daily AS daily
        ARRAY JOIN [toString(daily.vendor), ''] AS scope
        WHERE daily.level = 'carrier'
        GROUP BY cohort_month, daily.carrier, scope
    )
SELECT
    found.cohort_month AS cohort_month,
    found.carrier AS carrier,
    found.kind AS kind,
found.code_vendor AS vendor,
found.name AS name,
nullIf(named.name_zh, '') AS name_zh,
nullIf(named.name_en, '') AS name_en,
named.reason AS reason,
nullIf(named.party, '') AS party,
if(named.name_en = '', NULL, named.is_vendor_clock) AS is_vendor_clock,
found.parcels AS parcels,
found.settled_with AS settled_with,
cohort.settled AS settled,
share(least(settled_with, settled), settled) AS rate,
wilson(least(settled_with, settled), settled, -1) AS rate_low,
wilson(least(settled_with, settled), settled, 1) AS rate_high,
found.resolve_parcels AS resolve_parcels,
hours_at(resolve_bins, resolve_parcels, 50) AS resolve_p50_hours,
found.refreshed_at AS refreshed_at
FROM found
INNER JOIN cohort ON found.cohort_month = cohort.cohort_month AND found.carrier = cohort.carrier AND found.code_vendor = cohort.code_vendor
LEFT JOIN courier.exception_name AS named
    ON named.kind = found.kind AND named.vendor = found.code_vendor AND named.name = found.name
ORDER BY cohort_month DESC, carrier, kind, vendor, name
SETTINGS join_use_nulls = 0
COMMENT 'What goes wrong with which carrier? exception_rate by pickup month, of all vendors and lanes. No parameters [4b2a2debe1ec1f1e]';

-- exception_by_week.sql
CREATE OR REPLACE VIEW courier.exception_by_week
(
    `cohort_week`       Date                   COMMENT 'Monday of the week of the pickup, China time. The week that has not ended is here, too',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `kind`              LowCardinality(String) COMMENT 'code, reason or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for reasons and parties, which are the same for all vendors',
    `name`              LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason or the party',
    `name_zh`           Nullable(String)       COMMENT 'Its name in Chinese; NULL for a code that is not documented',
`name_en`           Nullable(String)       COMMENT 'Its name in English; likewise',
`reason`            Nullable(String)       COMMENT 'Canonical reason behind a code',
`party`             Nullable(String)       COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
`is_vendor_clock`   Nullable(Bool)         COMMENT 'It comes from the vendor''s clock, not from a scan of the carrier',
`parcels`           UInt64                 COMMENT 'Parcels with at least one such event',
`settled_with`      UInt64                 COMMENT 'Of parcels, the settled ones (aged 7 days + 6 h or more) with a first such event within 7 days of the pickup',
    `settled`           UInt64                 COMMENT 'All settled parcels of the carrier of the week, with or without it; for a code those of its vendor',
    `rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one such event within 7 days of the pickup: settled_with / settled, at most 1; NULL when nothing can be judged yet',
`rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`resolve_parcels`   UInt64                 COMMENT 'Of settled_with, those whose time to resolve is known or still running',
`resolve_p50_hours` Nullable(Float64)      COMMENT 'Half of them had their next event that is no exception within so many hours; NULL = not reached. At most 0.25 h above the true value',
`refreshed_at`      DateTime('UTC')        COMMENT 'When the counts were taken; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    found AS
    (
        SELECT
            toMonday(daily.cohort_date) AS cohort_week,
            daily.carrier AS carrier,
            daily.kind AS kind,
            if(daily.kind = 'code', daily.vendor, '') AS code_vendor,
            daily.name AS name,
            sum(daily.parcels) AS parcels,
sum(daily.settled) AS settled_with,
sum(daily.resolve_parcels) AS resolve_parcels,
sumMap(daily.resolve_bins) AS resolve_bins,
min(daily.refreshed_at) AS refreshed_at
        FROM courier.exception_daily AS daily
        WHERE daily.level = 'carrier'
        GROUP BY cohort_week, daily.carrier, daily.kind, code_vendor, daily.name
    ),
    cohort AS
    (
        SELECT
            toMonday(daily.cohort_date) AS cohort_week,
            daily.carrier AS carrier,
            scope AS code_vendor,
            sum(daily.settled) AS settled
        FROM courier.carrier_daily AS daily
        ARRAY JOIN [toString(daily.vendor), ''] AS scope
        WHERE daily.level = 'carrier'
        GROUP BY cohort_week, daily.carrier, scope
    )
SELECT
    found.cohort_week AS cohort_week,
    found.carrier AS carrier,
    found.kind AS kind,
found.code_vendor AS vendor,
found.name AS name,
nullIf(named.name_zh, '') AS name_zh,
nullIf(named.name_en, '') AS name_en,
named.reason AS reason,
nullIf(named.party, '') AS party,
if(named.name_en = '', NULL, named.is_vendor_clock) AS is_vendor_clock,
found.parcels AS parcels,
found.settled_with AS settled_with,
cohort.settled AS settled,
share(least(settled_with, settled), settled) AS rate,
wilson(least(settled_with, settled), settled, -1) AS rate_low,
wilson(least(settled_with, settled), settled, 1) AS rate_high,
found.resolve_parcels AS resolve_parcels,
hours_at(resolve_bins, resolve_parcels, 50) AS resolve_p50_hours,
found.refreshed_at AS refreshed_at
FROM found
INNER JOIN cohort ON found.cohort_week = cohort.cohort_week AND found.carrier = cohort.carrier AND found.code_vendor = cohort.code_vendor
LEFT JOIN courier.exception_name AS named
    ON named.kind = found.kind AND named.vendor = found.code_vendor AND named.name = found.name
ORDER BY cohort_week DESC, carrier, kind, vendor, name
SETTINGS join_use_nulls = 0
COMMENT 'What goes wrong with which carrier? exception_rate by pickup week, of all vendors and lanes. No parameters [f12bfb038e8a2590]';

-- exception_last_30_days.sql
CREATE OR REPLACE VIEW courier.exception_last_30_days
(
    `from_date`         Date                   COMMENT 'First pickup day that is counted: 29 days before to_date',
    `to_date`           Date                   COMMENT 'Last pickup day that is counted, the newest whose parcels are all old enough for the 72 h rate: 4 days ago, before six in the morning 5, China time',
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `kind`              LowCardinality(String) COMMENT 'code, reason or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for reasons and parties, which are the same for all vendors',
    `name`              LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason or the party',
    `name_zh`           Nullable(String)       COMMENT 'Its name in Chinese; NULL for a code that is not documented',
`name_en`           Nullable(String)       COMMENT 'Its name in English; likewise',
`reason`            Nullable(String)       COMMENT 'Canonical reason behind a code',
`party`             Nullable(String)       COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
`is_vendor_clock`   Nullable(Bool)         COMMENT 'It comes from the vendor''s clock, not from a scan of the carrier',
`parcels`           UInt64                 COMMENT 'Parcels with at least one such event',
`settled_with`      UInt64                 COMMENT 'Of parcels, the settled ones (aged 7 days + 6 h or more) with a first such event within 7 days of the pickup',
    `settled`           UInt64                 COMMENT 'All settled parcels of the carrier in these days, with or without it; for a code those of its vendor',
    `rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one such event within 7 days of the pickup: settled_with / settled, at most 1; NULL when nothing can be judged yet',
`rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`resolve_parcels`   UInt64                 COMMENT 'Of settled_with, those whose time to resolve is known or still running',
`resolve_p50_hours` Nullable(Float64)      COMMENT 'Half of them had their next event that is no exception within so many hours; NULL = not reached. At most 0.25 h above the true value',
`refreshed_at`      DateTime('UTC')        COMMENT 'When the counts were taken; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 30 AS first_mature_day,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 1 AS last_mature_day,
    found AS
    (
        SELECT
            daily.carrier AS carrier,
            daily.kind AS kind,
            if(daily.kind = 'code', daily.vendor, '') AS code_vendor,
            daily.name AS name,
            sum(daily.parcels) AS parcels,
sum(daily.settled) AS settled_with,
sum(daily.resolve_parcels) AS resolve_parcels,
sumMap(daily.resolve_bins) AS resolve_bins,
min(daily.refreshed_at) AS refreshed_at
        FROM courier.exception_daily AS daily
        WHERE daily.level = 'carrier' AND daily.cohort_date BETWEEN first_mature_day AND last_mature_day
        GROUP BY daily.carrier, daily.kind, code_vendor, daily.name
    ),
    cohort AS
    (
        SELECT
            daily.carrier AS carrier,
            scope AS code_vendor,
            sum(daily.settled) AS settled
        FROM courier.carrier_daily AS daily
        ARRAY JOIN [toString(daily.vendor), ''] AS scope
        WHERE daily.level = 'carrier' AND daily.cohort_date BETWEEN first_mature_day AND last_mature_day
        GROUP BY daily.carrier, scope
    )
SELECT
    first_mature_day AS from_date,
    last_mature_day AS to_date,
    found.carrier AS carrier,
    found.kind AS kind,
found.code_vendor AS vendor,
found.name AS name,
nullIf(named.name_zh, '') AS name_zh,
nullIf(named.name_en, '') AS name_en,
named.reason AS reason,
nullIf(named.party, '') AS party,
if(named.name_en = '', NULL, named.is_vendor_clock) AS is_vendor_clock,
found.parcels AS parcels,
found.settled_with AS settled_with,
cohort.settled AS settled,
share(least(settled_with, settled), settled) AS rate,
wilson(least(settled_with, settled), settled, -1) AS rate_low,
wilson(least(settled_with, settled), settled, 1) AS rate_high,
found.resolve_parcels AS resolve_parcels,
hours_at(resolve_bins, resolve_parcels, 50) AS resolve_p50_hours,
found.refreshed_at AS refreshed_at
FROM found
INNER JOIN cohort ON found.carrier = cohort.carrier AND found.code_vendor = cohort.code_vendor
LEFT JOIN courier.exception_name AS named
    ON named.kind = found.kind AND named.vendor = found.code_vendor AND named.name = found.name
ORDER BY carrier, kind, vendor, name
SETTINGS join_use_nulls = 0
COMMENT 'What goes wrong with which carrier, and who is responsible? exception_rate of the newest 30 pickup days whose transit times can be compared, of all vendors and lanes. No parameters [4b00210e337d5a59]';

-- exception_rate.sql
CREATE OR REPLACE VIEW courier.exception_rate
(
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `kind`              LowCardinality(String) COMMENT 'code, reason or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for reasons and parties, which are the same for all vendors',
    `name`              LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason or the party',
    `name_zh`           Nullable(String)       COMMENT 'Its name in Chinese; NULL for a code that is not documented',
`name_en`           Nullable(String)       COMMENT 'Its name in English; likewise',
`reason`            Nullable(String)       COMMENT 'Canonical reason behind a code',
`party`             Nullable(String)       COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
`is_vendor_clock`   Nullable(Bool)         COMMENT 'It comes from the vendor''s clock, not from a scan of the carrier',
`parcels`           UInt64                 COMMENT 'Parcels with at least one such event',
`settled_with`      UInt64                 COMMENT 'Of parcels, the settled ones (aged 7 days + 6 h or more) with a first such event within 7 days of the pickup',
    `settled`           UInt64                 COMMENT 'All settled parcels of the carrier, with or without it; for a code those of its vendor',
    `rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one such event within 7 days of the pickup: settled_with / settled, at most 1; NULL when nothing can be judged yet',
`rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`resolve_parcels`   UInt64                 COMMENT 'Of settled_with, those whose time to resolve is known or still running',
`resolve_p50_hours` Nullable(Float64)      COMMENT 'Half of them had their next event that is no exception within so many hours; NULL = not reached. At most 0.25 h above the true value',
`refreshed_at`      DateTime('UTC')        COMMENT 'When the counts were taken; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    found AS
    (
        SELECT
            daily.carrier AS carrier,
            daily.kind AS kind,
            if(daily.kind = 'code', daily.vendor, '') AS code_vendor,
            daily.name AS name,
            sum(daily.parcels) AS parcels,
sum(daily.settled) AS settled_with,
sum(daily.resolve_parcels) AS resolve_parcels,
sumMap(daily.resolve_bins) AS resolve_bins,
min(daily.refreshed_at) AS refreshed_at
        FROM courier.exception_daily AS daily
        WHERE daily.level = (multiIf({origin:String} = '' AND {dest:String} = '', 'carrier', length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')) AND (daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
    AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
    AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String}))
        GROUP BY daily.carrier, daily.kind, code_vendor, daily.name
    ),
    cohort AS
    (
        SELECT
            daily.carrier AS carrier,
            scope AS code_vendor,
            sum(daily.settled) AS settled
        FROM courier.carrier_daily AS daily
        ARRAY JOIN [toString(daily.vendor), ''] AS scope
        WHERE daily.level = (multiIf({origin:String} = '' AND {dest:String} = '', 'carrier', length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')) AND (daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
    AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
    AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String}))
        GROUP BY daily.carrier, scope
    )
SELECT
    found.carrier AS carrier,
    found.kind AS kind,
found.code_vendor AS vendor,
found.name AS name,
nullIf(named.name_zh, '') AS name_zh,
nullIf(named.name_en, '') AS name_en,
named.reason AS reason,
nullIf(named.party, '') AS party,
if(named.name_en = '', NULL, named.is_vendor_clock) AS is_vendor_clock,
found.parcels AS parcels,
found.settled_with AS settled_with,
cohort.settled AS settled,
share(least(settled_with, settled), settled) AS rate,
wilson(least(settled_with, settled), settled, -1) AS rate_low,
wilson(least(settled_with, settled), settled, 1) AS rate_high,
found.resolve_parcels AS resolve_parcels,
hours_at(resolve_bins, resolve_parcels, 50) AS resolve_p50_hours,
found.refreshed_at AS refreshed_at
FROM found
INNER JOIN cohort ON found.carrier = cohort.carrier AND found.code_vendor = cohort.code_vendor
LEFT JOIN courier.exception_name AS named
    ON named.kind = found.kind AND named.vendor = found.code_vendor AND named.name = found.name
ORDER BY carrier, kind, vendor, name
SETTINGS join_use_nulls = 0
COMMENT 'What goes wrong with which carrier, who is responsible, and how long does it take to resolve? One row per carrier and code, reason or party. Each parcel counts once in a row, but can be in several [037b03eb7ff7e937]';

-- exception_trend.sql
CREATE OR REPLACE VIEW courier.exception_trend
(
    `cohort_date`       Date                   COMMENT 'Day of the pickup, China time',
    `kind`              LowCardinality(String) COMMENT 'code, reason or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for reasons and parties, which are the same for all vendors',
    `name`              LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason or the party',
    `name_zh`           Nullable(String)       COMMENT 'Its name in Chinese; NULL for a code that is not documented',
`name_en`           Nullable(String)       COMMENT 'Its name in English; likewise',
`reason`            Nullable(String)       COMMENT 'Canonical reason behind a code',
`party`             Nullable(String)       COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
`is_vendor_clock`   Nullable(Bool)         COMMENT 'It comes from the vendor''s clock, not from a scan of the carrier',
`parcels`           UInt64                 COMMENT 'Parcels with at least one such event',
`settled_with`      UInt64                 COMMENT 'Of parcels, the settled ones (aged 7 days + 6 h or more) with a first such event within 7 days of the pickup',
    `settled`           UInt64                 COMMENT 'All settled parcels of the day, with or without it; for a code those of its vendor',
    `rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one such event within 7 days of the pickup: settled_with / settled, at most 1; NULL when nothing can be judged yet',
`rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
`rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
`resolve_parcels`   UInt64                 COMMENT 'Of settled_with, those whose time to resolve is known or still running',
`resolve_p50_hours` Nullable(Float64)      COMMENT 'Half of them had their next event that is no exception within so many hours; NULL = not reached. At most 0.25 h above the true value',
`refreshed_at`      DateTime('UTC')        COMMENT 'When the counts were taken; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
    mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    found AS
    (
        SELECT
            daily.cohort_date AS cohort_date,
            daily.kind AS kind,
            if(daily.kind = 'code', daily.vendor, '') AS code_vendor,
            daily.name AS name,
            sum(daily.parcels) AS parcels,
sum(daily.settled) AS settled_with,
sum(daily.resolve_parcels) AS resolve_parcels,
sumMap(daily.resolve_bins) AS resolve_bins,
min(daily.refreshed_at) AS refreshed_at
        FROM courier.exception_daily AS daily
        WHERE daily.level = (multiIf({origin:String} = '' AND {dest:String} = '', 'carrier', length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')) AND (daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
    AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
    AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String}))
            AND ({carrier:String} = '' OR daily.carrier = {carrier:String})
        GROUP BY daily.cohort_date, daily.kind, code_vendor, daily.name
    ),
    cohort AS
    (
        SELECT
            daily.cohort_date AS cohort_date,
            scope AS code_vendor,
            sum(daily.settled) AS settled
        FROM courier.carrier_daily AS daily
        ARRAY JOIN [toString(daily.vendor), ''] AS scope
        WHERE daily.level = (multiIf({origin:String} = '' AND {dest:String} = '', 'carrier', length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')) AND (daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
    AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
    AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String}))
            AND ({carrier:String} = '' OR daily.carrier = {carrier:String})
        GROUP BY daily.cohort_date, scope
    )
SELECT
    found.cohort_date AS cohort_date,
    found.kind AS kind,
found.code_vendor AS vendor,
found.name AS name,
nullIf(named.name_zh, '') AS name_zh,
nullIf(named.name_en, '') AS name_en,
named.reason AS reason,
nullIf(named.party, '') AS party,
if(named.name_en = '', NULL, named.is_vendor_clock) AS is_vendor_clock,
found.parcels AS parcels,
found.settled_with AS settled_with,
cohort.settled AS settled,
share(least(settled_with, settled), settled) AS rate,
wilson(least(settled_with, settled), settled, -1) AS rate_low,
wilson(least(settled_with, settled), settled, 1) AS rate_high,
found.resolve_parcels AS resolve_parcels,
hours_at(resolve_bins, resolve_parcels, 50) AS resolve_p50_hours,
found.refreshed_at AS refreshed_at
FROM found
INNER JOIN cohort ON found.cohort_date = cohort.cohort_date AND found.code_vendor = cohort.code_vendor
LEFT JOIN courier.exception_name AS named
    ON named.kind = found.kind AND named.vendor = found.code_vendor AND named.name = found.name
ORDER BY cohort_date, kind, vendor, name
SETTINGS join_use_nulls = 0
COMMENT 'What goes wrong, day by day? exception_rate by pickup day, of all carriers or of one [b8607541a17b3f7e]';

-- open_exceptions.sql
CREATE OR REPLACE VIEW courier.open_exceptions
(
    `carrier`            LowCardinality(String)           COMMENT 'Canonical carrier code',
    `vendor`             LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`            LowCardinality(String)           COMMENT 'Vendor contract',
    `tracking_number`    String                           COMMENT 'The carrier''s parcel number',
    `epoch`              Date                             COMMENT 'Epoch of the shipment',
    `reason`             LowCardinality(Nullable(String)) COMMENT 'Canonical reason',
    `raw_code`           LowCardinality(Nullable(String)) COMMENT 'The vendor''s code; NULL when a name or a text told it',
    `name_zh`            Nullable(String)                 COMMENT 'Name of the reason in Chinese',
    `name_en`            Nullable(String)                 COMMENT 'Name of the reason in English',
    `party`              LowCardinality(Nullable(String)) COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
    `exception_since`    Nullable(DateTime('UTC'))        COMMENT 'First event of the unbroken run of exceptions; UTC. NULL when only the vendor''s state reports the exception and no event does',
    `open_hours`         Nullable(Float64)                COMMENT 'Hours since then, at the time of the query',
    `last_event_at`      Nullable(DateTime('UTC'))        COMMENT 'Newest event; UTC',
    `last_location`      Nullable(String)                 COMMENT 'Its place',
    `origin`             LowCardinality(String)           COMMENT 'Area of the origin; empty = unknown',
    `dest`               LowCardinality(String)           COMMENT 'Area of the destination as in view parcel; empty = unknown',
    `leg`                LowCardinality(String)           COMMENT 'FORWARD or RETURN',
    `attempts`           UInt8                            COMMENT 'Delivery rounds so far',
    `tracking_state`     LowCardinality(String)           COMMENT 'What the vendor does with its subscription',
    `refreshed_at`       DateTime('UTC')                  COMMENT 'When the parcel was last looked at; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    carrier,
    open_parcel.vendor AS vendor,
    account,
    tracking_number,
    epoch,
    sub_status AS reason,
    raw_code,
    nullIf(named.name_zh, '') AS name_zh,
    nullIf(named.name_en, '') AS name_en,
    exception_party AS party,
    exception_since,
    dateDiff('second', exception_since, now('UTC')) / 3600 AS open_hours,
    last_event_at,
    last_location,
    origin,
    dest,
    leg,
    attempts,
    tracking_state,
    refreshed_at
FROM courier.open_parcel
LEFT JOIN courier.exception_name AS named ON named.kind = 'reason' AND named.name = ifNull(toString(sub_status), '')
WHERE status = 'EXCEPTION'
SETTINGS join_use_nulls = 0
COMMENT 'Which parcels are in trouble now? One row per parcel whose state is an exception; a refused parcel that is already on its way back is not here [05121094838a5159]';

-- open_parcel_refresh.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS courier.open_parcel_refresh
REFRESH EVERY 5 MINUTE OFFSET 2 MINUTE
SETTINGS refresh_retries = 2
TO courier.open_parcel
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    place -> place IN ('CN11', 'CN12', 'CN31', 'CN50') AS is_municipality,
    code -> multiIf(
    NOT startsWith(ifNull(code, ''), 'CN'), '',
    is_municipality(substring(code, 1, 4)), substring(code, 1, 4),
    length(code) < 6 OR substring(code, 5, 2) = '00', substring(code, 1, 4),
    substring(code, 1, 6)) AS area,
    (SELECT mapFromArrays(groupArray(sub_status), groupArray(party)) FROM courier.status_name WHERE kind = 'reason') AS parties,
    reason -> if(mapContains(parties, reason), parties[reason], 'unknown') AS party_of,
    18 * 3600 AS overdue_after,
    arrayLastIndex(
        (status, sub_status) -> status NOT IN ('UNKNOWN', 'EXCEPTION') AND ifNull(sub_status != 'REFUSED', true),
        event.status, event.sub_status) AS last_progress,
    arrayFirst(
        (time, place, status) -> place > last_progress AND status != 'UNKNOWN',
        event.occurred_at, arrayEnumerate(event.id), event.status) AS run_began_at
SELECT
    vendor,
    account,
    carrier,
    tracking_number,
    epoch,
    status,
    sub_status,
    raw_code,
    leg,
    tracking_state,
    assumeNotNull(area(origin_code)) AS origin,
    assumeNotNull(if(has(flags, 'lane_inferred'), '', area(dest_code))) AS dest,
    has(flags, 'cross_border') AS is_cross_border,
    picked_up_at,
    last_event_at,
    event.location[-1] AS last_location,
    if(status = 'EXCEPTION' AND toUInt32(run_began_at) > 0, run_began_at, NULL) AS exception_since,
    if(status = 'EXCEPTION', party_of(ifNull(toString(sub_status), '')), NULL) AS exception_party,
    attempts,
    multiIf(
        status = 'AVAILABLE_FOR_PICKUP', overdue_after,
        status = 'OUT_FOR_DELIVERY', 36 * 3600,
        status = 'CUSTOMS', 5 * 86400,
        is_cross_border AND isNotNull(picked_up_at), 10 * 86400,
        48 * 3600) AS stalled_after,
    now('UTC') AS refreshed_at
FROM courier.shipment_now
WHERE status NOT IN ('DELIVERED', 'RETURNED', 'CANCELLED')
    AND tracking_state NOT IN ('CARRIER_CORRECTED', 'ABORTED_NO_RECORD')
    AND isNull(delivered_at) AND isNull(returned_at)
    AND ifNull(annotation NOT IN ('LOST', 'DESTROYED', 'EXCLUDED'), true)
    AND first_received_at >= (now('UTC') - INTERVAL 101 DAY)
    AND received_month >= toString(toYYYYMM((now('UTC') - INTERVAL 101 DAY)))
SETTINGS max_memory_usage = 8000000000, max_execution_time = 240
COMMENT 'Fills open_parcel [7d5cef7c6c45e547]';

-- order_parcel.sql
CREATE OR REPLACE VIEW courier.order_parcel
(
    `account`           LowCardinality(String)           COMMENT 'Vendor contract: names of orders are those of its owner, and two contracts may use the same',
    `reference`         Nullable(String)                 COMMENT 'The subscriber''s own name of the order; never NULL',
    `vendor`            LowCardinality(String)           COMMENT 'Code of the vendor',
    `carrier`           LowCardinality(String)           COMMENT 'Canonical carrier code',
    `tracking_number`   String                           COMMENT 'The carrier''s parcel number',
    `epoch`             Nullable(Date)                   COMMENT 'Life of the number; NULL before the first push',
    `status`            LowCardinality(String)           COMMENT 'Canonical status; empty before the first push',
    `outcome`           LowCardinality(String)           COMMENT 'As in shipment: OPEN, DELIVERED, SENT_BACK or CANCELLED; LOST or DESTROYED by hand; CORRECTED until the right carrier is told of; UNTOLD before the first push, which never comes if the vendor has rejected the subscription',
    `is_exception`      Bool                             COMMENT 'At least one event was an exception',
    `picked_up_at`      Nullable(DateTime('UTC'))        COMMENT 'The pickup; UTC',
    `delivered_at`      Nullable(DateTime('UTC'))        COMMENT 'The delivery, on the forward leg; UTC',
    `last_event_at`     Nullable(DateTime('UTC'))        COMMENT 'Newest event; UTC',
    `dest_carrier`      LowCardinality(Nullable(String)) COMMENT 'Carrier in the destination country',
    `dest_number`       Nullable(String)                 COMMENT 'Its own number of the parcel',
    `vendor_status`     LowCardinality(String)           COMMENT 'Status by the vendor''s word alone; empty before the first push',
    `annotation`        LowCardinality(Nullable(String)) COMMENT 'Correction by hand: DELIVERED, LOST, DESTROYED, or EXCLUDED: the parcel is in no count; NULL = none',
    `annotation_reason` Nullable(String)                 COMMENT 'Why, in the words of whoever corrected it',
    `annotated_by`      Nullable(String)                 COMMENT 'Who corrected it',
    `annotated_at`      Nullable(DateTime64(6, 'UTC'))   COMMENT 'When it was corrected; UTC',
    `contradicted`      Bool                             COMMENT 'The vendor has said something else since the correction'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (carrier, epoch, status, outcome, is_exception, picked_up_at, delivered_at, last_event_at, dest_carrier, dest_number, said) -> CAST(
        (carrier, epoch, status, outcome, is_exception, picked_up_at, delivered_at, last_event_at, dest_carrier, dest_number, said),
        'Tuple(carrier String, epoch Nullable(Date), status String, outcome String, is_exception Bool, picked_up_at Nullable(DateTime(\'UTC\')), delivered_at Nullable(DateTime(\'UTC\')), last_event_at Nullable(DateTime(\'UTC\')), dest_carrier Nullable(String), dest_number Nullable(String), said Tuple(vendor_status String, annotation Nullable(String), reason Nullable(String), by Nullable(String), at Nullable(DateTime64(6, \'UTC\')), contradicted Bool))') AS parcel_of,
    told AS
    (
        SELECT
            vendor, account, carrier, tracking_number, shipment.reference AS reference, heard_at,
            parcel_of(
                carrier, toNullable(epoch), status, outcome, notEmpty(exception_reasons) OR notEmpty(exception_codes),
                picked_up_at, delivered_at, shipment.last_event_at, dest_carrier, dest_number,
                (vendor_status, annotation, annotation_reason, annotated_by, annotated_at, contradicted)) AS parcel
        FROM courier.shipment_now AS shipment
    ),
    followed AS
    (
        SELECT vendor, account, carrier, tracking_number, subscription.reference AS reference, state, requested_at
        FROM courier.subscription FINAL
        WHERE isNotNull(subscription.reference)
    )
SELECT
    account, reference, vendor, newest.carrier AS carrier, tracking_number,
    newest.epoch AS epoch,
    newest.status AS status,
    newest.outcome AS outcome,
    newest.is_exception AS is_exception,
    newest.picked_up_at AS picked_up_at,
    newest.delivered_at AS delivered_at,
    newest.last_event_at AS last_event_at,
    newest.dest_carrier AS dest_carrier,
    newest.dest_number AS dest_number,
    newest.said.vendor_status AS vendor_status,
    newest.said.annotation AS annotation,
    newest.said.reason AS annotation_reason,
    newest.said.by AS annotated_by,
    newest.said.at AS annotated_at,
    newest.said.contradicted AS contradicted
FROM
(
    SELECT
        account, reference, vendor, tracking_number,
        argMax(parcel, (parcel.outcome != 'CORRECTED', heard_at)) AS newest
    FROM
    (
        SELECT account, reference, vendor, tracking_number, heard_at, parcel
        FROM told
        WHERE isNotNull(reference)
        UNION ALL
        SELECT
            followed.account, followed.reference, followed.vendor, followed.tracking_number,
            if(since.tracking_number = '', followed.requested_at, since.heard_at),
            if(
                since.tracking_number = '',
                parcel_of(followed.carrier, NULL, '', 'UNTOLD', false, NULL, NULL, NULL, NULL, NULL, ('', NULL, NULL, NULL, NULL, false)),
                since.parcel)
        FROM followed
        LEFT JOIN (SELECT * FROM told WHERE (vendor, tracking_number) IN (SELECT vendor, tracking_number FROM followed)) AS since
            ON followed.vendor = since.vendor AND followed.account = since.account AND followed.carrier = since.carrier
            AND followed.tracking_number = since.tracking_number AND followed.requested_at <= since.heard_at
        WHERE followed.state != 'CANCELLED' OR since.tracking_number != ''
    )
    GROUP BY account, reference, vendor, tracking_number
)
SETTINGS join_use_nulls = 0, do_not_merge_across_partitions_select_final = 0
COMMENT 'Which parcels belong to which order? One row per contract with a vendor, order and parcel [7b2637c8743cc7aa]';

-- parcel.sql
CREATE OR REPLACE VIEW courier.parcel
(
    `vendor`               LowCardinality(String)           COMMENT 'Code of the vendor. A parcel that two vendors track is two rows',
    `carrier`              LowCardinality(String)           COMMENT 'Canonical carrier code',
    `tracking_number`      String                           COMMENT 'The carrier''s parcel number',
    `epoch`                Date                             COMMENT 'Epoch of the shipment',
    `received_month`       LowCardinality(String)           COMMENT 'Month of first_received_at, yyyyMM, UTC: the partition of shipment. With a condition on it, other months are not read',
    `status`               LowCardinality(String)           COMMENT 'Canonical status',
    `observed_at`          DateTime('UTC')                  COMMENT 'The time that ages are measured against: that of the query; UTC',
    `cohort_date`          Nullable(Date)                   COMMENT 'Day of the pickup, China time; NULL before the pickup',
    `origin`               LowCardinality(String)           COMMENT 'Area of the origin: city (CN4403), municipality (CN31), or province (CN44) where the city is unknown; empty = unknown',
    `dest`                 LowCardinality(String)           COMMENT 'Area of the destination, as origin; also empty when it is known only from events, because these show it only after the arrival',
    `is_same_city`         Bool                             COMMENT 'Origin and destination are the same known city',
    `is_cross_border`      Bool                             COMMENT 'Flagged cross_border: the trace shows a segment in another country, a clock other than China''s, or an unknown zone; until it does, the parcel is judged as domestic',
    `is_in_cohort`         Bool                             COMMENT 'Counts in the cohort of its pickup day: picked up, not CANCELLED, not given up for want of any record',
    `is_delivered`         Bool                             COMMENT 'Delivered on the forward leg, and no later delivery revoked it',
    `is_sent_back`         Bool                             COMMENT 'Back with its sender without having been delivered',
    `is_open`              Bool                             COMMENT 'Neither delivered nor sent back nor CANCELLED',
    `is_returned`          Bool                             COMMENT 'On its way back or back, delivered before or not',
    `is_refused`           Bool                             COMMENT 'The recipient refused it at least once',
    `is_exception`         Bool                             COMMENT 'At least one event was an exception',
    `is_lane_inferred`     Bool                             COMMENT 'At least one end of its lane was taken from events because the route did not give it. If that is the destination, the times of the last stages are known only after delivery',
    `is_pickup_imputed`    Bool                             COMMENT 'No pickup scan: the first movement stands for it',
    `picked_up_at`         Nullable(DateTime('UTC'))        COMMENT 'The pickup; UTC',
    `age_seconds`          Nullable(Int64)                  COMMENT 'observed_at - picked_up_at',
    `left_origin_after`    Nullable(Int64)                  COMMENT 'Seconds from the pickup until it left the origin city, NULL before that; negative if the vendor''s times are. The same holds for the following columns up to eta_due_after',
    `arrived_dest_after`   Nullable(Int64)                  COMMENT 'Until it arrived in the destination city',
    `out_after`            Nullable(Int64)                  COMMENT 'Until it first went out for delivery',
    `available_after`      Nullable(Int64)                  COMMENT 'Until it was put into a locker or handed to a station',
    `exception_after`      Nullable(Int64)                  COMMENT 'Until its first exception',
    `refusal_after`        Nullable(Int64)                  COMMENT 'Until the recipient first refused it',
    `return_after`         Nullable(Int64)                  COMMENT 'Until it turned back',
    `eta_due_after`        Nullable(Int64)                  COMMENT 'Until the end of the China day after the vendor''s first estimate: then it is known whether that was right within one day',
    `transit_seconds`      Nullable(Int64)                  COMMENT 'delivered_at - picked_up_at; NULL when unfinished, negative or over 180 days',
    `attempt_seconds`      Nullable(Int64)                  COMMENT 'first_attempt_at - picked_up_at; NULL likewise',
    `transit_working_hours` Nullable(Float64)               COMMENT 'Hours of transit_seconds on China''s working days, 24 a day (table calendar); NULL likewise',
    `attempt_working_hours` Nullable(Float64)               COMMENT 'Hours of attempt_seconds, likewise',
    `is_transit_invalid`   Bool                             COMMENT 'Delivered, but the transit time is negative or over 180 days: unknown, not unfinished',
    `is_attempt_invalid`   Bool                             COMMENT 'Attempted, but the time until then is negative or over 180 days',
    `pickup_wait_seconds`  Nullable(Int64)                  COMMENT 'picked_up_at - created_at; NULL without either, negative or over 180 days, as all that follow',
    `origin_seconds`       Nullable(Int64)                  COMMENT 'Stage: left_origin_at - picked_up_at',
    `linehaul_seconds`     Nullable(Int64)                  COMMENT 'Stage: arrived_dest_at - left_origin_at',
    `destination_seconds`  Nullable(Int64)                  COMMENT 'Stage: out_for_delivery_at - arrived_dest_at',
    `last_mile_seconds`    Nullable(Int64)                  COMMENT 'Stage: first_attempt_at - out_for_delivery_at',
    `is_available`         Bool                             COMMENT 'Was put into a locker or handed to a station',
    `locker_seconds`       Nullable(Int64)                  COMMENT 'delivered_at - available_at',
    `is_locker_invalid`    Bool                             COMMENT 'Available and delivered, but the time between is negative or over 180 days',
    `is_locker_overdue`    Bool                             COMMENT 'Lay there longer than 18 h: until delivered, turned back, or now',
    `is_first_attempt`     Bool                             COMMENT 'First-attempt delivery, strict: delivered with no earlier failed attempt, locker, station or second round',
    `is_first_attempt_cn`  Bool                             COMMENT 'First-attempt delivery, Chinese practice: also when the first attempt went to a locker or station and was collected before it was overdue (PICKUP_OVERDUE)',
    `eta_error_seconds`    Nullable(Int64)                  COMMENT 'first_attempt_at - edd_first: positive = later than the vendor''s first estimate; NULL without either or when over 180 days either way',
    `has_eta`              Bool                             COMMENT 'The vendor gave an estimate',
    `is_eta_hit`           Bool                             COMMENT 'First attempt on or before the China day of the first estimate',
    `is_eta_within_day`    Bool                             COMMENT 'First attempt on the China day of the first estimate, the one before or the one after',
    `is_stale_aborted`     Bool                             COMMENT 'The vendor gave up after at least 30 days without change (vendor_fact). Giving up after a week is too early to mean anything',
    `exception_codes`      Array(LowCardinality(String))    COMMENT 'As in shipment',
    `exception_reasons`    Array(LowCardinality(String))    COMMENT 'As in shipment, and LOST or DESTROYED by hand',
    `vendor_status`        LowCardinality(String)           COMMENT 'Status by the vendor''s word alone; status is that after a correction by hand',
    `annotation`           LowCardinality(Nullable(String)) COMMENT 'Correction by hand: DELIVERED, LOST or DESTROYED; NULL = none. Parcels that are EXCLUDED are not in this view',
    `annotation_reason`    Nullable(String)                 COMMENT 'Why, in the words of whoever corrected it',
    `annotated_by`         Nullable(String)                 COMMENT 'Who corrected it',
    `annotated_at`         Nullable(DateTime64(6, 'UTC'))   COMMENT 'When it was corrected; UTC',
    `contradicted`         Bool                             COMMENT 'The vendor has said something else since the correction'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    place -> place IN ('CN11', 'CN12', 'CN31', 'CN50') AS is_municipality,
    code -> multiIf(
    NOT startsWith(ifNull(code, ''), 'CN'), '',
    is_municipality(substring(code, 1, 4)), substring(code, 1, 4),
    length(code) < 6 OR substring(code, 5, 2) = '00', substring(code, 1, 4),
    substring(code, 1, 6)) AS area,
    seconds -> seconds BETWEEN 0 AND 180 * 86400 AS is_believed,
    (start, end) -> if(is_believed(toInt64(end) - toInt64(start)), toInt64(end) - toInt64(start), NULL) AS span,
    time -> toDate(time, 'Asia/Shanghai') AS china_day,
    (SELECT (arrayCumSum(groupArrayInsertAt(0, 65536)(is_working, toUInt16(date)))) FROM courier.working_day WHERE country = 'CN') AS working_day_counts,
    day -> working_day_counts[toInt32(day) + 1] AS working_days_until,
    day -> working_days_until(day) > working_days_until(toInt32(day) - 1) AS is_working_day,
    time -> (toInt64(time) + 8 * 3600) % 86400 AS second_of_day,
    time -> toInt64(working_days_until(toInt32(china_day(time)) - 1)) * 86400
    + if(is_working_day(china_day(time)), second_of_day(time), 0) AS worked_seconds_until,
    (start, end) -> if(isNull(span(start, end)), NULL, (worked_seconds_until(end) - worked_seconds_until(start)) / 3600) AS working_hours,
    (status, sub_status) -> status = 'EXCEPTION' OR ifNull(sub_status = 'REFUSED', false) AS is_trouble,
    time -> time <= received_at + INTERVAL 10 MINUTE AS is_in_time,
    18 * 3600 AS overdue_after,
    is_one -> nullIf(arrayFirst((time, is_this) -> is_this AND is_in_time(time), event.occurred_at, is_one), toDateTime(0, 'UTC')) AS first_event
SELECT
    vendor,
    carrier,
    tracking_number,
    epoch,
    received_month,
    status,
    now('UTC') AS observed_at,
    china_day(picked_up_at) AS cohort_date,
    assumeNotNull(area(origin_code)) AS origin,
    assumeNotNull(if(has(flags, 'lane_inferred'), '', area(dest_code))) AS dest,
    origin = dest AND (length(origin) = 6 OR is_municipality(origin)) AS is_same_city,
    has(flags, 'cross_border') AS is_cross_border,
    isNotNull(picked_up_at) AND status != 'CANCELLED' AND tracking_state != 'ABORTED_NO_RECORD' AS is_in_cohort,
    isNotNull(delivered_at) AND status != 'CANCELLED' AS is_delivered,
    isNotNull(returned_at) AND isNull(delivered_at) AND status != 'CANCELLED' AS is_sent_back,
    isNull(delivered_at) AND isNull(returned_at) AND status != 'CANCELLED' AS is_open,
    isNotNull(returning_at) OR isNotNull(returned_at) AS is_returned,
    has(exception_reasons, 'REFUSED') AS is_refused,
    notEmpty(exception_reasons) OR notEmpty(exception_codes) AS is_exception,
    has(flags, 'lane_inferred') AS is_lane_inferred,
    has(flags, 'pickup_imputed') AS is_pickup_imputed,
    shipment.picked_up_at AS picked_up_at,
    toInt64(observed_at) - toInt64(picked_up_at) AS age_seconds,
    toInt64(left_origin_at) - toInt64(picked_up_at) AS left_origin_after,
    toInt64(arrived_dest_at) - toInt64(picked_up_at) AS arrived_dest_after,
    toInt64(out_for_delivery_at) - toInt64(picked_up_at) AS out_after,
    toInt64(available_at) - toInt64(picked_up_at) AS available_after,
    toInt64(first_event(arrayMap((status, sub_status) -> is_trouble(status, sub_status), event.status, event.sub_status)))
        - toInt64(picked_up_at) AS exception_after,
    toInt64(first_event(arrayMap(sub_status -> ifNull(sub_status = 'REFUSED', false), event.sub_status))) - toInt64(picked_up_at) AS refusal_after,
    toInt64(least(ifNull(returning_at, returned_at), ifNull(returned_at, returning_at))) - toInt64(picked_up_at) AS return_after,
    (toInt64(china_day(edd_first)) + 2) * 86400 - 8 * 3600 - toInt64(picked_up_at) AS eta_due_after,
    span(picked_up_at, delivered_at) AS transit_seconds,
    span(picked_up_at, first_attempt_at) AS attempt_seconds,
    working_hours(picked_up_at, delivered_at) AS transit_working_hours,
    working_hours(picked_up_at, first_attempt_at) AS attempt_working_hours,
    isNotNull(delivered_at) AND isNull(transit_seconds) AS is_transit_invalid,
    isNotNull(first_attempt_at) AND isNull(attempt_seconds) AS is_attempt_invalid,
    span(created_at, picked_up_at) AS pickup_wait_seconds,
    span(picked_up_at, left_origin_at) AS origin_seconds,
    span(left_origin_at, arrived_dest_at) AS linehaul_seconds,
    span(arrived_dest_at, out_for_delivery_at) AS destination_seconds,
    span(out_for_delivery_at, first_attempt_at) AS last_mile_seconds,
    isNotNull(available_at) AS is_available,
    span(available_at, delivered_at) AS locker_seconds,
    isNotNull(available_at) AND isNotNull(delivered_at) AND isNull(locker_seconds) AS is_locker_invalid,
    NOT is_locker_invalid AND is_available
        AND toInt64(coalesce(delivered_at, returning_at, returned_at, observed_at)) - toInt64(assumeNotNull(available_at)) > overdue_after AS is_locker_overdue,
    ifNull(delivered_at = first_attempt_at AND attempts <= 1 AND (isNull(available_at) OR available_at > delivered_at), false) AS is_first_attempt,
    is_first_attempt
        OR ifNull(available_at = first_attempt_at AND available_at <= delivered_at AND attempts <= 1, false)
            AND NOT has(exception_reasons, 'PICKUP_OVERDUE') AS is_first_attempt_cn,
    if(is_believed(abs(toInt64(first_attempt_at) - toInt64(edd_first))), toInt64(first_attempt_at) - toInt64(edd_first), NULL) AS eta_error_seconds,
    isNotNull(edd_first) AS has_eta,
    ifNull(china_day(first_attempt_at) <= china_day(edd_first), false) AS is_eta_hit,
    ifNull(abs(toInt32(china_day(first_attempt_at)) - toInt32(china_day(edd_first))) <= 1, false) AS is_eta_within_day,
    tracking_state = 'ABORTED_STALE'
        AND shipment.vendor IN (SELECT patient.vendor FROM courier.vendor_fact AS patient WHERE patient.stale_days >= 30) AS is_stale_aborted,
    exception_codes,
    exception_reasons,
    vendor_status,
    annotation,
    annotation_reason,
    annotated_by,
    shipment.annotated_at AS annotated_at,
    contradicted
FROM courier.shipment_now AS shipment
WHERE tracking_state != 'CARRIER_CORRECTED' AND ifNull(annotation != 'EXCLUDED', true)
COMMENT 'Measures of every parcel: one row per parcel, vendor and epoch. Ages are as of the time of the query [e116ade2cf600ca4]';

-- parcel_exception.sql
CREATE OR REPLACE VIEW courier.parcel_exception
(
    `vendor`              LowCardinality(String)  COMMENT 'Code of the vendor',
    `carrier`             LowCardinality(String)  COMMENT 'Canonical carrier code',
    `tracking_number`     String                  COMMENT 'The carrier''s parcel number',
    `epoch`               Date                    COMMENT 'Epoch of the shipment',
    `received_month`      LowCardinality(String)  COMMENT 'Month of first_received_at, yyyyMM, UTC: the partition of shipment. With a condition on it, other months are not read',
    `kind`                LowCardinality(String)  COMMENT 'code, reason or party',
    `name`                LowCardinality(String)  COMMENT 'The vendor''s code, the canonical reason, or the party',
    `began_at`            DateTime('UTC')         COMMENT 'First event of it; UTC',
    `resolved_at`         Nullable(DateTime('UTC')) COMMENT 'First later event of a known status that is no exception, or the return to the sender; UTC. NULL = not resolved'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (status, sub_status) -> status = 'EXCEPTION' OR ifNull(sub_status = 'REFUSED', false) AS is_trouble,
    time -> time <= received_at + INTERVAL 10 MINUTE AS is_in_time,
    (SELECT mapFromArrays(groupArray(sub_status), groupArray(party)) FROM courier.status_name WHERE kind = 'reason') AS parties,
    reason -> if(mapContains(parties, reason), parties[reason], 'unknown') AS party_of,
    arrayMap((status, sub_status) -> is_trouble(status, sub_status), event.status, event.sub_status) AS event_is_exception,
    arrayReverseFill(
        time -> time != 0,
        arrayMap(
            (time, status, is_exception) -> if(is_exception AND status != 'RETURNED' OR status = 'UNKNOWN' OR NOT is_in_time(time), toUInt32(0), toUInt32(time)),
            event.occurred_at, event.status, event_is_exception)) AS event_ended_at,
    arrayFilter(
        i -> event_is_exception[i] AND is_in_time(event.occurred_at[i]),
        arrayEnumerate(event.id)) AS exceptions,
    arrayConcat(
        arrayMap(i -> ('code', ifNull(event.raw_code[i], ''), i), exceptions),
        arrayMap(i -> ('reason', ifNull(event.sub_status[i], ''), i), exceptions),
        arrayMap(i -> ('party', party_of(ifNull(event.sub_status[i], '')), i), exceptions)) AS mentions,
    arrayMap(mention -> (mention.1, mention.2), mentions) AS subjects,
    arrayJoin(arrayFilter(
        (mention, place, subject) -> subject.2 != '' AND indexOf(subjects, subject) = place,
        mentions, arrayEnumerate(mentions), subjects)) AS first_mention
SELECT
    vendor,
    carrier,
    tracking_number,
    epoch,
    received_month,
    first_mention.1 AS kind,
    first_mention.2 AS name,
    event.occurred_at[first_mention.3] AS began_at,
    if(event_ended_at[first_mention.3] = 0, NULL, toDateTime(event_ended_at[first_mention.3], 'UTC')) AS resolved_at
FROM courier.shipment_now
WHERE tracking_state != 'CARRIER_CORRECTED' AND ifNull(annotation != 'EXCLUDED', true) AND (notEmpty(exception_codes) OR notEmpty(exception_reasons))
COMMENT 'Every parcel once per exception code, reason and party: when it began and when it was over [8cba5ea32f8bdd7a]';

-- route_accuracy_last_30_days.sql
CREATE OR REPLACE VIEW courier.route_accuracy_last_30_days
(
    `from_date`            Date                   COMMENT 'First planned day that is counted, China time: 29 days before to_date',
    `to_date`              Date                   COMMENT 'Last planned day that is counted: 4 days ago, before six in the morning 5, China time',
    `carrier`              LowCardinality(String) COMMENT 'Canonical carrier code',
    `of`                   LowCardinality(String) COMMENT 'NODE: arrivals at the nodes of routes against their first prediction. ATTEMPT: first delivery attempts of the same parcels against the vendor''s first estimate (edd_first)',
    `planned`              UInt64                 COMMENT 'Arrivals that were planned for these days, of nodes that were dropped from the route later, too; estimates likewise. Those of cancelled parcels are not among the estimates',
    `reached`              UInt64                 COMMENT 'Of these those that are known to have come, at whatever time',
    `within_2h`           UInt64                 COMMENT 'Of planned those that came at most 2 h before or after their first plan',
    `within_2h_rate`      Nullable(Float64)      COMMENT 'Their share: within_2h / planned',
    `within_2h_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `within_2h_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `within_6h`           UInt64                 COMMENT 'Of planned those that came at most 6 h before or after their first plan',
    `within_6h_rate`      Nullable(Float64)      COMMENT 'Their share: within_6h / planned',
    `within_6h_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `within_6h_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `within_24h`           UInt64                 COMMENT 'Of planned those that came at most 24 h before or after their first plan',
    `within_24h_rate`      Nullable(Float64)      COMMENT 'Their share: within_24h / planned',
    `within_24h_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `within_24h_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `bias_hours`           Nullable(Float64)      COMMENT 'Median of actual less planned over reached, in hours: positive = later than planned'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> multiIf(
    whole = 0, NULL,
    side < 0 AND part = 0, 0.,
    side > 0 AND part = whole, 1.,
    (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
        / (whole + 3.8414588206941983)) AS wilson,
    time -> toDate(time, 'Asia/Shanghai') AS china_day,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 30 AS first_mature_day,
    toDate(now('UTC') - INTERVAL 78 HOUR, 'Asia/Shanghai') - 1 AS last_mature_day,
    time -> ifNull(china_day(time) BETWEEN first_mature_day AND last_mature_day, false) AS is_planned_within,
    told AS
    (
        SELECT carrier, 'NODE' AS of, (toInt64(arrived_at) - toInt64(planned_arrival_at)) / 3600 AS error
        FROM courier.parcel_route
        WHERE is_planned_within(planned_arrival_at)
            AND (vendor, carrier, tracking_number) NOT IN (SELECT vendor, carrier, tracking_number FROM courier.annotation_now WHERE kind = 'EXCLUDED')
        UNION ALL
        SELECT carrier, 'ATTEMPT', (toInt64(first_attempt_at) - toInt64(edd_first)) / 3600
        FROM courier.shipment_now
        WHERE is_planned_within(edd_first) AND tracking_state != 'CARRIER_CORRECTED' AND outcome != 'CANCELLED'
            AND ifNull(annotation != 'EXCLUDED', true)
            AND (vendor, account, carrier, tracking_number) IN (SELECT vendor, account, carrier, tracking_number FROM courier.route_node)
    ),
    counted AS
    (
        SELECT
            carrier, of,
            count() AS planned,
            countIf(isNotNull(error)) AS reached,
            countIf(abs(error) <= 2) AS hits_2,
            countIf(abs(error) <= 6) AS hits_6,
            countIf(abs(error) <= 24) AS hits_24,
            quantileExactOrNull(0.5)(error) AS bias_hours
        FROM told
        GROUP BY carrier, of
    )
SELECT
    first_mature_day AS from_date,
    last_mature_day AS to_date,
    carrier,
    of,
    planned,
    reached,
    hits_2 AS within_2h,
    share(hits_2, planned) AS within_2h_rate,
    wilson(hits_2, planned, -1) AS within_2h_rate_low,
    wilson(hits_2, planned, 1) AS within_2h_rate_high,
    hits_6 AS within_6h,
    share(hits_6, planned) AS within_6h_rate,
    wilson(hits_6, planned, -1) AS within_6h_rate_low,
    wilson(hits_6, planned, 1) AS within_6h_rate_high,
    hits_24 AS within_24h,
    share(hits_24, planned) AS within_24h_rate,
    wilson(hits_24, planned, -1) AS within_24h_rate_low,
    wilson(hits_24, planned, 1) AS within_24h_rate_high,
    bias_hours
FROM counted
ORDER BY carrier, of
COMMENT 'How good are the predicted routes? Shares of what came within so many hours of its first plan, planned for 30 days, by carrier. No parameters [ed6c030cbde0469f]';

-- cohort_exception.sql
CREATE OR REPLACE VIEW courier.cohort_exception
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    7 * 86400 AS horizon,
    6 * 3600 AS report_lag
SELECT
    assumeNotNull(parcel.cohort_date) AS cohort_date,
    parcel.vendor AS vendor,
    parcel.carrier AS carrier,
    parcel.origin AS origin,
    parcel.dest AS dest,
    parcel.epoch AS epoch,
    parcel.tracking_number AS tracking_number,
    if(parcel.cohort_date >= {recent_from:Date}, {as_of:DateTime('UTC')}, {older_as_of:DateTime('UTC')}) AS observed_at,
    ifNull(toInt64(observed_at) - toInt64(parcel.picked_up_at) >= horizon + report_lag AND toInt64(began_at) - toInt64(parcel.picked_up_at) <= horizon, false) AS is_settled,
    parcel_exception.kind AS kind,
    parcel_exception.name AS name,
    toInt64(resolved_at) - toInt64(began_at) AS seconds_to_resolve
FROM courier.parcel_exception
INNER JOIN courier.parcel
    ON parcel.carrier = parcel_exception.carrier AND parcel.tracking_number = parcel_exception.tracking_number
        AND parcel.vendor = parcel_exception.vendor AND parcel.epoch = parcel_exception.epoch
WHERE parcel.is_in_cohort AND parcel.is_exception
    AND parcel.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
    AND parcel.received_month >= toString(toYYYYMM({received_from:DateTime('UTC')}))
    AND parcel_exception.received_month >= toString(toYYYYMM({received_from:DateTime('UTC')}))
SETTINGS join_use_nulls = 0
COMMENT 'Exceptions of the cohorts from_date to to_date with what is judged of them: what exception_count counts [40c13cefb80608ea]';

-- cohort_parcel.sql
CREATE OR REPLACE VIEW courier.cohort_parcel
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    7 * 86400 AS horizon,
    6 * 3600 AS report_lag
SELECT
    parcel.* EXCEPT (observed_at, age_seconds),
    if(parcel.cohort_date >= {recent_from:Date}, {as_of:DateTime('UTC')}, {older_as_of:DateTime('UTC')}) AS observed_at,
    toInt64(observed_at) - toInt64(parcel.picked_up_at) AS age_seconds,
    age_seconds - report_lag AS reported_seconds,
    parcel.is_in_cohort AND reported_seconds >= horizon AS is_settled,
    is_settled AND ifNull(parcel.attempt_seconds <= horizon, false) AS is_attempted_early,
    is_settled AND ifNull(parcel.transit_seconds <= horizon, false) AS is_delivered_early,
    is_settled AND ifNull(parcel.available_after <= horizon, false) AS is_available_early,
    is_settled AND ifNull(parcel.available_after <= horizon - 86400, false) AND NOT parcel.is_locker_invalid AS is_dwell_known,
    NOT parcel.is_lane_inferred OR is_delivered_early AS is_dest_known_early,
    is_settled AND isNotNull(parcel.pickup_wait_seconds) AS is_pickup_wait_known,
    is_settled AND isNotNull(parcel.origin_seconds) AND parcel.left_origin_after <= horizon AS is_origin_known,
    is_settled AND isNotNull(parcel.linehaul_seconds) AND parcel.arrived_dest_after <= horizon AND is_dest_known_early AS is_linehaul_known,
    is_settled AND isNotNull(parcel.destination_seconds) AND parcel.out_after <= horizon AND is_dest_known_early AS is_destination_known,
    is_attempted_early AND isNotNull(parcel.last_mile_seconds) AS is_last_mile_known,
    is_settled AND ifNull(parcel.eta_due_after <= horizon, false) AS is_eta_due,
    is_eta_due AND is_attempted_early AND isNotNull(parcel.eta_error_seconds) AS is_eta_error_known,
    parcel.is_in_cohort AND NOT parcel.is_transit_invalid AND reported_seconds >= 24 * 3600 AS is_due_24h,
    is_due_24h AND ifNull(parcel.transit_seconds <= 24 * 3600, false) AS is_within_24h,
    parcel.is_in_cohort AND NOT parcel.is_transit_invalid AND reported_seconds >= 48 * 3600 AS is_due_48h,
    is_due_48h AND ifNull(parcel.transit_seconds <= 48 * 3600, false) AS is_within_48h,
    parcel.is_in_cohort AND NOT parcel.is_transit_invalid AND reported_seconds >= 72 * 3600 AS is_due_72h,
    is_due_72h AND ifNull(parcel.transit_seconds <= 72 * 3600, false) AS is_within_72h,
    is_attempted_early AND is_delivered_early AND parcel.is_first_attempt_cn AS is_first_attempt_early,
    is_settled AND parcel.is_exception AND ifNull(parcel.exception_after <= horizon, false) AS is_exception_early,
    is_settled AND ifNull(parcel.return_after <= horizon, false) AS is_returned_early,
    is_settled AND parcel.is_refused AND ifNull(parcel.refusal_after <= horizon, false) AS is_refused_early
FROM courier.parcel
WHERE parcel.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
    AND parcel.received_month >= toString(toYYYYMM({received_from:DateTime('UTC')}))
COMMENT 'Parcels of the cohorts from_date to to_date with what is judged of them, but for their promise [ac01598f5758730f]';

-- order_shipments.sql
CREATE OR REPLACE VIEW courier.order_shipments
(
    `vendor`             LowCardinality(String)    COMMENT 'Code of the vendor',
    `account`            LowCardinality(String)    COMMENT 'Vendor contract',
    `reference`          Nullable(String)          COMMENT 'The subscriber''s own name of the order; never NULL',
    `state`              LowCardinality(String)    COMMENT 'Cancelled parcels aside, DELIVERED: every parcel is; PART_DELIVERED: some are, and open says whether more can come; SENT_BACK: all are back with the sender; LOST: all are lost or destroyed, as somebody said; OPEN: anything else. CANCELLED: every parcel is',
    `parcels`            UInt64                    COMMENT 'Parcels of the order, without those that are EXCLUDED by hand',
    `delivered`          UInt64                    COMMENT 'Of these delivered on the forward leg',
    `open`               UInt64                    COMMENT 'Of these not known to have ended: on their way, lost without a word, or not told of yet',
    `sent_back`          UInt64                    COMMENT 'Of these back with the sender without having been delivered',
    `cancelled`          UInt64                    COMMENT 'Of these cancelled',
    `lost`               UInt64                    COMMENT 'Of these lost or destroyed, as somebody said (annotated_parcel)',
    `untold`             UInt64                    COMMENT 'Of the open ones those of which the vendor has said nothing yet',
    `exceptions`         UInt64                    COMMENT 'Parcels with at least one exception',
    `first_picked_up_at` Nullable(DateTime('UTC')) COMMENT 'The first pickup; UTC',
    `first_delivered_at` Nullable(DateTime('UTC')) COMMENT 'The first delivery; UTC',
    `last_delivered_at`  Nullable(DateTime('UTC')) COMMENT 'The last delivery so far; UTC',
    `last_event_at`      Nullable(DateTime('UTC')) COMMENT 'Newest event of any parcel; UTC',
    `tracking_numbers`   Array(String)             COMMENT 'The parcels'' numbers, sorted'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    vendor,
    account,
    reference,
    multiIf(
        delivered > 0 AND delivered + cancelled = parcels, 'DELIVERED',
        delivered > 0, 'PART_DELIVERED',
        cancelled = parcels, 'CANCELLED',
        lost > 0 AND lost + cancelled = parcels, 'LOST',
        sent_back + cancelled = parcels, 'SENT_BACK',
        'OPEN') AS state,
    count() AS parcels,
    countIf(outcome = 'DELIVERED') AS delivered,
    countIf(outcome IN ('OPEN', 'UNTOLD', 'CORRECTED')) AS open,
    countIf(outcome = 'SENT_BACK') AS sent_back,
    countIf(outcome = 'CANCELLED') AS cancelled,
    countIf(outcome IN ('LOST', 'DESTROYED')) AS lost,
    countIf(outcome = 'UNTOLD') AS untold,
    countIf(is_exception) AS exceptions,
    min(picked_up_at) AS first_picked_up_at,
    min(delivered_at) AS first_delivered_at,
    max(delivered_at) AS last_delivered_at,
    max(order_parcel.last_event_at) AS last_event_at,
    arraySort(groupArray(tracking_number)) AS tracking_numbers
FROM courier.order_parcel
WHERE ifNull(annotation != 'EXCLUDED', true)
GROUP BY vendor, account, reference
COMMENT 'How far is each order? One row per contract with a vendor and order: how many parcels, how many are delivered, and when [dcbdc9842ac1c9b6]';

-- exception_count.sql
CREATE OR REPLACE VIEW courier.exception_count
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    seconds -> toUInt16(intDiv(seconds + 899, 900)) AS bin,
    bins -> arrayEnumerateUniq(arraySort(bins)) AS runs,
    bins -> mapFromArrays(
    arrayCompact(arraySort(bins)),
    arrayFilter((place, next) -> next = 1, runs(bins), arrayResize(arrayPopFront(runs(bins)), length(bins), 1))) AS counted,
    (from_area, to_area) -> [
    ('carrier', '', ''),
    ('province', substring(from_area, 1, 4), substring(to_area, 1, 4)),
    ('city', toString(from_area), toString(to_area))] AS lanes,
    seconds -> seconds BETWEEN 0 AND 180 * 86400 AS is_believed
SELECT
    lane.1 AS level,
    measured.cohort_date AS cohort_date,
    measured.vendor AS vendor,
    measured.carrier AS carrier,
    lane.2 AS origin,
    lane.3 AS dest,
    measured.kind AS kind,
    measured.name AS name,
    count() AS parcels,
    countIf(is_settled) AS settled,
    countIf(is_settled AND ifNull(is_believed(seconds_to_resolve), true)) AS resolve_parcels,
    counted(groupArrayIf(bin(assumeNotNull(seconds_to_resolve)), is_settled AND ifNull(is_believed(seconds_to_resolve), false))) AS resolve_bins,
    any(observed_at) AS refreshed_at
FROM courier.cohort_exception(
    from_date = {from_date:Date}, to_date = {to_date:Date}, received_from = {received_from:DateTime('UTC')},
    recent_from = {from_date:Date}, as_of = now('UTC'), older_as_of = now('UTC')) AS measured
ARRAY JOIN lanes(measured.origin, measured.dest) AS lane
GROUP BY lane, cohort_date, vendor, carrier, kind, name
SETTINGS join_use_nulls = 0
COMMENT 'Counts of the exceptions of the cohorts from_date to to_date, from shipment as it is now: what fills exception_daily [b48f90cef6c8cd02]';

-- promised_parcel.sql
CREATE OR REPLACE VIEW courier.promised_parcel
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    time -> toDate(time, 'Asia/Shanghai') AS china_day,
    (SELECT (arrayCumSum(groupArrayInsertAt(0, 65536)(is_working, toUInt16(date)))) FROM courier.working_day WHERE country = 'CN') AS working_day_counts,
    (SELECT (arraySort(groupArrayIf(toUInt16(date), is_working))) FROM courier.working_day WHERE country = 'CN') AS working_day_list,
    day -> working_day_counts[toInt32(day) + 1] AS working_days_until,
    day -> working_days_until(day) > working_days_until(toInt32(day) - 1) AS is_working_day,
    time -> (toInt64(time) + 8 * 3600) % 86400 AS second_of_day,
    (time, days, cutoff) -> toInt64(working_day_list[
    working_days_until(china_day(time)) + if(is_working_day(china_day(time)) AND second_of_day(time) < cutoff * 60, 0, 1) + days])
    * 86400 + 86399 - 8 * 3600 AS due_after
SELECT
    measured.*,
    if(isNotNull(lane_promise.working_days),
    due_after(measured.picked_up_at, assumeNotNull(lane_promise.working_days), lane_promise.cutoff) - toInt64(measured.picked_up_at),
    (multiIf(
    isNotNull(lane_promise.working_days), NULL,
    lane_promise.hours > 0, toInt64(lane_promise.hours),
    measured.is_cross_border, NULL,
    measured.is_same_city, 24, 72)) * 3600) AS sla_seconds,
    sla_seconds + if(measured.is_same_city, 3, 7) * 24 * 3600 AS lost_after_seconds,
    measured.is_open AND (ifNull(measured.annotation IN ('LOST', 'DESTROYED'), false) OR measured.is_stale_aborted OR ifNull(measured.age_seconds > lost_after_seconds, false)) AS is_lost_presumed,
    measured.is_in_cohort AND NOT measured.is_attempt_invalid AND ifNull(measured.reported_seconds >= sla_seconds, false) AS is_sla_due,
    is_sla_due AND ifNull(measured.attempt_seconds <= sla_seconds, false) AS is_sla_attempted
FROM courier.cohort_parcel(
    from_date = {from_date:Date}, to_date = {to_date:Date}, received_from = {received_from:DateTime('UTC')},
    recent_from = {recent_from:Date}, as_of = {as_of:DateTime('UTC')}, older_as_of = {older_as_of:DateTime('UTC')}) AS measured
LEFT JOIN courier.lane_promise
    ON measured.carrier = lane_promise.carrier AND measured.origin = lane_promise.origin AND measured.dest = lane_promise.dest
SETTINGS join_use_nulls = 0
COMMENT 'Parcels of the cohorts from_date to to_date with what is judged of them: what carrier_count counts [81747adf6148d0a5]';

-- carrier_count.sql
CREATE OR REPLACE VIEW courier.carrier_count
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    seconds -> toUInt16(intDiv(seconds + 899, 900)) AS bin,
    bins -> arrayEnumerateUniq(arraySort(bins)) AS runs,
    bins -> mapFromArrays(
    arrayCompact(arraySort(bins)),
    arrayFilter((place, next) -> next = 1, runs(bins), arrayResize(arrayPopFront(runs(bins)), length(bins), 1))) AS counted,
    (from_area, to_area) -> [
    ('carrier', '', ''),
    ('province', substring(from_area, 1, 4), substring(to_area, 1, 4)),
    ('city', toString(from_area), toString(to_area))] AS lanes,
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
            groupArrayIf(toUInt16(ceil(assumeNotNull(transit_working_hours) * 4)), is_in_cohort AND isNotNull(transit_working_hours)) AS transit_working_bins,
            countIf(is_in_cohort AND NOT is_attempt_invalid) AS attempt_parcels,
            groupArrayIf(bin(assumeNotNull(attempt_seconds)), is_in_cohort AND isNotNull(attempt_seconds)) AS attempt_bins,
            countIf(is_due_24h) AS due_24h,
            countIf(is_within_24h) AS within_24h,
            countIf(is_due_48h) AS due_48h,
            countIf(is_within_48h) AS within_48h,
            countIf(is_due_72h) AS due_72h,
            countIf(is_within_72h) AS within_72h,
            countIf(is_in_cohort AND NOT is_attempt_invalid AND isNotNull(sla_seconds)) AS sla_parcels,
            countIf(is_sla_due) AS sla_due,
            countIf(is_sla_attempted) AS sla_attempted,
            countIf(is_in_cohort AND NOT is_transit_invalid AND reported_seconds >= sla_seconds) AS sla_delivered_due,
            countIf(is_in_cohort AND reported_seconds >= sla_seconds AND transit_seconds <= sla_seconds) AS sla_delivered,
            countIf(is_settled) AS settled,
            countIf(is_attempted_early) AS settled_attempted,
            sumIf(toUInt64(assumeNotNull(attempt_seconds)), is_attempted_early) AS settled_attempt_seconds_sum,
            countIf(is_attempted_early AND is_first_attempt) AS settled_first_attempt,
            countIf(is_first_attempt_early) AS settled_first_attempt_cn,
            countIf(is_exception_early) AS settled_with_exception,
            countIf(is_returned_early) AS settled_returned,
            countIf(is_refused_early) AS settled_refused,
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
        FROM courier.promised_parcel(
            from_date = {from_date:Date}, to_date = {to_date:Date}, received_from = {received_from:DateTime('UTC')},
            recent_from = {from_date:Date}, as_of = now('UTC'), older_as_of = now('UTC'))
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
    counted(groupArrayArray(by_city.transit_working_bins)) AS transit_working_bins,
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
    sum(by_city.settled_attempt_seconds_sum) AS settled_attempt_seconds_sum,
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
ARRAY JOIN lanes(by_city.origin, by_city.dest) AS lane
GROUP BY lane, by_city.cohort_date, by_city.vendor, by_city.carrier
SETTINGS join_use_nulls = 0
COMMENT 'Counts of the cohorts from_date to_date, from shipment as it is now: what fills carrier_daily [f4c2be2f1de0fd69]';

-- carrier_daily_older_refresh.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS courier.carrier_daily_older_refresh
REFRESH EVERY 1 DAY OFFSET 19 HOUR 20 MINUTE
SETTINGS refresh_retries = 2
TO courier.carrier_daily_older
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT *
FROM courier.carrier_count(
    from_date = toDate('2000-01-01'),
    to_date = (toDate(now(), 'Asia/Shanghai') - 31),
    received_from = toDateTime('2000-01-01', 'UTC'))
SETTINGS max_memory_usage = 8000000000, max_bytes_before_external_group_by = 3000000000, max_execution_time = 14400
COMMENT 'Fills carrier_daily_older [e621ee6965615bb9]';

-- carrier_daily_recent_refresh.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS courier.carrier_daily_recent_refresh
REFRESH EVERY 10 MINUTE
SETTINGS refresh_retries = 2
TO courier.carrier_daily_recent
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT *
FROM courier.carrier_count(
    from_date = (toDate(now(), 'Asia/Shanghai') - 40),
    to_date = toDate('2100-01-01'),
    received_from = (now('UTC') - INTERVAL 101 DAY))
SETTINGS max_memory_usage = 8000000000, max_bytes_before_external_group_by = 3000000000, max_execution_time = 540
COMMENT 'Fills carrier_daily_recent [e9ea2366df2c0ff4]';

-- exception_daily_older_refresh.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS courier.exception_daily_older_refresh
REFRESH EVERY 1 DAY OFFSET 19 HOUR 20 MINUTE DEPENDS ON courier.carrier_daily_older_refresh
SETTINGS refresh_retries = 2
TO courier.exception_daily_older
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT *
FROM courier.exception_count(
    from_date = toDate('2000-01-01'),
    to_date = (toDate(now(), 'Asia/Shanghai') - 31),
    received_from = toDateTime('2000-01-01', 'UTC'))
SETTINGS max_memory_usage = 8000000000, max_bytes_before_external_group_by = 3000000000, max_execution_time = 14400
COMMENT 'Fills exception_daily_older [5bdc761caf761043]';

-- exception_daily_recent_refresh.sql
CREATE MATERIALIZED VIEW IF NOT EXISTS courier.exception_daily_recent_refresh
REFRESH EVERY 10 MINUTE DEPENDS ON courier.carrier_daily_recent_refresh
SETTINGS refresh_retries = 2
TO courier.exception_daily_recent
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT *
FROM courier.exception_count(
    from_date = (toDate(now(), 'Asia/Shanghai') - 40),
    to_date = toDate('2100-01-01'),
    received_from = (now('UTC') - INTERVAL 101 DAY))
SETTINGS max_memory_usage = 8000000000, max_bytes_before_external_group_by = 3000000000, max_execution_time = 540
COMMENT 'Fills exception_daily_recent [dfa62fac29d260c0]';

