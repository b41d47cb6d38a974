-- After the refresh of carrier_daily and not at the same time: two such refreshes would take the whole machine.
CREATE MATERIALIZED VIEW {database}.exception_daily_recent_refresh
REFRESH EVERY 10 MINUTE DEPENDS ON {database}.carrier_daily_recent_refresh
SETTINGS refresh_retries = 2
TO {database}.exception_daily_recent
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT *
FROM {database}.exception_count(
    from_date = {expression:first_recent_day},
    to_date = toDate('2100-01-01'),
    received_from = {expression:recent_since})
SETTINGS max_memory_usage = {setting:view_memory}, max_bytes_before_external_group_by = {setting:view_memory_before_disk}, max_execution_time = 540
COMMENT 'Fills exception_daily_recent';
