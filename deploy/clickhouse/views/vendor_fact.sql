-- Facts about vendors that figures depend on. `migrate` inserts the rows from the program.

CREATE OR REPLACE VIEW {database}.vendor_fact
(
    `vendor`     LowCardinality(String) COMMENT 'Code of the vendor',
    `name_zh`    String                 COMMENT 'Its name in Chinese',
    `name_en`    String                 COMMENT 'Its name in English',
    `stale_days` Nullable(UInt16)       COMMENT 'Days without change after which it gives a parcel up (tracking_state ABORTED_STALE); NULL if it does not or does not say',
    `unit`       LowCardinality(String) COMMENT 'What it bills together as one unit of a parcel under one of its carriers: MONTH = all calls of a calendar month, DAYS = all calls of unit_days days from the first one on, China time; empty = it does not say',
    `unit_days`  UInt16                 COMMENT 'Calendar days that a unit of kind DAYS lasts; 0 otherwise'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT *
FROM VALUES('vendor String, name_zh String, name_en String, stale_days Nullable(UInt16), unit String, unit_days UInt16', {rows:vendor_fact}) AS fact
COMMENT 'The vendors, and what differs between them';
