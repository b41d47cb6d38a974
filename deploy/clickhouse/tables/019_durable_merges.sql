-- A merge writes rows anew, and the parts that it replaces are removed afterwards: after old_parts_lifetime, which may be 0, or at once
-- after a restart if they are older than that. So what was merged has to be on the disk first, or a power cut takes rows with it that were
-- inserted long ago, of which nobody would suspect that they are missing. (012 relied on the 8 minutes that old_parts_lifetime is by default.)

ALTER TABLE {database}.push {durable:MERGES};

ALTER TABLE {database}.shipment {durable:MERGES};

ALTER TABLE {database}.transition {durable:MERGES};

ALTER TABLE {database}.sla_promise {durable:MERGES};

ALTER TABLE {database}.sink_offset {durable:MERGES};

ALTER TABLE {database}.sink_start {durable:MERGES};

ALTER TABLE {database}.subscription {durable:MERGES};

ALTER TABLE {database}.vendor_call {durable:MERGES};

ALTER TABLE {database}.reconcile_gap {durable:MERGES};
