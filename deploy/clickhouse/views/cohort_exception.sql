-- Every exception of the parcels of the cohorts from_date to to_date, and whether it is settled at that time (see cohort_parcel): what exception_count counts, and
-- what the dashboard lists behind a code, a reason or a party.
CREATE OR REPLACE VIEW {database}.cohort_exception
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:horizon},
    {formula:report_lag}
SELECT
    assumeNotNull(parcel.cohort_date) AS cohort_date,
    parcel.vendor AS vendor,
    parcel.carrier AS carrier,
    parcel.origin AS origin,
    parcel.dest AS dest,
    parcel.epoch AS epoch,
    parcel.tracking_number AS tracking_number,
    if(parcel.cohort_date >= {recent_from:Date}, {as_of:DateTime('UTC')}, {older_as_of:DateTime('UTC')}) AS observed_at,
    -- As in carrier_daily, and the exception began within the horizon.
    ifNull(toInt64(observed_at) - toInt64(parcel.picked_up_at) >= horizon + report_lag AND toInt64(began_at) - toInt64(parcel.picked_up_at) <= horizon, false) AS is_settled,
    parcel_exception.kind AS kind,
    parcel_exception.name AS name,
    toInt64(resolved_at) - toInt64(began_at) AS seconds_to_resolve
FROM {database}.parcel_exception
INNER JOIN {database}.parcel
    ON parcel.carrier = parcel_exception.carrier AND parcel.tracking_number = parcel_exception.tracking_number
        AND parcel.vendor = parcel_exception.vendor AND parcel.epoch = parcel_exception.epoch
WHERE parcel.is_in_cohort AND parcel.is_exception
    AND parcel.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
    AND parcel.received_month >= toString(toYYYYMM({received_from:DateTime('UTC')}))
    AND parcel_exception.received_month >= toString(toYYYYMM({received_from:DateTime('UTC')}))
SETTINGS join_use_nulls = 0
COMMENT 'Exceptions of the cohorts from_date to to_date with what is judged of them: what exception_count counts';
