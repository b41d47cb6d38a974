CREATE OR REPLACE VIEW {database}.stalled_shipments
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
DEFINER = {setting:definer} SQL SECURITY DEFINER
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
FROM {database}.open_parcel
WHERE isNotNull(open_parcel.last_event_at)
    AND dateDiff('second', assumeNotNull(open_parcel.last_event_at), now('UTC')) > stalled_after
COMMENT 'Which parcels have not been heard of for too long? One row per open parcel; the vendors report late by up to 4 h, more when a push was repeated';
