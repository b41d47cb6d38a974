-- The promise that applies to each lane that occurs. At most 18 combinations are looked up, from (carrier, city, city)
-- to (every carrier, everywhere, everywhere), once per lane instead of once per parcel.
--
-- DEFINER, here and in the other views: a user who may read a view needs no right on its tables, which hold texts of the
-- vendors.
CREATE OR REPLACE VIEW {database}.lane_promise
(
    `carrier`   LowCardinality(String)  COMMENT 'Canonical carrier code',
    `origin`    String                  COMMENT 'Area of the origin as in view parcel; empty = unknown',
    `dest`      String                  COMMENT 'Area of the destination as in view parcel; empty = unknown',
    `hours`        UInt16               COMMENT 'Hours promised on this lane; 0 = working days are',
    `working_days` Nullable(UInt8)      COMMENT 'Working days promised on this lane; NULL = hours are',
    `cutoff`       UInt16               COMMENT 'Minutes after midnight, China time: a pickup then or later counts for the next working day. 1440 = no cut-off'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:is_municipality},
    {formula:area},
    -- Without FINAL, because lanes of replaced versions do no harm. Inferred destinations do not count, as in view
    -- parcel.
    lanes AS
    (
        SELECT DISTINCT toString(lane.carrier) AS lane_carrier, toString(lane.origin) AS lane_origin, toString(lane.dest) AS lane_dest
        FROM (SELECT carrier, {formula:origin}, {formula:dest} FROM {database}.shipment) AS lane
    ),
    questions AS
    (
        SELECT
            *,
            -- The first match wins.
            arrayJoin(arrayFlatten(arrayMap(
                by_carrier -> arrayMap(
                    by_origin -> arrayMap(
                        by_dest -> (by_carrier, by_origin, by_dest),
                        arrayDistinct([lane_dest, substring(lane_dest, 1, 4), ''])),
                    arrayDistinct([lane_origin, substring(lane_origin, 1, 4), ''])),
                [lane_carrier, '']))) AS question
        FROM lanes
    ),
    -- As a tuple: argMax passes over a NULL, and would take the working days of another row.
    argMax((promise.hours, promise.working_days, promise.cutoff), (promise.carrier != '', length(promise.origin), length(promise.dest))) AS found
SELECT
    lane_carrier AS carrier,
    lane_origin AS origin,
    lane_dest AS dest,
    found.1 AS hours,
    found.2 AS working_days,
    found.3 AS cutoff
FROM questions
INNER JOIN {database}.sla_promise AS promise
    ON question.1 = promise.carrier AND question.2 = promise.origin AND question.3 = promise.dest
GROUP BY lane_carrier, lane_origin, lane_dest
COMMENT 'The promise of sla_promise that holds on each lane of each carrier; lanes for which no row speaks are not here';
