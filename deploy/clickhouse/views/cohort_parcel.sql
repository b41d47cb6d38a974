-- The parcels of the cohorts from_date to to_date, and what can be said of each without its promise. Ages are those at as_of, of the
-- cohorts before recent_from those at older_as_of. A figure and the dashboard's list of its parcels are made of the same conditions, so
-- they are here and in promised_parcel, once.
CREATE OR REPLACE VIEW {database}.cohort_parcel
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:horizon},
    {formula:report_lag}
SELECT
    parcel.* EXCEPT (observed_at, age_seconds),
    if(parcel.cohort_date >= {recent_from:Date}, {as_of:DateTime('UTC')}, {older_as_of:DateTime('UTC')}) AS observed_at,
    toInt64(observed_at) - toInt64(parcel.picked_up_at) AS age_seconds,
    age_seconds - report_lag AS reported_seconds,
    parcel.is_in_cohort AND reported_seconds >= horizon AS is_settled,
    -- Events of the parcel within its first 7 days.
    is_settled AND ifNull(parcel.attempt_seconds <= horizon, false) AS is_attempted_early,
    is_settled AND ifNull(parcel.transit_seconds <= horizon, false) AS is_delivered_early,
    is_settled AND ifNull(parcel.available_after <= horizon, false) AS is_available_early,
    -- The last of the 7 days is left for the collection.
    is_settled AND ifNull(parcel.available_after <= horizon - 86400, false) AND NOT parcel.is_locker_invalid AS is_dwell_known,
    -- If the destination was known only from the delivery, an earlier arrival becomes known late.
    NOT parcel.is_lane_inferred OR is_delivered_early AS is_dest_known_early,
    is_settled AND isNotNull(parcel.pickup_wait_seconds) AS is_pickup_wait_known,
    is_settled AND isNotNull(parcel.origin_seconds) AND parcel.left_origin_after <= horizon AS is_origin_known,
    is_settled AND isNotNull(parcel.linehaul_seconds) AND parcel.arrived_dest_after <= horizon AND is_dest_known_early AS is_linehaul_known,
    is_settled AND isNotNull(parcel.destination_seconds) AND parcel.out_after <= horizon AND is_dest_known_early AS is_destination_known,
    is_attempted_early AND isNotNull(parcel.last_mile_seconds) AS is_last_mile_known,
    is_settled AND ifNull(parcel.eta_due_after <= horizon, false) AS is_eta_due,
    is_eta_due AND is_attempted_early AND isNotNull(parcel.eta_error_seconds) AS is_eta_error_known,
    -- What a rate is over, and the parcels of it that it counts.
    parcel.is_in_cohort AND NOT parcel.is_transit_invalid AND reported_seconds >= 24 * 3600 AS is_due_24h,
    is_due_24h AND ifNull(parcel.transit_seconds <= 24 * 3600, false) AS is_within_24h,
    parcel.is_in_cohort AND NOT parcel.is_transit_invalid AND reported_seconds >= 48 * 3600 AS is_due_48h,
    is_due_48h AND ifNull(parcel.transit_seconds <= 48 * 3600, false) AS is_within_48h,
    parcel.is_in_cohort AND NOT parcel.is_transit_invalid AND reported_seconds >= 72 * 3600 AS is_due_72h,
    is_due_72h AND ifNull(parcel.transit_seconds <= 72 * 3600, false) AS is_within_72h,
    is_attempted_early AND is_delivered_early AND parcel.is_first_attempt_cn AS is_first_attempt_early,
    is_settled AND parcel.is_exception AND ifNull(parcel.exception_after <= horizon, false) AS is_exception_early,
    is_settled AND ifNull(parcel.return_after <= horizon, false) AS is_returned_early,
    is_settled AND parcel.is_refused AND ifNull(parcel.refusal_after <= horizon, false) AS is_refused_early
FROM {database}.parcel
WHERE parcel.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
    AND parcel.received_month >= toString(toYYYYMM({received_from:DateTime('UTC')}))
COMMENT 'Parcels of the cohorts from_date to to_date with what is judged of them, but for their promise';
