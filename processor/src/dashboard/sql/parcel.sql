-- Everything known about one tracking number (indexed): a row for each vendor, carrier and life of the number.
SELECT
    shipment.vendor AS vendor, account, shipment.carrier AS carrier, tracking_number, shipment.epoch AS epoch, first_received_at, received_at, status, sub_status, raw_code, leg, tracking_state,
    origin_code, origin, dest_code, dest, created_at, picked_up_at, left_origin_at, arrived_dest_at, out_for_delivery_at,
    first_attempt_at, available_at, delivered_at, returning_at, returned_at, cancelled_at, last_event_at, edd_first, edd_last,
    reference, dest_carrier, dest_number, corrected_to, attempts, exception_codes, exception_reasons, flags,
    -- What a person says. Everything else is the vendor's word.
    annotation, annotation_occurred_at, annotation_reason, annotated_by, annotated_at, ifNull(contradicted, false) AS contradicted,
    arrayMap(
        (occurred_at, status, sub_status, raw_code, area, location, context) -> CAST(
            (occurred_at, status, sub_status, raw_code, area, location, context),
            'Tuple(occurred_at DateTime(\'UTC\'), status String, sub_status Nullable(String), raw_code Nullable(String), area Nullable(String), location Nullable(String), context String)'),
        event.occurred_at, event.status, event.sub_status, event.raw_code, event.area, event.location, event.context) AS events
FROM (SELECT * FROM shipment FINAL WHERE tracking_number = {number:String}) AS shipment
LEFT JOIN
(
    SELECT vendor, carrier, epoch, annotation, annotation_occurred_at, annotation_reason, annotated_by, annotated_at, contradicted
    FROM annotated_parcel
    WHERE tracking_number = {number:String}
) AS said ON said.vendor = shipment.vendor AND said.carrier = shipment.carrier AND said.epoch = shipment.epoch
WHERE empty({carriers:Array(String)}) OR has({carriers:Array(String)}, shipment.carrier)
ORDER BY first_received_at DESC, vendor, carrier
LIMIT 20
