//! Accounts and the authentication of pushes. An account is a contract with a vendor; its name is the last path segment of
//! the callback URL.

use std::collections::BTreeMap;

use courierflow_schemas::records::{Signature, Vendor};
use courierflow_schemas::settings::Secret;
use serde::Deserialize;

/// What happens to pushes without a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unsigned {
    /// 401, nothing is stored.
    Reject,
    /// Stored with `signature = UNSIGNED`, for subscriptions without a secret.
    Accept,
}

/// A vendor contract, with its secrets.
#[derive(Clone, Debug)]
pub struct Account {
    /// Last path segment of the callback URL.
    pub name: String,
    /// The vendor that sends the pushes.
    pub vendor: Vendor,
    /// The contract's id at the vendor if answers contain it; else empty.
    pub contract_id: String,
    /// The secrets. A signature with any of them is valid, so that a secret can be replaced without losing pushes.
    pub secrets: Vec<Secret>,
    /// What to do with pushes without a signature.
    pub unsigned: Unsigned,
    /// Whether a push that only ends the tracking of a parcel is accepted without a signature, regardless of
    /// `unsigned`.
    pub unsigned_end: bool,
}

/// No signature, or a wrong one, where one is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unauthorized;

impl Account {
    /// Rule 2.4. `presented` is the signature of the push, if it has one; `verifies` tells whether a signature was made
    /// with a secret.
    pub fn authenticate(
        &self,
        presented: Option<&[u8]>,
        verifies: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Result<Signature, Unauthorized> {
        // With an empty secret the signature is a plain hash of the text, which anybody can make, so an account without secrets
        // ignores it.
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

/// A value of an account's settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError {
    /// Name of the key.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

impl KeyError {
    fn new(key: &str, reason: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            reason: reason.into(),
        }
    }
}

/// The value of such a key. Only the vendor's code knows whether it is a secret, so all are treated as secrets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum KeyValue {
    /// A text or a number.
    One(Secret),
    /// A list of them.
    Many(Vec<Secret>),
}

/// The vendor-specific keys of an account. The vendor's code takes all keys that it knows before it refuses any; a key that is
/// left over is a mistake in the settings.
#[derive(Debug)]
pub struct AccountKeys {
    left: BTreeMap<String, KeyValue>,
    known: Vec<String>,
}

impl AccountKeys {
    /// Keys with their values. Keys that end in `_file` must already be resolved: the caller reads the file and adds its
    /// lines to the key that the file stands for.
    pub fn new(values: BTreeMap<String, KeyValue>) -> Self {
        Self {
            left: values,
            known: Vec::new(),
        }
    }

    /// The keys that the vendor has taken so far.
    pub fn known(&self) -> &[String] {
        &self.known
    }

    /// The key that `name` is a file for: `salt_file` holds further `salts`, one per line.
    pub fn of_file(name: &str) -> Option<String> {
        name.strip_suffix("_file").map(|what| format!("{what}s"))
    }

    fn take(&mut self, name: &str) -> Option<KeyValue> {
        self.known.push(name.to_owned());
        self.left.remove(name)
    }

    /// Takes a required text.
    pub fn text(&mut self, name: &str) -> Result<String, KeyError> {
        match self.take(name) {
            Some(KeyValue::One(text)) if !text.expose().is_empty() => Ok(text.expose().to_owned()),
            Some(KeyValue::Many(_)) => Err(KeyError::new(name, "must be one value")),
            _ => Err(KeyError::new(name, "is missing: answers to this vendor carry it")),
        }
    }

    /// Takes one of a few words; the first of them if the key is missing.
    pub fn word<'w>(&mut self, name: &str, words: &[&'w str]) -> Result<&'w str, KeyError> {
        let value = self.take(name);
        let found = match &value {
            None => words.first().copied(),
            Some(KeyValue::One(value)) => words.iter().copied().find(|word| *word == value.expose()),
            Some(KeyValue::Many(_)) => None,
        };
        found.ok_or_else(|| KeyError::new(name, format!("must be one of {}", words.join(", "))))
    }

    /// Takes the secrets of the account: none may be empty, and at least one is required unless unsigned pushes are
    /// accepted.
    pub fn secrets(&mut self, name: &str, unsigned: Unsigned) -> Result<Vec<Secret>, KeyError> {
        let value = self.take(name);
        if let Some(what) = name.strip_suffix('s') {
            self.known.push(format!("{what}_file"));
        }
        let secrets = match value {
            None => Vec::new(),
            Some(KeyValue::Many(secrets)) => secrets,
            Some(KeyValue::One(_)) => return Err(KeyError::new(name, "must be a list")),
        };
        if secrets.iter().any(|secret| secret.expose().is_empty()) {
            return Err(KeyError::new(name, "has an empty secret: anybody could sign with it"));
        }
        if secrets.is_empty() && unsigned == Unsigned::Reject {
            return Err(KeyError::new(
                name,
                "must not be empty with unsigned = \"reject\": no push could come in",
            ));
        }
        Ok(secrets)
    }

    /// Refuses keys that were not taken.
    pub fn finish(self) -> Result<(), KeyError> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => {
                let known = self.known.join(", ");
                Err(KeyError::new(
                    name,
                    format!("is no key of this vendor's accounts, which have {known}"),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, secrets, policy for unsigned pushes, signature, outcome.
    type Case<'a> = (
        &'a str,
        &'a [&'a str],
        Unsigned,
        Option<&'a [u8]>,
        Result<Signature, Unauthorized>,
    );

    #[test]
    fn rule_2_4_unsigned_on_reject_and_signed_on_accept() {
        let secrets = |names: &[&str]| names.iter().copied().map(Secret::new).collect::<Vec<_>>();
        let account = |secrets: Vec<Secret>, unsigned| Account {
            name: "a".to_owned(),
            vendor: Vendor::Kuaidi100,
            contract_id: String::new(),
            secrets,
            unsigned,
            unsigned_end: false,
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

    fn keys(list: &[(&str, &[&str])]) -> AccountKeys {
        let many = |texts: &&[&str]| KeyValue::Many(texts.iter().copied().map(Secret::new).collect());
        AccountKeys::new(
            list.iter()
                .map(|(name, texts)| ((*name).to_owned(), many(texts)))
                .collect(),
        )
    }

    #[test]
    fn what_a_vendor_does_not_know_is_refused_by_name() {
        let mut of_vendor = keys(&[("salts", &["s"]), ("colour", &["red"])]);
        assert_eq!(
            of_vendor
                .secrets("salts", Unsigned::Reject)
                .map(|secrets| secrets.len()),
            Ok(1)
        );
        let error = of_vendor.finish().unwrap_err();
        assert_eq!(
            (error.key.as_str(), error.reason.as_str()),
            (
                "colour",
                "is no key of this vendor's accounts, which have salts, salt_file"
            )
        );
    }

    #[test]
    fn an_account_that_nobody_can_push_to_or_everybody_can_sign_for_is_refused() {
        let secrets = |list: &[(&str, &[&str])], unsigned| keys(list).secrets("salts", unsigned);
        assert!(secrets(&[], Unsigned::Reject).is_err());
        assert!(secrets(&[("salts", &[])], Unsigned::Reject).is_err());
        assert!(secrets(&[("salts", &["s", ""])], Unsigned::Accept).is_err());
        assert_eq!(secrets(&[("salts", &[])], Unsigned::Accept), Ok(vec![]));
    }

    #[test]
    fn a_text_is_one_value_and_a_word_one_of_a_few() {
        let of = |value: Option<KeyValue>| {
            AccountKeys::new(value.map(|value| ("key".to_owned(), value)).into_iter().collect())
        };
        let one = |text: &str| Some(KeyValue::One(Secret::new(text)));
        let many = || Some(KeyValue::Many(vec![Secret::new("a")]));
        assert_eq!(of(one("7")).text("key"), Ok("7".to_owned()));
        for value in [None, one(""), many()] {
            assert!(of(value).text("key").is_err());
        }
        let words = ["reject", "accept"];
        assert_eq!(of(None).word("key", &words), Ok("reject"));
        assert_eq!(of(one("accept")).word("key", &words), Ok("accept"));
        for value in [one("maybe"), many()] {
            assert!(of(value).word("key", &words).is_err());
        }
    }
}
