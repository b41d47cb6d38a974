//! What a call needs and nobody else may see: telephone numbers and places, by subscription. In memory only.

use std::collections::{BTreeMap, HashMap};

use courierflow_schemas::records::SubscriptionSecret;

/// By partition and `vendor:account:number`.
#[derive(Default)]
pub(super) struct Secrets {
    partitions: BTreeMap<i32, HashMap<Box<str>, SubscriptionSecret>>,
}

impl Secrets {
    /// Forgets all partitions but expects records of these.
    pub(super) fn assigned(&mut self, partitions: &[i32]) {
        self.partitions = partitions
            .iter()
            .map(|partition| (*partition, HashMap::new()))
            .collect();
    }

    /// A record of the topic, or its tombstone.
    pub(super) fn read(&mut self, partition: i32, key: &str, secret: Option<SubscriptionSecret>) {
        let Some(of_partition) = self.partitions.get_mut(&partition) else {
            return;
        };
        match secret {
            Some(secret) => of_partition.insert(key.into(), secret),
            None => of_partition.remove(key),
        };
    }

    /// What is known for a parcel.
    pub(super) fn get(&self, partition: i32, key: &str) -> Option<&SubscriptionSecret> {
        self.partitions.get(&partition)?.get(key)
    }
}
