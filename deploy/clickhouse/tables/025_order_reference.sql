-- Whose order a parcel belongs to, by what other numbers and carriers it is known, and the vendor's own delay.

ALTER TABLE {database}.push ADD COLUMN IF NOT EXISTS `reference` Nullable(String) COMMENT 'The subscriber''s own name of the order, as the push gave it back; NULL when the account does not look for one, or there was none' CODEC(ZSTD(1));

ALTER TABLE {database}.push ADD COLUMN IF NOT EXISTS `push_time` Nullable(DateTime64(3, 'UTC')) COMMENT 'When the vendor says that it sent the push; UTC. received_at less this is its own delay. NULL when it said nothing, or a time more than 10 minutes after the receipt' CODEC(Delta(8), ZSTD(1));

ALTER TABLE {database}.shipment ADD COLUMN IF NOT EXISTS `reference` Nullable(String) COMMENT 'The subscriber''s own name of the order: the last that a push of the parcel gave back' CODEC(ZSTD(1));

ALTER TABLE {database}.shipment ADD COLUMN IF NOT EXISTS `dest_carrier` LowCardinality(Nullable(String)) COMMENT 'Canonical carrier that delivers in the destination country; NULL within a country, and where the vendor does not tell';

ALTER TABLE {database}.shipment ADD COLUMN IF NOT EXISTS `dest_number` Nullable(String) COMMENT 'That carrier''s own number of the parcel' CODEC(ZSTD(1));

ALTER TABLE {database}.shipment ADD COLUMN IF NOT EXISTS `corrected_to` LowCardinality(Nullable(String)) COMMENT 'Canonical carrier under which the vendor goes on; NULL unless tracking_state is CARRIER_CORRECTED';

ALTER TABLE {database}.shipment ADD COLUMN IF NOT EXISTS `event.area` Array(Nullable(String)) DEFAULT arrayWithConstant(length(`event.id`), CAST(NULL, 'Nullable(String)')) COMMENT 'Name of the administrative area as the vendor gave it, masked' CODEC(ZSTD(1));

-- People look for an order by its name, and for a parcel by the number abroad; neither is in the order of the table.
ALTER TABLE {database}.shipment ADD INDEX IF NOT EXISTS reference_bloom reference TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE {database}.shipment ADD INDEX IF NOT EXISTS dest_number_bloom dest_number TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE {database}.subscription ADD INDEX IF NOT EXISTS reference_bloom reference TYPE bloom_filter(0.01) GRANULARITY 1;
