-- What ingest stored in the last two days. Rows that the sink inserted twice may be counted twice until parts are merged;
-- FINAL would read far more, and these figures need not be exact.
-- Answers to our own queries are no pushes.
SELECT toStartOfHour(received_at) AS hour, vendor, count() AS pushes, uniqCombined(tracking_number) AS parcels, sum(bytes) AS bytes
FROM push
WHERE received_at >= now('UTC') - INTERVAL 48 HOUR AND origin = 'PUSH'
GROUP BY hour, vendor
ORDER BY hour, vendor
LIMIT 200
