//! The metrics of derive.

use std::collections::BTreeMap;

use courierflow_domain::Derived;
use courierflow_schemas::records::{PushEvent, Vendor};
use rdkafka::statistics::Statistics;

use super::by_account::{AccountLabels, ByAccount, Outcome};

/// Counters of one transaction. They are added to the metrics when it is committed, so that nothing is counted twice.
#[derive(Default)]
pub(super) struct Counts {
    outcomes: BTreeMap<&'static str, u64>,
    by_account: ByAccount,
    /// Number of dead letters by error class.
    pub(super) dead_letters: BTreeMap<&'static str, u64>,
    pub(super) input_bytes: u64,
    pub(super) output_bytes: u64,
    pub(super) transitions: u64,
    pub(super) retractions: u64,
    pub(super) rewrites: u64,
    pub(super) unknown_codes: u64,
    left_out: u64,
    pub(super) unmapped_carriers: BTreeMap<Vendor, u64>,
    pub(super) future_push_times: u64,
    pub(super) expired: u64,
}

impl Counts {
    /// A record of the push topic was processed; `event` is `None` if it could not be decoded.
    pub(super) fn outcome(&mut self, event: Option<&PushEvent>, outcome: Outcome) {
        *self.outcomes.entry(outcome.name).or_default() += 1;
        self.by_account.count(event, outcome);
    }

    /// A push of a carrier was accepted whose code is not mapped.
    pub(super) fn unmapped_carrier(&mut self, vendor: Vendor) {
        *self.unmapped_carriers.entry(vendor).or_default() += 1;
    }

    /// A push was accepted, and its records take so many bytes.
    pub(super) fn accepted(&mut self, derived: &Derived, bytes: usize) {
        self.output_bytes += bytes as u64;
        self.rewrites += u64::from(derived.counts.rewrites);
        self.transitions += derived.transitions.len() as u64;
        self.retractions += u64::from(derived.counts.retracted_transitions);
        self.left_out += u64::from(derived.counts.left_out);
        self.unknown_codes += u64::from(derived.counts.unknown_codes);
        self.future_push_times += u64::from(derived.counts.future_push_times);
    }

    pub(super) fn publish(&self, labels: &mut AccountLabels) {
        self.by_account.publish(labels);
        for (outcome, count) in &self.outcomes {
            metrics::counter!("courierflow_derive_push_events_total", "outcome" => *outcome).increment(*count);
        }
        for (class, count) in &self.dead_letters {
            metrics::counter!("courierflow_derive_dead_letters_total", "reason" => *class).increment(*count);
        }
        for (vendor, count) in &self.unmapped_carriers {
            metrics::counter!("courierflow_derive_unmapped_carriers_total", "vendor" => vendor.as_str())
                .increment(*count);
        }
        metrics::counter!("courierflow_derive_input_bytes_total").increment(self.input_bytes);
        metrics::counter!("courierflow_derive_output_bytes_total").increment(self.output_bytes);
        metrics::counter!("courierflow_derive_rewrites_total").increment(self.rewrites);
        metrics::counter!("courierflow_derive_transitions_total").increment(self.transitions);
        metrics::counter!("courierflow_derive_retractions_total").increment(self.retractions);
        metrics::counter!("courierflow_derive_unknown_codes_total").increment(self.unknown_codes);
        metrics::counter!("courierflow_derive_left_out_events_total").increment(self.left_out);
        metrics::counter!("courierflow_derive_future_push_times_total").increment(self.future_push_times);
        metrics::counter!("courierflow_derive_expired_shipments_total").increment(self.expired);
    }
}

/// The label of the worker that runs on this thread.
pub(super) fn worker_name() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

/// Sets the gauges of the state: number of shipments, and the bytes they take.
#[expect(clippy::cast_precision_loss, reason = "no worker holds 2^53 shipments or bytes")]
pub(super) fn publish_size((shipments, bytes): (usize, usize)) {
    let worker = worker_name();
    metrics::gauge!("courierflow_derive_shipments", "worker" => worker.clone()).set(shipments as f64);
    metrics::gauge!("courierflow_derive_state_bytes", "worker" => worker).set(bytes as f64);
}

/// Sets the gauge of the partitions whose next push event waits for room in the state.
#[expect(clippy::cast_precision_loss, reason = "there are few partitions")]
pub(super) fn publish_waiting(partitions: usize) {
    metrics::gauge!("courierflow_derive_waiting_partitions", "worker" => worker_name()).set(partitions as f64);
}

/// Number of push events on the topic that are not committed. The consumer cannot tell, because the producer commits the offsets
/// and events that were read may be aborted and read again; so the lag is computed from `committed`. For a partition without a
/// commit the consumer's own figure is used, where -1 means unknown.
pub(super) fn lag(statistics: &Statistics, committed: &BTreeMap<i32, i64>) -> i64 {
    let partitions = statistics.topics.values().flat_map(|topic| &topic.partitions);
    partitions
        .map(|(number, partition)| match committed.get(number) {
            Some(from) => (partition.ls_offset - from).max(0),
            None => partition.consumer_lag_stored.max(0),
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use rdkafka::statistics::{Partition, Topic};

    use super::*;

    fn partition(ls_offset: i64, consumer_lag_stored: i64) -> Partition {
        Partition {
            ls_offset,
            consumer_lag_stored,
            ..Partition::default()
        }
    }

    #[test]
    fn what_was_read_and_not_committed_counts() {
        // Two with a commit, one without, one that is not assigned to us, one whose end is not known.
        let partitions = [
            (0, partition(100, 0)),
            (1, partition(50, 0)),
            (2, partition(70, 3)),
            (3, partition(-1, -1)),
            (4, partition(-1001, -1)),
        ];
        let topic = Topic {
            partitions: partitions.into(),
            ..Topic::default()
        };
        let statistics = Statistics {
            topics: [("courier.push.v1".to_owned(), topic)].into(),
            ..Statistics::default()
        };
        let committed = [(0, 90), (1, 50), (4, 7)].into();
        assert_eq!(lag(&statistics, &committed), 13);
    }
}
