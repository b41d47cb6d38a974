-- By the planned day, and over all that was planned: over what was reached alone, a parcel that never came would make the plan look good.

CREATE OR REPLACE VIEW {database}.route_accuracy_last_30_days
(
    `from_date`            Date                   COMMENT 'First planned day that is counted, China time: 29 days before to_date',
    `to_date`              Date                   COMMENT 'Last planned day that is counted: 4 days ago, before six in the morning 5, China time',
    `carrier`              LowCardinality(String) COMMENT 'Canonical carrier code',
    `of`                   LowCardinality(String) COMMENT 'NODE: arrivals at the nodes of routes against their first prediction. ATTEMPT: first delivery attempts of the same parcels against the vendor''s first estimate (edd_first)',
    `planned`              UInt64                 COMMENT 'Arrivals that were planned for these days, of nodes that were dropped from the route later, too; estimates likewise. Those of cancelled parcels are not among the estimates',
    `reached`              UInt64                 COMMENT 'Of these those that are known to have come, at whatever time',
    `within_2h`           UInt64                 COMMENT 'Of planned those that came at most 2 h before or after their first plan',
    `within_2h_rate`      Nullable(Float64)      COMMENT 'Their share: within_2h / planned',
    `within_2h_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `within_2h_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `within_6h`           UInt64                 COMMENT 'Of planned those that came at most 6 h before or after their first plan',
    `within_6h_rate`      Nullable(Float64)      COMMENT 'Their share: within_6h / planned',
    `within_6h_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `within_6h_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `within_24h`           UInt64                 COMMENT 'Of planned those that came at most 24 h before or after their first plan',
    `within_24h_rate`      Nullable(Float64)      COMMENT 'Their share: within_24h / planned',
    `within_24h_rate_low`  Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `within_24h_rate_high` Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `bias_hours`           Nullable(Float64)      COMMENT 'Median of actual less planned over reached, in hours: positive = later than planned'
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
    told AS
    (
        SELECT carrier, 'NODE' AS of, (toInt64(arrived_at) - toInt64(planned_arrival_at)) / 3600 AS error
        FROM {database}.parcel_route
        WHERE is_planned_within(planned_arrival_at)
            AND (vendor, carrier, tracking_number) NOT IN (SELECT vendor, carrier, tracking_number FROM {database}.annotation_now WHERE kind = 'EXCLUDED')
        UNION ALL
        SELECT carrier, 'ATTEMPT', (toInt64(first_attempt_at) - toInt64(edd_first)) / 3600
        FROM {database}.shipment_now
        WHERE is_planned_within(edd_first) AND tracking_state != 'CARRIER_CORRECTED' AND outcome != 'CANCELLED'
            AND ifNull(annotation != 'EXCLUDED', true)
            AND (vendor, account, carrier, tracking_number) IN (SELECT vendor, account, carrier, tracking_number FROM {database}.route_node)
    ),
    counted AS
    (
        SELECT
            carrier, of,
            count() AS planned,
            countIf(isNotNull(error)) AS reached,
            countIf(abs(error) <= 2) AS hits_2,
            countIf(abs(error) <= 6) AS hits_6,
            countIf(abs(error) <= 24) AS hits_24,
            quantileExactOrNull(0.5)(error) AS bias_hours
        FROM told
        GROUP BY carrier, of
    )
SELECT
    first_mature_day AS from_date,
    last_mature_day AS to_date,
    carrier,
    of,
    planned,
    reached,
    hits_2 AS within_2h,
    share(hits_2, planned) AS within_2h_rate,
    wilson(hits_2, planned, -1) AS within_2h_rate_low,
    wilson(hits_2, planned, 1) AS within_2h_rate_high,
    hits_6 AS within_6h,
    share(hits_6, planned) AS within_6h_rate,
    wilson(hits_6, planned, -1) AS within_6h_rate_low,
    wilson(hits_6, planned, 1) AS within_6h_rate_high,
    hits_24 AS within_24h,
    share(hits_24, planned) AS within_24h_rate,
    wilson(hits_24, planned, -1) AS within_24h_rate_low,
    wilson(hits_24, planned, 1) AS within_24h_rate_high,
    bias_hours
FROM counted
ORDER BY carrier, of
COMMENT 'How good are the predicted routes? Shares of what came within so many hours of its first plan, planned for 30 days, by carrier. No parameters';
