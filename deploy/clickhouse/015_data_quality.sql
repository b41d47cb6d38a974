-- How far can the figures be trusted? Counts by day of receipt, hourly, of today and the 40 days before, and a view of shares. Changes of
-- parcels that were first heard of more than 180 days ago are not looked for.

CREATE TABLE IF NOT EXISTS {database}.data_quality_daily
(
    `received_date`           Date                       COMMENT 'Day of the receipt, China time: of the first push for what is counted in shipments, of the push itself for what is counted in pushes and transitions',
    `vendor`                  LowCardinality(String)     COMMENT 'kuaidi100 or kdniao',
    `carrier`                 LowCardinality(String)     COMMENT 'Canonical carrier code',
    `shipments`               UInt64                     COMMENT 'Shipments first heard of that day, CARRIER_CORRECTED ones included',
    `without_events`          UInt64                     COMMENT 'Of those, without any event',
    `carrier_corrected`       UInt64                     COMMENT 'Of those, moved to another carrier by the vendor; they are in no other metric',
    `aborted_no_record`       UInt64                     COMMENT 'Of those, given up by the vendor for want of any record',
    `aborted_stale`           UInt64                     COMMENT 'Of those, given up by the vendor for want of change: by Kuaidi100 after 60 days, by Kdniao after 7',
    `lane_unknown`            UInt64                     COMMENT 'Of those, without an origin or a destination city or province',
    `duration_invalid`        UInt64                     COMMENT 'Of those, with at least one duration between milestones that is negative or over 180 days, and therefore in no figure',
    `flag_bad_time`           UInt64                     COMMENT 'Shipments flagged bad_time: an item without a usable time, left out',
    `flag_delivery_revoked`   UInt64                     COMMENT 'Shipments flagged delivery_revoked: a sign-off that a later delivery revoked',
    `flag_future_time`        UInt64                     COMMENT 'Shipments flagged future_time: an event dated later than its push',
    `flag_lane_inferred`      UInt64                     COMMENT 'Shipments flagged lane_inferred: origin or destination taken from events',
    `flag_pickup_imputed`     UInt64                     COMMENT 'Shipments flagged pickup_imputed: no pickup scan',
    `flag_post_terminal_scan` UInt64                     COMMENT 'Shipments flagged post_terminal_scan: a scan after the end of the parcel',
    `flag_return_signed`      UInt64                     COMMENT 'Shipments flagged return_signed: a sign-off on the way back, read as RETURNED',
    `flag_route_loop`         UInt64                     COMMENT 'Shipments flagged route_loop: a route that the vendor calls a loop',
    `flag_tz_assumed`         UInt64                     COMMENT 'Shipments flagged tz_assumed: a local time of unknown zone',
    `flag_unknown_code`       UInt64                     COMMENT 'Shipments flagged unknown_code: a code that no table has',
    `events`                  UInt64                     COMMENT 'Events of those',
    `events_without_code`     UInt64                     COMMENT 'Of the events, read from a name or a text because the vendor sent no code',
    `events_unknown`          UInt64                     COMMENT 'Of the events, of status UNKNOWN',
    `pushes`                  UInt64                     COMMENT 'Pushes received, one per parcel',
    `pushes_repeated`         UInt64                     COMMENT 'Of those, byte for byte the same as another one of that day: repeated by the vendor',
    `transitions`             UInt64                     COMMENT 'Changes of state that stand',
    `transitions_retracted`   UInt64                     COMMENT 'Changes of state that the vendor took back that day',
    `lag_transitions`         UInt64                     COMMENT 'Changes that came with a later push than the first of their parcel: how late they were reported can be told',
    `lag_digest`              AggregateFunction(quantilesTDigest(0.5, 0.95), Float32) COMMENT 'Seconds between those changes and their reports; to be merged',
    `refreshed_at`            DateTime('UTC')            COMMENT 'When it was counted; UTC'
)
ENGINE = MergeTree
ORDER BY (received_date, vendor, carrier)
COMMENT 'Counts of what is odd, by day of receipt, vendor and carrier; replaced every hour';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.data_quality_refresh
REFRESH EVERY 1 HOUR OFFSET 7 MINUTE
SETTINGS refresh_retries = 2
TO {database}.data_quality_daily
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    -- The same bounds as in view parcel.
    (start, end) -> ifNull(toInt64(end) - toInt64(start) NOT BETWEEN 0 AND 180 * 86400, false) AS is_odd,
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
        FROM {database}.shipment FINAL
        WHERE shipment.first_received_at >= toDateTime(toDate(now(), 'Asia/Shanghai') - 40, 'Asia/Shanghai') AND _partition_id >= toString(toYYYYMM(now('UTC') - INTERVAL 42 DAY))
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
        FROM {database}.push FINAL
        WHERE push.received_at >= toDateTime(toDate(now(), 'Asia/Shanghai') - 40, 'Asia/Shanghai')
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
            countIf(transition.received_at > transition.first_received_at) AS counted_lag_transitions,
            quantilesTDigestStateIf(0.5, 0.95)(toFloat32(dateDiff('second', transition.occurred_at, transition.received_at)), transition.received_at > transition.first_received_at) AS counted_lag_digest
        FROM {database}.transition FINAL
        WHERE transition.received_at >= toDateTime(toDate(now(), 'Asia/Shanghai') - 40, 'Asia/Shanghai') AND _partition_id >= toString(toYYYYMM(now('UTC') - INTERVAL 180 DAY))
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
            -- FINAL hides what was taken back: the keys that were ever void, of which the newest row is void still.
            SELECT vendor, carrier, max(transition.received_at) AS voided_at
            FROM {database}.transition
            WHERE (carrier, tracking_number, vendor, epoch, transition.occurred_at, transition_id) IN
            (
                SELECT carrier, tracking_number, vendor, epoch, transition.occurred_at, transition_id
                FROM {database}.transition
                WHERE is_deleted = 1 AND _partition_id >= toString(toYYYYMM(now('UTC') - INTERVAL 180 DAY))
            )
            GROUP BY carrier, tracking_number, vendor, epoch, transition.occurred_at, transition_id
            HAVING argMax(is_deleted, version) = 1
        )
        WHERE voided_at >= toDateTime(toDate(now(), 'Asia/Shanghai') - 40, 'Asia/Shanghai')
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
COMMENT 'Fills data_quality_daily';

CREATE VIEW IF NOT EXISTS {database}.data_quality
(
    `received_date`             Date                     COMMENT 'Day of the receipt, China time: of the first push for what is counted in shipments, of the push itself for what is counted in pushes and transitions',
    `vendor`                    LowCardinality(String)   COMMENT 'kuaidi100 or kdniao',
    `carrier`                   LowCardinality(String)   COMMENT 'Canonical carrier code',
    `shipments`                 UInt64                   COMMENT 'Shipments first heard of that day, CARRIER_CORRECTED ones included',
    `events`                    UInt64                   COMMENT 'Events of those',
    `pushes`                    UInt64                   COMMENT 'Pushes received, one per parcel',
    `transitions`               UInt64                   COMMENT 'Changes of state that stand',
    `lag_transitions`           UInt64                   COMMENT 'Changes that came with a later push than the first of their parcel: how late they were reported can be told',
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
    FROM {database}.data_quality_daily
) AS data_quality_daily
ORDER BY received_date, vendor, carrier
COMMENT 'How far can the figures be trusted? One row per day of receipt, vendor and carrier, of the last 40 days';
