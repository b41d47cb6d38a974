//! One entry of the state store: the packed memory of a shipment and the offset of its last record on
//! `courier.shipment.v1`, from which the rest can be read back.

use courierflow_domain::{Memory, StreamDay};
use xxhash_rust::xxh3::xxh3_128;

use crate::exactly_once::producer::Stored;

/// 128-bit hash of the record key; the key itself is in the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct KeyHash(u128);

impl KeyHash {
    /// Hash of a record key of `courier.shipment.v1`.
    pub(super) fn of(key: &[u8]) -> Self {
        Self(xxh3_128(key))
    }
}

/// Where the broker stored the record of a shipment.
pub(super) type StoredShipment = Stored<KeyHash>;

/// One shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StateEntry {
    /// Length of the key, the key, the [`Memory`].
    packed: Box<[u8]>,
    /// Offset of its last record; unknown until the transaction that produced it is committed.
    pub(super) offset: i64,
    /// Day of the stream on which it expires.
    pub(super) expires_on: StreamDay,
}

/// The offset of a record that is not yet committed.
const UNKNOWN_OFFSET: i64 = -1;

impl StateEntry {
    /// A shipment whose last record is at `offset`; `memory` is packed.
    pub(super) fn at(offset: i64, key: &[u8], memory: &[u8], expires_on: StreamDay) -> Result<Self, postcard::Error> {
        let mut packed = postcard::to_extend(key, Vec::with_capacity(key.len() + memory.len() + 2))?;
        packed.extend_from_slice(memory);
        Ok(Self {
            packed: packed.into_boxed_slice(),
            offset,
            expires_on,
        })
    }

    /// A shipment whose last record is in the open transaction.
    pub(super) fn uncommitted(key: &[u8], memory: &[u8], expires_on: StreamDay) -> Result<Self, postcard::Error> {
        Self::at(UNKNOWN_OFFSET, key, memory, expires_on)
    }

    /// The key of the shipment's record.
    pub(super) fn key(&self) -> Result<&[u8], postcard::Error> {
        postcard::from_bytes(&self.packed)
    }

    /// The shipment's memory, unpacked.
    pub(super) fn memory(&self) -> Result<Memory, postcard::Error> {
        let (_, memory) = postcard::take_from_bytes::<&[u8]>(&self.packed)?;
        Memory::from_bytes(memory)
    }

    /// Bytes on the heap, in addition to the entry itself.
    pub(super) fn bytes(&self) -> usize {
        self.packed.len()
    }
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::records::{Identity, Shipment, Vendor};

    use super::*;

    #[test]
    fn an_entry_is_what_was_packed() {
        let memory = Memory::of(&Shipment::bare(Identity::of(Vendor::Kdniao, "yto", "YT1")));
        let packed = memory.to_bytes().unwrap();
        let entry = StateEntry::at(3, b"kdniao:yto:YT1", &packed, memory.expires_on()).unwrap();
        assert_eq!(entry.key().unwrap(), b"kdniao:yto:YT1");
        assert_eq!(entry.memory().unwrap(), memory);
    }
}
