-- What the vendors answer, over all the days: quantiles of days cannot be added up.
WITH {formula:china_day}
SELECT
    vendor, account, api, kind, class, code, count() AS calls,
    quantileExact(0.5)(duration_ms) AS p50_ms,
    quantileExact(0.95)(duration_ms) AS p95_ms
FROM vendor_call FINAL
WHERE china_day(started_at) BETWEEN {from:Date} AND {to:Date}
    AND ({vendor:String} = '' OR vendor = {vendor:String})
    AND ({account:String} = '' OR account = {account:String})
GROUP BY vendor, account, api, kind, class, code
ORDER BY calls DESC, vendor, account, api, kind, class, code
LIMIT 5000
