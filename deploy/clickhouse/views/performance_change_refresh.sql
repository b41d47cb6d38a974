-- The last seven days that can be judged against the 28 days before. Whole weeks, so that each weekday counts alike on both sides.
--
-- Why no test of two proportions alone? Days differ by more than chance: after a holiday, in bad weather. With a million parcels that test calls
-- each such week a change. So the variance is taken from how much the 28 days differed from each other (a quasi-binomial model), and the
-- statistic has as many degrees of freedom as there were days, less one.
--
-- Thousands of lanes are tested. At 5 % each, hundreds would be flagged where nothing has changed; the q_value takes that into account.
CREATE MATERIALIZED VIEW {database}.performance_change_refresh
REFRESH EVERY 1 HOUR OFFSET 13 MINUTE
SETTINGS refresh_retries = 2
TO {database}.performance_change
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:share},
    {formula:hours_at},
    {formula:students_t_p_value},
    {formula:last_settled_day},
    {formula:last_mature_day},
    daily AS
    (
        SELECT
            daily.level AS level,
            daily.carrier AS carrier,
            daily.origin AS origin,
            daily.dest AS dest,
            daily.cohort_date AS cohort_date,
            sum(daily.settled) AS settled,
            sum(daily.settled_with_exception) AS with_exception,
            sum(daily.sla_parcels) AS promised,
            sum(daily.sla_due) AS promised_due,
            sum(daily.sla_attempted) AS on_time,
            sum(daily.transit_parcels) AS transit_parcels,
            sumMap(daily.transit_bins) AS transit_bins,
            cohort_date BETWEEN last_settled_day - 6 AND last_settled_day AS is_settled_now,
            cohort_date BETWEEN last_settled_day - 34 AND last_settled_day - 7 AS is_settled_before,
            cohort_date BETWEEN last_mature_day - 6 AND last_mature_day AS is_mature_now,
            cohort_date BETWEEN last_mature_day - 34 AND last_mature_day - 7 AS is_mature_before
        FROM {database}.carrier_daily AS daily
        WHERE daily.level IN ('carrier', 'province')
            AND daily.cohort_date BETWEEN last_settled_day - 34 AND last_mature_day
            -- A lane is one only if both ends are known.
            AND (daily.level = 'carrier' OR daily.origin != '' AND daily.dest != '')
        GROUP BY level, carrier, origin, dest, cohort_date
    ),
    -- Of each measure, the parcels and those with the event, by day: pairs (parcels, events).
    counted AS
    (
        SELECT
            level,
            carrier,
            origin,
            dest,
            sumMapIf(transit_bins, is_mature_now) AS bins,
            sumMapIf(transit_bins, is_mature_before) AS bins_before,
            sumIf(transit_parcels, is_mature_now) AS transit_now,
            sumIf(transit_parcels, is_mature_before) AS transit_before,
            hours_at(bins, transit_now, 50) AS median,
            hours_at(bins_before, transit_before, 50) AS median_before,
            -- Promises longer than seven days are not due yet, and the others alone say nothing (see is_on_time_mature).
            sumIf(promised_due, is_settled_now OR is_settled_before) >= 0.99 * sumIf(promised, is_settled_now OR is_settled_before) AS is_on_time_mature,
            groupArrayIf((settled, with_exception), is_settled_now) AS exceptions_now,
            groupArrayIf((settled, with_exception), is_settled_before) AS exceptions_before,
            groupArrayIf((promised_due, on_time), is_settled_now) AS on_time_now,
            groupArrayIf((promised_due, on_time), is_settled_before) AS on_time_before,
            groupArrayIf((transit_parcels, transit_bins), is_mature_now) AS transits_now,
            groupArrayIf((transit_parcels, transit_bins), is_mature_before) AS transits_before
        FROM daily
        GROUP BY level, carrier, origin, dest
    ),
    (transit, hours) -> (transit.1, toUInt64(transit.1 - arraySum(mapValues(mapFilter((bin, parcels) -> bin <= hours * 4, transit.2))))) AS slower_than,
    measured AS
    (
        SELECT
            level,
            carrier,
            origin,
            dest,
            tested.1 AS measure,
            tested.2 AS now_by_day,
            arrayFilter(day -> day.1 > 0, tested.3) AS before_by_day,
            tested.4 AS last_day,
            arraySum(now_by_day.1) AS parcels,
            arraySum(before_by_day.1) AS parcels_before,
            arraySum(now_by_day.2) AS events,
            arraySum(before_by_day.2) AS events_before,
            if(measure = 'p50_hours', median, share(events, parcels)) AS value,
            if(measure = 'p50_hours', median_before, share(events_before, parcels_before)) AS value_before
        FROM counted
        ARRAY JOIN arrayConcat(
            [('exception_rate', exceptions_now, exceptions_before, last_settled_day)],
            if(is_on_time_mature, [('on_time_rate', on_time_now, on_time_before, last_settled_day)], []),
            -- Whether a parcel is slower than the median is known of these days if the median is at most their 72 hours.
            if(ifNull(median_before <= 72, false), [(
                'p50_hours',
                arrayMap(day -> slower_than(day, assumeNotNull(median_before)), transits_now),
                arrayMap(day -> slower_than(day, assumeNotNull(median_before)), transits_before),
                last_mature_day)], [])) AS tested
    ),
    tested AS
    (
        SELECT
            *,
            events / parcels AS rate,
            events_before / parcels_before AS rate_before,
            (events + events_before) / (parcels + parcels_before) AS rate_of_all,
            length(before_by_day) - 1 AS freedom,
            greatest(1., if(rate_before IN (0, 1), 1.,
                arraySum(day -> pow(day.2 - day.1 * rate_before, 2) / (day.1 * rate_before * (1 - rate_before)), before_by_day) / freedom)) AS dispersion,
            (rate - rate_before) / sqrt(dispersion * rate_of_all * (1 - rate_of_all) * (1 / parcels + 1 / parcels_before)) AS statistic,
            students_t_p_value(statistic, freedom) AS p_value
        FROM measured
        -- Below this the distribution of the statistic is not the one that is assumed.
        WHERE parcels >= 50 AND parcels_before >= 200 AND length(before_by_day) >= 14
            AND parcels * rate_of_all * (1 - rate_of_all) >= 5
    ),
    ranked AS
    (
        SELECT
            *,
            p_value * count() OVER (PARTITION BY level) / row_number() OVER (PARTITION BY level ORDER BY p_value, carrier, origin, dest, measure) AS p_times_tests
        FROM tested
    )
SELECT
    level,
    carrier,
    origin,
    dest,
    measure,
    last_day - 6 AS from_date,
    last_day AS to_date,
    parcels,
    parcels_before,
    value,
    value_before,
    dispersion,
    statistic,
    p_value,
    least(1., min(p_times_tests) OVER (PARTITION BY level ORDER BY p_value, carrier, origin, dest, measure ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)) AS q_value,
    if(measure = 'on_time_rate', statistic < 0, statistic > 0) AS is_worse,
    -- A median that is not reached any more is far from that of before.
    q_value <= 0.05 AND ifNull(abs(value - value_before) >= transform(measure, ['exception_rate', 'on_time_rate', 'p50_hours'], [0.01, 0.02, 1.], 0.), true) AS is_beyond_chance,
    now('UTC') AS refreshed_at
FROM ranked
-- The defaults of these settings differ between releases or can be set for a user.
SETTINGS join_use_nulls = 0, max_memory_usage = {setting:view_memory}, max_execution_time = 600
COMMENT 'Fills performance_change';
