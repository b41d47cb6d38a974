//! Ids of calls and of what is made of their answers: the same for the same intent, so that a repetition is recognised.

use courierflow_schemas::records::{CallId, CallKind, PushId, Vendor};
use xxhash_rust::xxh3::Xxh3;

/// What a call's id is made of.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'a> {
    /// What the call is for.
    pub kind: CallKind,
    /// Whom.
    pub vendor: Vendor,
    /// The vendor contract.
    pub account: &'a str,
    /// The parcel.
    pub tracking_number: &'a str,
    /// Which subscription of the parcel, or which query of it.
    pub round: u16,
    /// Which call of the round.
    pub attempt: u16,
}

impl Intent<'_> {
    /// XXH3-128 of the parts, each after its length, so that they cannot run into each other.
    pub fn call_id(self) -> CallId {
        let parts = [
            self.kind.as_str(),
            self.vendor.as_str(),
            self.account,
            self.tracking_number,
        ];
        let mut hash = Xxh3::new();
        for part in parts {
            add(&mut hash, part.as_bytes());
        }
        hash.update(&self.round.to_le_bytes());
        hash.update(&self.attempt.to_le_bytes());
        CallId(hash.digest128().to_be_bytes())
    }
}

/// The id of the push event that is made of an answer. It is never that of a push, even of one with the same text.
pub fn query_push_id(vendor: Vendor, account: &str, body: &[u8]) -> PushId {
    let mut hash = Xxh3::new();
    for part in [vendor.as_str().as_bytes(), account.as_bytes(), b"query", body] {
        add(&mut hash, part);
    }
    PushId(hash.digest128().to_be_bytes())
}

fn add(hash: &mut Xxh3, part: &[u8]) {
    hash.update(&(part.len() as u64).to_le_bytes());
    hash.update(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTENT: Intent<'_> = Intent {
        kind: CallKind::Subscribe,
        vendor: Vendor::Kuaidi100,
        account: "demo",
        tracking_number: "YT0000000000001",
        round: 1,
        attempt: 1,
    };

    #[test]
    fn every_part_counts_and_nothing_else() {
        let others = [
            Intent {
                kind: CallKind::Query,
                ..INTENT
            },
            Intent {
                vendor: Vendor::Kdniao,
                ..INTENT
            },
            Intent {
                account: "demoY",
                tracking_number: "T0000000000001",
                ..INTENT
            },
            Intent {
                tracking_number: "YT0000000000002",
                ..INTENT
            },
            Intent { round: 2, ..INTENT },
            Intent { attempt: 2, ..INTENT },
        ];
        assert_eq!(INTENT.call_id(), INTENT.call_id());
        for other in others {
            assert_ne!(other.call_id(), INTENT.call_id(), "{other:?}");
        }
        let body = b"{}";
        assert_ne!(
            query_push_id(Vendor::Kuaidi100, "a", body),
            query_push_id(Vendor::Kuaidi100, "b", body)
        );
    }
}
