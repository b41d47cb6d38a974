-- Codes day by day, each over the settled parcels picked up in the seven days up to that day, of all vendors.
WITH
    {formula:share},
    cohort AS
    (
        SELECT daily.cohort_date + ahead AS day, sum(daily.settled) AS settled
        FROM carrier_daily AS daily
        ARRAY JOIN range(7) AS ahead
        WHERE daily.level = {expression:level_on_page}
            AND daily.cohort_date BETWEEN {from:Date} - 6 AND {to:Date}
            AND {expression:is_on_page}
        GROUP BY day
        -- With fewer parcels a share would be chance.
        HAVING settled >= 30
    ),
    found AS
    (
        SELECT daily.cohort_date + ahead AS day, daily.vendor AS vendor, daily.name AS name, sum(daily.settled) AS settled_with
        FROM exception_daily AS daily
        ARRAY JOIN range(7) AS ahead
        WHERE daily.level = {expression:level_on_page}
            AND daily.kind = 'code'
            AND daily.cohort_date BETWEEN {from:Date} - 6 AND {to:Date}
            AND {expression:is_on_page}
        GROUP BY day, daily.vendor, daily.name
    )
SELECT
    cohort.day AS day, found.vendor AS vendor, found.name AS name, found.settled_with AS settled_with, cohort.settled AS settled,
    {expression:rate} AS rate
FROM cohort
INNER JOIN found ON cohort.day = found.day
WHERE day BETWEEN {from:Date} AND {to:Date} AND settled_with > 0
ORDER BY day, vendor, name
LIMIT 40000
