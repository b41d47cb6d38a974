-- Which start of the server a run of the sink had seen. What was inserted shortly before a restart may be gone, and what a run noted after a
-- restart that it had not seen yet speaks for that, too. The last start alone does not tell: after a second restart it would be forgotten
-- what the first one had taken.

ALTER TABLE {database}.sink_offset ADD COLUMN IF NOT EXISTS `server_started_at` DateTime('UTC') DEFAULT toDateTime(0, 'UTC') COMMENT 'Start of the server that the run had seen, by the clock of the server; UTC. 1970: noted before there was this column';
