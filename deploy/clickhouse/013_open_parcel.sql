-- Parcels on their way that somebody could act on. Looking for them among all shipments takes seconds when there are millions,
-- so they are collected every 5 minutes; how long each has been waiting is measured when the views are read.

CREATE TABLE IF NOT EXISTS {database}.open_parcel
(
    `vendor`             LowCardinality(String)           COMMENT 'kuaidi100 or kdniao',
    `account`            LowCardinality(String)           COMMENT 'Vendor contract',
    `carrier`            LowCardinality(String)           COMMENT 'Canonical carrier code',
    `tracking_number`    String                           COMMENT 'The carrier''s parcel number',
    `epoch`              Date                             COMMENT 'Epoch of the shipment',
    `status`             LowCardinality(String)           COMMENT 'Canonical status; never DELIVERED, RETURNED or CANCELLED',
    `sub_status`         LowCardinality(Nullable(String)) COMMENT 'Canonical refinement',
    `raw_code`           LowCardinality(Nullable(String)) COMMENT 'The vendor''s code behind it',
    `leg`                LowCardinality(String)           COMMENT 'FORWARD or RETURN',
    `tracking_state`     LowCardinality(String)           COMMENT 'What the vendor does: an aborted one will not be heard of again by itself',
    `origin`             LowCardinality(String)           COMMENT 'Area of the origin as in view parcel; empty = unknown',
    `dest`               LowCardinality(String)           COMMENT 'Area of the destination as in view parcel; empty = unknown',
    `is_cross_border`    Bool                             COMMENT 'As in view parcel',
    `picked_up_at`       Nullable(DateTime('UTC'))        COMMENT 'Pickup; UTC. NULL = not yet',
    `last_event_at`      Nullable(DateTime('UTC'))        COMMENT 'Newest event; UTC',
    `last_location`      Nullable(String)                 COMMENT 'Its place',
    `exception_since`    Nullable(DateTime('UTC'))        COMMENT 'First event of the unbroken run of exceptions that the parcel is in; UTC. NULL = in none',
    `exception_party`    LowCardinality(Nullable(String)) COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
    `attempts`           UInt8                            COMMENT 'Delivery rounds so far',
    `stalled_after`      UInt32                           COMMENT 'Seconds without an event after which it counts as stalled',
    `refreshed_at`       DateTime('UTC')                  COMMENT 'When it was collected; UTC'
)
ENGINE = MergeTree
ORDER BY (carrier, tracking_number, vendor, epoch)
COMMENT 'Parcels that are neither delivered nor back nor cancelled, replaced every 5 minutes';

CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.open_parcel_refresh
REFRESH EVERY 5 MINUTE OFFSET 2 MINUTE
SETTINGS refresh_retries = 2
TO {database}.open_parcel
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    code -> multiIf(
        NOT startsWith(ifNull(code, ''), 'CN'), '',
        substring(code, 1, 4) IN ('CN11', 'CN12', 'CN31', 'CN50'), substring(code, 1, 4),
        length(code) < 6 OR substring(code, 5, 2) = '00', substring(code, 1, 4),
        substring(code, 1, 6)) AS area,
    -- The last event that tells something and is no exception; the run of exceptions begins behind it.
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
    has(flags, 'tz_assumed') OR has(event.segment, 'DESTINATION')
        OR arrayExists((time, local) -> toString(time, 'Asia/Shanghai') != local, event.occurred_at, event.local_time) AS is_cross_border,
    picked_up_at,
    last_event_at,
    event.location[-1] AS last_location,
    if(status = 'EXCEPTION' AND toUInt32(run_began_at) > 0, run_began_at, NULL) AS exception_since,
    if(status = 'EXCEPTION', transform(ifNull(toString(sub_status), ''), ['DELIVERY_OVERDUE', 'NO_UPDATE', 'HELD_AT_DEPOT', 'DELIVERY_FAILED', 'DAMAGED', 'DELAYED', 'MISSORTED', 'REFUSED', 'PICKUP_OVERDUE', 'RECIPIENT_UNREACHABLE', 'BAD_PHONE', 'OUT_OF_SERVICE_AREA', 'CANCEL_REQUESTED', 'NO_CARRIER_INFO', 'BAD_ADDRESS', 'INTERCEPTED', 'CUSTOMS_EXCEPTION', 'UNSPECIFIED'], ['carrier', 'carrier', 'carrier', 'carrier', 'carrier', 'carrier', 'carrier', 'consignee', 'consignee', 'consignee', 'consignee', 'shipper', 'shipper', 'shipper', 'shipper', 'shipper', 'customs', 'unknown'], 'unknown'), NULL) AS exception_party,
    attempts,
    -- An exception or a parcel on its way back moves as one in transit does.
    multiIf(
        status = 'AVAILABLE_FOR_PICKUP', 18,
        status = 'OUT_FOR_DELIVERY', 36,
        status = 'CUSTOMS', 5 * 24,
        is_cross_border AND isNotNull(picked_up_at), 10 * 24,
        48) * 3600 AS stalled_after,
    now('UTC') AS refreshed_at
FROM {database}.shipment FINAL
WHERE status NOT IN ('DELIVERED', 'RETURNED', 'CANCELLED')
    AND tracking_state NOT IN ('CARRIER_CORRECTED', 'ABORTED_NO_RECORD')
    -- Open as in view parcel: an exception after a delivery opens nothing again.
    AND isNull(delivered_at) AND isNull(returned_at)
    -- As the counts of the last 40 days (007): what has been open for longer is lost and no longer on anybody's list.
    AND first_received_at >= now('UTC') - INTERVAL 101 DAY
    -- The same once more, for what FINAL reads (see received_month in 006).
    AND _partition_id >= toString(toYYYYMM(now('UTC') - INTERVAL 101 DAY))
SETTINGS do_not_merge_across_partitions_select_final = 0, max_memory_usage = 8000000000, max_execution_time = 240
COMMENT 'Fills open_parcel';

CREATE VIEW IF NOT EXISTS {database}.open_exceptions
(
    `carrier`            LowCardinality(String)           COMMENT 'Canonical carrier code',
    `vendor`             LowCardinality(String)           COMMENT 'kuaidi100 or kdniao',
    `account`            LowCardinality(String)           COMMENT 'Vendor contract',
    `tracking_number`    String                           COMMENT 'The carrier''s parcel number',
    `epoch`              Date                             COMMENT 'Epoch of the shipment',
    `reason`             LowCardinality(Nullable(String)) COMMENT 'Canonical reason',
    `raw_code`           LowCardinality(Nullable(String)) COMMENT 'The vendor''s code; NULL when a name or a text told it',
    `name_zh`            Nullable(String)                 COMMENT 'Name of the reason in Chinese',
    `name_en`            Nullable(String)                 COMMENT 'Name of the reason in English',
    `party`              LowCardinality(Nullable(String)) COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
    `exception_since`    Nullable(DateTime('UTC'))        COMMENT 'First event of the unbroken run of exceptions; UTC. NULL when only the vendor''s state says so and no event',
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
FROM {database}.open_parcel
LEFT JOIN {database}.exception_name AS named ON named.kind = 'reason' AND named.name = ifNull(toString(sub_status), '')
WHERE status = 'EXCEPTION'
SETTINGS join_use_nulls = 0
COMMENT 'Which parcels are in trouble now? One row per parcel whose state is an exception; a refused parcel that is already on its way back is not here';

CREATE VIEW IF NOT EXISTS {database}.stalled_shipments
(
    `carrier`            LowCardinality(String)           COMMENT 'Canonical carrier code',
    `vendor`             LowCardinality(String)           COMMENT 'kuaidi100 or kdniao',
    `account`            LowCardinality(String)           COMMENT 'Vendor contract',
    `tracking_number`    String                           COMMENT 'The carrier''s parcel number',
    `epoch`              Date                             COMMENT 'Epoch of the shipment',
    `status`             LowCardinality(String)           COMMENT 'State in which it stands still',
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
FROM {database}.open_parcel
WHERE isNotNull(open_parcel.last_event_at)
    AND dateDiff('second', assumeNotNull(open_parcel.last_event_at), now('UTC')) > stalled_after
COMMENT 'Which parcels have not been heard of for too long? One row per open parcel; the vendors report late by up to 4 h, more when a push was repeated';
