-- The life of one parcel. Always query it with a tracking number, which is indexed; without one all transitions are
-- sorted.

CREATE OR REPLACE VIEW {database}.shipment_timeline
(
    `vendor`             LowCardinality(String)           COMMENT 'Code of the vendor: each reports its own history of a parcel',
    `carrier`            LowCardinality(String)           COMMENT 'Canonical carrier code',
    `tracking_number`    String                           COMMENT 'The carrier''s parcel number: trimmed, ASCII upper case',
    `epoch`              Date                             COMMENT 'Life of the number: carriers reuse numbers',
    `occurred_at`        DateTime('UTC')                  COMMENT 'Time of the change; UTC',
    `occurred_at_china`  DateTime('Asia/Shanghai')        COMMENT 'The same, China time',
    `from_status`        LowCardinality(String)           COMMENT 'Status before; UNKNOWN for the first change',
    `from_sub_status`    LowCardinality(Nullable(String)) COMMENT 'Sub-status before',
    `to_status`          LowCardinality(String)           COMMENT 'Status after',
    `to_sub_status`      LowCardinality(Nullable(String)) COMMENT 'Sub-status after',
    `leg`                LowCardinality(String)           COMMENT 'FORWARD or RETURN, after the change',
    `dwell_hours`        Nullable(Float64)                COMMENT 'Hours in the state before; NULL for the first change',
    `raw_code`           LowCardinality(Nullable(String)) COMMENT 'The vendor''s code',
    `is_exception`       Bool                             COMMENT 'The event is an exception or a refusal',
    `party`              LowCardinality(Nullable(String)) COMMENT 'Who answers for an exception',
    `verdict`            LowCardinality(String)           COMMENT 'How ordinary the change is: EXPECTED, TOLERATED or ANOMALY',
    `area_code`          LowCardinality(Nullable(String)) COMMENT 'Area code of the event',
    `location`           Nullable(String)                 COMMENT 'Place name of the event',
    `received_at`        DateTime64(6, 'UTC')             COMMENT 'Receipt of the push that brought it; UTC',
    `reported_hours`     Float64                          COMMENT 'Hours between the change and its report'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH (SELECT mapFromArrays(groupArray(status), groupArray(rank)) FROM {database}.status_name WHERE kind = 'status') AS ranks
SELECT
    vendor,
    carrier,
    tracking_number,
    epoch,
    transition.occurred_at AS occurred_at,
    toTimeZone(transition.occurred_at, 'Asia/Shanghai') AS occurred_at_china,
    from_status,
    from_sub_status,
    to_status,
    to_sub_status,
    leg,
    dwell_seconds / 3600 AS dwell_hours,
    raw_code,
    is_exception,
    party,
    verdict,
    area_code,
    location,
    transition.received_at AS received_at,
    dateDiff('second', transition.occurred_at, transition.received_at) / 3600 AS reported_hours
FROM {database}.transition FINAL
ORDER BY
    carrier, tracking_number, vendor, epoch, occurred_at,
    -- Changes within the same second are in order of progress, as in derive.
    ranks[toString(to_status)], transition_id
SETTINGS do_not_merge_across_partitions_select_final = 0
COMMENT 'What happened to this parcel, and when did we hear of it? One row per valid change of state; retracted changes are left out';
