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
    /// What is left of `daily_queries`, of which `audit_share` (0 to 1) is for audits, after the queries of the day so far.
    pub fn left(daily_queries: u32, audit_share: f64, asked_today: u32, audited_today: u32) -> Self {
        let kept = kept_for_audits(daily_queries, audit_share);
        let urgent_today = asked_today.saturating_sub(audited_today);
        Self {
            urgent: daily_queries.saturating_sub(kept).saturating_sub(urgent_today),
            audits: kept.saturating_sub(audited_today),
        }
    }

    /// The part of it that a worker may take which has so many of all partitions: together the workers never take more than is left.
    #[must_use]
    pub fn shared(self, owned: usize, all: usize) -> Self {
        let part = |left: u32| {
            let owned = u64::try_from(owned.min(all)).unwrap_or(u64::MAX);
            let all = u64::try_from(all).unwrap_or(u64::MAX);
            let shared = u64::from(left).saturating_mul(owned).checked_div(all);
            shared.map_or(0, |shared| u32::try_from(shared).unwrap_or(left))
        };
        Self {
            urgent: part(self.urgent),
            audits: part(self.audits),
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
