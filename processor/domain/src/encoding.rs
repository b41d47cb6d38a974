//! Encodes the records derived from one push. All of them are encoded before the first is produced, so that an encoding error
//! cannot leave only some of them in a transaction.

use courierflow_schemas::records::{Shipment, Transition};
use courierflow_schemas::registry::SchemaIds;
use courierflow_schemas::topics;
use courierflow_schemas::wire::Encoder;

use crate::derivation::Derived;
use crate::refusal::{Refusal, RefusalClass};

/// Limit for the records derived from one push event, in bytes; it leaves room for keys and batch headers.
pub const MAX_DERIVED_BYTES: usize = topics::MAX_RECORD_BYTES as usize - 64 * 1024;

/// An encoder with one buffer, which is reused for the next push.
pub struct DerivedEncoder {
    shipment: Encoder<Shipment>,
    transition: Encoder<Transition>,
    /// The shipment, its transitions and its memory, one after the other.
    bytes: Vec<u8>,
    /// Where the shipment and each transition end.
    ends: Vec<usize>,
}

impl DerivedEncoder {
    /// An encoder for records with these schema ids.
    pub fn new(ids: SchemaIds) -> Self {
        Self {
            shipment: Encoder::new(ids.shipment),
            transition: Encoder::new(ids.transition),
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }

    pub(crate) fn encode(&mut self, derived: &Derived) -> Result<(), Refusal> {
        self.bytes.clear();
        self.ends.clear();
        self.shipment.encode(&derived.shipment, &mut self.bytes)?;
        self.ends.push(self.bytes.len());
        for transition in &derived.transitions {
            self.transition.encode(transition, &mut self.bytes)?;
            self.ends.push(self.bytes.len());
        }
        self.bytes = postcard::to_extend(&derived.memory, std::mem::take(&mut self.bytes))?;
        if self.bytes.len() > MAX_DERIVED_BYTES {
            let error = format!("{} bytes of derived records", self.bytes.len());
            return Err(Refusal::new(RefusalClass::TooLarge, error));
        }
        Ok(())
    }

    /// Value of the shipment's record.
    pub fn shipment(&self) -> &[u8] {
        let end = self.ends.first().copied().unwrap_or_default();
        self.bytes.get(..end).unwrap_or_default()
    }

    /// Values of the transitions' records, in order.
    pub fn transitions(&self) -> impl Iterator<Item = &[u8]> {
        let starts = self.ends.iter();
        let ends = self.ends.iter().skip(1);
        starts
            .zip(ends)
            .map(|(start, end)| self.bytes.get(*start..*end).unwrap_or_default())
    }

    /// The shipment's memory, as packed by [`Memory::to_bytes`](super::Memory::to_bytes).
    pub fn memory(&self) -> &[u8] {
        self.bytes.get(self.record_bytes()..).unwrap_or_default()
    }

    /// Bytes of all records together.
    pub fn record_bytes(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }
}
