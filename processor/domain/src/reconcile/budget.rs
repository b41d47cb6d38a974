//! What an account may spend in a China day. A part is kept for audits, because what is most urgent would take all of it, and only
//! the audits show what pushes miss.

use super::class::Class;

/// The budget of an account for the present China day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Queries for all classes but audits that are left.
    urgent: u32,
    /// Queries for audits that are left.
    audits: u32,
}

impl Budget {
    /// `daily_queries`, of which `audit_share` (0 to 1) is for audits.
    pub fn of_day(daily_queries: u32, audit_share: f64) -> Self {
        let audits = kept_for_audits(daily_queries, audit_share);
        Self {
            urgent: daily_queries.saturating_sub(audits),
            audits,
        }
    }

    /// What is left of it after so many queries, audits among them.
    #[must_use]
    pub fn after(self, asked: u32, audited: u32) -> Self {
        Self {
            urgent: self.urgent.saturating_sub(asked.saturating_sub(audited)),
            audits: self.audits.saturating_sub(audited),
        }
    }

    /// The part of the parcels on these of all partitions. The parts of all partitions make the whole, whoever has which, so workers that
    /// do not know of each other's queries spend no more than that together.
    #[must_use]
    pub fn part(self, partitions: &[i32], all: u32) -> Self {
        let part = |whole: u32| {
            let until = |partition: u64| {
                u64::from(whole)
                    .saturating_mul(partition)
                    .checked_div(all.into())
                    .unwrap_or(0)
            };
            let of_partition = |partition: u64| until(partition.saturating_add(1)).saturating_sub(until(partition));
            let owned = partitions.iter().filter_map(|partition| u64::try_from(*partition).ok());
            let part: u64 = owned.map(of_partition).sum();
            u32::try_from(part).unwrap_or(whole).min(whole)
        };
        Self {
            urgent: part(self.urgent),
            audits: part(self.audits),
        }
    }

    /// The smaller one of each of both kinds.
    #[must_use]
    pub fn at_most(self, other: Self) -> Self {
        Self {
            urgent: self.urgent.min(other.urgent),
            audits: self.audits.min(other.audits),
        }
    }

    /// Queries that are left in all.
    pub const fn queries(&self) -> u32 {
        self.urgent.saturating_add(self.audits)
    }

    /// Takes one query of a class, if there is one left.
    pub(super) fn take(&mut self, class: Class) -> bool {
        let purse = match class {
            Class::Audit => &mut self.audits,
            _ => &mut self.urgent,
        };
        match purse.checked_sub(1) {
            Some(left) => {
                *purse = left;
                true
            }
            None => false,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a u32, between 0 and itself"
)]
fn kept_for_audits(daily_queries: u32, audit_share: f64) -> u32 {
    (f64::from(daily_queries) * audit_share.clamp(0.0, 1.0)).floor() as u32
}
