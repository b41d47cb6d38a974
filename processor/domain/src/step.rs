//! Processes one record of the push topic, from its value to its effect. `derive` and `replay` are two loops around
//! [`step()`], so both refuse, expire and accept the same.

use std::borrow::Borrow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{PushEvent, Shipment};
use courierflow_schemas::wire::DecodeError;
use courierflow_vendors::reading::{self, NoOp, Reading};

use crate::DeriveOptions;
use crate::derivation::{self, Derived, Outcome};
use crate::encoding::DerivedEncoder;
use crate::known::expiry::StreamDay;
use crate::known::memory::Memory;
use crate::known::receipt;
use crate::refusal::{Refusal, RefusalClass};

/// A record of the push topic.
#[derive(Clone, Copy, Debug)]
pub struct PushRecord<'a> {
    /// Its value, or why it could not be decoded. A [transient](DecodeError::is_transient) error says nothing about the
    /// record, and the caller must handle it by waiting.
    pub event: Result<&'a PushEvent, &'a DecodeError>,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its timestamp: milliseconds since 1970.
    pub timestamp_millis: Option<i64>,
}

/// The result of a record: first the new day is to be handled, then the effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Set if the record begins a new day of its partition's stream.
    pub new_day: Option<NewDay>,
    /// The effect of the push.
    pub effect: Effect,
}

/// A new day of the stream: shipments that [expire](Memory::expires_on) by then are to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewDay {
    /// The new day.
    pub day: StreamDay,
    /// Timestamp of the tombstones: milliseconds since 1970.
    pub timestamp_millis: i64,
}

/// The effect of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// These records are to be emitted; the encoder holds their bytes.
    Accepted(Accepted),
    /// Nothing is to be emitted.
    NoChange(NoChange),
    /// It is to be dead-lettered; nothing is to be emitted.
    Refused(Refusal),
}

/// What an accepted push changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Key of the shipment's record.
    pub key: String,
    /// Timestamp of all records: milliseconds since 1970.
    pub timestamp_millis: i64,
    /// The records and the new memory.
    pub derived: Box<Derived>,
    /// The carrier is a vendor's code that is not mapped.
    pub is_unmapped_carrier: bool,
}

/// Why a valid push changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoChange {
    /// Unsigned, while the last accepted push was verified.
    Outranked,
    /// The same content again.
    Duplicate,
    /// Older than the current state.
    Stale,
    /// An answer to a query that tells nothing new.
    Confirmed,
    /// It contains nothing that affects a shipment.
    NoOp(NoOp),
}

impl NoChange {
    /// Stable label for metrics.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Outranked => "outranked",
            Self::Duplicate => "duplicate",
            Self::Stale => "stale",
            Self::Confirmed => "confirmed",
            Self::NoOp(no_op) => no_op.tag(),
        }
    }
}

/// Processes a record. A pure function, apart from the bytes in `encoder`: they are the encoded records if the effect is
/// [`Effect::Accepted`], and meaningless otherwise.
///
/// `today` is the newest day of the record's partition. `memory` looks up by the key of a shipment's record what is remembered
/// of it; `recall` reads that record itself (see [`derive`](super::derive())). Fails only if one of these two does. `carriers` says
/// what the vendors' codes of carriers mean.
pub fn step<M: Borrow<Memory>, E>(
    push: PushRecord<'_>,
    today: StreamDay,
    memory: impl FnOnce(&str) -> Result<Option<M>, E>,
    recall: impl FnOnce(&str) -> Result<Shipment, E>,
    carriers: &Carriers,
    options: DeriveOptions,
    encoder: &mut DerivedEncoder,
) -> Result<Step, E> {
    let event = match admit(push) {
        Ok(event) => event,
        Err(refusal) => {
            return Ok(Step {
                new_day: None,
                effect: Effect::Refused(refusal),
            });
        }
    };
    let timestamp_millis = receipt::derived_timestamp(event.received_at, push.timestamp_millis);
    let new_day = today
        .followed_by(event.received_at)
        .map(|day| NewDay { day, timestamp_millis });
    let memory = |key: &str| {
        let memory = memory(key)?;
        // Shipments that expire on the new day must not be visible to the push that begins it.
        Ok(memory.filter(|memory| new_day.is_none_or(|new| memory.borrow().expires_on() > new.day)))
    };
    // A panic is a bug, but it concerns only one parcel: it must neither stop the stream nor lose the push.
    let effect = catch_unwind(AssertUnwindSafe(|| {
        effect(event, memory, recall, carriers, options, encoder, timestamp_millis)
    }))
    .unwrap_or_else(|_| Ok(Effect::Refused(Refusal::new(RefusalClass::Panic, "deriving panicked"))))?;
    Ok(Step { new_day, effect })
}

/// Checks a record and returns its push event. Only a record that passes may move the stream's clock.
fn admit(push: PushRecord<'_>) -> Result<&PushEvent, Refusal> {
    let event = push.event?;
    if push.key != Some(event.tracking_number.as_bytes()) {
        let error = format!("the key is not the tracking number {:?}", event.tracking_number);
        return Err(Refusal::new(RefusalClass::KeyMismatch, error));
    }
    if receipt::is_in_future(event.received_at, push.timestamp_millis) {
        let micros = event.received_at.0;
        let error = format!("received_at is {micros} µs, far after the record's timestamp");
        return Err(Refusal::new(RefusalClass::ReceivedInFuture, error));
    }
    Ok(event)
}

/// Reads, derives, encodes.
fn effect<M: Borrow<Memory>, E>(
    event: &PushEvent,
    memory: impl FnOnce(&str) -> Result<Option<M>, E>,
    recall: impl FnOnce(&str) -> Result<Shipment, E>,
    carriers: &Carriers,
    options: DeriveOptions,
    encoder: &mut DerivedEncoder,
    timestamp_millis: i64,
) -> Result<Effect, E> {
    let snapshot = match reading::read(event, carriers) {
        Ok(Reading::Snapshot(snapshot)) => snapshot,
        Ok(Reading::Nothing(no_op)) => return Ok(Effect::NoChange(NoChange::NoOp(no_op))),
        Err(error) => return Ok(Effect::Refused(error.into())),
    };
    let key = snapshot.key().to_string();
    let memory = memory(&key)?;
    let previous = memory.as_ref().map(Borrow::borrow);
    let derived = match derivation::derive(previous, || recall(&key), &snapshot, options)? {
        Outcome::Accepted(derived) => derived,
        Outcome::Outranked => return Ok(Effect::NoChange(NoChange::Outranked)),
        Outcome::Duplicate => return Ok(Effect::NoChange(NoChange::Duplicate)),
        Outcome::Stale => return Ok(Effect::NoChange(NoChange::Stale)),
        Outcome::Confirmed => return Ok(Effect::NoChange(NoChange::Confirmed)),
    };
    if let Err(refusal) = encoder.encode(&derived) {
        return Ok(Effect::Refused(refusal));
    }
    Ok(Effect::Accepted(Accepted {
        key,
        timestamp_millis,
        is_unmapped_carrier: !carriers.is_mapped(&snapshot.carrier),
        derived,
    }))
}
