CREATE MATERIALIZED VIEW {database}.open_parcel_refresh
REFRESH EVERY 5 MINUTE OFFSET 2 MINUTE
SETTINGS refresh_retries = 2
TO {database}.open_parcel
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:is_municipality},
    {formula:area},
    {formula:parties},
    {formula:party_of},
    {formula:overdue_after},
    -- The last event of a known status that is not an exception; the run of exceptions begins after it.
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
    {formula:origin},
    {formula:dest},
    {formula:is_cross_border},
    picked_up_at,
    last_event_at,
    event.location[-1] AS last_location,
    if(status = 'EXCEPTION' AND toUInt32(run_began_at) > 0, run_began_at, NULL) AS exception_since,
    if(status = 'EXCEPTION', party_of(ifNull(toString(sub_status), '')), NULL) AS exception_party,
    attempts,
    -- A parcel with an exception or on its way back has the limit of one in transit.
    multiIf(
        status = 'AVAILABLE_FOR_PICKUP', overdue_after,
        status = 'OUT_FOR_DELIVERY', 36 * 3600,
        status = 'CUSTOMS', 5 * 86400,
        is_cross_border AND isNotNull(picked_up_at), 10 * 86400,
        48 * 3600) AS stalled_after,
    now('UTC') AS refreshed_at
FROM {database}.shipment_now
WHERE status NOT IN ('DELIVERED', 'RETURNED', 'CANCELLED')
    AND tracking_state NOT IN ('CARRIER_CORRECTED', 'ABORTED_NO_RECORD')
    -- Open as in view parcel: an exception after a delivery does not reopen a parcel.
    AND isNull(delivered_at) AND isNull(returned_at)
    -- By hand: nothing is to be done about one that is known to be gone, or that nobody asks about.
    AND ifNull(annotation NOT IN ('LOST', 'DESTROYED', 'EXCLUDED'), true)
    -- The same period as for the counts of recent days: a parcel that has been open for longer counts as lost and is
    -- in no list of open parcels.
    AND first_received_at >= {expression:recent_since}
    -- The same condition on the partition, which limits what FINAL reads (see received_month in view parcel).
    AND received_month >= toString(toYYYYMM({expression:recent_since}))
SETTINGS max_memory_usage = {setting:view_memory}, max_execution_time = 240
COMMENT 'Fills open_parcel';
