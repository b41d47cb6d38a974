-- Counts by cohort: pickup day x vendor x carrier x lane. All rates and quantiles are computed from them when they
-- are read.
--
-- Each refresh replaces a table as a whole, from the present content of shipment. Vendors rewrite history: a parcel can
-- change its lane, its pickup day or its carrier, and then its old row must go away. A refresh that appends to a
-- ReplacingMergeTree would never remove it, and counters could not be decreased. A full replacement is idempotent,
-- readers need no FINAL, and they see either the old counts or the new ones.
--
-- The last 40 cohort days, which still change, are refreshed every 10 minutes; the older ones, for which everything must be
-- read, once a day.
--
-- Only counts and sums are added up, and times are kept as histograms, so lanes, days, vendors and carriers can be rolled up
-- exactly. Why no t-digest or other sketch? They cannot represent the infinite time of an unfinished parcel, and merging them
-- has no proven error bound. Histograms in quarters of an hour have one: 0.25 h, whatever is merged.
--
-- A rate with a fixed horizon (24 h) is taken over the parcels that have reached it, plus 6 h for late reports of vendors.
-- Figures without a horizon of their own (exceptions, returns, stages, estimates) get one of 7 days: they count what happened
-- within 7 days of the pickup, over the settled parcels, which are at least 7 days + 6 h old. If younger parcels were included,
-- a recent cohort would look better, because its slow and troublesome parcels have not shown yet. If later events were included,
-- an old cohort would look worse, because it has had more time.
--
-- A promise is a horizon that differs from parcel to parcel. In a recent cohort only the short promises are due, which say nothing
-- about the long ones. So there are two counts: the parcels that are due now (sla_due, lost_due) and all that will be (sla_parcels,
-- promised). The rate is that of the whole cohort only once they are equal.

-- This view counts the cohorts of a range of days. received_from avoids reading older months: newer versions of a shipment are
-- never in an older month. The recent refresh includes parcels first reported in the last 101 days, which leaves 60 days from
-- then until the pickup. A parcel that is reported for longer before its pickup is missing until the older refresh, which reads
-- everything, covers its day.
CREATE OR REPLACE VIEW {database}.carrier_count
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:bin},
    {formula:runs},
    {formula:counted},
    {formula:lanes},
    by_city AS
    (
        SELECT
            assumeNotNull(cohort_date) AS cohort_date,
            vendor,
            carrier,
            origin,
            dest,
            countIf(is_in_cohort) AS parcels,
            countIf(status = 'CANCELLED') AS cancelled,
            countIf(is_in_cohort AND is_pickup_imputed) AS pickup_imputed,
            countIf(is_in_cohort AND is_delivered) AS delivered,
            countIf(is_in_cohort AND is_sent_back) AS sent_back,
            countIf(is_in_cohort AND is_open) AS open,
            countIf(is_in_cohort AND is_returned) AS returned,
            countIf(is_in_cohort AND is_refused) AS refused,
            countIf(is_in_cohort AND is_lost_presumed) AS lost_presumed,
            countIf(is_in_cohort AND is_exception) AS with_exception,
            countIf(is_in_cohort AND NOT is_transit_invalid) AS transit_parcels,
            groupArrayIf(bin(assumeNotNull(transit_seconds)), is_in_cohort AND isNotNull(transit_seconds)) AS transit_bins,
            groupArrayIf(toUInt16(ceil(assumeNotNull(transit_working_hours) * 4)), is_in_cohort AND isNotNull(transit_working_hours)) AS transit_working_bins,
            countIf(is_in_cohort AND NOT is_attempt_invalid) AS attempt_parcels,
            groupArrayIf(bin(assumeNotNull(attempt_seconds)), is_in_cohort AND isNotNull(attempt_seconds)) AS attempt_bins,
            countIf(is_due_24h) AS due_24h,
            countIf(is_within_24h) AS within_24h,
            countIf(is_due_48h) AS due_48h,
            countIf(is_within_48h) AS within_48h,
            countIf(is_due_72h) AS due_72h,
            countIf(is_within_72h) AS within_72h,
            countIf(is_in_cohort AND NOT is_attempt_invalid AND isNotNull(sla_seconds)) AS sla_parcels,
            countIf(is_sla_due) AS sla_due,
            countIf(is_sla_attempted) AS sla_attempted,
            countIf(is_in_cohort AND NOT is_transit_invalid AND reported_seconds >= sla_seconds) AS sla_delivered_due,
            countIf(is_in_cohort AND reported_seconds >= sla_seconds AND transit_seconds <= sla_seconds) AS sla_delivered,
            countIf(is_settled) AS settled,
            countIf(is_attempted_early) AS settled_attempted,
            sumIf(toUInt64(assumeNotNull(attempt_seconds)), is_attempted_early) AS settled_attempt_seconds_sum,
            countIf(is_attempted_early AND is_first_attempt) AS settled_first_attempt,
            countIf(is_first_attempt_early) AS settled_first_attempt_cn,
            countIf(is_exception_early) AS settled_with_exception,
            countIf(is_returned_early) AS settled_returned,
            countIf(is_refused_early) AS settled_refused,
            countIf(is_in_cohort AND isNotNull(sla_seconds)) AS promised,
            countIf(is_in_cohort AND reported_seconds >= lost_after_seconds) AS lost_due,
            countIf(is_in_cohort AND reported_seconds >= lost_after_seconds AND is_lost_presumed) AS lost_due_presumed,
            countIf(is_delivered_early OR is_available_early) AS settled_reached,
            countIf(is_available_early) AS settled_locker,
            countIf(is_dwell_known) AS locker_parcels,
            groupArrayIf(bin(assumeNotNull(locker_seconds)), is_dwell_known AND isNotNull(locker_seconds)) AS locker_bins,
            countIf(is_dwell_known AND is_locker_overdue) AS locker_overdue,
            countIf(is_pickup_wait_known) AS pickup_wait_parcels,
            sumIf(toUInt64(assumeNotNull(pickup_wait_seconds)), is_pickup_wait_known) AS pickup_wait_seconds_sum,
            countIf(is_origin_known) AS origin_parcels,
            sumIf(toUInt64(assumeNotNull(origin_seconds)), is_origin_known) AS origin_seconds_sum,
            countIf(is_linehaul_known) AS linehaul_parcels,
            sumIf(toUInt64(assumeNotNull(linehaul_seconds)), is_linehaul_known) AS linehaul_seconds_sum,
            countIf(is_destination_known) AS destination_parcels,
            sumIf(toUInt64(assumeNotNull(destination_seconds)), is_destination_known) AS destination_seconds_sum,
            countIf(is_last_mile_known) AS last_mile_parcels,
            sumIf(toUInt64(assumeNotNull(last_mile_seconds)), is_last_mile_known) AS last_mile_seconds_sum,
            countIf(is_settled AND has_eta) AS eta_parcels,
            countIf(is_eta_due) AS eta_due,
            countIf(is_eta_due AND is_eta_hit) AS eta_hit,
            countIf(is_eta_due AND is_eta_within_day) AS eta_within_day,
            countIf(is_eta_error_known) AS eta_attempted,
            sumIf(assumeNotNull(eta_error_seconds), is_eta_error_known) AS eta_error_seconds_sum,
            sumIf(abs(assumeNotNull(eta_error_seconds)), is_eta_error_known) AS eta_absolute_error_seconds_sum,
            any(observed_at) AS refreshed_at
        FROM {database}.promised_parcel(
            from_date = {from_date:Date}, to_date = {to_date:Date}, received_from = {received_from:DateTime('UTC')},
            recent_from = {from_date:Date}, as_of = now('UTC'), older_as_of = now('UTC'))
        GROUP BY cohort_date, vendor, carrier, origin, dest
    )
SELECT
    lane.1 AS level,
    by_city.cohort_date AS cohort_date,
    by_city.vendor AS vendor,
    by_city.carrier AS carrier,
    lane.2 AS origin,
    lane.3 AS dest,
    sum(by_city.parcels) AS parcels,
    sum(by_city.cancelled) AS cancelled,
    sum(by_city.pickup_imputed) AS pickup_imputed,
    sum(by_city.delivered) AS delivered,
    sum(by_city.sent_back) AS sent_back,
    sum(by_city.open) AS open,
    sum(by_city.returned) AS returned,
    sum(by_city.refused) AS refused,
    sum(by_city.lost_presumed) AS lost_presumed,
    sum(by_city.with_exception) AS with_exception,
    sum(by_city.transit_parcels) AS transit_parcels,
    counted(groupArrayArray(by_city.transit_bins)) AS transit_bins,
    counted(groupArrayArray(by_city.transit_working_bins)) AS transit_working_bins,
    sum(by_city.attempt_parcels) AS attempt_parcels,
    counted(groupArrayArray(by_city.attempt_bins)) AS attempt_bins,
    sum(by_city.due_24h) AS due_24h,
    sum(by_city.within_24h) AS within_24h,
    sum(by_city.due_48h) AS due_48h,
    sum(by_city.within_48h) AS within_48h,
    sum(by_city.due_72h) AS due_72h,
    sum(by_city.within_72h) AS within_72h,
    sum(by_city.sla_parcels) AS sla_parcels,
    sum(by_city.sla_due) AS sla_due,
    sum(by_city.sla_attempted) AS sla_attempted,
    sum(by_city.sla_delivered_due) AS sla_delivered_due,
    sum(by_city.sla_delivered) AS sla_delivered,
    sum(by_city.settled) AS settled,
    sum(by_city.settled_attempted) AS settled_attempted,
    sum(by_city.settled_attempt_seconds_sum) AS settled_attempt_seconds_sum,
    sum(by_city.settled_first_attempt) AS settled_first_attempt,
    sum(by_city.settled_first_attempt_cn) AS settled_first_attempt_cn,
    sum(by_city.settled_with_exception) AS settled_with_exception,
    sum(by_city.settled_returned) AS settled_returned,
    sum(by_city.settled_refused) AS settled_refused,
    sum(by_city.promised) AS promised,
    sum(by_city.lost_due) AS lost_due,
    sum(by_city.lost_due_presumed) AS lost_due_presumed,
    sum(by_city.settled_reached) AS settled_reached,
    sum(by_city.settled_locker) AS settled_locker,
    sum(by_city.locker_parcels) AS locker_parcels,
    counted(groupArrayArray(by_city.locker_bins)) AS locker_bins,
    sum(by_city.locker_overdue) AS locker_overdue,
    sum(by_city.pickup_wait_parcels) AS pickup_wait_parcels,
    sum(by_city.pickup_wait_seconds_sum) AS pickup_wait_seconds_sum,
    sum(by_city.origin_parcels) AS origin_parcels,
    sum(by_city.origin_seconds_sum) AS origin_seconds_sum,
    sum(by_city.linehaul_parcels) AS linehaul_parcels,
    sum(by_city.linehaul_seconds_sum) AS linehaul_seconds_sum,
    sum(by_city.destination_parcels) AS destination_parcels,
    sum(by_city.destination_seconds_sum) AS destination_seconds_sum,
    sum(by_city.last_mile_parcels) AS last_mile_parcels,
    sum(by_city.last_mile_seconds_sum) AS last_mile_seconds_sum,
    sum(by_city.eta_parcels) AS eta_parcels,
    sum(by_city.eta_due) AS eta_due,
    sum(by_city.eta_hit) AS eta_hit,
    sum(by_city.eta_within_day) AS eta_within_day,
    sum(by_city.eta_attempted) AS eta_attempted,
    sum(by_city.eta_error_seconds_sum) AS eta_error_seconds_sum,
    sum(by_city.eta_absolute_error_seconds_sum) AS eta_absolute_error_seconds_sum,
    CAST(NULL, 'Nullable(UInt64)') AS claims,
    any(by_city.refreshed_at) AS refreshed_at
FROM by_city
ARRAY JOIN lanes(by_city.origin, by_city.dest) AS lane
GROUP BY lane, by_city.cohort_date, by_city.vendor, by_city.carrier
-- The defaults of these settings differ between releases or can be set for a user.
SETTINGS join_use_nulls = 0
COMMENT 'Counts of the cohorts from_date to_date, from shipment as it is now: what fills carrier_daily';
