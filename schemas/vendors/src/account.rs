//! Accounts: one contract with a vendor each, named by the last path segment of the callback URL, and the decision whether
//! a push may come in under it.

use std::collections::HashMap;

use courierflow_schemas::records::{Signature, Vendor};
use courierflow_schemas::settings::Secret;
use serde::Deserialize;

/// What happens to pushes without a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unsigned {
    /// 401, nothing is stored.
    Reject,
    /// Stored with `signature = UNSIGNED`, for subscriptions that were made without a secret.
    Accept,
}

/// One vendor contract, its secrets read.
#[derive(Clone, Debug)]
pub struct Account {
    /// Last path segment of the callback URL.
    pub name: String,
    /// Whose pushes these are.
    pub vendor: Vendor,
    /// Kdniao's `EBusinessID` that our answers carry; empty for Kuaidi100.
    pub business_id: String,
    /// Salts or app keys; any of them verifies, so that one can be replaced without losing pushes.
    pub secrets: Vec<Secret>,
    /// For pushes without a signature.
    pub unsigned: Unsigned,
}

/// No signature, or a wrong one, where one is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unauthorized;

impl Account {
    /// Rule 40. `presented` is the signature of the push, if it has one; `verifies` tells whether it was made with a secret.
    pub fn authenticate(
        &self,
        presented: Option<&[u8]>,
        verifies: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Result<Signature, Unauthorized> {
        // A Kuaidi100 subscription with an empty salt sends MD5(param), which anybody can make: no secret, no signature.
        let presented = presented.filter(|signature| !signature.is_empty() && !self.secrets.is_empty());
        match presented {
            Some(signature) => {
                let mut secrets = self.secrets.iter().map(|secret| secret.expose().as_bytes());
                if secrets.any(|secret| verifies(signature, secret)) {
                    Ok(Signature::Verified)
                } else {
                    Err(Unauthorized)
                }
            }
            None => match self.unsigned {
                Unsigned::Accept => Ok(Signature::Unsigned),
                Unsigned::Reject => Err(Unauthorized),
            },
        }
    }
}

/// All accounts, found by vendor and name.
#[derive(Debug, Default)]
pub struct Accounts {
    kuaidi100: HashMap<String, Account>,
    kdniao: HashMap<String, Account>,
}

impl Accounts {
    /// An account, if there is one of that name.
    pub fn get(&self, vendor: Vendor, name: &str) -> Option<&Account> {
        match vendor {
            Vendor::Kuaidi100 => self.kuaidi100.get(name),
            Vendor::Kdniao => self.kdniao.get(name),
        }
    }

    /// Adds an account; false if there was one of that vendor and name.
    pub fn insert(&mut self, account: Account) -> bool {
        let accounts = match account.vendor {
            Vendor::Kuaidi100 => &mut self.kuaidi100,
            Vendor::Kdniao => &mut self.kdniao,
        };
        accounts.insert(account.name.clone(), account).is_none()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.kuaidi100.len() + self.kdniao.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, secrets, for unsigned pushes, signature, outcome.
    type Case<'a> = (
        &'a str,
        &'a [&'a str],
        Unsigned,
        Option<&'a [u8]>,
        Result<Signature, Unauthorized>,
    );

    #[test]
    fn rule_40_unsigned_on_reject_and_signed_on_accept() {
        let secrets = |names: &[&str]| names.iter().copied().map(Secret::new).collect::<Vec<_>>();
        let account = |secrets: Vec<Secret>, unsigned| Account {
            name: "a".to_owned(),
            vendor: Vendor::Kuaidi100,
            business_id: String::new(),
            secrets,
            unsigned,
        };
        // A signature verifies if it is the secret itself.
        let verifies = |signature: &[u8], secret: &[u8]| signature == secret;
        let cases: [Case<'_>; 10] = [
            ("right", &["s"], Unsigned::Reject, Some(b"s"), Ok(Signature::Verified)),
            (
                "right, older secret",
                &["t", "s"],
                Unsigned::Reject,
                Some(b"s"),
                Ok(Signature::Verified),
            ),
            ("wrong", &["s"], Unsigned::Reject, Some(b"x"), Err(Unauthorized)),
            ("none", &["s"], Unsigned::Reject, None, Err(Unauthorized)),
            ("empty", &["s"], Unsigned::Reject, Some(b""), Err(Unauthorized)),
            (
                "right where none is needed",
                &["s"],
                Unsigned::Accept,
                Some(b"s"),
                Ok(Signature::Verified),
            ),
            (
                "wrong where none is needed",
                &["s"],
                Unsigned::Accept,
                Some(b"x"),
                Err(Unauthorized),
            ),
            (
                "empty where none is needed",
                &["s"],
                Unsigned::Accept,
                Some(b""),
                Ok(Signature::Unsigned),
            ),
            (
                "none where none is needed",
                &["s"],
                Unsigned::Accept,
                None,
                Ok(Signature::Unsigned),
            ),
            (
                "any sign without secrets",
                &[],
                Unsigned::Accept,
                Some(b"x"),
                Ok(Signature::Unsigned),
            ),
        ];
        for (name, names, unsigned, presented, expected) in cases {
            let account = account(secrets(names), unsigned);
            assert_eq!(account.authenticate(presented, verifies), expected, "{name}");
        }
    }
}
