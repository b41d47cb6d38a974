-- The correction by hand that holds of each life of a number; none where the last one was taken back.
CREATE OR REPLACE VIEW {database}.annotation_now
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT
    carrier,
    tracking_number,
    vendor,
    epoch,
    newest.1 AS kind,
    -- When it happened, as far as somebody said so.
    ifNull(newest.2, toDateTime(newest.7, 'UTC')) AS occurred_at,
    newest.3 AS reason,
    newest.4 AS annotated_by,
    newest.5 AS seen_status,
    newest.6 AS seen_event_at,
    newest.7 AS annotated_at
FROM
(
    SELECT
        carrier, tracking_number, vendor, epoch,
        -- As a tuple: alone, what is NULL would be passed over for that of an older one. Rows that are there twice do no harm, so without FINAL.
        argMax((kind, occurred_at, reason, annotated_by, seen_status, seen_event_at, annotation.annotated_at), annotation.annotated_at) AS newest
    FROM {database}.annotation
    GROUP BY carrier, tracking_number, vendor, epoch
)
WHERE kind != 'NONE'
COMMENT 'The correction by hand that holds of each parcel';
