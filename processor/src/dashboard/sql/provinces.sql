-- The figures of each province, as the origin of its parcels and as their destination: what a map can show. Quantiles of a province are not
-- those of its lanes, so they are made of the same counts.
WITH
    {formula:share},
    {formula:wilson},
    {formula:hours_at},
    province AS
    (
        SELECT
            place.1 AS side,
            place.2 AS province,
            {formula:lane_sums}
        FROM carrier_daily AS daily
        ARRAY JOIN [('origin', toString(daily.origin)), ('dest', toString(daily.dest))] AS place
        WHERE daily.level = 'province'
            AND daily.cohort_date BETWEEN {from:Date} AND {to:Date}
            AND {expression:is_on_page}
            AND place.2 != ''
        GROUP BY side, province
        HAVING parcels > 0
    )
SELECT
    side,
    province,
    {formula:lane_figures_on_page}
FROM province
ORDER BY side, parcels DESC, province
LIMIT 200
