-- How far can the figures be trusted? Counts by day of receipt, hourly, of today and the 40 days before, and a view of shares. Changes of
-- parcels that were first heard of more than 180 days ago are not looked for.

CREATE TABLE IF NOT EXISTS {database}.data_quality_daily
(
    `received_date`           Date                       COMMENT 'Day of the receipt, China time: of the first push for what is counted in shipments, of the push itself for what is counted in pushes and transitions',
    `vendor`                  LowCardinality(String)     COMMENT 'Code of the vendor',
    `carrier`                 LowCardinality(String)     COMMENT 'Canonical carrier code',
    `shipments`               UInt64                     COMMENT 'Shipments first heard of that day, CARRIER_CORRECTED ones included',
    `without_events`          UInt64                     COMMENT 'Of those, without any event',
    `carrier_corrected`       UInt64                     COMMENT 'Of those, moved to another carrier by the vendor; they are in no other metric',
    `aborted_no_record`       UInt64                     COMMENT 'Of those, given up by the vendor for want of any record',
    `aborted_stale`           UInt64                     COMMENT 'Of those, given up by the vendor for want of change: after as many days as vendor_fact says',
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
ENGINE = {engine:MergeTree}
ORDER BY (received_date, vendor, carrier)
COMMENT 'Counts of what is odd, by day of receipt, vendor and carrier; replaced every hour';
