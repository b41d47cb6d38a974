-- Which table has the better rows. A table that was made anew since has none of them, and is filled from the beginning of its topic.

ALTER TABLE {database}.sink_start ADD COLUMN IF NOT EXISTS `table_id` LowCardinality(String) DEFAULT '' COMMENT 'UUID of the table that has them. Empty: noted before there was this column, and taken for any table';

ALTER TABLE {database}.sink_start ADD COLUMN IF NOT EXISTS `own_id` LowCardinality(String) DEFAULT '' COMMENT 'UUID of sink_start. In a backup that is restored, it and the table have new UUIDs: then what it says holds for that table';
