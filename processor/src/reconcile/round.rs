//! From the rows of ClickHouse to the queries to make now.

use std::collections::{BTreeMap, HashSet};

use courierflow_domain::reconcile::{Budget, Candidate, Class, Plan, Terms, audit_moment, is_audited, plan};
use courierflow_schemas::carriers::{Carriers, Named};
use courierflow_schemas::partition;
use courierflow_schemas::records::{Product, Subscription, TimestampMicros, Vendor};
use courierflow_vendors::api::phone;

use super::accounts::{self, Contract};
use super::calls::Queued;
use super::candidates::{Found, Kind, ParcelRow, Scope};
use super::history::History;
use super::secrets::Secrets;

/// What a round is decided by.
pub(super) struct Round<'a> {
    pub(super) contracts: Vec<&'a Contract>,
    pub(super) history: &'a History,
    pub(super) secrets: &'a Secrets,
    /// Parcels, with their carrier, for which no request can be written.
    pub(super) impossible: &'a HashSet<(String, String)>,
    pub(super) carriers: &'a Carriers,
    pub(super) terms: &'a Terms,
    /// An audit whose moment is longer ago is not made up for.
    pub(super) audit_within_micros: i64,
}

/// What a round decided.
#[derive(Debug, Default)]
pub(super) struct Decided {
    /// Queries with their accounts, the most urgent first.
    pub(super) queries: Vec<(usize, Queued)>,
    /// Candidates that are due and may be asked, and for which no budget is left.
    pub(super) unserved: BTreeMap<Class, u32>,
    /// By account, what will be left when the queries are made.
    pub(super) left: Vec<u32>,
}

/// What the planner does not need and the call does.
struct Detail {
    account: usize,
    carrier: String,
    product: Product,
    round: u16,
}

type Details = BTreeMap<(Vendor, String, String), Detail>;

impl Round<'_> {
    /// The queries to make now.
    pub(super) fn decide(&self, found: &Found, scope: &Scope) -> Decided {
        let mut details = Details::new();
        let mut candidates = Vec::new();
        for (kind, rows) in &found.parcels {
            let of_kind = rows
                .iter()
                .filter_map(|row| self.candidate(*kind, row, scope, &mut details));
            candidates.extend(of_kind);
        }
        let mut budgets = self.budgets(found, scope);
        let Plan { queries, unserved } = plan(&candidates, &mut budgets, scope.now, self.terms);
        let partitions = i32::try_from(scope.all).unwrap_or(i32::MAX);
        let queued = |query: courierflow_domain::reconcile::Query| {
            let key = (query.vendor, query.account.clone(), query.tracking_number.clone());
            let Detail {
                account,
                carrier,
                product,
                round,
            } = details.remove(&key)?;
            let queued = Queued {
                partition: partition::of_key(query.tracking_number.as_bytes(), partitions),
                query,
                carrier,
                product,
                round,
                attempt: 1,
                not_before: None,
            };
            Some((account, queued))
        };
        let left = |contract: &&Contract| {
            let key = (contract.vendor, contract.name.clone());
            budgets.get(&key).copied().unwrap_or_default().queries()
        };
        Decided {
            left: self.contracts.iter().map(left).collect(),
            queries: queries.into_iter().filter_map(queued).collect(),
            unserved,
        }
    }

    fn candidate(&self, kind: Kind, row: &ParcelRow, scope: &Scope, details: &mut Details) -> Option<Candidate> {
        let account = accounts::find(self.contracts.iter().copied(), &row.vendor, &row.account)?;
        let contract = self.contracts.get(account)?;
        let since = TimestampMicros(row.since);
        let (class, since) = match kind {
            Kind::Class(class) => (class, since),
            Kind::AuditUnderWay => (
                Class::Audit,
                audit_moment(&row.tracking_number, since, &self.terms.delays),
            ),
        };
        if class == Class::Audit && !self.is_to_be_audited(contract, &row.tracking_number, since, scope.now) {
            return None;
        }
        let partitions = i32::try_from(scope.all).unwrap_or(i32::MAX);
        let partition = partition::of_key(row.tracking_number.as_bytes(), partitions);
        let key = Subscription::key(&row.vendor, &row.account, &row.tracking_number);
        let vendor_carrier = self.vendor_carrier(contract.vendor, row);
        if self.impossible.contains(&(key.clone(), vendor_carrier.clone())) {
            return None;
        }
        let asked = self
            .history
            .asked(partition, &key, &vendor_carrier, scope.day, row.asked_before);
        let has_phone = self
            .secrets
            .get(partition, &key)
            .is_some_and(|secret| secret.phone.is_some());
        let detail = Detail {
            account,
            carrier: row.carrier.clone(),
            product: product(&row.product).unwrap_or(contract.product),
            round: u16::try_from(asked.in_all).unwrap_or(u16::MAX).saturating_add(1),
        };
        details.insert(
            (contract.vendor, contract.name.clone(), row.tracking_number.clone()),
            detail,
        );
        Some(Candidate {
            vendor: contract.vendor,
            account: contract.name.clone(),
            tracking_number: row.tracking_number.clone(),
            vendor_carrier,
            lacks_phone: phone::is_needed(&row.carrier) && !has_phone,
            class,
            since,
            asked_for_this: self.history.answered_for(partition, &key, class.reason(), since),
            asked,
        })
    }

    fn is_to_be_audited(
        &self,
        contract: &Contract,
        number: &str,
        moment: TimestampMicros,
        now: TimestampMicros,
    ) -> bool {
        is_audited(number, contract.audit_per_10000) && moment.0.saturating_add(self.audit_within_micros) >= now.0
    }

    /// The subscription knows it; otherwise it is the usual code of the carrier, if there is one.
    fn vendor_carrier(&self, vendor: Vendor, row: &ParcelRow) -> String {
        if !row.vendor_carrier.is_empty() {
            return row.vendor_carrier.clone();
        }
        match self.carriers.named(vendor, &row.carrier) {
            Named::One(carrier) => carrier.written().into_owned(),
            Named::Several | Named::Unknown => String::new(),
        }
    }

    /// What this worker may spend of each account's day.
    fn budgets(&self, found: &Found, scope: &Scope) -> BTreeMap<(Vendor, String), Budget> {
        let budget = |contract: &&Contract| {
            let here = self.history.spent(contract.vendor, &contract.name, scope.day);
            let elsewhere = found
                .spent_elsewhere
                .get(&contract.label())
                .copied()
                .unwrap_or_default();
            let left = contract.budget(&scope.partitions, scope.all, here, elsewhere);
            ((contract.vendor, contract.name.clone()), left)
        };
        self.contracts.iter().map(budget).collect()
    }
}

fn product(name: &str) -> Option<Product> {
    let mut all = Product::ALL.iter().copied();
    all.find(|product| product.as_str() == name && *product != Product::Other)
}
