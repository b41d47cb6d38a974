-- The answer to an insert means that the rows are on the disk. By default ClickHouse leaves that to the operating system, and a
-- power cut takes the rows of the last half minute with it, although Kafka's offsets say that they are stored.
--
-- Merges need no such setting: a part that was merged is kept for 8 minutes (old_parts_lifetime), and is used again if the new one
-- is broken. Tables that are made like these (CREATE TABLE ... AS, for a replay or a file of promises) have their settings, too.
-- What is refreshed from the tables is not here: it is computed again.

ALTER TABLE {database}.push {durable:MODIFY SETTING};

ALTER TABLE {database}.shipment {durable:MODIFY SETTING};

ALTER TABLE {database}.transition {durable:MODIFY SETTING};

ALTER TABLE {database}.sla_promise {durable:MODIFY SETTING};
