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
            {formula:lane_sums}
        FROM carrier_daily AS daily
        WHERE daily.level = 'province'
            AND daily.cohort_date BETWEEN {from:Date} AND {to:Date}
            AND {expression:is_on_page}
        GROUP BY daily.origin, daily.dest
        HAVING parcels > 0
    )
SELECT
    origin,
    dest,
    {formula:lane_figures_on_page}
FROM lane
ORDER BY parcels DESC, origin, dest
LIMIT 2000
