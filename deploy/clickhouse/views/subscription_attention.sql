-- A vendor that answers "done" may have done nothing: only the first push proves a subscription. So one without it is here, too.
CREATE OR REPLACE VIEW {database}.subscription_attention
(
    `attention`       LowCardinality(String)           COMMENT 'NO_FIRST_PUSH: followed for 24 h or more, and no push came. FOREIGN: somebody else has subscribed the number. QUOTA: no further subscription this month. ACCOUNT_STOPPED: the account cannot make calls. REJECTED: refused in the last 30 days',
    `vendor`          LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`         LowCardinality(String)           COMMENT 'Vendor contract',
    `carrier`         LowCardinality(String)           COMMENT 'Canonical carrier code; unknown until the vendor has detected it',
    `tracking_number` String                           COMMENT 'The carrier''s parcel number',
    `state`           LowCardinality(String)           COMMENT 'Where the subscription stands, as in subscription',
    `reason`          LowCardinality(Nullable(String)) COMMENT 'Why, as in subscription',
    `code`            LowCardinality(Nullable(String)) COMMENT 'The vendor''s last code',
    `round`           UInt16                           COMMENT '1 for the first subscription, one more for each that followed after the vendor gave up',
    `reference`       Nullable(String)                 COMMENT 'The requester''s own id of the order',
    `requester`       LowCardinality(String)           COMMENT 'Who asked',
    `since`           DateTime64(6, 'UTC')             COMMENT 'Since when it is in this state; UTC',
    `age_hours`       Float64                          COMMENT 'Hours since then, at the time of the query'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT
    multiIf(
        state = 'REJECTED', if(subscription.since >= now('UTC') - INTERVAL 30 DAY, 'REJECTED', ''),
        state IN ('ENDED', 'EXPIRED', 'CANCELLED'), '',
        ifNull(reason = 'FOREIGN', false), 'FOREIGN',
        ifNull(reason = 'ACCOUNT_STOPPED', false), 'ACCOUNT_STOPPED',
        state = 'QUOTA', 'QUOTA',
        state = 'ACTIVE' AND isNull(first_push_at) AND subscription.since <= now('UTC') - INTERVAL 24 HOUR, 'NO_FIRST_PUSH',
        '') AS attention,
    vendor,
    account,
    carrier,
    tracking_number,
    state,
    reason,
    code,
    round,
    reference,
    requester,
    subscription.since AS since,
    dateDiff('second', subscription.since, now64(6, 'UTC')) / 3600 AS age_hours
FROM {database}.subscription FINAL
WHERE attention != ''
ORDER BY attention, since
COMMENT 'Which subscriptions need somebody? One row per subscription of table subscription that is stuck, refused, or followed in name only';
