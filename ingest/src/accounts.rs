//! All accounts of the service, found by vendor and name.

use std::collections::HashMap;

use courierflow_schemas::records::{Signature, Vendor};
use courierflow_vendors::account::Account;
use courierflow_vendors::reference::References;

use crate::answer::Refusal;
use crate::push_limit::PushLimit;

/// All accounts.
#[derive(Debug, Default)]
pub struct Accounts {
    all: Vec<Registered>,
    by_vendor: HashMap<Vendor, HashMap<String, usize>>,
}

/// An account of this service.
#[derive(Debug)]
pub struct Registered {
    /// The contract with the vendor.
    pub account: Account,
    /// How many pushes it may send; `None` for any number.
    pub limit: Option<PushLimit>,
    /// Where its pushes name the subscriber's order; `None` if that is not looked for.
    pub references: Option<References>,
    /// Its place among all accounts, from 0 in the order of the configuration.
    pub index: usize,
}

impl Registered {
    /// Takes an authenticated push off what the account may send.
    pub fn take(&self, signature: Signature) -> Result<(), Refusal> {
        match &self.limit {
            Some(limit) => limit
                .take(signature)
                .map_err(|retry_after| Refusal::OverLimit { retry_after }),
            None => Ok(()),
        }
    }
}

impl Accounts {
    /// The account of a vendor with this name, if it exists.
    pub fn get(&self, vendor: Vendor, name: &str) -> Option<&Registered> {
        self.all.get(*self.by_vendor.get(&vendor)?.get(name)?)
    }

    /// Adds an account; false if the vendor already has one with its name.
    pub fn insert(&mut self, account: Account, limit: Option<PushLimit>, references: Option<References>) -> bool {
        let of_vendor = self.by_vendor.entry(account.vendor).or_default();
        let index = self.all.len();
        if of_vendor.contains_key(&account.name) {
            return false;
        }
        of_vendor.insert(account.name.clone(), index);
        self.all.push(Registered {
            account,
            limit,
            references,
            index,
        });
        true
    }

    /// Each of them, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.all.iter().map(|registered| &registered.account)
    }

    /// The same with what this service knows of them.
    pub fn registered(&self) -> impl Iterator<Item = &Registered> {
        self.all.iter()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.all.len()
    }

    /// True if there are no accounts.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}
