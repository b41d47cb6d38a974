//! Whether the tables show what was there a moment ago. They are filled from topics: while the sink stands still, a parcel of which the
//! vendor tells every hour looks silent, and a busy account looks as if its pushes were lost. Then nobody is asked. A question that comes
//! late does no harm, and one too many costs money.
//!
//! The rule: no record that is still to be stored, and no push that is still to be derived, is older than [`LONGEST`]. A record has the
//! timestamp of the push that it was made of, so a shipment that was derived late counts from the receipt of its push.

use std::time::Duration;

use courierflow_schemas::topics::{self, on_broker};
use courierflow_service::authenticated::Authenticated;
use jiff::Timestamp;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaResult;

use crate::bounded_read::ReadError;
use crate::config::Config;
use crate::groups;
use crate::health::seconds_since;
use crate::unread::Unread;

/// The sink takes seconds. What is asked about is silent for hours.
const LONGEST: Duration = Duration::from_mins(1);

/// The tables that rounds read, by the topics and groups that fill them; and derive, which makes the shipments.
const SOURCES: [(&str, &str); 5] = [
    ("derive", topics::PUSH),
    ("push", topics::PUSH),
    ("shipment", topics::SHIPMENT),
    ("subscription", topics::SUBSCRIPTION),
    ("vendor_call", topics::VENDOR_CALL),
];

/// Why nothing may be concluded from the tables.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotCurrent {
    /// Records are still to be stored. Each with its table.
    #[error("behind, with the time of the oldest record that is still to be taken: {}", .0.join(", "))]
    Behind(Vec<String>),
    /// Kafka does not tell.
    #[error("whether the tables are behind is not known: {0}")]
    NotKnown(#[from] ReadError),
}

/// Where the tables come from.
pub(super) struct Sources {
    sources: Vec<Source>,
    unread: Unread,
}

struct Source {
    what: &'static str,
    topic: &'static str,
    /// Acts for the group, to ask for its offsets.
    group: Authenticated<BaseConsumer>,
}

impl Sources {
    /// Asks nothing yet.
    pub(super) fn new(config: &Config) -> KafkaResult<Self> {
        let source = |(what, topic)| {
            let group = match what {
                "derive" => config.derive.group.clone(),
                table => config.sink.group_of(table),
            };
            let group = groups::client(&config.kafka, &group)?;
            let topic = on_broker(topic);
            Ok(Source { what, topic, group })
        };
        Ok(Self {
            sources: SOURCES.into_iter().map(source).collect::<KafkaResult<_>>()?,
            unread: Unread::new(&config.kafka, "courierflow-reconcile-tables")?,
        })
    }

    /// Fails unless all tables are current. Waits for Kafka.
    pub(super) fn check(&self) -> Result<(), NotCurrent> {
        let mut behind = Vec::new();
        for source in &self.sources {
            let oldest = self.unread.oldest(&source.group, source.topic)?;
            let age = oldest.map_or(0.0, seconds_since);
            metrics::gauge!("courierflow_reconcile_behind_seconds", "what" => source.what).set(age);
            if let Some(oldest) = oldest.filter(|_| age > LONGEST.as_secs_f64()) {
                let oldest = Timestamp::from_millisecond(oldest).unwrap_or(Timestamp::UNIX_EPOCH);
                behind.push(format!("{} {oldest:.0}", source.what));
            }
        }
        if behind.is_empty() {
            Ok(())
        } else {
            Err(NotCurrent::Behind(behind))
        }
    }
}
