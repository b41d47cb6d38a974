-- Codes of all requested carriers together, and the settled parcels that their vendor reports on. View exception_rate
-- has each carrier separately.
WITH
    {formula:share},
    {formula:wilson},
    {formula:hours_at},
    cohort AS
    (
        SELECT daily.vendor AS vendor, sum(daily.settled) AS settled
        FROM carrier_daily AS daily
        WHERE daily.level = {expression:level_on_page}
            AND daily.cohort_date BETWEEN {from:Date} AND {to:Date}
            AND {expression:is_on_page}
        GROUP BY daily.vendor
    ),
    found AS
    (
        SELECT
            daily.vendor AS vendor, daily.name AS name, sum(daily.parcels) AS parcels, sum(daily.settled) AS settled_with,
            sum(daily.resolve_parcels) AS resolve_parcels, sumMap(daily.resolve_bins) AS resolve_bins
        FROM exception_daily AS daily
        WHERE daily.level = {expression:level_on_page}
            AND daily.kind = 'code'
            AND daily.cohort_date BETWEEN {from:Date} AND {to:Date}
            AND {expression:is_on_page}
        GROUP BY daily.vendor, daily.name
    )
SELECT
    found.vendor AS vendor, found.name AS name, found.parcels AS parcels, found.settled_with AS settled_with, cohort.settled AS settled,
    {formula:rate},
    found.resolve_parcels AS resolve_parcels,
    {formula:resolve_p50_hours}
FROM found
INNER JOIN cohort ON found.vendor = cohort.vendor
WHERE found.settled_with > 0
ORDER BY settled_with DESC, vendor, name
LIMIT 200
