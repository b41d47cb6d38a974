-- What could not be understood, so that somebody can give it a meaning: codes that are in no table, texts without a class, carriers without
-- a mapping. Looking for them among all events takes seconds when there are millions of parcels, so they are collected every hour.

CREATE TABLE IF NOT EXISTS {database}.unknown_wording
(
    `kind`             LowCardinality(String) COMMENT 'code: a code that the vendor''s table lacks. text: an event that nothing gives a status. carrier: a carrier''s code without a mapping',
    `vendor`           LowCardinality(String) COMMENT 'Code of the vendor',
    `carrier`          LowCardinality(String) COMMENT 'Code under which the parcels are counted',
    `wording`          String                 COMMENT 'The vendor''s code; or the masked text without what is in 【】, its digits as 0, so that texts of one kind are one row',
    `events`           UInt64                 COMMENT 'Events with it, of parcels that were heard of in the last 30 days; of a carrier 0',
    `parcels`          UInt64                 COMMENT 'Parcels with it, likewise; of a carrier all of them',
    `status`           LowCardinality(String) COMMENT 'What most of the events were taken as; UNKNOWN if nothing could be understood; of a carrier empty',
    `example`          String                 COMMENT 'Masked text of one such event; of a carrier empty',
    `last_received_at` DateTime64(6, 'UTC')   COMMENT 'Newest push of such a parcel that was accepted; UTC',
    `last_parcel`      String                 COMMENT 'The number of that parcel, to look it up',
    `refreshed_at`     DateTime('UTC')        COMMENT 'When it was collected; UTC'
)
ENGINE = {engine:MergeTree}
ORDER BY (vendor, carrier, kind, wording)
COMMENT 'Codes, texts and carriers without a meaning, the 5,000 most frequent of each kind, replaced every hour';
