-- Lanes between provinces, with the figures that a map can show. View lane_transit takes one carrier or all; this
-- takes any number.
WITH
    {formula:share},
    {formula:wilson},
    {formula:hours_at},
    lane AS
    (
        SELECT
            daily.origin AS origin,
            daily.dest AS dest,
            sum(daily.parcels) AS parcels,
            sum(daily.delivered) AS delivered,
            sum(daily.sent_back) AS sent_back,
            sum(daily.open) AS open,
            sum(daily.lost_presumed) AS lost_presumed,
            sum(daily.settled) AS settled,
            sum(daily.settled_with_exception) AS settled_with_exception,
            sum(daily.settled_returned) AS settled_returned,
            sum(daily.transit_parcels) AS transit_parcels,
            sumMap(daily.transit_bins) AS transit_bins,
            sum(daily.due_72h) AS due_72h,
            sum(daily.within_72h) AS within_72h,
            sum(daily.sla_parcels) AS sla_parcels,
            sum(daily.sla_due) AS sla_due,
            sum(daily.sla_attempted) AS sla_attempted,
            min(daily.refreshed_at) AS refreshed_at
        FROM carrier_daily AS daily
        WHERE daily.level = 'province'
            AND daily.cohort_date BETWEEN {from:Date} AND {to:Date}
            AND {expression:is_on_page}
        GROUP BY daily.origin, daily.dest
        HAVING parcels > 0
    )
SELECT
    origin, dest, parcels, delivered, sent_back, open, lost_presumed, settled,
    {formula:maturity},
    {formula:is_mature},
    transit_parcels,
    {formula:p50_hours},
    {formula:is_p50_sound},
    {formula:p90_hours},
    {formula:is_p90_sound},
    due_72h,
    {formula:rate_72h},
    sla_parcels,
    sla_due,
    {formula:on_time_maturity},
    {formula:is_on_time_mature},
    {formula:on_time_rate},
    {formula:exception_rate},
    {expression:return_rate} AS return_rate,
    refreshed_at
FROM lane
ORDER BY parcels DESC, origin, dest
LIMIT 2000
