//! The calls of a partition that are being made, as the metadata of the group's offset keeps them.
//!
//! They are committed before the calls begin. Offsets belong to a transaction like its records, and are there at once for whoever gets
//! the partition next. A record of its own would have to be taken out of everything that counts calls.

use courierflow_schemas::records::{CallId, CallKind, CallReason, TimestampMicros, Vendor};
use courierflow_vendors::api::ids;
use serde::{Deserialize, Serialize};

/// A broker takes 4,096 bytes (`offset.metadata.max.bytes`).
const LONGEST: usize = 4_000;

/// A call that is about to be made, or is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intent {
    pub(super) vendor: Vendor,
    pub(super) account: String,
    pub(super) vendor_carrier: String,
    pub(super) carrier: String,
    pub(super) tracking_number: String,
    pub(super) reason: CallReason,
    /// Which query of the parcel.
    pub(super) round: u16,
    /// Which call of the query.
    pub(super) attempt: u16,
    pub(super) started_at: TimestampMicros,
}

impl Intent {
    pub(super) fn call_id(&self) -> CallId {
        ids::Intent {
            kind: CallKind::Query,
            vendor: self.vendor,
            account: &self.account,
            tracking_number: &self.tracking_number,
            round: self.round,
            attempt: self.attempt,
        }
        .call_id()
    }
}

/// What the metadata of an offset says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Metadata {
    /// The transaction that committed it.
    pub(super) transaction: String,
    /// The calls that are being made.
    pub(super) calls: Vec<Intent>,
}

impl Metadata {
    /// As the broker keeps it. It cannot fail: there are only texts and numbers in it.
    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What a worker has left; nothing if it is no metadata of ours.
    pub(super) fn of(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Whether the broker takes as much.
    pub(super) fn fits(&self) -> bool {
        self.to_text().len() <= LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(number: &str) -> Intent {
        Intent {
            vendor: Vendor::Kuaidi100,
            account: "demo".to_owned(),
            vendor_carrier: "yuantong".to_owned(),
            carrier: "yto".to_owned(),
            tracking_number: number.to_owned(),
            reason: CallReason::FirstPushLate,
            round: 3,
            attempt: 1,
            started_at: TimestampMicros(1_794_268_800_000_000),
        }
    }

    #[test]
    fn what_is_committed_is_read_back_and_the_default_concurrency_fits() {
        let calls: Vec<_> = (0..8).map(|index| intent(&format!("YT{index:030}"))).collect();
        let metadata = Metadata {
            transaction: "courierflow-reconcile-host-0 1794268800000000000 17".to_owned(),
            calls,
        };
        assert!(metadata.fits());
        assert_eq!(Metadata::of(&metadata.to_text()), metadata);
        for other in ["", "courierflow-subscribe-host-0 1 2", "{}"] {
            assert_eq!(Metadata::of(other), Metadata::default(), "{other}");
        }
    }

    #[test]
    fn every_call_of_a_parcel_has_an_id_of_its_own() {
        let first = intent("YT0000000000001");
        let repeated = Intent {
            attempt: 2,
            ..first.clone()
        };
        let next = Intent {
            round: 4,
            ..first.clone()
        };
        let later = Intent {
            started_at: TimestampMicros(0),
            ..first.clone()
        };
        assert_eq!(first.call_id(), later.call_id());
        assert_ne!(first.call_id(), repeated.call_id());
        assert_ne!(first.call_id(), next.call_id());
    }
}
