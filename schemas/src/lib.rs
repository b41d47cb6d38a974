//! The contracts that ingest and processor share: Avro records, wire format, schema ids, topics, carrier codes and the
//! configuration file.

pub mod carriers;
pub mod records;
