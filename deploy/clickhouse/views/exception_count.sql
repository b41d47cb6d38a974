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
    {formula:is_believed}
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
FROM {database}.cohort_exception(
    from_date = {from_date:Date}, to_date = {to_date:Date}, received_from = {received_from:DateTime('UTC')},
    recent_from = {from_date:Date}, as_of = now('UTC'), older_as_of = now('UTC')) AS measured
ARRAY JOIN lanes(measured.origin, measured.dest) AS lane
GROUP BY lane, cohort_date, vendor, carrier, kind, name
SETTINGS join_use_nulls = 0
COMMENT 'Counts of the exceptions of the cohorts from_date to to_date, from shipment as it is now: what fills exception_daily';
