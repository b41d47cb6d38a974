-- The newest push of each account's vendor, and the rate of pushes. Answers to our own queries are none: they would hide that a vendor
-- has fallen silent.
SELECT
    vendor,
    max(received_at) AS last_received_at,
    dateDiff('second', last_received_at, now('UTC')) AS seconds_ago,
    countIf(received_at >= now('UTC') - INTERVAL 1 HOUR) AS last_hour,
    count() AS last_day
FROM push
WHERE received_at >= now('UTC') - INTERVAL 24 HOUR AND origin = 'PUSH'
GROUP BY vendor
ORDER BY vendor
LIMIT 20
