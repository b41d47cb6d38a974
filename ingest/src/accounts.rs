//! All accounts of the service, found by vendor and name.

use std::collections::HashMap;

use courierflow_schemas::records::Vendor;
use courierflow_vendors::account::Account;

/// All accounts.
#[derive(Debug, Default)]
pub struct Accounts {
    by_vendor: HashMap<Vendor, HashMap<String, Account>>,
}

impl Accounts {
    /// The account of a vendor with this name, if it exists.
    pub fn get(&self, vendor: Vendor, name: &str) -> Option<&Account> {
        self.by_vendor.get(&vendor)?.get(name)
    }

    /// Adds an account; false if the vendor already has one with its name.
    pub fn insert(&mut self, account: Account) -> bool {
        let accounts = self.by_vendor.entry(account.vendor).or_default();
        accounts.insert(account.name.clone(), account).is_none()
    }

    /// Each of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.by_vendor.values().flat_map(HashMap::values)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_vendor.values().map(HashMap::len).sum()
    }

    /// True if there are no accounts.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
