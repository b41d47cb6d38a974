CREATE OR REPLACE VIEW {database}.vendor_call_daily
(
    `call_date` Date                             COMMENT 'Day on which the calls began, China time',
    `vendor`    LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`   LowCardinality(String)           COMMENT 'Vendor contract',
    `api`       LowCardinality(String)           COMMENT 'Name of the vendor''s API',
    `kind`      LowCardinality(String)           COMMENT 'SUBSCRIBE or QUERY',
    `class`     LowCardinality(String)           COMMENT 'What the answers mean, as in vendor_call',
    `code`      LowCardinality(Nullable(String)) COMMENT 'The vendor''s code; NULL when none could be read',
    `calls`     UInt64                           COMMENT 'How many; a repetition of a call whose answer was lost counts',
    `p50_ms`    UInt32                           COMMENT 'Half of them were answered within so many milliseconds, or given up',
    `p95_ms`    UInt32                           COMMENT '95 % of them, likewise'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT
    toDate(started_at, 'Asia/Shanghai') AS call_date,
    vendor,
    account,
    api,
    kind,
    class,
    code,
    count() AS calls,
    quantileExact(0.5)(duration_ms) AS p50_ms,
    quantileExact(0.95)(duration_ms) AS p95_ms
FROM {database}.vendor_call FINAL
GROUP BY call_date, vendor, account, api, kind, class, code
ORDER BY call_date, vendor, account, api, kind, class, code
SETTINGS do_not_merge_across_partitions_select_final = 0
COMMENT 'What do the vendors answer, and how fast? Calls of table vendor_call by day, contract, API, class and code';
