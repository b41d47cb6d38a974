-- When the counts that are shown were counted, one row. Whoever lists the parcels behind a figure takes their ages at that time, and
-- looks for them among the same months. What a parcel is can have changed since.
CREATE OR REPLACE VIEW {database}.counted_at
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT
    {formula:first_recent},
    -- The recent refresh looks back no further (recent_since); the older one reads everything.
    (SELECT ifNull(maxOrNull(refreshed_at), now('UTC')) FROM {database}.carrier_daily_recent WHERE level = 'carrier') AS recent_at,
    recent_at - INTERVAL 101 DAY AS recent_received_from,
    (SELECT ifNull(maxOrNull(refreshed_at), now('UTC')) FROM {database}.carrier_daily_older WHERE level = 'carrier') AS older_at,
    (SELECT ifNull(maxOrNull(refreshed_at), now('UTC')) FROM {database}.exception_daily_recent WHERE level = 'carrier') AS recent_exceptions_at,
    (SELECT ifNull(maxOrNull(refreshed_at), now('UTC')) FROM {database}.exception_daily_older WHERE level = 'carrier') AS older_exceptions_at
COMMENT 'When carrier_daily and exception_daily were counted';
