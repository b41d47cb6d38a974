-- The number of parcels that could have an exception, and how many of them are settled; no row if there are none.
SELECT sum(daily.parcels) AS parcels, sum(daily.settled) AS settled
FROM carrier_daily AS daily
WHERE daily.level = {expression:level_on_page}
    AND daily.cohort_date BETWEEN {from:Date} AND {to:Date}
    AND {expression:is_on_page}
HAVING parcels > 0
LIMIT 1
