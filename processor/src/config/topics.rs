//! `[topics]`: how `migrate` makes the topics.

use courierflow_schemas::settings::{SettingsError, require, require_between};
use courierflow_schemas::topics;
use serde::Deserialize;

/// `[topics]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TopicSettings {
    /// Before the names of all topics, consumer groups, transactional ids and subjects, so that several installations share a
    /// cluster, and an ACL of one prefix is enough for each. The same for ingest.
    pub prefix: String,
    /// Partitions of every topic. `processor migrate --grow` raises them, because derive's state belongs to partitions.
    pub partitions: i32,
    /// Copies of every partition.
    pub replication_factor: i32,
    /// How many of them must have a record before it is acknowledged; at least one less than there are when missing.
    pub min_insync_replicas: Option<i32>,
    /// How long topics keep their records.
    pub retention_days: TopicRetention,
}

/// `[topics.retention_days]`: days that a topic keeps its records, 0 for ever. A topic without a number begins with that of
/// [`topics::ALL`], and is left as it is afterwards.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TopicRetention {
    /// Of `courier.push.v1`.
    pub push: Option<u32>,
    /// Of `courier.push.dead.v1`.
    pub push_dead: Option<u32>,
    /// Of `courier.transition.v1`.
    pub transition: Option<u32>,
    /// Of `courier.derive.dead.v1`.
    pub derive_dead: Option<u32>,
    /// Of `courier.subscription.request.v1`.
    pub subscription_request: Option<u32>,
    /// Of `courier.vendor.call.v1`.
    pub vendor_call: Option<u32>,
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            partitions: 8,
            replication_factor: 1,
            min_insync_replicas: None,
            retention_days: TopicRetention::default(),
        }
    }
}

impl TopicSettings {
    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        topics::check_prefix(&self.prefix)?;
        require_between("topics.partitions", self.partitions, 1..=10_000)?;
        require_between("topics.replication_factor", self.replication_factor, 1..=100)?;
        if let Some(min) = self.min_insync_replicas {
            require_between("topics.min_insync_replicas", min, 1..=self.replication_factor)?;
        }
        self.retention_days.validate()
    }
}

impl TopicRetention {
    /// Name of each topic whose records are deleted, of its key, and the number.
    const fn all(&self) -> [(&'static str, &'static str, Option<u32>); 6] {
        [
            (topics::PUSH, "push", self.push),
            (topics::PUSH_DEAD, "push_dead", self.push_dead),
            (topics::TRANSITION, "transition", self.transition),
            (topics::DERIVE_DEAD, "derive_dead", self.derive_dead),
            (
                topics::SUBSCRIPTION_REQUEST,
                "subscription_request",
                self.subscription_request,
            ),
            (topics::VENDOR_CALL, "vendor_call", self.vendor_call),
        ]
    }

    /// The value of `retention.ms` of a topic, if it is written down.
    pub fn millis_of(&self, topic: &str) -> Option<i64> {
        let (_, _, days) = self.all().into_iter().find(|(name, _, _)| *name == topic)?;
        days.map(|days| if days == 0 { -1 } else { i64::from(days) * 86_400_000 })
    }

    fn validate(&self) -> Result<(), SettingsError> {
        for (_, key, days) in self.all() {
            require(
                days.unwrap_or(0) <= 36_500,
                &format!("topics.retention_days.{key}"),
                format!("{} is more than 36500", days.unwrap_or(0)),
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::topics::{ALL, Policy};

    use super::*;

    #[test]
    fn every_topic_that_deletes_has_a_key() {
        let all = TopicRetention::default();
        let named: Vec<&str> = all.all().iter().map(|(topic, _, _)| *topic).collect();
        let deleting = ALL.iter().filter(|topic| matches!(topic.policy, Policy::Delete(_)));
        let deleting: Vec<&str> = deleting.map(|topic| topic.name).collect();
        assert_eq!(named, deleting);
    }

    #[test]
    fn more_in_sync_than_there_are_is_refused() {
        let settings = TopicSettings {
            min_insync_replicas: Some(2),
            ..TopicSettings::default()
        };
        let error = settings.validate().unwrap_err().to_string();
        assert!(
            error.contains("topics.min_insync_replicas: 2 is not between 1 and 1"),
            "{error}"
        );
    }
}
