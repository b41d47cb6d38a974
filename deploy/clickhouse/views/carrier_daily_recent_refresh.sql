-- Uses half of the machine and has a limit of memory: a refresh that would need more fails with an error in
-- system.view_refreshes, and the last good counts stay. max_execution_time is in seconds.
CREATE MATERIALIZED VIEW {database}.carrier_daily_recent_refresh
REFRESH EVERY 10 MINUTE
SETTINGS refresh_retries = 2
TO {database}.carrier_daily_recent
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT *
FROM {database}.carrier_count(
    from_date = {expression:first_recent_day},
    to_date = toDate('2100-01-01'),
    received_from = {expression:recent_since})
SETTINGS max_memory_usage = {setting:view_memory}, max_bytes_before_external_group_by = {setting:view_memory_before_disk}, max_execution_time = 540
COMMENT 'Fills carrier_daily_recent';
