-- The measures of each parcel. All definitions are here, and all other views count these rows. It is a view and not a
-- table, because all figures must be based on the present content of shipment.

CREATE OR REPLACE VIEW {database}.parcel
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
    `exception_reasons`    Array(LowCardinality(String))    COMMENT 'As in shipment'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:is_municipality},
    {formula:area},
    {formula:is_believed},
    {formula:span},
    {formula:china_day},
    {formula:is_trouble},
    {formula:is_in_time},
    {formula:overdue_after},
    -- The first event that satisfies the condition; NULL if there is none.
    is_one -> nullIf(arrayFirst((time, is_this) -> is_this AND is_in_time(time), event.occurred_at, is_one), toDateTime(0, 'UTC')) AS first_event
SELECT
    vendor,
    carrier,
    tracking_number,
    epoch,
    -- Since 26.3 FINAL reads all partitions, even with a condition on first_received_at; with a condition on this
    -- column it reads only some.
    _partition_id AS received_month,
    status,
    now('UTC') AS observed_at,
    china_day(picked_up_at) AS cohort_date,
    {formula:origin},
    {formula:dest},
    origin = dest AND (length(origin) = 6 OR is_municipality(origin)) AS is_same_city,
    {formula:is_cross_border},
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
    -- China has no daylight saving time.
    (toInt64(china_day(edd_first)) + 2) * 86400 - 8 * 3600 - toInt64(picked_up_at) AS eta_due_after,
    span(picked_up_at, delivered_at) AS transit_seconds,
    span(picked_up_at, first_attempt_at) AS attempt_seconds,
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
    -- Other vendors give up while many parcels are still on their way.
    tracking_state = 'ABORTED_STALE'
        AND shipment.vendor IN (SELECT patient.vendor FROM {database}.vendor_fact AS patient WHERE patient.stale_days >= 30) AS is_stale_aborted,
    exception_codes,
    exception_reasons
FROM {database}.shipment FINAL
-- A parcel that the vendor has moved to another carrier is excluded, because the other carrier has a row of its own.
WHERE tracking_state != 'CARRIER_CORRECTED'
-- The newest version of a shipment may be in a later month than the others.
SETTINGS do_not_merge_across_partitions_select_final = 0
COMMENT 'Measures of every parcel: one row per parcel, vendor and epoch. Ages are as of the time of the query';
