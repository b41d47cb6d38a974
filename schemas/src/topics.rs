//! Names and policies of the Kafka topics: one table, applied by `processor migrate` and read by both services.
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
    let names = ALL.iter().map(|topic| format!("{prefix}{}", topic.name));
    let installation = Installation {
        prefix: prefix.to_owned(),
        names: names.collect(),
    };
    let _ = INSTALLATION.set(installation);
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

/// The name that a topic has on the brokers of this installation.
pub fn on_broker(topic: &'static str) -> &'static str {
    let Some(installation) = INSTALLATION.get() else {
        return topic;
    };
    let names = ALL.iter().zip(&installation.names);
    let mut found = names.filter(|(known, _)| known.name == topic);
    found.next().map_or(topic, |(_, name)| name)
}

/// The topic that has this name on the brokers of this installation; `None` if it is none of ours.
pub fn known(name: &str) -> Option<&'static str> {
    let mut topics = ALL.iter().map(|topic| topic.name);
    topics.find(|topic| on_broker(topic) == name)
}

/// A name with the prefix of the installation: of a consumer group or a transactional id.
pub fn prefixed(name: &str) -> String {
    let prefix = INSTALLATION.get().map_or("", |installation| &installation.prefix);
    format!("{prefix}{name}")
}

/// How long a topic keeps its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The newest record of each key is kept (`cleanup.policy=compact`).
    Compact,
    /// Records are deleted after this time (`cleanup.policy=delete`).
    Delete(Duration),
}

/// A topic and its policy. All topics have the same number of partitions, and all records of a tracking number are on
/// the partition of the same number, so that a worker of derive finds its state beside its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Name without the prefix of the installation.
    pub name: &'static str,
    /// How long records are kept.
    pub policy: Policy,
    /// Further settings of the broker that this topic has and others do not.
    pub settings: &'static [(&'static str, &'static str)],
}

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
pub const ALL: [Topic; 9] = [
    Topic {
        name: PUSH,
        policy: days(14),
        settings: &[],
    },
    Topic {
        name: PUSH_DEAD,
        policy: days(30),
        settings: &[],
    },
    Topic {
        name: SHIPMENT,
        policy: Policy::Compact,
        settings: &[],
    },
    Topic {
        name: TRANSITION,
        policy: days(30),
        settings: &[],
    },
    Topic {
        name: DERIVE_DEAD,
        policy: days(30),
        settings: &[],
    },
    Topic {
        name: SUBSCRIPTION_REQUEST,
        policy: days(7),
        settings: &[],
    },
    Topic {
        name: SUBSCRIPTION,
        policy: Policy::Compact,
        settings: &[],
    },
    Topic {
        name: SUBSCRIPTION_SECRET,
        policy: Policy::Compact,
        settings: FORGET_SOON,
    },
    Topic {
        name: VENDOR_CALL,
        policy: days(30),
        settings: &[],
    },
];

/// Largest record that the topics take (`max.message.bytes`). A push body is at most 2 MiB by default, but
/// form-decoding, the envelope and a shipment's copy of the texts come on top.
pub const MAX_RECORD_BYTES: u32 = 8 * 1024 * 1024;
