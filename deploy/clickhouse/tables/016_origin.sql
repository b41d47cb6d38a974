-- Who told it first: the vendor by a push, or its answer to a query of ours. What is older than queries was pushed.

ALTER TABLE {database}.push ADD COLUMN IF NOT EXISTS `origin` LowCardinality(String) DEFAULT 'PUSH' COMMENT 'PUSH: posted by the vendor. QUERY: its answer to a query of ours; such a row counts in no figure about pushes';

ALTER TABLE {database}.push ADD COLUMN IF NOT EXISTS `query_reason` LowCardinality(Nullable(String)) COMMENT 'Why it was asked, as reason in vendor_call; NULL for a push';

ALTER TABLE {database}.shipment ADD COLUMN IF NOT EXISTS `event.origin` Array(String) DEFAULT arrayWithConstant(length(`event.id`), 'PUSH') COMMENT 'Who told the event first: PUSH or QUERY' CODEC(ZSTD(1));

ALTER TABLE {database}.shipment ADD COLUMN IF NOT EXISTS `last_push_at` Nullable(DateTime64(6, 'UTC')) COMMENT 'Receipt of the last accepted push that was no answer to a query; UTC, microseconds. NULL in rows from before there were queries';

ALTER TABLE {database}.transition ADD COLUMN IF NOT EXISTS `origin` LowCardinality(String) DEFAULT 'PUSH' COMMENT 'Who told its event first: PUSH or QUERY';

ALTER TABLE {database}.data_quality_daily COMMENT COLUMN `pushes` 'Pushes received, one per parcel; answers to queries are none';

ALTER TABLE {database}.data_quality_daily COMMENT COLUMN `lag_transitions` 'Changes that came with a later push than the first of their parcel, and not with the answer to a query: how late they were reported can be told';
