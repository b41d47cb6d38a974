//! `./dev bench rules`: what derive's own code costs, on one thread and without Kafka, beside a plain reading of the same payloads.

use std::collections::HashMap;

use anyhow::bail;
use courierflow_domain::{self as domain, DerivedEncoder, Effect, Memory, PushRecord, StreamDay};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{PushEvent, TimestampMicros};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::settings::RegistrySettings;
use courierflow_schemas::wire::{Decoder, Encoder};
use serde::de::IgnoredAny;

use super::derive::RECEIVED_AT;
use super::{cpu, pushes};
use crate::differential::OPTIONS;

/// Nobody else reads these records, so that any ids will do.
const IDS: SchemaIds = SchemaIds {
    push: 1,
    shipment: 2,
    transition: 3,
    subscription_request: 4,
    subscription: 5,
    subscription_secret: 6,
    vendor_call: 7,
    annotation: 8,
};

/// Runs it and prints its table.
pub fn run(parcels: usize, rounds: u8) -> anyhow::Result<()> {
    println!("one thread, without Kafka; processor time of an event, {parcels} parcels");
    println!("{:<34} {:>9} {:>9} {:>6}", "", "rules", "floor", "ratio");
    for _ in 0..rounds {
        let mut derive = Derive::new();
        for (name, items, later) in [
            ("first push of a parcel, 19 items", pushes::ITEMS - 1, 0),
            ("second push, 20 items", pushes::ITEMS, 3_600_000_000),
        ] {
            let records = records(parcels, items, RECEIVED_AT + later)?;
            let floor = micros_each(&records, |record| read_plainly(&mut derive.decoder, record))?;
            let rules = micros_each(&records, |record| derive.process(record))?;
            println!("{name:<34} {rules:>6.1} µs {floor:>6.1} µs {:>6.2}", rules / floor);
        }
    }
    println!("floor: decode the record, let serde_json read its payload and keep nothing of it");
    Ok(())
}

/// A record of the push topic.
struct PushTopicRecord {
    key: String,
    value: Vec<u8>,
}

/// A push of each parcel.
fn records(parcels: usize, items: usize, received_at: i64) -> anyhow::Result<Vec<PushTopicRecord>> {
    let encoder = Encoder::<PushEvent>::new(IDS.push);
    let pushes = (0..parcels).map(|parcel| {
        let event = pushes::push_event(parcel, items, TimestampMicros(received_at + parcel as i64));
        let mut value = Vec::new();
        encoder.encode(&event, &mut value)?;
        Ok(PushTopicRecord {
            key: event.tracking_number,
            value,
        })
    });
    pushes.collect()
}

/// Processor time of `process` in microseconds a record.
fn micros_each(
    records: &[PushTopicRecord],
    mut process: impl FnMut(&PushTopicRecord) -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    let before = cpu::of_this_process()?;
    records.iter().try_for_each(&mut process)?;
    let taken = cpu::of_this_process()?.saturating_sub(before);
    Ok(taken.as_secs_f64() * 1e6 / records.len() as f64)
}

fn read_plainly(decoder: &mut Decoder<PushEvent>, record: &PushTopicRecord) -> anyhow::Result<()> {
    let event = decoder.decode(&record.value)?;
    serde_json::from_str::<IgnoredAny>(&event.payload)?;
    Ok(())
}

/// What a worker does with a record, without Kafka.
struct Derive {
    decoder: Decoder<PushEvent>,
    encoder: DerivedEncoder,
    /// By key of the shipment's record, packed as in the state store.
    memories: HashMap<String, Box<[u8]>>,
}

impl Derive {
    fn new() -> Self {
        Self {
            decoder: Decoder::new(Registry::new(&RegistrySettings::default()), IDS.push),
            encoder: DerivedEncoder::new(IDS),
            memories: HashMap::new(),
        }
    }

    fn process(&mut self, record: &PushTopicRecord) -> anyhow::Result<()> {
        let event = self.decoder.decode(&record.value)?;
        let push = PushRecord {
            event: Ok(&event),
            key: Some(record.key.as_bytes()),
            timestamp_millis: Some(event.received_at.0 / 1_000),
        };
        let memory = |key: &str| {
            self.memories
                .get(key)
                .map(|packed| Memory::from_bytes(packed))
                .transpose()
                .map_err(anyhow::Error::from)
        };
        let step = domain::step(
            push,
            StreamDay::default(),
            memory,
            |key| bail!("{key} is read back, which no push of these needs"),
            Carriers::built_in(),
            OPTIONS,
            &mut self.encoder,
        )?;
        let Effect::Accepted(accepted) = step.effect else {
            bail!("{:?}", step.effect)
        };
        self.memories.insert(accepted.key, self.encoder.memory().into());
        Ok(())
    }
}
