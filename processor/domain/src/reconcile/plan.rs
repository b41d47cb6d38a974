//! The queries to make now.

use std::collections::{BTreeMap, BTreeSet};

use courierflow_schemas::records::{TimestampMicros, Vendor};

use super::budget::Budget;
use super::class::Class;
use super::due::{self, Delays};
use super::limits::{Asked, Limits};

/// A parcel for which the condition of a class holds. One parcel may be a candidate of several classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The vendor to ask.
    pub vendor: Vendor,
    /// The account to ask with.
    pub account: String,
    /// The parcel.
    pub tracking_number: String,
    /// The vendor's code of its carrier; empty if it is not known.
    pub vendor_carrier: String,
    /// Whether the carrier wants a telephone number that is not known.
    pub lacks_phone: bool,
    /// Why.
    pub class: Class,
    /// What the delays of the class are counted from: the end of the gap, the end of the subscription, its last success, the beginning of
    /// FALLBACK or QUOTA, the moment at which the parcel became overdue, the moment of the audit.
    pub since: TimestampMicros,
    /// Queries for this very reason: of its class, not before `since`.
    pub asked_for_this: u32,
    /// All queries of the number at this account.
    pub asked: Asked,
}

/// A query to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The vendor.
    pub vendor: Vendor,
    /// The account.
    pub account: String,
    /// The vendor's code of the carrier.
    pub vendor_carrier: String,
    /// The parcel.
    pub tracking_number: String,
    /// Why.
    pub class: Class,
}

/// Delays and limits, from the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// When each class is due.
    pub delays: Delays,
    /// What each number may be asked.
    pub limits: Limits,
}

/// What is to be asked now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The most urgent first.
    pub queries: Vec<Query>,
    /// Candidates that are due and may be asked, but for which no budget is left.
    pub unserved: BTreeMap<Class, u32>,
}

/// A vendor and one of its accounts.
type Contract<'a> = (Vendor, &'a str);

/// Chooses the queries to make now, and takes them from `budgets`. An account without a budget asks nothing.
pub fn plan(
    candidates: &[Candidate],
    budgets: &mut BTreeMap<(Vendor, String), Budget>,
    now: TimestampMicros,
    terms: &Terms,
) -> Plan {
    let mut due: Vec<(Class, TimestampMicros, &Candidate)> = candidates
        .iter()
        .filter(|candidate| may_be_asked(candidate, now, terms))
        .filter_map(|candidate| {
            let due_at = due::due_at(candidate, &terms.delays).filter(|due| *due <= now)?;
            Some((candidate.class, due_at, candidate))
        })
        .collect();
    // The number last, so that the order never depends on that of the rows.
    due.sort_by(|(class, due_at, a), (other_class, other_due_at, b)| {
        (class, due_at, &a.tracking_number).cmp(&(other_class, other_due_at, &b.tracking_number))
    });
    let mut planned: BTreeSet<(Contract<'_>, &str)> = BTreeSet::new();
    let mut unserved: BTreeSet<(Contract<'_>, &str, Class)> = BTreeSet::new();
    let mut plan = Plan::default();
    for (class, _, candidate) in due {
        let contract = (candidate.vendor, candidate.account.as_str());
        let number = (contract, candidate.tracking_number.as_str());
        if planned.contains(&number) {
            continue;
        }
        let budget = budgets.get_mut(&(candidate.vendor, candidate.account.clone()));
        if budget.is_some_and(|budget| budget.take(class)) {
            planned.insert(number);
            plan.queries.push(query(candidate));
        } else {
            unserved.insert((contract, candidate.tracking_number.as_str(), class));
        }
    }
    // One query serves all classes of its number.
    for (contract, number, class) in unserved {
        if !planned.contains(&(contract, number)) {
            let count = plan.unserved.entry(class).or_default();
            *count = count.saturating_add(1);
        }
    }
    plan
}

fn may_be_asked(candidate: &Candidate, now: TimestampMicros, terms: &Terms) -> bool {
    // A query without a carrier makes the vendor guess, and one without the telephone number is refused; both are billed.
    let is_complete = !candidate.vendor_carrier.is_empty() && !candidate.lacks_phone;
    is_complete && terms.limits.allow(&candidate.asked, now)
}

fn query(candidate: &Candidate) -> Query {
    Query {
        vendor: candidate.vendor,
        account: candidate.account.clone(),
        vendor_carrier: candidate.vendor_carrier.clone(),
        tracking_number: candidate.tracking_number.clone(),
        class: candidate.class,
    }
}
