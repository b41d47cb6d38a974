//! The settings of a topic, and which of them a topic that is there already must have. Pure.
//!
//! A new topic gets all of them. Of a topic that is there only what our promises rest on is changed, and only as far as they need it:
//! a higher `max.message.bytes`, or any retention, is an operator's to choose.

use courierflow_schemas::topics::{self, Policy, Topic};

use crate::config::TopicSettings;

/// How far a topic that is there may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Not at all.
    Exactly,
    /// It may have more.
    AtLeast,
    /// It may have more, but not more than this.
    AtLeastUpTo(i64),
    /// It may have less.
    AtMost,
    /// As it likes: a new topic begins with it.
    AtFirst,
}

/// A setting of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) value: String,
    need: Need,
}

/// The settings of a topic with so many replicas.
pub(super) fn of(topic: &Topic, replicas: i32, chosen: &TopicSettings) -> Vec<Setting> {
    let setting = |name, value: String, need| Setting { name, value, need };
    let min_insync = match chosen.min_insync_replicas {
        // More than there are replicas would refuse every write.
        None => setting(
            "min.insync.replicas",
            min_insync_replicas(replicas).to_string(),
            Need::AtLeastUpTo(replicas.max(1).into()),
        ),
        Some(min) => setting(
            "min.insync.replicas",
            min.min(replicas.max(1)).to_string(),
            Need::Exactly,
        ),
    };
    let mut settings = vec![
        min_insync,
        setting("max.message.bytes", topics::MAX_RECORD_BYTES.to_string(), Need::AtLeast),
        // Ingest and derive set the time of a record to the receipt of its push.
        setting("message.timestamp.type", "CreateTime".to_owned(), Need::Exactly),
    ];
    let ours = topic.settings.iter();
    settings.extend(ours.map(|(name, value)| setting(name, (*value).to_owned(), Need::AtMost)));
    match topic.policy {
        Policy::Compact => {
            settings.push(setting("cleanup.policy", "compact".to_owned(), Need::Exactly));
            // A restore reads everything that is not compacted yet, so compaction starts early.
            settings.push(setting("min.cleanable.dirty.ratio", "0.1".to_owned(), Need::AtFirst));
        }
        Policy::Delete(retention) => {
            settings.push(setting("cleanup.policy", "delete".to_owned(), Need::Exactly));
            let (value, need) = match chosen.retention_days.millis_of(topic.name) {
                Some(millis) => (millis.to_string(), Need::Exactly),
                None => (retention.as_millis().to_string(), Need::AtFirst),
            };
            settings.push(setting("retention.ms", value, need));
        }
        Policy::Keep => {
            settings.push(setting("cleanup.policy", "delete".to_owned(), Need::Exactly));
            // What is there cannot be made again, so neither its age nor its size deletes it.
            for limit in ["retention.ms", "retention.bytes"] {
                settings.push(setting(limit, "-1".to_owned(), Need::Exactly));
            }
        }
    }
    settings
}

/// One replica may be away, and a record is acknowledged only when another one than the leader has it. More than there are
/// replicas would refuse every write.
pub(super) fn min_insync_replicas(replicas: i32) -> i32 {
    replicas.saturating_sub(1).max(1)
}

impl Setting {
    /// Whether a topic that is there may keep the value that it has.
    pub(super) fn is_met_by(&self, current: Option<&str>) -> bool {
        let Some(current) = current else {
            return self.need == Need::AtFirst;
        };
        let numbers = || Some((current.parse::<i64>().ok()?, self.value.parse::<i64>().ok()?));
        match self.need {
            Need::Exactly => current == self.value,
            Need::AtLeast => numbers().is_some_and(|(current, wanted)| current >= wanted),
            Need::AtLeastUpTo(most) => numbers().is_some_and(|(current, wanted)| (wanted..=most).contains(&current)),
            Need::AtMost => numbers().is_some_and(|(current, wanted)| current <= wanted),
            Need::AtFirst => true,
        }
    }

    /// Whether the topic is of no use without it: state would be deleted, or pushes forgotten, or a state that has grown too large for the
    /// topic would stop derive.
    pub(super) fn is_indispensable(&self) -> bool {
        matches!(self.name, "cleanup.policy" | "max.message.bytes")
    }

    /// What a topic loses that does not have it.
    pub(super) fn without_it(&self) -> &'static str {
        match self.name {
            "min.insync.replicas" => "a record may be acknowledged that one broker alone has",
            "message.timestamp.type" => "records have the time of the broker, not that of their push",
            "retention.ms" | "retention.bytes" => "records are kept for another time",
            "min.cleanable.dirty.ratio" => "a restore of derive reads more",
            _ => "what is to be forgotten stays longer",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use courierflow_schemas::topics::{ALL, ANNOTATION, PUSH, SHIPMENT, SUBSCRIPTION_SECRET};

    use super::*;
    use crate::config::TopicRetention;

    fn settings(name: &str, replicas: i32, chosen: &TopicSettings) -> BTreeMap<&'static str, Setting> {
        let topic = ALL.into_iter().find(|topic| topic.name == name).unwrap();
        let settings = of(&topic, replicas, chosen).into_iter();
        settings.map(|setting| (setting.name, setting)).collect()
    }

    #[test]
    fn one_replica_may_be_away() {
        for (replicas, min) in [(0, 1), (1, 1), (2, 1), (3, 2), (5, 4)] {
            assert_eq!(min_insync_replicas(replicas), min, "{replicas}");
        }
    }

    #[test]
    fn only_what_the_promises_need_is_changed() {
        let ours = TopicSettings::default();
        for (topic, name, current, is_met) in [
            (PUSH, "retention.ms", "1", true),
            (PUSH, "max.message.bytes", "8388608", true),
            (PUSH, "max.message.bytes", "10000000", true),
            (PUSH, "max.message.bytes", "1048588", false),
            (PUSH, "min.insync.replicas", "1", false),
            (PUSH, "min.insync.replicas", "2", true),
            (PUSH, "min.insync.replicas", "3", true),
            (PUSH, "min.insync.replicas", "4", false),
            (PUSH, "cleanup.policy", "compact", false),
            (PUSH, "message.timestamp.type", "LogAppendTime", false),
            (ANNOTATION, "retention.ms", "-1", true),
            (ANNOTATION, "retention.ms", "604800000", false),
            (ANNOTATION, "retention.bytes", "1073741824", false),
            (ANNOTATION, "cleanup.policy", "compact", false),
            (SHIPMENT, "cleanup.policy", "compact", true),
            (SHIPMENT, "cleanup.policy", "compact,delete", false),
            (SHIPMENT, "min.cleanable.dirty.ratio", "0.5", true),
            (SUBSCRIPTION_SECRET, "segment.ms", "3600000", true),
            (SUBSCRIPTION_SECRET, "segment.ms", "604800000", false),
            (
                SUBSCRIPTION_SECRET,
                "max.compaction.lag.ms",
                "9223372036854775807",
                false,
            ),
        ] {
            let settings = settings(topic, 3, &ours);
            assert_eq!(
                settings[name].is_met_by(Some(current)),
                is_met,
                "{topic} {name} {current}"
            );
        }
        assert!(!settings(PUSH, 3, &ours)["max.message.bytes"].is_met_by(None));
    }

    #[test]
    fn what_an_operator_has_written_down_is_kept_to() {
        let chosen = TopicSettings {
            min_insync_replicas: Some(1),
            retention_days: TopicRetention {
                push: Some(3),
                transition: Some(0),
                ..TopicRetention::default()
            },
            ..TopicSettings::default()
        };
        let push = settings(PUSH, 3, &chosen);
        assert!(push["retention.ms"].is_met_by(Some("259200000")));
        assert!(!push["retention.ms"].is_met_by(Some("1")));
        assert!(push["min.insync.replicas"].is_met_by(Some("1")));
        assert!(!push["min.insync.replicas"].is_met_by(Some("2")));
        let transition = settings(topics::TRANSITION, 3, &chosen);
        assert_eq!(transition["retention.ms"].value, "-1");
        let three = TopicSettings {
            min_insync_replicas: Some(3),
            ..TopicSettings::default()
        };
        assert_eq!(
            settings(PUSH, 1, &three)["min.insync.replicas"].value,
            "1",
            "not more than there are"
        );
    }
}
