//! Logs refusals, at most one line per second of each kind, so that a flood of bad requests does not flood the log. The next
//! line says how many were left out.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use courierflow_schemas::records::Vendor;

use crate::answer::{Refusal, Row};

const INTERVAL: Duration = Duration::from_secs(1);

/// When each kind was logged last.
#[derive(Debug, Default)]
pub struct RefusalLog {
    kinds: Mutex<BTreeMap<(Origin, &'static str), Kind>>,
}

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    /// A push of a vendor.
    Push(Vendor),
    /// A push to no vendor's address.
    Nowhere,
    /// Somebody who asks for subscriptions.
    Subscriptions,
}

#[derive(Debug)]
struct Kind {
    logged: Instant,
    suppressed: u64,
}

impl RefusalLog {
    /// Logs that a push was refused. `detail` must contain nothing of the vendor's content or of a secret.
    pub fn refused(&self, vendor: Vendor, account: Option<&str>, refusal: Refusal, detail: &str) {
        let row = refusal.row();
        let Some(suppressed) = self.turn((Origin::Push(vendor), row.name), Instant::now()) else {
            return;
        };
        // Anybody can choose the name of an unknown account, so it is not logged.
        let account = account.unwrap_or("-");
        let status = row.status.as_u16();
        if status >= 500 {
            tracing::error!(%vendor, account, status, refusal = row.name, detail, suppressed, "push refused");
        } else {
            tracing::warn!(%vendor, account, status, refusal = row.name, detail, suppressed, "push refused");
        }
    }

    /// Logs that a push or a part of it was dead-lettered.
    pub fn dead_lettered(&self, vendor: Vendor, account: &str, reason: &'static str) {
        if let Some(suppressed) = self.turn((Origin::Push(vendor), reason), Instant::now()) {
            tracing::warn!(%vendor, account, reason, suppressed, "push dead-lettered");
        }
    }

    /// Logs that a request for subscriptions was refused as a whole. `requester` is `None` without a valid token: what was sent
    /// instead is not logged, it may be a token with a typing error.
    pub fn request_refused(&self, requester: Option<&str>, row: Row) {
        let Some(suppressed) = self.turn((Origin::Subscriptions, row.name), Instant::now()) else {
            return;
        };
        let (requester, status) = (requester.unwrap_or("-"), row.status.as_u16());
        if status >= 500 {
            tracing::error!(
                requester,
                status,
                refusal = row.name,
                suppressed,
                "request for subscriptions refused"
            );
        } else {
            tracing::warn!(
                requester,
                status,
                refusal = row.name,
                suppressed,
                "request for subscriptions refused"
            );
        }
    }

    /// Logs that a push came to an address of nobody. Anybody can choose the address, so it is not logged.
    pub fn unknown_path(&self) {
        if let Some(suppressed) = self.turn((Origin::Nowhere, "unknown_path"), Instant::now()) {
            tracing::warn!(
                status = 404,
                refusal = "unknown_path",
                suppressed,
                "push to an address that leads nowhere"
            );
        }
    }

    /// `None` if this line must be left out, else the number of lines left out since the last one.
    fn turn(&self, kind: (Origin, &'static str), now: Instant) -> Option<u64> {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        match kinds.get_mut(&kind) {
            None => {
                kinds.insert(
                    kind,
                    Kind {
                        logged: now,
                        suppressed: 0,
                    },
                );
                Some(0)
            }
            Some(kind) if now.duration_since(kind.logged) >= INTERVAL => {
                kind.logged = now;
                Some(std::mem::take(&mut kind.suppressed))
            }
            Some(kind) => {
                kind.suppressed += 1;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_of_each_kind() {
        let log = RefusalLog::default();
        let start = Instant::now();
        let kind = (Origin::Push(Vendor::Kdniao), "busy");
        assert_eq!(log.turn(kind, start), Some(0));
        assert_eq!(log.turn(kind, start), None);
        assert_eq!(log.turn(kind, start), None);
        assert_eq!(log.turn((Origin::Push(Vendor::Kuaidi100), "busy"), start), Some(0));
        assert_eq!(log.turn(kind, start + INTERVAL), Some(2));
        assert_eq!(log.turn(kind, start + INTERVAL * 2), Some(0));
    }
}
