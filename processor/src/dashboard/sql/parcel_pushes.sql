-- The pushes about one tracking number (indexed), newest first, and where on Kafka the vendor's text of each lies.
SELECT
    vendor, account, carrier, tracking_number, received_at, origin, query_reason, signature, tracking_status, items, bytes, topic,
    partition, offset, push_id, part
FROM push FINAL
WHERE tracking_number = {number:String}
    AND (empty({carriers:Array(String)}) OR has({carriers:Array(String)}, carrier))
ORDER BY received_at DESC, vendor, account, push_id, part
LIMIT {limit:UInt32}
