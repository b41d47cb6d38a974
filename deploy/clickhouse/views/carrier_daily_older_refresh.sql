-- At 03:20 China time, when there are few pushes. It overlaps with the recent refresh by ten days, so that no day is
-- missing while a cohort moves from one table to the other.
CREATE MATERIALIZED VIEW {database}.carrier_daily_older_refresh
REFRESH EVERY 1 DAY OFFSET 19 HOUR 20 MINUTE
SETTINGS refresh_retries = 2
TO {database}.carrier_daily_older
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT *
FROM {database}.carrier_count(
    from_date = toDate('2000-01-01'),
    to_date = {expression:last_older_day},
    received_from = toDateTime('2000-01-01', 'UTC'))
SETTINGS max_memory_usage = {setting:view_memory}, max_bytes_before_external_group_by = {setting:view_memory_before_disk}, max_execution_time = 14400
COMMENT 'Fills carrier_daily_older';
