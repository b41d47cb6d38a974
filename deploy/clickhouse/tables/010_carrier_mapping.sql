-- What the vendors' codes of carriers mean. `processor migrate` keeps the rows equal to those that the program works with
-- (a new table, filled, exchanged with this one); nothing else writes here.

CREATE TABLE IF NOT EXISTS {database}.carrier_mapping
(
    `vendor`           LowCardinality(String)  COMMENT 'Code of the vendor',
    `code`             String                  COMMENT 'The vendor''s code of the carrier, lower case',
    `carrier`          LowCardinality(String)  COMMENT 'Canonical carrier code',
    `name_zh`          LowCardinality(String)  COMMENT 'Usual name of the carrier in Chinese',
    `name_en`          LowCardinality(String)  COMMENT 'Usual name of the carrier in English',
    `is_international` Bool                    COMMENT 'All parcels under this code cross borders, even when a push names no time zone',
    `zone`             LowCardinality(String)  COMMENT 'IANA zone in which the carrier tells its times; empty = no single one is certain',
    `country`          LowCardinality(String)  COMMENT 'Country in which the carrier is at home, ISO 3166; empty = not known'
)
ENGINE = {engine:MergeTree}
ORDER BY (vendor, code)
COMMENT 'Which carrier each code of a vendor means, one row per vendor and code';
