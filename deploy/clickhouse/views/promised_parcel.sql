-- The rows of cohort_parcel with the promise of each, and what is judged by it: what carrier_count counts. Finding the promises reads the
-- lanes of all parcels, so whoever does not need them reads cohort_parcel.
CREATE OR REPLACE VIEW {database}.promised_parcel
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:china_day},
    {formula:working_day_counts},
    {formula:working_day_list},
    {formula:working_days_until},
    {formula:is_working_day},
    {formula:second_of_day},
    {formula:due_after}
SELECT
    measured.*,
    {formula:sla_seconds},
    sla_seconds + if(measured.is_same_city, 3, 7) * 24 * 3600 AS lost_after_seconds,
    measured.is_open AND (ifNull(measured.annotation IN ('LOST', 'DESTROYED'), false) OR measured.is_stale_aborted OR ifNull(measured.age_seconds > lost_after_seconds, false)) AS is_lost_presumed,
    measured.is_in_cohort AND NOT measured.is_attempt_invalid AND ifNull(measured.reported_seconds >= sla_seconds, false) AS is_sla_due,
    is_sla_due AND ifNull(measured.attempt_seconds <= sla_seconds, false) AS is_sla_attempted
FROM {database}.cohort_parcel(
    from_date = {from_date:Date}, to_date = {to_date:Date}, received_from = {received_from:DateTime('UTC')},
    recent_from = {recent_from:Date}, as_of = {as_of:DateTime('UTC')}, older_as_of = {older_as_of:DateTime('UTC')}) AS measured
LEFT JOIN {database}.lane_promise
    ON measured.carrier = lane_promise.carrier AND measured.origin = lane_promise.origin AND measured.dest = lane_promise.dest
-- The defaults of these settings differ between releases or can be set for a user.
SETTINGS join_use_nulls = 0
COMMENT 'Parcels of the cohorts from_date to to_date with what is judged of them: what carrier_count counts';
