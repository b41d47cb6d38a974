-- Every shipment as it counts: what its vendor says, and over it the correction by hand, if there is one. What counts or lists parcels
-- reads this view and not the table.
--
-- Two halves and no join of all shipments, so that the many without a correction cost what they would cost without this view: an empty
-- set is not even looked into. The few with one are found by the primary key.
--
-- DELIVERED, LOST and DESTROYED are appended as an event, so that exceptions begin and end by them as by the vendor's. A lost parcel is
-- neither delivered nor back: it never arrives, as one that is only presumed lost. EXCLUDED changes nothing here; readers leave it out.
CREATE OR REPLACE VIEW {database}.shipment_now
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT
    vendor,
    account,
    carrier,
    tracking_number,
    epoch,
    -- Since 26.3 FINAL reads all partitions, even with a condition on first_received_at; with a condition on this
    -- column it reads only some.
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
FROM {database}.shipment FINAL
WHERE (carrier, tracking_number, vendor, epoch) NOT IN (SELECT carrier, tracking_number, vendor, epoch FROM {database}.annotation_now)
-- The newest version of a shipment may be in a later month than the others.
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
    -- The event that is appended is known since it was said.
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
    -- A first attempt that was the delivery of which the vendor spoke is no other one.
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
    -- The vendor has said something else since. What it said before was known to whoever corrected it.
    toBool(is_said_ended
        AND NOT (is_said_delivered AND isNotNull(told.delivered_at))
        AND NOT ifNull(told.status = 'EXCEPTION' AND told.sub_status = said.kind, false)
        AND (
            told.tracking_state = 'CARRIER_CORRECTED' OR told.status != said.seen_status
            OR ifNull(toUInt32(told.last_event_at), 0) > ifNull(toUInt32(said.seen_event_at), 0))) AS contradicted
FROM
(
    SELECT *, _partition_id AS received_month
    FROM {database}.shipment FINAL
    WHERE (carrier, tracking_number, vendor, epoch) IN (SELECT carrier, tracking_number, vendor, epoch FROM {database}.annotation_now)
    SETTINGS do_not_merge_across_partitions_select_final = 0
) AS told
INNER JOIN {database}.annotation_now AS said
    ON said.carrier = told.carrier AND said.tracking_number = told.tracking_number AND said.vendor = told.vendor AND said.epoch = told.epoch
COMMENT 'Every shipment as it counts, with the corrections by hand';
