-- Names of statuses, vendors' codes, reasons of exceptions and responsible parties. `migrate` inserts the rows from the code
-- tables, and replaces this view and those that read it when a row changes.

CREATE OR REPLACE VIEW {database}.status_name
(
    `kind`              LowCardinality(String) COMMENT 'What the row names: status, meaning (a status with its refinement), code (of a vendor), reason (of an exception) or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for all that vendors share',
    `code`              String                 COMMENT 'The vendor''s code, as sent; empty where kind is not code',
    `status`            LowCardinality(String) COMMENT 'Canonical status; empty for a party',
    `sub_status`        LowCardinality(String) COMMENT 'Canonical refinement; empty for a status and for a party',
    `rank`              UInt8                  COMMENT 'How far along the status is: changes of one second are in this order',
    `party`             LowCardinality(String) COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown; empty for what is no exception',
    `is_exception`      Bool                   COMMENT 'An event of it is an exception or a refusal',
    `is_failed_attempt` Bool                   COMMENT 'It is a failed attempt at delivery: a courier was at the door',
    `is_vendor_clock`   Bool                   COMMENT 'It comes from the vendor''s clock, not from a scan of the carrier, and can vanish later',
    `name_zh`           String                 COMMENT 'Name in Chinese; of a code as in the vendor''s documents',
    `name_en`           String                 COMMENT 'Name in English'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT *
FROM VALUES(
    'kind String, vendor String, code String, status String, sub_status String, rank UInt8, party String, is_exception Bool, is_failed_attempt Bool, is_vendor_clock Bool, name_zh String, name_en String',
    {rows:status_name}) AS named
COMMENT 'Names of statuses, sub-statuses, vendors'' codes, reasons and parties';
