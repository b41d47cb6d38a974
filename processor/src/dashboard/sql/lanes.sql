-- Provinces to provinces, with what a map can show. The formulas are those of lane_transit, which takes one carrier or all;
-- here any number can be chosen.
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    (part, whole, side) -> if(whole = 0, NULL, least(1., greatest(0.,
        (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
            / (whole + 3.8414588206941983)))) AS wilson,
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
        mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
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
            AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
            AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
            AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, daily.carrier))
        GROUP BY daily.origin, daily.dest
        HAVING parcels > 0
    )
SELECT
    origin, dest, parcels, delivered, sent_back, open, lost_presumed, settled,
    share(due_72h, transit_parcels) AS maturity,
    toBool(ifNull(maturity >= 0.99, false)) AS is_mature,
    transit_parcels,
    hours_at(transit_bins, transit_parcels, 50) AS p50_hours,
    toBool(transit_parcels >= 10) AS is_p50_sound,
    hours_at(transit_bins, transit_parcels, 90) AS p90_hours,
    toBool(transit_parcels >= 50) AS is_p90_sound,
    due_72h,
    share(within_72h, due_72h) AS rate_72h,
    wilson(within_72h, due_72h, -1) AS rate_72h_low,
    wilson(within_72h, due_72h, 1) AS rate_72h_high,
    sla_parcels,
    sla_due,
    share(sla_due, sla_parcels) AS on_time_maturity,
    toBool(ifNull(on_time_maturity >= 0.99, false)) AS is_on_time_mature,
    share(sla_attempted, sla_due) AS on_time_rate,
    wilson(sla_attempted, sla_due, -1) AS on_time_rate_low,
    wilson(sla_attempted, sla_due, 1) AS on_time_rate_high,
    share(settled_with_exception, settled) AS exception_rate,
    wilson(settled_with_exception, settled, -1) AS exception_rate_low,
    wilson(settled_with_exception, settled, 1) AS exception_rate_high,
    share(settled_returned, settled) AS return_rate,
    refreshed_at
FROM lane
ORDER BY parcels DESC, origin, dest
LIMIT 2000
