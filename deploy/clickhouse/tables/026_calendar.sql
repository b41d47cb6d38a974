-- Which days are worked, and promises in working days.

-- Only exceptions have rows: the holidays on days from Monday to Friday, and the weekends that are worked for them. `processor
-- load-calendar FILE.csv` replaces all rows at once (a new table, filled, exchanged with this one); nothing else writes here.
CREATE TABLE IF NOT EXISTS {database}.calendar
(
    `country`    LowCardinality(String) COMMENT 'Country, ISO 3166 alpha-2 in upper case. Figures read CN: pickups are in China',
    `date`       Date                   COMMENT 'Day in that country',
    `is_working` Bool                   COMMENT 'Whether it is worked: false on a holiday, true on a Saturday or Sunday that is worked for one',
    `name`       String                 COMMENT 'Name of the holiday; may be empty',
    `loaded_at`  DateTime('UTC')        COMMENT 'When the file was loaded; UTC'
)
-- One row a key: the loader refuses a file that says two things of one day.
ENGINE = {engine:MergeTree}
ORDER BY (country, date)
COMMENT 'Days that are not as the days of the week say: without a row Monday to Friday are worked, Saturday and Sunday are not';

ALTER TABLE {database}.calendar {durable:MODIFY SETTING};

ALTER TABLE {database}.calendar {durable:MERGES};

ALTER TABLE {database}.sla_promise ADD COLUMN IF NOT EXISTS `working_days` Nullable(UInt8) COMMENT 'Working days from the day of the pickup until that of the first delivery attempt, 0 to 60; due when the last one ends. NULL = hours are promised' AFTER `hours`;

ALTER TABLE {database}.sla_promise ADD COLUMN IF NOT EXISTS `cutoff` UInt16 DEFAULT 1440 COMMENT 'Minutes after midnight, China time: what is picked up then or later counts for the next working day. 1440 = no cut-off' AFTER `working_days`;

ALTER TABLE {database}.sla_promise COMMENT COLUMN `hours` 'Hours from pickup until the first delivery attempt, 1 to 4320; 0 = working days are promised';

ALTER TABLE {database}.carrier_daily_recent ADD COLUMN IF NOT EXISTS `transit_working_bins` Map(UInt16, UInt32) COMMENT 'Parcels delivered by transit time in working time, as transit_bins: only hours of working days count' AFTER `transit_bins`;

ALTER TABLE {database}.carrier_daily_older ADD COLUMN IF NOT EXISTS `transit_working_bins` Map(UInt16, UInt32) COMMENT 'Parcels delivered by transit time in working time, as transit_bins: only hours of working days count' AFTER `transit_bins`;
