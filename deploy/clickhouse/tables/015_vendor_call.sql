-- One row per call of a vendor's API, subscriptions and queries: what was asked, what came of it, how long it took. Quota, cost,
-- latency and budgets are counted here.

CREATE TABLE IF NOT EXISTS {database}.vendor_call
(
    `vendor`          LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`         LowCardinality(String)           COMMENT 'Vendor contract',
    `started_at`      DateTime64(6, 'UTC')             COMMENT 'When the call began; UTC, microseconds' CODEC(Delta(8), ZSTD(1)),
    `call_id`         String                           COMMENT 'XXH3-128 of kind, vendor, account, number, round and attempt, 32 lower-case hex digits: a call that is repeated because its answer was lost has the same' CODEC(ZSTD(1)),
    `kind`            LowCardinality(String)           COMMENT 'SUBSCRIBE: to have a parcel followed. QUERY: to ask about a parcel now. OTHER of a newer program',
    `api`             LowCardinality(String)           COMMENT 'Name of the vendor''s API',
    `carrier`         LowCardinality(String)           COMMENT 'Canonical carrier code; unknown until the vendor has detected it',
    `vendor_carrier`  LowCardinality(String)           COMMENT 'The vendor''s code of the carrier; empty: the vendor shall detect it',
    `tracking_number` String                           COMMENT 'The carrier''s parcel number: trimmed, ASCII upper case' CODEC(ZSTD(1)),
    `reason`          LowCardinality(String)           COMMENT 'Why the call was made: NEW, RETRY, IN_DOUBT (its answer was lost before), RESUBSCRIBE, PROBE; of queries STALLED, GAP, FIRST_PUSH_LATE, ABORTED, ENDED_OPEN, AUDIT, MANUAL; OTHER of a newer program',
    `duration_ms`     UInt32                           COMMENT 'From then to the end of the answer; milliseconds',
    `http_status`     Nullable(UInt16)                 COMMENT 'HTTP status of the answer; NULL when there was none',
    `code`            LowCardinality(Nullable(String)) COMMENT 'The vendor''s code in the answer, masked like texts; NULL when none could be read',
    `class`           LowCardinality(String)           COMMENT 'What the answer means: DONE, DUPLICATE (subscribed already), RETRY (not now), REJECTED (not this one), ACCOUNT (the account is at fault), NO_RESULT (the vendor knows nothing of the parcel), UNKNOWN (whether the vendor did it is not known)',
    `message`         Nullable(String)                 COMMENT 'The vendor''s words, at most 200 characters, numbers and names masked' CODEC(ZSTD(1)),
    `month`           UInt32                           COMMENT 'Month in China in which the call began, 202612 for December 2026',
    `bytes`           UInt32                           COMMENT 'Length of the answer''s body; bytes',
    `items`           Nullable(UInt32)                 COMMENT 'Tracking events in the answer to a query; NULL otherwise',
    `push_id`         Nullable(String)                 COMMENT 'push_id of the row of push that was made of the answer, 32 lower-case hex digits; NULL when there is none' CODEC(ZSTD(1)),

    -- As in push.
    INDEX tracking_number_bloom tracking_number TYPE bloom_filter(0.01) GRANULARITY 1
)
-- No version, as in push: two rows of the same key come from the same record and are equal.
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(started_at)
ORDER BY (vendor, account, toDate(started_at), call_id, started_at)
-- Longer than a year, so that a month can be compared with that of the year before.
TTL toDateTime(started_at) + INTERVAL 400 DAY DELETE
-- As in 012.
{durable:SETTINGS}
COMMENT 'One row per call of a vendor''s API. Query with FINAL';
