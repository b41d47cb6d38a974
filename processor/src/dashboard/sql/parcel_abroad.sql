-- The parcels that a carrier abroad knows by this number (indexed).
SELECT vendor, carrier, tracking_number, epoch, status, dest_carrier, dest_number
FROM shipment FINAL
WHERE dest_number = {number:String}
ORDER BY received_at DESC, vendor, carrier
LIMIT 20
