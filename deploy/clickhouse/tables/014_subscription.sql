-- One row per subscription: a parcel that a vendor contract follows, or shall follow. It is the newest record of
-- courier.subscription.v1; when the topic forgets an ended subscription, its row stays.
--
-- No telephone number, no place and no address is here: they are on courier.subscription.secret.v1 alone.

CREATE TABLE IF NOT EXISTS {database}.subscription
(
    `vendor`               LowCardinality(String)           COMMENT 'Code of the vendor; empty when the request led to none, and as asked for when there is none of that name',
    `account`              LowCardinality(String)           COMMENT 'Vendor contract; empty when the request led to none',
    `tracking_number`      String                           COMMENT 'The carrier''s parcel number: trimmed, ASCII upper case' CODEC(ZSTD(1)),
    `carrier`              LowCardinality(String)           COMMENT 'Canonical carrier code; unknown until the vendor has detected it',
    `vendor_carrier`       LowCardinality(String)           COMMENT 'The vendor''s code of the carrier; empty: the vendor shall detect it',
    `former_carriers`      Array(LowCardinality(String))    COMMENT 'The vendor''s codes of the carriers that it has corrected since, oldest first',
    `version`              UInt64                           COMMENT 'Grows with every change of this row: microseconds since 1970 of the change, or the previous version + 1',
    `state`                LowCardinality(String)           COMMENT 'REQUESTED, CALLING, WAITING, ACTIVE (followed), FALLBACK (not followed, asked daily), QUOTA (no further subscription this month), ENDED, REJECTED, EXPIRED, CANCELLED; OTHER of a newer program',
    `reason`               LowCardinality(Nullable(String)) COMMENT 'Why it is in this state: NO_RECORD, STALE, QUOTA, UNKNOWN_CARRIER, BAD_DATA, BAD_PLACE, NOT_RECOGNISED, SENSITIVE, PHONE, VENDOR_ERROR, ACCOUNT_STOPPED, FOREIGN, CORRECTED, TOO_EARLY, IN_DOUBT, CANCELLED; OTHER of a newer program',
    `code`                 LowCardinality(Nullable(String)) COMMENT 'The vendor''s last code; masked like texts',
    `since`                DateTime64(6, 'UTC')             COMMENT 'Since when it is in this state; UTC, microseconds',
    `requested_at`         DateTime64(6, 'UTC')             COMMENT 'When it was asked for; UTC, microseconds',
    `requester`            LowCardinality(String)           COMMENT 'Who asked',
    `reference`            Nullable(String)                 COMMENT 'The requester''s own id of the order' CODEC(ZSTD(1)),
    `api`                  LowCardinality(String)           COMMENT 'Name of the vendor''s API that is called',
    `product`              LowCardinality(String)           COMMENT 'How much the vendor shall tell: PLAIN, AREA, ADVANCED or FORECAST',
    `international`        Bool                             COMMENT 'The two ends of an international parcel are given',
    `round`                UInt16                           COMMENT '1 for the first subscription, one more for each that followed after the vendor gave up',
    `attempt`              UInt16                           COMMENT 'Calls of this round',
    `call_id`              Nullable(String)                 COMMENT 'While a call is intended or under way: its call_id in vendor_call, 32 lower-case hex digits' CODEC(ZSTD(1)),
    `not_before`           Nullable(DateTime64(3, 'UTC'))   COMMENT 'When the next step is due; UTC, milliseconds',
    -- Calls that the vendor accepted, of the month of the last one and the month before: arrays of equal length, ARRAY JOIN calls makes
    -- rows of them.
    `calls.month`          Array(UInt32)                    COMMENT 'Month in China in which the calls began, 202612 for December 2026',
    `calls.vendor_carrier` Array(LowCardinality(String))    COMMENT 'The vendor''s code of the carrier of the calls',
    `calls.accepted`       Array(UInt16)                    COMMENT 'How many the vendor accepted, those included that it made by itself when it corrected the carrier',
    `calls.last_at`        Array(DateTime64(3, 'UTC'))      COMMENT 'When the last of them began; UTC, milliseconds',
    `duplicate`            Bool                             COMMENT 'The last success was the answer that the number is subscribed already',
    `first_push_at`        Nullable(DateTime64(6, 'UTC'))   COMMENT 'Receipt of the first push since the subscription of this round; UTC, microseconds',
    `ended_word`           LowCardinality(Nullable(String)) COMMENT 'The vendor''s word that ended it (shutdown, abort, ...), or the status with which the parcel ended; masked like texts',
    `ended_at`             Nullable(DateTime64(6, 'UTC'))   COMMENT 'When the vendor''s last word of an end came, or the end was recognised; UTC, microseconds',

    -- The order serves "this account"; a parcel is looked up by its number alone.
    INDEX tracking_number_bloom tracking_number TYPE bloom_filter(0.01) GRANULARITY 1
)
-- Not partitioned: no column of the key is a time, and a row that is asked for again may not change its partition.
ENGINE = {engine:ReplacingMergeTree}(version)
ORDER BY (vendor, account, tracking_number)
-- As in 012.
{durable:SETTINGS}
COMMENT 'One row per subscription of a parcel at a vendor: its whole current state. Query with FINAL';
