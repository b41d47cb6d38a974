-- By the day of arrival: by the day of departure, parcels that lie in a hub would be in no figure.

CREATE OR REPLACE VIEW {database}.route_hub_last_30_days
(
    `from_date`             Date                   COMMENT 'First day of arrival that is counted, China time: 29 days before to_date',
    `to_date`               Date                   COMMENT 'Last day of arrival that is counted: 4 days ago, before six in the morning 5, China time',
    `carrier`               LowCardinality(String) COMMENT 'Canonical carrier code',
    `name`                  String                 COMMENT 'Name of the hub or depot, as the vendor writes it, masked',
    `city`                  LowCardinality(String) COMMENT 'City as the vendor writes it; empty = not told',
    `kind`                  LowCardinality(String) COMMENT 'HUB, DEPOT or UNKNOWN',
    `arrived`               UInt64                 COMMENT 'Parcels that arrived there in these days; one that came twice counts twice, and so does one that two contracts follow',
    `dwell_parcels`         UInt64                 COMMENT 'Of these those whose time there is known, or which are still there: denominator of the quantiles',
    `dwell_p50_hours`       Nullable(Float64)      COMMENT 'Half of dwell_parcels were gone within so many hours; those still there count as infinitely long. NULL = not reached',
    `dwell_p90_hours`       Nullable(Float64)      COMMENT '90 % of them, likewise',
    `planned`               UInt64                 COMMENT 'Of arrived those whose arrival was predicted before: denominator of became_late_rate',
    `became_late`           UInt64                 COMMENT 'Of these those that were more than 2 h later than first planned here, and at no node before',
    `became_late_rate`      Nullable(Float64)      COMMENT 'Share of parcels that became late here: became_late / planned',
    `became_late_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `became_late_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:share},
    {formula:wilson},
    {formula:china_day},
    {formula:first_mature_day},
    {formula:last_mature_day},
    {formula:is_planned_within},
    (hours, parcels, percent) -> if(
        parcels = 0 OR length(hours) * 100 < parcels * percent, NULL,
        arraySort(hours)[toUInt64(ceil(parcels * percent / 100))]) AS hours_of,
    counted AS
    (
        SELECT
            carrier,
            name,
            anyLast(city) AS any_city,
            anyLast(kind) AS any_kind,
            count() AS arrived,
            countIf(isNotNull(dwell_hours) OR state = 'CURRENT') AS dwell_parcels,
            groupArray(assumeNotNull(dwell_hours)) FILTER (WHERE isNotNull(dwell_hours)) AS hours,
            countIf(isNotNull(planned_arrival_at)) AS planned,
            countIf(route.became_late) AS late_here
        FROM {database}.parcel_route AS route
        WHERE is_planned_within(arrived_at)
            AND (vendor, carrier, tracking_number) NOT IN (SELECT vendor, carrier, tracking_number FROM {database}.annotation_now WHERE kind = 'EXCLUDED')
        GROUP BY carrier, name
    )
SELECT
    first_mature_day AS from_date,
    last_mature_day AS to_date,
    carrier,
    name,
    any_city AS city,
    any_kind AS kind,
    arrived,
    dwell_parcels,
    hours_of(hours, dwell_parcels, 50) AS dwell_p50_hours,
    hours_of(hours, dwell_parcels, 90) AS dwell_p90_hours,
    planned,
    late_here AS became_late,
    share(late_here, planned) AS became_late_rate,
    wilson(late_here, planned, -1) AS became_late_rate_low,
    wilson(late_here, planned, 1) AS became_late_rate_high
FROM counted
ORDER BY carrier, arrived DESC, name
COMMENT 'How long do parcels lie in a hub, and where do they become late? Arrivals of 30 days, by carrier and hub. No parameters';
