CREATE OR REPLACE VIEW {database}.subscription_states
(
    `vendor`        LowCardinality(String)           COMMENT 'Code of the vendor; empty when the request led to none',
    `account`       LowCardinality(String)           COMMENT 'Vendor contract; empty when the request led to none',
    `carrier`       LowCardinality(String)           COMMENT 'Canonical carrier code; unknown until the vendor has detected it',
    `state`         LowCardinality(String)           COMMENT 'Where the subscriptions stand, as in subscription',
    `reason`        LowCardinality(Nullable(String)) COMMENT 'Why, as in subscription; NULL when it goes without saying',
    `subscriptions` UInt64                           COMMENT 'How many, ended ones included',
    `oldest_since`  DateTime64(6, 'UTC')             COMMENT 'Since when the one is in this state that is so for longest; UTC'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT
    vendor,
    account,
    carrier,
    state,
    reason,
    count() AS subscriptions,
    min(since) AS oldest_since
FROM {database}.subscription FINAL
GROUP BY vendor, account, carrier, state, reason
ORDER BY vendor, account, carrier, state, reason
COMMENT 'Where do the subscriptions stand? Counts of table subscription by contract, carrier, state and reason';
