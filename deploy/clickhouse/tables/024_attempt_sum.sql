-- The whole that the stages after the pickup are parts of. A stage that is not known can be shown as such only beside it.

ALTER TABLE {database}.carrier_daily_recent ADD COLUMN IF NOT EXISTS `settled_attempt_seconds_sum` UInt64 COMMENT 'Sum of the times from pickup to first attempt of settled_attempted' AFTER `settled_attempted`;

ALTER TABLE {database}.carrier_daily_older ADD COLUMN IF NOT EXISTS `settled_attempt_seconds_sum` UInt64 COMMENT 'Sum of the times from pickup to first attempt of settled_attempted' AFTER `settled_attempted`;
