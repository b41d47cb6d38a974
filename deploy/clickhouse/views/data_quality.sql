CREATE OR REPLACE VIEW {database}.data_quality
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
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:share}
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
