-- Some figures of each carrier day by day, each over the parcels picked up in the seven days up to that day: a single day of
-- one carrier has too few parcels.
WITH
    {formula:share},
    {formula:hours_at},
    week AS
    (
        SELECT
            daily.carrier AS carrier,
            daily.cohort_date + ahead AS day,
            sumIf(daily.parcels, ahead = 0) AS parcels,
            sum(daily.transit_parcels) AS transit_parcels,
            sumMap(daily.transit_bins) AS transit_bins,
            sum(daily.due_72h) AS due_72h,
            sum(daily.within_72h) AS within_72h,
            sum(daily.sla_parcels) AS sla_parcels,
            sum(daily.sla_due) AS sla_due,
            sum(daily.sla_attempted) AS sla_attempted
        FROM carrier_daily AS daily
        ARRAY JOIN range(7) AS ahead
        WHERE daily.level = {expression:level_on_page}
            AND daily.cohort_date BETWEEN {from:Date} - 6 AND {to:Date}
            AND {expression:is_on_page}
        GROUP BY daily.carrier, day
        HAVING day BETWEEN {from:Date} AND {to:Date}
    )
SELECT
    day, carrier, parcels, transit_parcels,
    {formula:maturity},
    if({expression:is_p50_sound}, {expression:p50_hours}, NULL) AS p50_hours,
    if({expression:is_p90_sound}, {expression:p90_hours}, NULL) AS p90_hours,
    due_72h, if(due_72h >= 30, {expression:rate_72h}, NULL) AS rate_72h,
    -- Short promises are due first, so a recent week would be judged by them alone.
    sla_due,
    {formula:on_time_maturity},
    if(sla_due >= 30 AND {expression:is_on_time_mature}, {expression:on_time_rate}, NULL) AS on_time_rate
FROM week
ORDER BY carrier, day
LIMIT 40000
