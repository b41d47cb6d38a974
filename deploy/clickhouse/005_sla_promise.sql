-- What a carrier has promised: hours from pickup to the first delivery attempt. `processor load-sla FILE.csv` replaces all
-- rows at once (a new table, filled, exchanged with this one); nothing else writes here.
--
-- Where no row speaks for a parcel, the standard does (GB/T 27917): 24 h within a city, 72 h otherwise, also when the lane
-- is unknown; a parcel that crosses a border has no default promise. The defaults are applied in 007 and 008.

CREATE TABLE IF NOT EXISTS {database}.sla_promise
(
    `carrier`   LowCardinality(String)  COMMENT 'Canonical carrier code; empty = every carrier',
    `origin`    LowCardinality(String)  COMMENT 'Area of the origin: CN4403 a city, CN44 a province, CN31 a municipality; empty = everywhere',
    `dest`      LowCardinality(String)  COMMENT 'Area of the destination, as origin',
    `hours`     UInt16                  COMMENT 'Hours from pickup until the first delivery attempt, 1 to 4320',
    `loaded_at` DateTime('UTC')         COMMENT 'When the file was loaded; UTC'
)
-- One row a key: the loader refuses a file that says two things of one lane.
ENGINE = MergeTree
ORDER BY (carrier, origin, dest)
COMMENT 'Promised hours per carrier and lane. The most specific row speaks: first by carrier, then by origin, then by destination';

-- Which promise holds on each lane that occurs. A lane asks at most 18 questions, from (carrier, city, city) to (every
-- carrier, everywhere, everywhere); they are asked once per lane and not once per parcel.
--
-- DEFINER, here and in all views that follow: who may read a view needs no right on the tables below it, which hold texts
-- of the vendors.
CREATE VIEW IF NOT EXISTS {database}.lane_promise
(
    `carrier`   LowCardinality(String)  COMMENT 'Canonical carrier code',
    `origin`    String                  COMMENT 'Area of the origin as in view parcel; empty = unknown',
    `dest`      String                  COMMENT 'Area of the destination as in view parcel; empty = unknown',
    `hours`     UInt16                  COMMENT 'Hours promised on this lane'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    -- Rule 17: a municipality is one city; 00 in the place of the city names a whole province.
    code -> multiIf(
        NOT startsWith(ifNull(code, ''), 'CN'), '',
        substring(code, 1, 4) IN ('CN11', 'CN12', 'CN31', 'CN50'), substring(code, 1, 4),
        length(code) < 6 OR substring(code, 5, 2) = '00', substring(code, 1, 4),
        substring(code, 1, 6)) AS area,
    -- Not FINAL: the lanes of replaced versions do no harm. Inferred destinations do not count, as in view parcel.
    lanes AS
    (
        SELECT DISTINCT
            toString(carrier) AS lane_carrier,
            assumeNotNull(toString(area(origin_code))) AS lane_origin,
            assumeNotNull(toString(if(has(flags, 'lane_inferred'), '', area(dest_code)))) AS lane_dest
        FROM {database}.shipment
    ),
    questions AS
    (
        SELECT
            *,
            -- The order is the precedence.
            arrayJoin(arrayFlatten(arrayMap(
                by_carrier -> arrayMap(
                    by_origin -> arrayMap(
                        by_dest -> (by_carrier, by_origin, by_dest),
                        arrayDistinct([lane_dest, substring(lane_dest, 1, 4), ''])),
                    arrayDistinct([lane_origin, substring(lane_origin, 1, 4), ''])),
                [lane_carrier, '']))) AS question
        FROM lanes
    )
SELECT
    lane_carrier AS carrier,
    lane_origin AS origin,
    lane_dest AS dest,
    argMax(promise.hours, (promise.carrier != '', length(promise.origin), length(promise.dest))) AS hours
FROM questions
INNER JOIN {database}.sla_promise AS promise
    ON question.1 = promise.carrier AND question.2 = promise.origin AND question.3 = promise.dest
GROUP BY lane_carrier, lane_origin, lane_dest
COMMENT 'The promise of sla_promise that holds on each lane of each carrier; lanes for which no row speaks are not here';
