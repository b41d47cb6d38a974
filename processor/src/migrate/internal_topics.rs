//! Kafka's own topics hold the consumers' offsets and the state of transactions, on which exactly once rests: a broker that is
//! lost must not take them with it. They are the operator's, so they are only looked at.

use anyhow::Context;
use rdkafka::admin::ResourceSpecifier;

use super::topics::{Found, REQUEST, min_insync_replicas};
use crate::admin::{self, Admin};
use crate::config::Config;

/// A topic of Kafka, and the settings of the brokers by which it is created.
struct Internal {
    name: &'static str,
    replicas: &'static str,
    min_insync: &'static str,
}

const INTERNAL: [Internal; 2] = [
    Internal {
        name: "__consumer_offsets",
        replicas: "offsets.topic.replication.factor",
        min_insync: "min.insync.replicas",
    },
    Internal {
        name: "__transaction_state",
        replicas: "transaction.state.log.replication.factor",
        min_insync: "transaction.state.log.min.isr",
    },
];

/// How a topic is kept, or would be if it were created.
struct Kept {
    replicas: i32,
    min_insync: i32,
    is_there: bool,
}

/// One line for each topic that has fewer replicas, or needs fewer of them in sync, than our own topics.
pub(super) async fn warnings(admin: &Admin, config: &Config) -> anyhow::Result<Vec<String>> {
    let replicas = config.topics.replication_factor;
    let mut warnings = Vec::new();
    for internal in &INTERNAL {
        match look(admin, internal).await {
            Ok(kept) => warnings.extend(warning(internal, &kept, replicas)),
            Err(error) => warnings.push(format!("topic {}: its replicas are unknown: {error:#}", internal.name)),
        }
    }
    Ok(warnings)
}

fn warning(internal: &Internal, kept: &Kept, replicas: i32) -> Option<String> {
    let min_insync = min_insync_replicas(replicas);
    if kept.replicas >= replicas && kept.min_insync >= min_insync {
        return None;
    }
    let Internal { name, .. } = internal;
    let verb = if kept.is_there { "has" } else { "will be created with" };
    let what = format!(
        "topic {name} {verb} {} replicas and min.insync.replicas={}; for topics.replication_factor = {replicas} it should be \
         {replicas} and {min_insync}",
        kept.replicas, kept.min_insync
    );
    Some(if kept.is_there {
        format!("{what}: see \"Replicas\" in the runbook")
    } else {
        format!(
            "{what}: set {} and {} of the brokers",
            internal.replicas, internal.min_insync
        )
    })
}

async fn look(admin: &Admin, internal: &Internal) -> anyhow::Result<Kept> {
    let found = Found::look(admin, internal.name)?;
    if found.partitions > 0 {
        return Ok(Kept {
            replicas: found.replicas,
            min_insync: admin::setting(
                admin,
                ResourceSpecifier::Topic(internal.name),
                "min.insync.replicas",
                REQUEST,
            )
            .await?,
            is_there: true,
        });
    }
    let metadata = admin.inner().fetch_metadata(None, REQUEST)?;
    let broker = metadata.brokers().first().context("no broker")?.id();
    Ok(Kept {
        replicas: admin::setting(admin, ResourceSpecifier::Broker(broker), internal.replicas, REQUEST).await?,
        min_insync: admin::setting(admin, ResourceSpecifier::Broker(broker), internal.min_insync, REQUEST).await?,
        is_there: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_worse_than_our_topics_is_told() {
        let [offsets, _] = &INTERNAL;
        let told = |replicas, min_insync, is_there, ours| {
            let kept = Kept {
                replicas,
                min_insync,
                is_there,
            };
            warning(offsets, &kept, ours)
        };
        for (replicas, min_insync, ours, is_told) in [
            (1, 1, 1, false),
            (3, 2, 3, false),
            (3, 1, 3, true),
            (1, 1, 3, true),
            (3, 1, 1, false),
        ] {
            assert_eq!(
                told(replicas, min_insync, true, ours).is_some(),
                is_told,
                "{replicas} {min_insync} {ours}"
            );
        }
        assert_eq!(
            told(1, 1, false, 3).unwrap(),
            "topic __consumer_offsets will be created with 1 replicas and min.insync.replicas=1; for topics.replication_factor = 3 \
             it should be 3 and 2: set offsets.topic.replication.factor and min.insync.replicas of the brokers"
        );
    }
}
