CREATE OR REPLACE VIEW {database}.open_exceptions
(
    `carrier`            LowCardinality(String)           COMMENT 'Canonical carrier code',
    `vendor`             LowCardinality(String)           COMMENT 'Code of the vendor',
    `account`            LowCardinality(String)           COMMENT 'Vendor contract',
    `tracking_number`    String                           COMMENT 'The carrier''s parcel number',
    `epoch`              Date                             COMMENT 'Epoch of the shipment',
    `reason`             LowCardinality(Nullable(String)) COMMENT 'Canonical reason',
    `raw_code`           LowCardinality(Nullable(String)) COMMENT 'The vendor''s code; NULL when a name or a text told it',
    `name_zh`            Nullable(String)                 COMMENT 'Name of the reason in Chinese',
    `name_en`            Nullable(String)                 COMMENT 'Name of the reason in English',
    `party`              LowCardinality(Nullable(String)) COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
    `exception_since`    Nullable(DateTime('UTC'))        COMMENT 'First event of the unbroken run of exceptions; UTC. NULL when only the vendor''s state reports the exception and no event does',
    `open_hours`         Nullable(Float64)                COMMENT 'Hours since then, at the time of the query',
    `last_event_at`      Nullable(DateTime('UTC'))        COMMENT 'Newest event; UTC',
    `last_location`      Nullable(String)                 COMMENT 'Its place',
    `origin`             LowCardinality(String)           COMMENT 'Area of the origin; empty = unknown',
    `dest`               LowCardinality(String)           COMMENT 'Area of the destination as in view parcel; empty = unknown',
    `leg`                LowCardinality(String)           COMMENT 'FORWARD or RETURN',
    `attempts`           UInt8                            COMMENT 'Delivery rounds so far',
    `tracking_state`     LowCardinality(String)           COMMENT 'What the vendor does with its subscription',
    `refreshed_at`       DateTime('UTC')                  COMMENT 'When the parcel was last looked at; UTC'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT
    carrier,
    open_parcel.vendor AS vendor,
    account,
    tracking_number,
    epoch,
    sub_status AS reason,
    raw_code,
    nullIf(named.name_zh, '') AS name_zh,
    nullIf(named.name_en, '') AS name_en,
    exception_party AS party,
    exception_since,
    dateDiff('second', exception_since, now('UTC')) / 3600 AS open_hours,
    last_event_at,
    last_location,
    origin,
    dest,
    leg,
    attempts,
    tracking_state,
    refreshed_at
FROM {database}.open_parcel
LEFT JOIN {database}.exception_name AS named ON named.kind = 'reason' AND named.name = ifNull(toString(sub_status), '')
WHERE status = 'EXCEPTION'
SETTINGS join_use_nulls = 0
COMMENT 'Which parcels are in trouble now? One row per parcel whose state is an exception; a refused parcel that is already on its way back is not here';
