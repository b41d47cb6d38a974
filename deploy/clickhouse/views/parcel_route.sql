-- The two tellings of a node side by side. What all figures about routes are made of.

CREATE OR REPLACE VIEW {database}.parcel_route
(
    `vendor`                LowCardinality(String)    COMMENT 'Code of the vendor',
    `account`               LowCardinality(String)    COMMENT 'Vendor contract',
    `carrier`               LowCardinality(String)    COMMENT 'Canonical carrier code',
    `tracking_number`       String                    COMMENT 'The carrier''s parcel number',
    `position`              UInt16                    COMMENT 'Place in the route, from 1, from the sender to the recipient',
    `name`                  String                    COMMENT 'Name of the hub or depot, as the vendor writes it, masked',
    `visit`                 UInt8                     COMMENT '1, or more where the way leads through a node of this name again',
    `province`              LowCardinality(String)    COMMENT 'Province as the vendor writes it; empty = not told',
    `city`                  LowCardinality(String)    COMMENT 'City, likewise',
    `kind`                  LowCardinality(String)    COMMENT 'HUB (sorts and forwards), DEPOT (collects and delivers) or UNKNOWN',
    `state`                 LowCardinality(String)    COMMENT 'PASSED (gone again), CURRENT (there), EXPECTED (not there yet) or DROPPED: expected before, and not in the newest route any more',
    `planned_at`            Nullable(DateTime('UTC')) COMMENT 'When the node was first predicted; UTC. NULL when the parcel had been there by the first push with a route',
    `planned_arrival_at`    Nullable(DateTime('UTC')) COMMENT 'Arrival by the first prediction; UTC',
    `planned_departure_at`  Nullable(DateTime('UTC')) COMMENT 'Departure by the first prediction; UTC',
    `expected_arrival_at`   Nullable(DateTime('UTC')) COMMENT 'Arrival by the newest prediction, of an EXPECTED node; UTC',
    `expected_departure_at` Nullable(DateTime('UTC')) COMMENT 'Departure by the newest prediction, of an EXPECTED or CURRENT node; UTC',
    `arrived_at`            Nullable(DateTime('UTC')) COMMENT 'Arrival; UTC. NULL until then',
    `departed_at`           Nullable(DateTime('UTC')) COMMENT 'Departure; UTC. NULL until then',
    `dwell_hours`           Nullable(Float64)         COMMENT 'Hours from the arrival to the departure; NULL until then, and when they are negative or over 180 days',
    `late_hours`            Nullable(Float64)         COMMENT 'Hours by which the arrival is later than first planned, else by which it is now expected to be; negative = earlier. NULL without a plan',
    `is_late`               Bool                      COMMENT 'late_hours is more than 2',
    `became_late`           Bool                      COMMENT 'The first node of the route at which the parcel was late or is expected to be',
    `is_next`               Bool                      COMMENT 'The node that the parcel is expected at next',
    `told_at`               DateTime('UTC')           COMMENT 'Newest push with a route of the parcel; UTC'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:is_believed},
    {formula:span},
    {formula:late_after},
    {formula:route_life},
    node AS
    (
        SELECT
            vendor, account, carrier, tracking_number, name, visit,
            maxIf(route_node.received_at, telling = 'LAST') AS last_at,
            -- A plan of an earlier life of the number is none.
            minIf(route_node.received_at, telling = 'FIRST') AS first_at,
            countIf(telling = 'FIRST') > 0 AND dateDiff('second', first_at, last_at) <= route_life AS has_plan,
            anyIf(position, telling = 'LAST') AS place,
            anyIf(province, telling = 'LAST') AS last_province,
            anyIf(city, telling = 'LAST') AS last_city,
            anyIf(kind, telling = 'LAST') AS last_kind,
            anyIf(state, telling = 'LAST') AS last_state,
            if(has_plan, anyIf(route_node.planned_arrival_at, telling = 'FIRST'), NULL) AS first_arrival,
            if(has_plan, anyIf(route_node.planned_departure_at, telling = 'FIRST'), NULL) AS first_departure,
            anyIf(route_node.planned_arrival_at, telling = 'LAST') AS last_arrival,
            anyIf(route_node.planned_departure_at, telling = 'LAST') AS last_departure,
            anyIf(route_node.arrived_at, telling = 'LAST') AS arrival,
            anyIf(route_node.departed_at, telling = 'LAST') AS departure
        FROM {database}.route_node FINAL
        GROUP BY vendor, account, carrier, tracking_number, name, visit
    ),
    of_parcel AS
    (
        SELECT *, max(last_at) OVER (PARTITION BY vendor, account, carrier, tracking_number) AS newest_at
        FROM node
    ),
    judged AS
    (
        SELECT
            *,
            last_state != 'PASSED' AND last_at < newest_at AS is_dropped,
            NOT is_dropped AND last_state = 'EXPECTED' AS is_ahead,
            if(is_dropped, NULL, last_arrival) AS expected,
            ifNull(arrival, expected) AS due,
            if(abs(toInt64(due) - toInt64(first_arrival)) <= 180 * 86400, (toInt64(due) - toInt64(first_arrival)) / 3600, NULL) AS late,
            ifNull(late > late_after, false) AS is_behind
        FROM of_parcel
        WHERE dateDiff('second', last_at, newest_at) <= route_life
    )
SELECT
    vendor,
    account,
    carrier,
    tracking_number,
    place AS position,
    name,
    visit,
    last_province AS province,
    last_city AS city,
    last_kind AS kind,
    if(is_dropped, 'DROPPED', last_state) AS state,
    if(has_plan, toDateTime(first_at, 'UTC'), NULL) AS planned_at,
    first_arrival AS planned_arrival_at,
    first_departure AS planned_departure_at,
    expected AS expected_arrival_at,
    if(is_dropped, NULL, last_departure) AS expected_departure_at,
    arrival AS arrived_at,
    departure AS departed_at,
    span(arrival, departure) / 3600 AS dwell_hours,
    late AS late_hours,
    toBool(is_behind) AS is_late,
    toBool(is_behind AND place = minIf(place, is_behind) OVER (PARTITION BY vendor, account, carrier, tracking_number)) AS became_late,
    toBool(is_ahead AND place = minIf(place, is_ahead) OVER (PARTITION BY vendor, account, carrier, tracking_number)) AS is_next,
    toDateTime(newest_at, 'UTC') AS told_at
FROM judged
COMMENT 'Where was this parcel, where is it expected next, and where did it become late? One row per parcel and node of its route';
