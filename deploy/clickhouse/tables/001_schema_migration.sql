-- The database and the record of the files that were applied to it.
--
-- `processor migrate` applies the files of this directory in the order of their numbers, {database} replaced by
-- clickhouse.database, and writes each into schema_migration. They make what holds data. ClickHouse has no transaction around
-- DDL: a file that failed half-way is run again from its start, so every statement must bear being run twice (IF NOT EXISTS,
-- IF EXISTS). A file is never changed once it has been released; a change is a new file.
--
-- What is computed from the tables is in ../views: those files are changed in place.
--
-- No engine is named for the database: whoever runs a cluster creates it beforehand as Replicated (or uses ClickHouse
-- Cloud), and the statements below then reach all replicas by themselves. Alone it becomes Atomic, which the replay into
-- fresh tables (EXCHANGE TABLES) needs.

CREATE DATABASE IF NOT EXISTS {database}
COMMENT 'courierflow: pushes of courier-tracking vendors and what they tell of parcels';

-- Replacing, because two who migrate at the same time both write the same line.
CREATE TABLE IF NOT EXISTS {database}.schema_migration
(
    `number`     UInt32                 COMMENT 'Number of the file',
    `name`       String                 COMMENT 'File name',
    `checksum`   String                 COMMENT 'XXH3-64 of the file as released, 16 hex digits: a changed file is refused',
    `applied_at` DateTime64(3, 'UTC')   COMMENT 'When it was applied, UTC'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY number
COMMENT 'Files of tables/ that were applied to this database. What a view was made of stands in its comment';
