//! Whether all topics have the number of partitions that they should have: one look for all workers of the process.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use courierflow_service::partition_counts::{self, PartitionCountsDiffer};
use rdkafka::client::{Client, ClientContext};

const REQUEST: Duration = Duration::from_secs(5);
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

struct Look {
    at: Option<Instant>,
    difference: Option<PartitionCountsDiffer>,
}

/// Topics that must have one number of partitions, and the last look at them.
pub(crate) struct Counts {
    topics: fn() -> Vec<&'static str>,
    last: Mutex<Look>,
}

/// Those of derive.
pub(crate) static OF_PARCELS: Counts = Counts::new(|| partition_counts::topics().to_vec());
/// Those of subscribe and reconcile.
pub(crate) static OF_SUBSCRIPTIONS: Counts = Counts::new(|| partition_counts::topics_of_subscriptions().to_vec());

impl Counts {
    const fn new(topics: fn() -> Vec<&'static str>) -> Self {
        Self {
            topics,
            last: Mutex::new(Look {
                at: None,
                difference: None,
            }),
        }
    }

    /// Fails if the counts differ. Whoever comes first after [`BETWEEN_LOOKS`] looks, with its own client; the others wait for
    /// the answer. `configured` is `topics.partitions`.
    pub(crate) fn check<C: ClientContext>(
        &self,
        client: &Client<C>,
        configured: i32,
    ) -> Result<(), PartitionCountsDiffer> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.at.is_none_or(|then| then.elapsed() >= BETWEEN_LOOKS) {
            last.at = Some(Instant::now());
            match partition_counts::compare(client, &(self.topics)(), configured, REQUEST) {
                Ok(difference) => last.difference = difference,
                // The broker is away, which shows everywhere else.
                Err(error) => tracing::debug!(%error, "partition counts"),
            }
        }
        last.difference.clone().map_or(Ok(()), Err)
    }
}
