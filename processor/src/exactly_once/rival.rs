//! Another worker with our identity. It happens where two hosts have the same name and do not share a slot directory.
//!
//! Each of the two fences the other when it starts. If both came back at once, they would fence each other for ever, so the
//! one that was fenced comes back only when the group has no member of that identity any more.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use courierflow_schemas::settings::KafkaSettings;
use rdkafka::error::KafkaResult;

use super::member::client_id;
use super::slot::Slot;
use crate::groups;
use crate::health::Health;
use crate::shutdown::Shutdown;

const REQUEST: Duration = Duration::from_secs(5);
/// Delays between two looks at the group.
const LOOKS: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(500))
    .with_max_delay(Duration::from_secs(5))
    .with_jitter()
    .without_max_times();
/// The membership of our own former consumer ends with its session, and a little later the broker notices.
const SLACK: Duration = Duration::from_secs(2);

/// The group of a worker, as far as it tells who else is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Membership<'a> {
    pub(crate) kafka: &'a KafkaSettings,
    pub(crate) group: &'a str,
    /// A member that sends no heartbeat for this long is out.
    pub(crate) session_timeout: Duration,
}

/// After a worker was fenced: waits until its identity is free, or until shutdown begins. A worker is also fenced when its
/// transaction has timed out; then only its own membership is left, which ends with its session.
pub(crate) fn wait_until_gone(of: Membership<'_>, slot: &Slot, part: &str, health: &Health, shutdown: &Shutdown) {
    let own_session = of.session_timeout + SLACK;
    let begun = Instant::now();
    let mut is_told = false;
    for delay in LOOKS.build() {
        match holder(of, slot.name()) {
            Ok(None) => break,
            Ok(Some(_)) if begun.elapsed() < own_session => {}
            Ok(Some(host)) => {
                let reason = conflict(slot.name(), &host);
                if !std::mem::replace(&mut is_told, true) {
                    tracing::error!(slot = slot.name(), "{reason}");
                }
                health.not_ready(part, reason);
            }
            Err(error) => tracing::debug!(%error, "members of the group"),
        }
        if !shutdown.sleep(delay) {
            return;
        }
    }
    if is_told {
        tracing::info!(slot = slot.name(), "the other worker of this identity is gone");
    }
}

fn conflict(slot: &str, host: &str) -> String {
    format!(
        "another processor at {host} has the identity {slot}: two hosts have the same name, so give each its own derive.host; \
         this worker waits until the other is gone"
    )
}

/// The address of the group's member that has the identity of `slot`.
fn holder(of: Membership<'_>, slot: &str) -> KafkaResult<Option<String>> {
    // A new client each time: it is needed for moments of an unusual hour.
    let client = groups::client(of.kafka, of.group)?;
    let members = groups::members(&client, of.group, REQUEST)?;
    let mut same = members.into_iter().filter(|member| member.client_id == client_id(slot));
    Ok(same.next().map(|member| member.host))
}
