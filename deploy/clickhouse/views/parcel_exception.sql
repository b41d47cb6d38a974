CREATE OR REPLACE VIEW {database}.parcel_exception
(
    `vendor`              LowCardinality(String)  COMMENT 'Code of the vendor',
    `carrier`             LowCardinality(String)  COMMENT 'Canonical carrier code',
    `tracking_number`     String                  COMMENT 'The carrier''s parcel number',
    `epoch`               Date                    COMMENT 'Epoch of the shipment',
    `received_month`      LowCardinality(String)  COMMENT 'Month of first_received_at, yyyyMM, UTC: the partition of shipment. With a condition on it, other months are not read',
    `kind`                LowCardinality(String)  COMMENT 'code, reason or party',
    `name`                LowCardinality(String)  COMMENT 'The vendor''s code, the canonical reason, or the party',
    `began_at`            DateTime('UTC')         COMMENT 'First event of it; UTC',
    `resolved_at`         Nullable(DateTime('UTC')) COMMENT 'First later event of a known status that is no exception, or the return to the sender; UTC. NULL = not resolved'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
WITH
    {formula:is_trouble},
    {formula:is_in_time},
    {formula:parties},
    {formula:party_of},
    arrayMap((status, sub_status) -> is_trouble(status, sub_status), event.status, event.sub_status) AS event_is_exception,
    -- For each event the time of the next one that ends an exception; 0 = none. A refusal that is itself the return ends
    -- at once. Events dated later than their push are ignored (rule 4.6), both as a beginning and as an end.
    arrayReverseFill(
        time -> time != 0,
        arrayMap(
            (time, status, is_exception) -> if(is_exception AND status != 'RETURNED' OR status = 'UNKNOWN' OR NOT is_in_time(time), toUInt32(0), toUInt32(time)),
            event.occurred_at, event.status, event_is_exception)) AS event_ended_at,
    arrayFilter(
        i -> event_is_exception[i] AND is_in_time(event.occurred_at[i]),
        arrayEnumerate(event.id)) AS exceptions,
    arrayConcat(
        arrayMap(i -> ('code', ifNull(event.raw_code[i], ''), i), exceptions),
        arrayMap(i -> ('reason', ifNull(event.sub_status[i], ''), i), exceptions),
        arrayMap(i -> ('party', party_of(ifNull(event.sub_status[i], '')), i), exceptions)) AS mentions,
    arrayMap(mention -> (mention.1, mention.2), mentions) AS subjects,
    -- The first event of each exception.
    arrayJoin(arrayFilter(
        (mention, place, subject) -> subject.2 != '' AND indexOf(subjects, subject) = place,
        mentions, arrayEnumerate(mentions), subjects)) AS first_mention
SELECT
    vendor,
    carrier,
    tracking_number,
    epoch,
    received_month,
    first_mention.1 AS kind,
    first_mention.2 AS name,
    event.occurred_at[first_mention.3] AS began_at,
    if(event_ended_at[first_mention.3] = 0, NULL, toDateTime(event_ended_at[first_mention.3], 'UTC')) AS resolved_at
FROM {database}.shipment_now
WHERE tracking_state != 'CARRIER_CORRECTED' AND ifNull(annotation != 'EXCLUDED', true) AND (notEmpty(exception_codes) OR notEmpty(exception_reasons))
COMMENT 'Every parcel once per exception code, reason and party: when it began and when it was over';
