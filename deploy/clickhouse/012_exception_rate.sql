-- Rates of codes, reasons and parties. The denominator of a vendor's code are the parcels that this vendor tracks.
--
-- Parcels with an exception are counted some minutes after the cohorts that they are divided by; of a young day more of
-- them may have settled by then. So a rate never takes more of them than the cohort has.
--
-- Parameters as in carrier_scorecard.

CREATE VIEW IF NOT EXISTS {database}.exception_rate
(
    `carrier`           LowCardinality(String) COMMENT 'Canonical carrier code',
    `kind`              LowCardinality(String) COMMENT 'code, reason or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for reasons and parties, which are the same for both',
    `name`              LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason or the party',
    `name_zh`           Nullable(String)       COMMENT 'Its name in Chinese; NULL for a code that is not documented',
    `name_en`           Nullable(String)       COMMENT 'Its name in English; likewise',
    `reason`            Nullable(String)       COMMENT 'Canonical reason behind a code',
    `party`             Nullable(String)       COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
    `is_vendor_clock`   Nullable(Bool)         COMMENT 'The vendor''s clock says so and no scan of the carrier',
    `parcels`           UInt64                 COMMENT 'Parcels with at least one such event',
    `settled_with`      UInt64                 COMMENT 'Of those, settled (aged 7 days + 6 h or more) with a first such event within 7 days of the pickup',
    `settled`           UInt64                 COMMENT 'All settled parcels of the carrier, with or without it; for a code those of its vendor',
    `rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one such event within 7 days of the pickup: settled_with / settled, at most 1; NULL when nothing can be judged yet',
    `rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `resolve_parcels`   UInt64                 COMMENT 'Of settled_with, those whose time to resolve is known or still running',
    `resolve_p50_hours` Nullable(Float64)      COMMENT 'Half of them had their next event that is no exception within so many hours; NULL = not reached. At most 0.25 h above the true value',
    `refreshed_at`      DateTime('UTC')        COMMENT 'When the counts were taken; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    -- Wilson score interval, z for 95 %; side is -1 or 1.
    (part, whole, side) -> multiIf(
        whole = 0, NULL,
        side < 0 AND part = 0, 0.,
        side > 0 AND part = whole, 1.,
        (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
            / (whole + 3.8414588206941983)) AS wilson,
    -- The smallest time that so many percent of the parcels needed at most; whole counts the unfinished too.
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
        mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    (seconds, parcels) -> if(parcels = 0, NULL, seconds / parcels / 3600) AS mean_hours,
    -- Codes are a vendor's own, reasons and parties are shared.
    found AS
    (
        SELECT
            daily.carrier AS carrier,
            daily.kind AS kind,
            if(daily.kind = 'code', daily.vendor, '') AS code_vendor,
            daily.name AS name,
            sum(daily.parcels) AS parcels,
            sum(daily.settled) AS settled_with,
            sum(daily.resolve_parcels) AS resolve_parcels,
            sumMap(daily.resolve_bins) AS resolve_bins,
            min(daily.refreshed_at) AS refreshed_at
        FROM {database}.exception_daily AS daily
        WHERE daily.level = multiIf({origin:String} = '' AND {dest:String} = '', 'carrier',
        length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')
            AND daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
            AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
            AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
        GROUP BY daily.carrier, daily.kind, code_vendor, daily.name
    ),
    cohort AS
    (
        SELECT
            daily.carrier AS carrier,
            scope AS code_vendor,
            sum(daily.settled) AS settled
        FROM {database}.carrier_daily AS daily
        ARRAY JOIN [toString(daily.vendor), ''] AS scope
        WHERE daily.level = multiIf({origin:String} = '' AND {dest:String} = '', 'carrier',
        length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')
            AND daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
            AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
            AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
        GROUP BY daily.carrier, scope
    )
SELECT
    found.carrier AS carrier,
    found.kind AS kind,
    found.code_vendor AS vendor,
    found.name AS name,
    nullIf(named.name_zh, '') AS name_zh,
    nullIf(named.name_en, '') AS name_en,
    named.reason AS reason,
    nullIf(named.party, '') AS party,
    if(named.name_en = '', NULL, named.is_vendor_clock) AS is_vendor_clock,
    found.parcels AS parcels,
    found.settled_with AS settled_with,
    cohort.settled AS settled,
    share(least(found.settled_with, cohort.settled), cohort.settled) AS rate,
    wilson(least(found.settled_with, cohort.settled), cohort.settled, -1) AS rate_low,
    wilson(least(found.settled_with, cohort.settled), cohort.settled, 1) AS rate_high,
    found.resolve_parcels AS resolve_parcels,
    hours_at(found.resolve_bins, found.resolve_parcels, 50) AS resolve_p50_hours,
    found.refreshed_at AS refreshed_at
FROM found
INNER JOIN cohort ON found.carrier = cohort.carrier AND found.code_vendor = cohort.code_vendor
LEFT JOIN {database}.exception_name AS named
    ON named.kind = found.kind AND named.vendor = found.code_vendor AND named.name = found.name
ORDER BY carrier, kind, vendor, name
SETTINGS join_use_nulls = 0
COMMENT 'What goes wrong with which carrier, who answers for it, and how long until it goes on? One row per carrier and code, reason or party. Each parcel counts once in a row, but can be in several';

-- Parameters as in carrier_scorecard, and carrier (empty = all).
CREATE VIEW IF NOT EXISTS {database}.exception_trend
(
    `cohort_date`       Date                   COMMENT 'Day of the pickup, China time',
    `kind`              LowCardinality(String) COMMENT 'code, reason or party',
    `vendor`            LowCardinality(String) COMMENT 'Whose code it is; empty for reasons and parties, which are the same for both',
    `name`              LowCardinality(String) COMMENT 'The vendor''s code, the canonical reason or the party',
    `name_zh`           Nullable(String)       COMMENT 'Its name in Chinese; NULL for a code that is not documented',
    `name_en`           Nullable(String)       COMMENT 'Its name in English; likewise',
    `reason`            Nullable(String)       COMMENT 'Canonical reason behind a code',
    `party`             Nullable(String)       COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
    `is_vendor_clock`   Nullable(Bool)         COMMENT 'The vendor''s clock says so and no scan of the carrier',
    `parcels`           UInt64                 COMMENT 'Parcels with at least one such event',
    `settled_with`      UInt64                 COMMENT 'Of those, settled (aged 7 days + 6 h or more) with a first such event within 7 days of the pickup',
    `settled`           UInt64                 COMMENT 'All settled parcels of the day, with or without it; for a code those of its vendor',
    `rate`              Nullable(Float64)      COMMENT 'Share of parcels with at least one such event within 7 days of the pickup: settled_with / settled, at most 1; NULL when nothing can be judged yet',
    `rate_low`          Nullable(Float64)      COMMENT 'Lower end of its Wilson 95 % interval',
    `rate_high`         Nullable(Float64)      COMMENT 'Upper end of its Wilson 95 % interval',
    `resolve_parcels`   UInt64                 COMMENT 'Of settled_with, those whose time to resolve is known or still running',
    `resolve_p50_hours` Nullable(Float64)      COMMENT 'Half of them had their next event that is no exception within so many hours; NULL = not reached. At most 0.25 h above the true value',
    `refreshed_at`      DateTime('UTC')        COMMENT 'When the counts were taken; UTC'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
WITH
    (part, whole) -> if(whole = 0, NULL, part / whole) AS share,
    -- Wilson score interval, z for 95 %; side is -1 or 1.
    (part, whole, side) -> multiIf(
        whole = 0, NULL,
        side < 0 AND part = 0, 0.,
        side > 0 AND part = whole, 1.,
        (part + 1.9207294103470992 + side * 1.959963984540054 * sqrt(part * (whole - part) / whole + 0.9603647051735496))
            / (whole + 3.8414588206941983)) AS wilson,
    -- The smallest time that so many percent of the parcels needed at most; whole counts the unfinished too.
    (bins, whole, percent) -> if(whole = 0 OR arraySum(mapValues(bins)) * 100 < whole * percent, NULL,
        mapKeys(bins)[arrayFirstIndex(sofar -> sofar * 100 >= whole * percent, arrayCumSum(mapValues(bins)))] / 4) AS hours_at,
    (seconds, parcels) -> if(parcels = 0, NULL, seconds / parcels / 3600) AS mean_hours,
    -- Codes are a vendor's own, reasons and parties are shared.
    found AS
    (
        SELECT
            daily.cohort_date AS cohort_date,
            daily.kind AS kind,
            if(daily.kind = 'code', daily.vendor, '') AS code_vendor,
            daily.name AS name,
            sum(daily.parcels) AS parcels,
            sum(daily.settled) AS settled_with,
            sum(daily.resolve_parcels) AS resolve_parcels,
            sumMap(daily.resolve_bins) AS resolve_bins,
            min(daily.refreshed_at) AS refreshed_at
        FROM {database}.exception_daily AS daily
        WHERE daily.level = multiIf({origin:String} = '' AND {dest:String} = '', 'carrier',
        length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')
            AND daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
            AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
            AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
            AND ({carrier:String} = '' OR daily.carrier = {carrier:String})
        GROUP BY daily.cohort_date, daily.kind, code_vendor, daily.name
    ),
    cohort AS
    (
        SELECT
            daily.cohort_date AS cohort_date,
            scope AS code_vendor,
            sum(daily.settled) AS settled
        FROM {database}.carrier_daily AS daily
        ARRAY JOIN [toString(daily.vendor), ''] AS scope
        WHERE daily.level = multiIf({origin:String} = '' AND {dest:String} = '', 'carrier',
        length({origin:String}) > 4 OR length({dest:String}) > 4, 'city', 'province')
            AND daily.cohort_date BETWEEN {from_date:Date} AND {to_date:Date}
            AND ({vendor:String} = '' OR daily.vendor = {vendor:String})
            AND startsWith(daily.origin, {origin:String}) AND startsWith(daily.dest, {dest:String})
            AND ({carrier:String} = '' OR daily.carrier = {carrier:String})
        GROUP BY daily.cohort_date, scope
    )
SELECT
    found.cohort_date AS cohort_date,
    found.kind AS kind,
    found.code_vendor AS vendor,
    found.name AS name,
    nullIf(named.name_zh, '') AS name_zh,
    nullIf(named.name_en, '') AS name_en,
    named.reason AS reason,
    nullIf(named.party, '') AS party,
    if(named.name_en = '', NULL, named.is_vendor_clock) AS is_vendor_clock,
    found.parcels AS parcels,
    found.settled_with AS settled_with,
    cohort.settled AS settled,
    share(least(found.settled_with, cohort.settled), cohort.settled) AS rate,
    wilson(least(found.settled_with, cohort.settled), cohort.settled, -1) AS rate_low,
    wilson(least(found.settled_with, cohort.settled), cohort.settled, 1) AS rate_high,
    found.resolve_parcels AS resolve_parcels,
    hours_at(found.resolve_bins, found.resolve_parcels, 50) AS resolve_p50_hours,
    found.refreshed_at AS refreshed_at
FROM found
INNER JOIN cohort ON found.cohort_date = cohort.cohort_date AND found.code_vendor = cohort.code_vendor
LEFT JOIN {database}.exception_name AS named
    ON named.kind = found.kind AND named.vendor = found.code_vendor AND named.name = found.name
ORDER BY cohort_date, kind, vendor, name
SETTINGS join_use_nulls = 0
COMMENT 'What goes wrong, day by day? exception_rate by pickup day, of all carriers or of one';
