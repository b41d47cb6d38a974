CREATE MATERIALIZED VIEW {database}.unknown_wording_refresh
REFRESH EVERY 1 HOUR OFFSET 11 MINUTE
SETTINGS refresh_retries = 2
TO {database}.unknown_wording
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    (SELECT groupArray((named.vendor, named.code)) FROM {database}.status_name AS named WHERE named.kind = 'code') AS codes,
    arrayFilter(i -> ifNull(event.raw_code[i], '') != '' AND NOT has(codes, (toString(vendor), ifNull(event.raw_code[i], ''))), arrayEnumerate(event.id)) AS unknown_codes,
    -- "No trace" is UNKNOWN and has a meaning.
    arrayFilter(i -> event.status[i] = 'UNKNOWN' AND isNull(event.sub_status[i]) AND event.context[i] != '', arrayEnumerate(event.id)) AS unknown_texts,
    found AS
    (
        SELECT
            vendor,
            carrier,
            tracking_number,
            received_at,
            arrayJoin(arrayConcat(
                arrayMap(i -> ('code', ifNull(event.raw_code[i], ''), toString(event.status[i]), event.context[i]), unknown_codes),
                arrayMap(
                    i -> ('text', replaceRegexpAll(replaceRegexpAll(event.context[i], '【[^】]*】', '【】'), '[0-9]+', '0'), 'UNKNOWN', event.context[i]),
                    unknown_texts))) AS mention
        FROM {database}.shipment FINAL
        WHERE received_at >= now('UTC') - INTERVAL 30 DAY
            AND tracking_state != 'CARRIER_CORRECTED'
            AND (has(flags, 'unknown_code') OR has(event.status, 'UNKNOWN'))
            -- A parcel is followed for 60 days without a push. This limits what FINAL reads (see received_month in view parcel).
            AND first_received_at >= {expression:recent_since}
            AND _partition_id >= toString(toYYYYMM({expression:recent_since}))
    )
SELECT
    mention.1 AS kind,
    vendor,
    carrier,
    mention.2 AS wording,
    count() AS events,
    uniqExact(tracking_number) AS parcels,
    topK(1)(mention.3)[1] AS status,
    argMax(mention.4, (received_at, tracking_number)) AS example,
    max(received_at) AS last_received_at,
    argMax(tracking_number, (received_at, tracking_number)) AS last_parcel,
    now('UTC') AS refreshed_at
FROM found
GROUP BY kind, vendor, carrier, wording
ORDER BY parcels DESC, kind, vendor, carrier, wording
LIMIT 5000 BY kind
UNION ALL
SELECT 'carrier' AS kind, vendor, carrier, code AS wording, toUInt64(0) AS events, parcels, '' AS status, '' AS example, last_received_at, last_parcel, now('UTC') AS refreshed_at
FROM {database}.unmapped_carrier
ORDER BY parcels DESC, vendor, carrier
LIMIT 5000
SETTINGS do_not_merge_across_partitions_select_final = 0, max_memory_usage = {setting:view_memory}, max_execution_time = 240
COMMENT 'Fills unknown_wording';
