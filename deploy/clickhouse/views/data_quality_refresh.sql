CREATE MATERIALIZED VIEW {database}.data_quality_refresh
REFRESH EVERY 1 HOUR OFFSET 7 MINUTE
SETTINGS refresh_retries = 2
TO {database}.data_quality_daily
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:is_believed},
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
        FROM {database}.shipment FINAL
        WHERE shipment.first_received_at >= toDateTime({expression:first_recent_day}, 'Asia/Shanghai') AND _partition_id >= toString(toYYYYMM(now('UTC') - INTERVAL 42 DAY))
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
        -- Answers to our own queries say nothing about how vendors push.
        WHERE push.received_at >= toDateTime({expression:first_recent_day}, 'Asia/Shanghai') AND push.origin = 'PUSH'
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
        FROM {database}.transition FINAL
        WHERE transition.received_at >= toDateTime({expression:first_recent_day}, 'Asia/Shanghai') AND _partition_id >= toString(toYYYYMM(now('UTC') - INTERVAL 180 DAY))
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
            -- FINAL hides retracted changes: so look for keys that were void at some time and whose newest row is
            -- still void.
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
        WHERE voided_at >= toDateTime({expression:first_recent_day}, 'Asia/Shanghai')
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
SETTINGS do_not_merge_across_partitions_select_final = 0, max_memory_usage = {setting:view_memory}, max_bytes_before_external_group_by = {setting:view_memory_before_disk}, max_execution_time = 1800
COMMENT 'Fills data_quality_daily';
