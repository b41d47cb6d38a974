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
ENGINE = {engine:MergeTree}
ORDER BY (carrier, origin, dest)
COMMENT 'Promised hours per carrier and lane. The most specific row speaks: first by carrier, then by origin, then by destination';
