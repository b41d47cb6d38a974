//! The Kafka topics: one table of names, keys, headers and policies, applied by `processor migrate`, read by both services, and
//! told to others by `schemas/asyncapi.json`.
//!
//! The constants are the names without the prefix of the installation (`topics.prefix`). Several installations share a cluster by
//! having different ones. What goes to Kafka or the registry, and what people see, is [`on_broker`]; [`known`] is the way back.

use std::sync::OnceLock;
use std::time::Duration;

use crate::settings::{SettingsError, require};

/// One push event per parcel, as received. Key = tracking number.
pub const PUSH: &str = "courier.push.v1";
/// Raw bodies of pushes with unusable content. No key.
pub const PUSH_DEAD: &str = "courier.push.dead.v1";
/// Current state of every shipment. Key = vendor:carrier:tracking number.
pub const SHIPMENT: &str = "courier.shipment.v1";
/// State transitions. Key = tracking number.
pub const TRANSITION: &str = "courier.transition.v1";
/// Records that derive or the sink could not process, unchanged.
pub const DERIVE_DEAD: &str = "courier.derive.dead.v1";
/// Who asks for a subscription. Key = tracking number.
pub const SUBSCRIPTION_REQUEST: &str = "courier.subscription.request.v1";
/// Current state of every subscription. Key = vendor:account:tracking number.
pub const SUBSCRIPTION: &str = "courier.subscription.v1";
/// What a further subscription of a parcel needs and nobody else may see. Key as in [`SUBSCRIPTION`].
pub const SUBSCRIPTION_SECRET: &str = "courier.subscription.secret.v1";
/// Every call of a vendor's API. Key = tracking number.
pub const VENDOR_CALL: &str = "courier.vendor.call.v1";

/// What people say of parcels. Key = tracking number.
pub const ANNOTATION: &str = "courier.annotation.v1";

/// The prefix and the names that it makes. A process belongs to one installation, from its start to its end.
static INSTALLATION: OnceLock<Installation> = OnceLock::new();

struct Installation {
    prefix: String,
    /// With the prefix, in the order of [`ALL`].
    names: Vec<String>,
}

/// Longest prefix: the longest topic and the longest registry subject stay within the 249 characters of Kafka.
const MAX_PREFIX: usize = 100;

/// Says that this process belongs to the installation with this prefix. Called once, before the first client is made.
pub fn belong_to(prefix: &str) {
    let _ = INSTALLATION.set(Installation::new(prefix));
}

impl Installation {
    fn new(prefix: &str) -> Self {
        let names = ALL.iter().map(|topic| format!("{prefix}{}", topic.name));
        Self {
            prefix: prefix.to_owned(),
            names: names.collect(),
        }
    }

    fn name_of(&self, topic: &str) -> Option<&str> {
        let mut names = ALL.iter().zip(&self.names);
        names
            .find(|(known, _)| known.name == topic)
            .map(|(_, name)| name.as_str())
    }
}

/// Checks `topics.prefix`: it is a part of names of topics, groups and subjects.
pub fn check_prefix(prefix: &str) -> Result<(), SettingsError> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    require(
        prefix.len() <= MAX_PREFIX && prefix.chars().all(is_legal),
        "topics.prefix",
        format!("{prefix:?} is not of at most {MAX_PREFIX} of A-Z a-z 0-9 . _ -"),
    )
}

/// The name that a topic has on the brokers of this installation. It is asked for every record.
pub fn on_broker(topic: &'static str) -> &'static str {
    match INSTALLATION.get() {
        Some(installation) if !installation.prefix.is_empty() => installation.name_of(topic).unwrap_or(topic),
        _ => topic,
    }
}

/// The topic that has this name on the brokers of this installation; `None` if it is none of ours.
pub fn known(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix(prefix())?;
    ALL.iter().map(|topic| topic.name).find(|topic| *topic == name)
}

fn prefix() -> &'static str {
    INSTALLATION.get().map_or("", |installation| &installation.prefix)
}

/// A name with the prefix of the installation: of a consumer group or a transactional id.
pub fn prefixed(name: &str) -> String {
    format!("{}{name}", prefix())
}

/// How long a topic keeps its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The newest record of each key is kept (`cleanup.policy=compact`).
    Compact,
    /// Records are deleted after this time (`cleanup.policy=delete`).
    Delete(Duration),
    /// No record is ever deleted (`cleanup.policy=delete` without a time).
    Keep,
}

/// What the key of a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The carrier's parcel number.
    TrackingNumber,
    /// `vendor:carrier:tracking number`; the record is on the partition of the tracking number.
    Shipment,
    /// `vendor:account:tracking number`; the record is on the partition of the tracking number.
    Subscription,
    /// That of the record that could not be processed.
    OfSource,
    /// There is none.
    None,
}

/// Who may read a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Every team.
    All,
    /// There are personal data inside: those who have a reason to, by ACL.
    Restricted,
    /// The processor and nobody else.
    Processor,
}

/// A header of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: &'static str,
    /// What its value is, for readers.
    pub meaning: &'static str,
}

/// A topic: what its records are, and how long they are kept. All topics have the same number of partitions, and all records
/// of a tracking number are on the partition of the same number, so that a worker of derive finds its state beside its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Name without the prefix of the installation.
    pub name: &'static str,
    /// What a record of it tells, for readers.
    pub summary: &'static str,
    /// What the key of a record is.
    pub key: Key,
    /// Every header that a record may have.
    pub headers: &'static [Header],
    /// Records are written in transactions: read them with `isolation.level=read_committed`.
    pub transactional: bool,
    /// Who may read it.
    pub readers: Readers,
    /// Other programs than ours may write it.
    pub open_to_writers: bool,
    /// How long records are kept.
    pub policy: Policy,
    /// Further settings of the broker that this topic has and others do not.
    pub settings: &'static [(&'static str, &'static str)],
}

const fn header(name: &'static str, meaning: &'static str) -> Header {
    Header { name, meaning }
}

/// A test compares the name with that of the services.
const TRACEPARENT: Header = header(
    "traceparent",
    "The trace of the push, as in W3C's Trace Context; only if the push is traced.",
);

/// A test compares the name with that of derive.
const SHIPMENT_HEADERS: &[Header] = &[
    header(
        "courierflow-memory-4",
        "Belongs to derive: do not read it, but keep it when you copy records.",
    ),
    TRACEPARENT,
];

const PUSH_HEADERS: &[Header] = &[
    header(
        "replayed_from",
        "Topic, partition and offset of the dead letter that was replayed.",
    ),
    header(
        "courierflow-read-by-subscribe",
        "A copy that `migrate --grow` made on another partition, of a record that subscribe had read.",
    ),
    TRACEPARENT,
];

const PUSH_DEAD_HEADERS: &[Header] = &[
    header("reason", "Why the push could not be used: one of a few stable names."),
    header("parts", "Indices of the unusable parcels of the push, comma-separated."),
    header("vendor", "Name of the vendor."),
    header("account", "Name of the vendor contract."),
    header("received_at", "When ingest had read the push, RFC 3339."),
    header("content_type", "Content-Type of the push, as sent."),
];

const DERIVE_DEAD_HEADERS: &[Header] = &[
    header("topic", "Topic of the record that could not be processed."),
    header("partition", "Its partition."),
    header("offset", "Its offset."),
    header("timestamp", "Its timestamp, milliseconds since 1970, UTC."),
    header("error_class", "What kind of error it was: one of a few stable names."),
    header("error", "What was wrong with this record, masked."),
    header("service_version", "Version of the program that gave it up."),
    TRACEPARENT,
];

/// One day. Kafka compacts only closed segments, and keeps a tombstone for a while, so that the value of a key that has ended is
/// gone two days later at the latest.
const FORGET_SOON: &[(&str, &str)] = &[
    ("max.compaction.lag.ms", "86400000"),
    ("segment.ms", "86400000"),
    ("delete.retention.ms", "86400000"),
];

impl Topic {
    /// Name with the prefix of the installation.
    pub fn on_broker(&self) -> &'static str {
        on_broker(self.name)
    }
}

const fn days(days: u64) -> Policy {
    Policy::Delete(Duration::from_secs(days * 86_400))
}

/// Every topic of the system.
pub const ALL: [Topic; 10] = [
    Topic {
        name: PUSH,
        summary: "One parcel of one push of a vendor, as received",
        key: Key::TrackingNumber,
        headers: PUSH_HEADERS,
        transactional: false,
        readers: Readers::Restricted,
        open_to_writers: true,
        policy: days(14),
        settings: &[],
    },
    Topic {
        name: PUSH_DEAD,
        summary: "The raw body of a push whose content cannot be used",
        key: Key::None,
        headers: PUSH_DEAD_HEADERS,
        transactional: false,
        readers: Readers::Restricted,
        open_to_writers: false,
        policy: days(30),
        settings: &[],
    },
    Topic {
        name: SHIPMENT,
        summary: "The whole current state of a parcel as one vendor tells it",
        key: Key::Shipment,
        headers: SHIPMENT_HEADERS,
        transactional: true,
        readers: Readers::All,
        open_to_writers: false,
        policy: Policy::Compact,
        settings: &[],
    },
    Topic {
        name: TRANSITION,
        summary: "A change of state of a parcel, or that such a change is void",
        key: Key::TrackingNumber,
        headers: &[TRACEPARENT],
        transactional: true,
        readers: Readers::All,
        open_to_writers: false,
        policy: days(30),
        settings: &[],
    },
    Topic {
        name: DERIVE_DEAD,
        summary: "A record that derive, subscribe or the sink could not process, unchanged; of a request for a subscription only the headers",
        key: Key::OfSource,
        headers: DERIVE_DEAD_HEADERS,
        transactional: true,
        readers: Readers::Restricted,
        open_to_writers: false,
        policy: days(30),
        settings: &[],
    },
    Topic {
        name: SUBSCRIPTION_REQUEST,
        summary: "Somebody asks that a vendor follow a parcel, or no longer asks for it",
        key: Key::TrackingNumber,
        headers: &[],
        transactional: false,
        readers: Readers::Restricted,
        open_to_writers: true,
        policy: days(7),
        settings: &[],
    },
    Topic {
        name: SUBSCRIPTION,
        summary: "The whole current state of a subscription of a parcel at a vendor",
        key: Key::Subscription,
        headers: &[],
        transactional: true,
        readers: Readers::All,
        open_to_writers: false,
        policy: Policy::Compact,
        settings: &[],
    },
    Topic {
        name: SUBSCRIPTION_SECRET,
        summary: "What a further subscription of a parcel needs and nobody else may see",
        key: Key::Subscription,
        headers: &[],
        transactional: true,
        readers: Readers::Processor,
        open_to_writers: false,
        policy: Policy::Compact,
        settings: FORGET_SOON,
    },
    Topic {
        name: VENDOR_CALL,
        summary: "One call of a vendor's API and its answer",
        key: Key::TrackingNumber,
        headers: &[],
        transactional: true,
        readers: Readers::All,
        open_to_writers: false,
        policy: days(30),
        settings: &[],
    },
    Topic {
        name: ANNOTATION,
        summary: "A correction by hand: what a person says of a parcel, or takes back",
        key: Key::TrackingNumber,
        headers: &[],
        transactional: false,
        // The names of those who said it.
        readers: Readers::Restricted,
        open_to_writers: false,
        // Nobody could say it again, and there are few: what people type. All of them and not the newest of a parcel, because who took back
        // what is part of it.
        policy: Policy::Keep,
        settings: &[],
    },
];

/// Largest record that the topics take (`max.message.bytes`). A push body is at most 2 MiB by default, but
/// form-decoding, the envelope and a shipment's copy of the texts come on top.
pub const MAX_RECORD_BYTES: u32 = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_the_prefix() {
        let acme = Installation::new("acme.");
        for topic in ALL {
            assert_eq!(acme.name_of(topic.name), Some(format!("acme.{}", topic.name).as_str()));
        }
        assert_eq!(acme.name_of("acme.courier.push.v1"), None, "a prefix is put once");
    }

    #[test]
    fn a_process_that_belongs_to_none_has_no_prefix() {
        assert_eq!(on_broker(PUSH), PUSH);
        assert_eq!(known(PUSH), Some(PUSH));
        assert_eq!(known("acme.courier.push.v1"), None);
        assert_eq!(prefixed("courierflow-grow"), "courierflow-grow");
    }

    #[test]
    fn a_prefix_is_a_part_of_names() {
        for prefix in ["", "acme.", "team_1-"] {
            assert!(check_prefix(prefix).is_ok(), "{prefix}");
        }
        for prefix in ["a b", "acme/", "加", &"a".repeat(101)] {
            assert!(check_prefix(prefix).is_err(), "{prefix}");
        }
    }
}
