//! A parcel that a vendor follows, and when it looks.

use courierflow_schemas::records::Vendor;

use super::super::clock::{HOUR, Seconds};
use super::super::random::Random;
use super::super::snapshot::{Revision, Snapshot};
use super::super::steps::Step;
use super::super::world::Parcel;

/// A parcel that a vendor follows.
#[derive(Clone, Debug)]
pub struct Followed {
    /// Who follows it.
    pub vendor: Vendor,
    /// Its life.
    pub parcel: Parcel,
    /// What the vendor gets wrong about it, and when.
    pub revisions: Vec<Revision>,
    /// Since when it is followed, seconds UTC.
    pub subscribed_at: Seconds,
}

/// How much a vendor knows: it pushes when that is not what it knew before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Lines of the history.
    pub lines: usize,
    /// Revisions of it that may have been made.
    pub revisions: usize,
}

impl Followed {
    /// What the vendor sees at that moment.
    pub fn snapshot(&self, at: Seconds) -> Snapshot<'_> {
        Snapshot::taken(&self.parcel, &self.revisions, at)
    }

    /// How much the vendor knows with this snapshot.
    pub fn known(&self, snapshot: &Snapshot<'_>) -> Known {
        let made = |revision: &&Revision| revision.since <= snapshot.taken_at;
        Known {
            lines: snapshot.lines(),
            revisions: self.revisions.iter().filter(made).count(),
        }
    }
}

/// When a vendor looks next: after about four hours, near the end of a life after two.
pub fn next_look(at: Seconds, snapshot: &Snapshot<'_>, random: &mut Random) -> Seconds {
    let near_the_end = snapshot.has(|step| {
        matches!(
            step,
            Step::ArrivedDestCity | Step::ArrivedDeliveryDepot | Step::OutForDelivery
        )
    });
    let hours = if near_the_end { 2 } else { 4 };
    at + hours * HOUR + random.whole(-900, 1_800)
}
