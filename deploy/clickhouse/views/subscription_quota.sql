CREATE OR REPLACE VIEW {database}.subscription_quota
(
    `month`      UInt32                 COMMENT 'Calendar month in China, 202612 for December 2026, in which the calls began',
    `vendor`     LowCardinality(String) COMMENT 'Code of the vendor',
    `account`    LowCardinality(String) COMMENT 'Vendor contract',
    `numbers`    UInt64                 COMMENT 'Numbers, each under one of the vendor''s carriers, of which the vendor accepted at least one subscription',
    `accepted_1` UInt64                 COMMENT 'Of those, with one accepted subscription',
    `accepted_2` UInt64                 COMMENT 'Of those, with two',
    `accepted_3` UInt64                 COMMENT 'Of those, with three',
    `accepted_4` UInt64                 COMMENT 'Of those, with four or more: where a vendor takes no more than four a month, their quota is used up',
    `accepted`   UInt64                 COMMENT 'Accepted subscriptions of all of them'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT
    calls.month AS month,
    vendor,
    account,
    countIf(calls.accepted > 0) AS numbers,
    countIf(calls.accepted = 1) AS accepted_1,
    countIf(calls.accepted = 2) AS accepted_2,
    countIf(calls.accepted = 3) AS accepted_3,
    countIf(calls.accepted >= 4) AS accepted_4,
    sum(calls.accepted) AS accepted
FROM {database}.subscription FINAL
ARRAY JOIN calls
GROUP BY month, vendor, account
ORDER BY month, vendor, account
COMMENT 'How much of the monthly quota is used? Numbers by accepted subscriptions, as the processor counts them (calls of table subscription). A subscription keeps the month of its last call and the month before, so earlier months fade';
