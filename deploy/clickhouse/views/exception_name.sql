-- An exception has a code of the vendor (the same code can have different meanings for different vendors), a canonical reason and
-- a responsible party. The rates count each parcel once per code, reason or party.

CREATE OR REPLACE VIEW {database}.exception_name
(
    `kind`            String            COMMENT 'code, reason or party',
    `vendor`          String            COMMENT 'Whose code it is; empty for reasons and parties, which all vendors share',
    `name`            String            COMMENT 'The vendor''s code, the canonical reason, or the party',
    `reason`          Nullable(String)  COMMENT 'Canonical reason behind a code; NULL for a party',
    `party`           String            COMMENT 'Who answers for it: carrier, consignee, shipper, customs or unknown',
    `name_zh`         String            COMMENT 'Name in Chinese; of a code as in the vendor''s documents',
    `name_en`         String            COMMENT 'Name in English',
    `is_vendor_clock` Bool              COMMENT 'It comes from the vendor''s clock, not from a scan of the carrier, and can vanish later'
)
DEFINER = {setting:definer} SQL SECURITY DEFINER
AS
SELECT
    named.kind AS kind,
    named.vendor AS vendor,
    multiIf(named.kind = 'code', named.code, named.kind = 'reason', named.sub_status, named.party) AS name,
    nullIf(named.sub_status, '') AS reason,
    named.party AS party,
    named.name_zh AS name_zh,
    named.name_en AS name_en,
    named.is_vendor_clock AS is_vendor_clock
FROM {database}.status_name AS named
WHERE named.kind IN ('reason', 'party') OR named.kind = 'code' AND named.is_exception
COMMENT 'Names of the exception codes, reasons and parties';
