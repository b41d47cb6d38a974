//! Names and policies of the Kafka topics: one table, applied by `processor migrate` and read by both services.

use std::time::Duration;

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
    /// Name on the broker.
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
