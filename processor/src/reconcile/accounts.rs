//! The contracts: who is asked about parcels, and how each of them stands.

use courierflow_domain::reconcile::Budget;
use courierflow_domain::subscription::Standing;
use courierflow_schemas::records::{Product, Vendor};
use courierflow_schemas::settings::SettingsError;

use super::history::Spent;
use crate::config::Config;
use crate::subscribe::settings::key_of;
use crate::vendor_calls::account::CallAccount;
use crate::vendor_calls::limiter::{Limiter, Limits};

/// A contract that is asked, with its keys.
#[derive(Clone, Debug)]
pub(super) struct Contract {
    pub(super) vendor: Vendor,
    pub(super) name: String,
    pub(super) call: CallAccount,
    /// What its pushes tell, unless a subscription has another product.
    pub(super) product: Product,
    pub(super) audit_per_10000: u32,
    daily_queries: u32,
    audit_share: f64,
    limits: Limits,
}

/// Reads the keys of all accounts that are asked.
pub(super) fn load(config: &Config) -> Result<Vec<Contract>, SettingsError> {
    let contract = |(index, account): (usize, &crate::config::SubscribeAccountSettings)| {
        Ok(Contract {
            vendor: account.vendor,
            name: account.name.clone(),
            call: CallAccount::load_for_queries(account, |name| key_of(index, name))?,
            product: account.product,
            audit_per_10000: account.audit_per_10000,
            daily_queries: account.daily_queries,
            audit_share: account.audit_share,
            limits: account.limits(),
        })
    };
    config.subscribe.queried().map(contract).collect()
}

impl Contract {
    /// `vendor/account`, for people and for the database.
    pub(super) fn label(&self) -> String {
        format!("{}/{}", self.vendor, self.name)
    }

    /// What the owner of these partitions may still spend today. What it has spent on their parcels it knows for certain; what others have,
    /// only as far as it is in the tables, which may be late: so nobody takes more than his part.
    pub(super) fn budget(&self, partitions: &[i32], all: u32, here: Spent, elsewhere: Spent) -> Budget {
        let day = Budget::of_day(self.daily_queries, self.audit_share);
        let part = day.part(partitions, all).after(here.queries, here.audits);
        let rest = day
            .after(here.queries, here.audits)
            .after(elsewhere.queries, elsewhere.audits);
        part.at_most(rest)
    }
}

/// A contract as the worker uses it.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) contract: Contract,
    pub(super) standing: Standing,
    pub(super) limiter: Limiter,
    pub(super) label: String,
}

impl Account {
    pub(super) fn new(contract: &Contract) -> Self {
        Self {
            contract: contract.clone(),
            standing: Standing::default(),
            limiter: Limiter::new(contract.limits),
            label: contract.label(),
        }
    }
}

/// The place of an account in a list of contracts.
pub(super) fn find<'a>(mut contracts: impl Iterator<Item = &'a Contract>, vendor: &str, name: &str) -> Option<usize> {
    contracts.position(|contract| contract.vendor.as_str() == vendor && contract.name == name)
}
