-- What do the pushes leave out? Asking again about parcels that look wrong would find much and prove nothing, so only the queries of class
-- AUDIT count, whose parcels are chosen by their number alone. An event is missed when a query told it first and it was older than 6 h by
-- then: a younger one may still have been on its way, because the vendors look every 4 h.
--
-- A parcel that is audited twice counts twice, each time with the events since the audit before. That one may have told events that were
-- young then: they are judged by neither audit.

CREATE OR REPLACE VIEW {database}.push_completeness
(
    `query_date`       Date                   COMMENT 'Day of the audits, China time',
    `vendor`           LowCardinality(String) COMMENT 'Code of the vendor',
    `carrier`          LowCardinality(String) COMMENT 'Canonical carrier code',
    `audited`          UInt64                 COMMENT 'Parcels asked about without a reason, of which the vendor knew something',
    `with_missed`      UInt64                 COMMENT 'Of those, with at least one missed event',
    `with_missed_share` Nullable(Float64)    COMMENT 'with_missed / audited',
    `with_missed_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `with_missed_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `events`           UInt64                 COMMENT 'Events of the audited parcels that were older than 6 h at the audit, since the audit before',
    `missed`           UInt64                 COMMENT 'Of those, told first by a query',
    `missed_share`     Nullable(Float64)      COMMENT 'missed / events; events of one parcel are missed together, so its interval would be wider than it looks, and is not given',
    `pushed_changes`   UInt64                 COMMENT 'Changes of state of those parcels and that time which a push told first, and not the first push of the parcel: denominator of the quantiles',
    `pushed_p50_hours` Nullable(Float64)      COMMENT 'Half of them were told within so many hours of the event',
    `pushed_p95_hours` Nullable(Float64)      COMMENT '95 % of them, likewise'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:share},
    {formula:wilson},
    {formula:report_lag},
    audit AS
    (
        SELECT
            vendor,
            carrier,
            tracking_number,
            toDate(started_at, 'Asia/Shanghai') AS query_date,
            started_at - toIntervalSecond(report_lag) AS end,
            lagInFrame(started_at, 1, toDateTime64('1970-01-01 00:00:00', 6, 'UTC')) OVER
                (PARTITION BY vendor, carrier, tracking_number ORDER BY started_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS start
        FROM {database}.vendor_call FINAL
        WHERE kind = 'QUERY' AND reason = 'AUDIT' AND class = 'DONE'
    ),
    told AS
    (
        SELECT vendor, carrier, tracking_number, event.occurred_at AS times, event.origin AS origins
        FROM {database}.shipment FINAL
        WHERE (carrier, tracking_number) IN (SELECT carrier, tracking_number FROM audit) AND tracking_state != 'CARRIER_CORRECTED'
        -- The present life of the number.
        ORDER BY epoch DESC
        LIMIT 1 BY vendor, carrier, tracking_number
    ),
    judged AS
    (
        SELECT
            audit.query_date AS query_date,
            audit.vendor AS vendor,
            audit.carrier AS carrier,
            arrayCount(time -> time > audit.start AND time <= audit.end, told.times) AS events,
            arrayCount((time, origin) -> time > audit.start AND time <= audit.end AND origin = 'QUERY', told.times, told.origins) AS missed
        FROM audit
        LEFT JOIN told ON told.vendor = audit.vendor AND told.carrier = audit.carrier AND told.tracking_number = audit.tracking_number
    ),
    pushed AS
    (
        SELECT
            audit.query_date AS query_date,
            audit.vendor AS vendor,
            audit.carrier AS carrier,
            count() AS changes,
            quantilesExact(0.5, 0.95)(dateDiff('second', change.occurred_at, change.received_at) / 3600) AS hours
        FROM audit
        INNER JOIN
        (
            SELECT vendor, carrier, tracking_number, occurred_at, received_at
            FROM {database}.transition FINAL
            WHERE (carrier, tracking_number) IN (SELECT carrier, tracking_number FROM audit)
                AND origin = 'PUSH' AND received_at > first_received_at
        ) AS change
            ON change.vendor = audit.vendor AND change.carrier = audit.carrier AND change.tracking_number = audit.tracking_number
        WHERE change.occurred_at > audit.start AND change.occurred_at <= audit.end
        GROUP BY query_date, vendor, carrier
    ),
    counted AS
    (
        SELECT
            query_date,
            vendor,
            carrier,
            count() AS audited,
            countIf(judged.missed > 0) AS with_missed,
            sum(judged.events) AS all_events,
            sum(judged.missed) AS all_missed
        FROM judged
        GROUP BY query_date, vendor, carrier
    )
SELECT
    counted.query_date AS query_date,
    counted.vendor AS vendor,
    counted.carrier AS carrier,
    counted.audited AS audited,
    counted.with_missed AS with_missed,
    share(with_missed, audited) AS with_missed_share,
    wilson(with_missed, audited, -1) AS with_missed_low,
    wilson(with_missed, audited, 1) AS with_missed_high,
    all_events AS events,
    all_missed AS missed,
    share(missed, events) AS missed_share,
    pushed.changes AS pushed_changes,
    if(pushed_changes = 0, NULL, pushed.hours[1]) AS pushed_p50_hours,
    if(pushed_changes = 0, NULL, pushed.hours[2]) AS pushed_p95_hours
FROM counted
LEFT JOIN pushed ON pushed.query_date = counted.query_date AND pushed.vendor = counted.vendor AND pushed.carrier = counted.carrier
ORDER BY query_date, vendor, carrier
SETTINGS join_use_nulls = 0, do_not_merge_across_partitions_select_final = 0
COMMENT 'What do the pushes leave out? Audits in table vendor_call against the events of shipment, by day, vendor and carrier';
