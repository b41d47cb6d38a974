//! Derives one partition of the push topic with the same step function as derive, and makes the rows that the sink would have
//! left in the tables.

use std::collections::HashMap;

use courierflow_domain as domain;
use courierflow_domain::{Accepted, DeriveOptions, DerivedEncoder, Effect, Memory, PushRecord, Step, StreamDay};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{PushEvent, Shipment};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics;
use courierflow_schemas::wire::Decoder;
use rdkafka::Message;

use super::ReplayError;
use super::counts::Counts;
use super::row_buffer::{Insert, RowBuffer};
use crate::dead_letter::Coordinates;
use crate::sink::rows::{self, Table, Unrepresentable};

/// The newest state of a shipment that derive would have in its state.
struct Followed {
    memory: Memory,
    /// Encoded, because there are many and this takes less memory.
    record: Vec<u8>,
    /// Whether the table can represent it.
    has_row: bool,
}

/// The shipments of a partition, and the day that its stream has reached.
#[derive(Default)]
pub(super) struct Partition {
    shipments: HashMap<String, Followed>,
    today: StreamDay,
}

/// Turns push events into rows.
pub(super) struct Derivation {
    push_decoder: Decoder<PushEvent>,
    shipment_decoder: Decoder<Shipment>,
    encoder: DerivedEncoder,
    carriers: &'static Carriers,
    options: DeriveOptions,
    pub(super) counts: Counts,
}

impl Derivation {
    pub(super) fn new(
        registry: &Registry,
        ids: SchemaIds,
        carriers: &'static Carriers,
        options: DeriveOptions,
    ) -> Self {
        Self {
            push_decoder: Decoder::new(registry.clone(), ids.push),
            shipment_decoder: Decoder::new(registry.clone(), ids.shipment),
            encoder: DerivedEncoder::new(ids),
            carriers,
            options,
            counts: Counts::default(),
        }
    }

    /// Derives one record of the push topic. Returns its push event if it could be decoded.
    pub(super) fn take(
        &mut self,
        message: &impl Message,
        partition: &mut Partition,
        rows: &mut RowBuffer<impl Insert>,
    ) -> Result<Option<PushEvent>, ReplayError> {
        let event = match self.push_decoder.decode(message.payload().unwrap_or_default()) {
            Err(error) if error.is_transient() => return Err(ReplayError::NotNow(error)),
            event => event,
        };
        self.counts.push_events += 1;
        let push = PushRecord {
            event: event.as_ref(),
            key: message.key(),
            timestamp_millis: message.timestamp().to_millis(),
        };
        let shipments = &partition.shipments;
        let decoder = &mut self.shipment_decoder;
        let Step { new_day, effect } = domain::step(
            push,
            partition.today,
            |key| Ok(shipments.get(key).map(|followed| &followed.memory)),
            |key| match shipments.get(key) {
                Some(followed) => Ok(decoder.decode(&followed.record)?),
                None => Err(ReplayError::Forgotten),
            },
            self.carriers,
            self.options,
            &mut self.encoder,
        )?;
        if let Some(new_day) = new_day {
            self.advance(partition, new_day.day, rows)?;
        }
        match effect {
            Effect::Accepted(accepted) => self.accept(accepted, partition, rows)?,
            Effect::NoChange(reason) => self.counts.unchanged(reason),
            Effect::Refused(refusal) => self.counts.refused(refusal.class.as_str()),
        }
        Ok(event.ok())
    }

    fn accept(
        &mut self,
        accepted: Accepted,
        partition: &mut Partition,
        rows: &mut RowBuffer<impl Insert>,
    ) -> Result<(), ReplayError> {
        self.counts.accepted += 1;
        let derived = *accepted.derived;
        for transition in derived.transitions {
            match row::<rows::Transition>(transition, self.carriers) {
                Ok(row) => rows.push_transition(row)?,
                Err(_) => self.counts.row_refused(Unrepresentable::CLASS),
            }
        }
        let retired_epoch = derived.shipment.retired_epoch;
        let has_row = row::<rows::Shipment>(derived.shipment, self.carriers).is_ok();
        if !has_row {
            self.counts.row_refused(Unrepresentable::CLASS);
        }
        let before = partition.shipments.remove(&accepted.key);
        // The older record keeps its row if it belongs to another life of the number, or if the newer one has no row.
        if let Some(before) = before
            && (!has_row || before.memory.epoch != derived.memory.epoch)
            && retired_epoch != Some(before.memory.epoch)
        {
            self.add_row(&before, rows)?;
        }
        let followed = Followed {
            memory: derived.memory,
            record: self.encoder.shipment().to_vec(),
            has_row,
        };
        partition.shipments.insert(accepted.key, followed);
        Ok(())
    }

    /// Moves the stream to a new day: shipments that expire leave the state, and their rows stay.
    fn advance(
        &mut self,
        partition: &mut Partition,
        today: StreamDay,
        rows: &mut RowBuffer<impl Insert>,
    ) -> Result<(), ReplayError> {
        partition.today = today;
        let is_over = |followed: &Followed| followed.memory.expires_on() <= today;
        for (_, followed) in partition.shipments.extract_if(|_, followed| is_over(followed)) {
            self.add_row(&followed, rows)?;
        }
        Ok(())
    }

    /// Ends a partition: adds the rows of the shipments that are still in the state.
    pub(super) fn finish(
        &mut self,
        partition: Partition,
        rows: &mut RowBuffer<impl Insert>,
    ) -> Result<(), ReplayError> {
        for followed in partition.shipments.into_values() {
            self.add_row(&followed, rows)?;
        }
        Ok(())
    }

    /// Adds the row of a shipment, unless the table cannot represent it.
    fn add_row(&mut self, followed: &Followed, rows: &mut RowBuffer<impl Insert>) -> Result<(), ReplayError> {
        if followed.has_row {
            let shipment = self.shipment_decoder.decode(&followed.record)?;
            if let Ok(row) = row::<rows::Shipment>(shipment, self.carriers) {
                rows.push_shipment(row)?;
            }
        }
        Ok(())
    }
}

fn row<T: Table>(record: T::Record, carriers: &Carriers) -> Result<T::Row, Unrepresentable> {
    // These two tables show nothing of where a record was.
    let nowhere = Coordinates {
        topic: topics::PUSH,
        partition: 0,
        offset: 0,
        timestamp: None,
    };
    T::row(record, &nowhere, carriers)
}
