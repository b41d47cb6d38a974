-- What has become of a parcel, so that nobody has to know which milestones say so. Rows of before get both columns when they are read.

ALTER TABLE {database}.shipment ADD COLUMN IF NOT EXISTS `outcome` LowCardinality(String) DEFAULT multiIf(
    tracking_state = 'CARRIER_CORRECTED', 'CORRECTED',
    status = 'CANCELLED', 'CANCELLED',
    isNotNull(delivered_at), 'DELIVERED',
    isNotNull(returned_at), 'SENT_BACK',
    'OPEN') COMMENT 'OPEN; DELIVERED on the forward leg, whatever happened later; SENT_BACK: back with its sender without having been delivered; CANCELLED; CORRECTED: the vendor has moved it to another carrier, whose row goes on';

ALTER TABLE {database}.shipment ADD COLUMN IF NOT EXISTS `is_open` Bool DEFAULT outcome = 'OPEN' COMMENT 'outcome is OPEN: neither delivered nor back with its sender, cancelled or moved to another carrier';
