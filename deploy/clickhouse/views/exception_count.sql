-- Counts by cohort, lane and code, reason or party. Tables, refreshes and levels are as in carrier_daily, for the same
-- reasons. It is a separate table, because a parcel can count here several times.

CREATE OR REPLACE VIEW {database}.exception_count
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:bin},
    {formula:runs},
    {formula:counted},
    {formula:lanes},
    {formula:horizon},
    {formula:report_lag},
    {formula:is_believed},
    measured AS
    (
        SELECT
            assumeNotNull(parcel.cohort_date) AS cohort_date,
            parcel.vendor AS vendor,
            parcel.carrier AS carrier,
            parcel.origin AS origin,
            parcel.dest AS dest,
            parcel.observed_at AS observed_at,
            -- As in carrier_daily, and the exception began within the horizon.
            ifNull(parcel.age_seconds >= horizon + report_lag AND toInt64(began_at) - toInt64(parcel.picked_up_at) <= horizon, false) AS is_settled,
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
    )
SELECT
    lane.1 AS level,
    measured.cohort_date AS cohort_date,
    measured.vendor AS vendor,
    measured.carrier AS carrier,
    lane.2 AS origin,
    lane.3 AS dest,
    measured.kind AS kind,
    measured.name AS name,
    count() AS parcels,
    countIf(is_settled) AS settled,
    countIf(is_settled AND ifNull(is_believed(seconds_to_resolve), true)) AS resolve_parcels,
    counted(groupArrayIf(bin(assumeNotNull(seconds_to_resolve)), is_settled AND ifNull(is_believed(seconds_to_resolve), false))) AS resolve_bins,
    any(observed_at) AS refreshed_at
FROM measured
ARRAY JOIN lanes(measured.origin, measured.dest) AS lane
GROUP BY lane, cohort_date, vendor, carrier, kind, name
SETTINGS join_use_nulls = 0
COMMENT 'Counts of the exceptions of the cohorts from_date to to_date, from shipment as it is now: what fills exception_daily';
