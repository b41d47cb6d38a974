//! The contracts that ingest and processor share: Avro records, wire format, schema ids, topics, carrier codes and the
//! configuration file.

pub mod carriers;
pub mod csv_line;
pub mod datum;
pub mod identifier;
pub mod meaning;
pub mod partition;
pub mod provinces;
pub mod records;
pub mod registry;
pub mod settings;
pub mod tls;
pub mod topics;
pub mod wire;
