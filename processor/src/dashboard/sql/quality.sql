-- Data quality: odd pushes by vendor, over days of receipt.
SELECT
    vendor,
    sum(daily.shipments) AS shipments,
    sum(daily.without_events) AS without_events,
    sum(daily.carrier_corrected) AS carrier_corrected,
    sum(daily.aborted_no_record) + sum(daily.aborted_stale) AS aborted,
    sum(daily.lane_unknown) AS lane_unknown,
    sum(daily.duration_invalid) AS duration_invalid,
    sum(daily.flag_bad_time) AS bad_time,
    sum(daily.flag_delivery_revoked) AS delivery_revoked,
    sum(daily.flag_future_time) AS future_time,
    sum(daily.flag_pickup_imputed) AS pickup_imputed,
    sum(daily.flag_post_terminal_scan) AS post_terminal_scan,
    sum(daily.flag_route_loop) AS route_loop,
    sum(daily.flag_tz_assumed) AS tz_assumed,
    sum(daily.flag_unknown_code) AS unknown_code,
    sum(daily.events) AS events,
    sum(daily.events_without_code) AS events_without_code,
    sum(daily.events_unknown) AS events_unknown,
    sum(daily.pushes) AS pushes,
    sum(daily.pushes_repeated) AS pushes_repeated,
    sum(daily.transitions) AS transitions,
    sum(daily.transitions_retracted) AS transitions_retracted,
    sum(daily.lag_transitions) AS lag_transitions,
    if(lag_transitions = 0, NULL, quantilesTDigestMerge(0.5, 0.95)(daily.lag_digest)[1] / 3600) AS lag_p50_hours,
    if(lag_transitions = 0, NULL, quantilesTDigestMerge(0.5, 0.95)(daily.lag_digest)[2] / 3600) AS lag_p95_hours,
    min(daily.refreshed_at) AS refreshed_at
FROM data_quality_daily AS daily
WHERE daily.received_date BETWEEN {from:Date} AND {to:Date}
    AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
    AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, daily.carrier))
GROUP BY vendor
ORDER BY vendor
LIMIT 20
