//! The Confluent wire format: `0x00`, the schema id as four big-endian bytes, the Avro datum.
//!
//! A datum is always decoded by the schema it was *written* with. For our own schema, structs are written and read
//! [directly](mod@crate::datum). A record with an older or newer schema is decoded more slowly, through
//! `apache_avro::types::Value` and Avro's schema resolution, which fills in defaults and skips what our type lacks.

use std::collections::HashMap;
use std::sync::LazyLock;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::datum::{self, DatumError};
use crate::records::{
    Annotation, PushEvent, Shipment, Subscription, SubscriptionRequest, SubscriptionSecret, Transition, VendorCall,
};
use crate::registry::{Registry, RegistryError};
use crate::topics;

const MAGIC: u8 = 0;
const HEADER_BYTES: usize = 5;

/// A record type with its schema and its topic.
pub trait Record: Serialize + DeserializeOwned + 'static {
    /// The topic whose values are of this type, without the prefix of the installation.
    const TOPIC: &'static str;
    /// The one text that is registered: registries count texts that differ in white space as different schemas.
    const SCHEMA_TEXT: &'static str;

    /// The parsed schema.
    fn schema() -> &'static Schema;

    /// The topic as it is called on the brokers.
    fn topic() -> &'static str {
        topics::on_broker(Self::TOPIC)
    }

    /// The registry's subject of the schema.
    fn subject() -> String {
        format!("{}-value", Self::topic())
    }
}

macro_rules! record {
    ($type:ty, $topic:expr, $file:literal) => {
        impl Record for $type {
            const TOPIC: &'static str = $topic;
            const SCHEMA_TEXT: &'static str = include_str!(concat!("../avro/", $file));

            fn schema() -> &'static Schema {
                static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
                    // Cannot fail: the text is compiled in, and every test run parses it.
                    Schema::parse_str(<$type as Record>::SCHEMA_TEXT).expect(concat!($file, " is a valid schema"))
                });
                &SCHEMA
            }
        }
    };
}

record!(PushEvent, topics::PUSH, "push_event.avsc");
record!(Shipment, topics::SHIPMENT, "shipment.avsc");
record!(Transition, topics::TRANSITION, "transition.avsc");
record!(
    SubscriptionRequest,
    topics::SUBSCRIPTION_REQUEST,
    "subscription_request.avsc"
);
record!(Subscription, topics::SUBSCRIPTION, "subscription.avsc");
record!(
    SubscriptionSecret,
    topics::SUBSCRIPTION_SECRET,
    "subscription_secret.avsc"
);
record!(VendorCall, topics::VENDOR_CALL, "vendor_call.avsc");
record!(Annotation, topics::ANNOTATION, "annotation.avsc");

/// Why a record could not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The value does not fit its schema; a bug, or a number out of range.
    #[error("cannot encode: {0}")]
    Datum(#[from] DatumError),
}

/// Why bytes could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not in the Confluent wire format.
    #[error("not in the Confluent wire format: {0}")]
    NotWireFormat(&'static str),
    /// The datum does not follow the schema it names.
    #[error("schema id {id}: {reason}")]
    Malformed {
        /// Schema id in the header.
        id: u32,
        /// The decoder's message, without content of the record.
        reason: String,
    },
    /// The registry does not know the schema id, or its text is not an Avro schema.
    #[error("schema id {0} is unknown")]
    UnknownSchema(u32),
    /// The registry could not be asked, so it is not known whether the record can be decoded.
    #[error("cannot look up schema id {id}: {source}")]
    Registry {
        /// Schema id in the header.
        id: u32,
        /// The registry's error.
        source: RegistryError,
    },
}

impl DecodeError {
    /// True if the same bytes may be decoded later, because the record is not at fault.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Registry { .. })
    }

    /// The stable name in dead letters, metrics and messages.
    pub fn class(&self) -> &'static str {
        match self {
            Self::NotWireFormat(_) => "not_wire_format",
            Self::Malformed { .. } => "malformed",
            Self::UnknownSchema(_) => "unknown_schema",
            Self::Registry { .. } => "registry_away",
        }
    }
}

/// Encodes records of one type with one schema id.
pub struct Encoder<R: Record> {
    id: u32,
    record: std::marker::PhantomData<fn(&R)>,
}

impl<R: Record> Encoder<R> {
    /// `id` is the registry's id of `R`'s schema.
    pub const fn new(id: u32) -> Self {
        Self {
            id,
            record: std::marker::PhantomData,
        }
    }

    /// Appends the encoded record to `out`; on error `out` is as before.
    pub fn encode(&self, record: &R, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let start = out.len();
        out.push(MAGIC);
        out.extend_from_slice(&self.id.to_be_bytes());
        if let Err(error) = datum::write(record, out) {
            out.truncate(start);
            return Err(error.into());
        }
        Ok(())
    }
}

/// Decodes records of one type, whatever version of its schema they were written with. It is not shared between
/// threads; each worker has its own.
pub struct Decoder<R: Record> {
    registry: Registry,
    readers: HashMap<u32, Reader>,
    record: std::marker::PhantomData<fn() -> R>,
}

enum Reader {
    /// Written with our own schema.
    Direct,
    /// Written with another version.
    Resolving(GenericDatumReader<'static>),
}

impl<R: Record> Decoder<R> {
    /// Unknown schemas are requested from `registry`. `own_id` is the id of `R`'s own schema, so that the usual case
    /// works without the registry.
    pub fn new(registry: Registry, own_id: u32) -> Self {
        Self {
            registry,
            readers: HashMap::from([(own_id, Reader::Direct)]),
            record: std::marker::PhantomData,
        }
    }

    /// Decodes one record value.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<R, DecodeError> {
        let (id, mut datum) = split_header(bytes)?;
        let reader = match self.readers.entry(id) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(unknown) => {
                unknown.insert(Reader::Resolving(resolving_reader::<R>(&self.registry, id)?))
            }
        };
        let malformed = |reason| DecodeError::Malformed { id, reason };
        let (record, rest) = match reader {
            Reader::Direct => datum::read(datum).map_err(|error| malformed(error.to_string()))?,
            Reader::Resolving(reader) => {
                let record = reader
                    .read_value(&mut datum)
                    .and_then(|value| apache_avro::from_value::<R>(&value))
                    .map_err(|error| malformed(error.to_string()))?;
                (record, datum)
            }
        };
        // The decoders stop at the end of the datum and do not report bytes after it.
        if !rest.is_empty() {
            return Err(malformed(format!("{} bytes after the datum", rest.len())));
        }
        Ok(record)
    }
}

fn split_header(bytes: &[u8]) -> Result<(u32, &[u8]), DecodeError> {
    let Some((header, datum)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(DecodeError::NotWireFormat("shorter than its header"));
    };
    let [MAGIC, id @ ..] = *header else {
        return Err(DecodeError::NotWireFormat("wrong magic byte"));
    };
    Ok((u32::from_be_bytes(id), datum))
}

fn resolving_reader<R: Record>(registry: &Registry, id: u32) -> Result<GenericDatumReader<'static>, DecodeError> {
    let text = match registry.schema_text(id) {
        Ok(Some(text)) => text,
        Ok(None) => return Err(DecodeError::UnknownSchema(id)),
        Err(source) => return Err(DecodeError::Registry { id, source }),
    };
    let schema = Schema::parse_str(&text).map_err(|_| DecodeError::UnknownSchema(id))?;
    // Leaked on purpose: a reader borrows its schema, both live as long as the process, and there is one per version.
    GenericDatumReader::builder(Box::leak(Box::new(schema)))
        .reader_schema(R::schema())
        .human_readable(false)
        .build()
        .map_err(|_| DecodeError::UnknownSchema(id))
}
