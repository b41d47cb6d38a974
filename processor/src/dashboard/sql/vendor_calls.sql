-- The calls about one tracking number (indexed), newest first.
SELECT
    vendor, account, started_at, call_id, kind, api, carrier, vendor_carrier, tracking_number, reason, duration_ms, http_status, code, class,
    message, month, bytes, items, push_id
FROM vendor_call FINAL
WHERE tracking_number = {number:String}
ORDER BY started_at DESC, call_id
LIMIT {limit:UInt32}
