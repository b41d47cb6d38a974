-- Everything that was said by hand of one tracking number (indexed), newest first; what was taken back, too.
SELECT vendor, account, carrier, tracking_number, epoch, annotated_at, kind, occurred_at, reason, annotated_by, seen_status, seen_event_at
FROM annotation FINAL
WHERE tracking_number = {number:String}
    AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
ORDER BY annotated_at DESC, vendor, carrier
LIMIT 100
