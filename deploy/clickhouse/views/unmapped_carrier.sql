-- What to add to the mapping of carriers. A code that was added since leaves the view, although its older parcels keep it.
CREATE OR REPLACE VIEW {database}.unmapped_carrier
(
    `vendor`           LowCardinality(String)  COMMENT 'Code of the vendor',
    `code`             String                  COMMENT 'The vendor''s code, lower case',
    `carrier`          LowCardinality(String)  COMMENT 'The code under which the parcels are counted: the vendor''s, behind its name and a dot where another company has that canonical code',
    `parcels`          UInt64                  COMMENT 'Tracking numbers',
    `last_received_at` DateTime64(6, 'UTC')    COMMENT 'Newest push of them that was accepted; UTC',
    `last_parcel`      String                  COMMENT 'The number of that parcel, to look the carrier up'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT
    vendor,
    if(startsWith(carrier, concat(vendor, '.')), substring(carrier, length(vendor) + 2), toString(carrier)) AS code,
    carrier,
    -- Not FINAL: the older versions of a parcel have the same number.
    uniqExact(tracking_number) AS parcels,
    max(received_at) AS last_received_at,
    argMax(tracking_number, received_at) AS last_parcel
FROM {database}.shipment
WHERE carrier != 'unknown'
    AND carrier NOT IN (SELECT mapped.carrier FROM {database}.carrier_mapping AS mapped)
    AND (vendor, code) NOT IN (SELECT mapped.vendor, mapped.code FROM {database}.carrier_mapping AS mapped)
GROUP BY vendor, carrier
COMMENT 'Carrier codes of the vendors that are not in the mapping, with their parcels. Codes that the vendors leave out are not here';
