//! What the vendors are told must be what ingest knows: a salt or key of which ingest knows nothing would make it refuse every push.

use std::fmt;
use std::path::Path;

use courierflow_schemas::records::Vendor;
use courierflow_schemas::settings::SettingsError;
use serde::Deserialize;
use serde_json::Value;

use super::settings::{SubscribeSettings, key_of};
use crate::vendor_calls::account::CallAccount;

/// The configuration as far as it is compared here.
#[derive(Deserialize)]
pub(crate) struct WithIngest {
    #[serde(default)]
    pub(crate) ingest: IngestSection,
}

/// `[ingest]`, as it is in the file. It may hold secrets, so it cannot be printed.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct IngestSection(Value);

impl fmt::Debug for IngestSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IngestSection(…)")
    }
}

impl IngestSection {
    /// Compares the account that pushes are to come to with what its vendor is told. Without `ingest.accounts` in the file there is
    /// nothing to compare.
    pub(super) fn check(
        &self,
        settings: &SubscribeSettings,
        index: usize,
        account: &CallAccount,
    ) -> Result<(), SettingsError> {
        let (Some(accounts), Some(own)) = (self.accounts(), settings.accounts.get(index)) else {
            return Ok(());
        };
        let (vendor, name) = (own.vendor, own.name.as_str());
        let is_it =
            |found: &&Value| text(found, "name") == Some(name) && text(found, "vendor") == Some(vendor.as_str());
        let Some(found) = accounts.iter().find(is_it) else {
            let reason = format!("{name:?} is no account of {vendor} in ingest.accounts: its pushes would be refused");
            return Err(SettingsError::key(key_of(index, "name"), reason));
        };
        match vendor {
            Vendor::Kuaidi100 => {
                let known = known(found, "salts", "salt_file")?;
                let salt = account.salt().map(courierflow_schemas::settings::Secret::expose);
                let accepts_unsigned = text(found, "unsigned") == Some("accept");
                match salt {
                    Some(salt) if known.iter().any(|known| known == salt) => Ok(()),
                    None if accepts_unsigned => Ok(()),
                    None => Err(unlike(index, "salt_file", name, "salts", "is missing")),
                    Some(_) => Err(unlike(index, "salt_file", name, "salts", "is none")),
                }
            }
            Vendor::Kdniao => {
                let (business_id, app_key) = account.business();
                if text(found, "business_id") != business_id.map(String::as_str) {
                    return Err(unlike(index, "business_id", name, "business_id", "is not that"));
                }
                let known = known(found, "app_keys", "app_key_file")?;
                let is_known = app_key.is_some_and(|key| known.iter().any(|known| known == key.expose()));
                if is_known {
                    Ok(())
                } else {
                    Err(unlike(index, "app_key_file", name, "app_keys", "is none"))
                }
            }
            Vendor::SeventeenTrack => {
                // The key of the calls signs the pushes.
                let known = known(found, "api_keys", "api_key_file")?;
                let is_known = account
                    .key()
                    .is_some_and(|key| known.iter().any(|known| known == key.expose()));
                let accepts_unsigned = text(found, "unsigned") == Some("accept");
                if is_known || (known.is_empty() && accepts_unsigned) {
                    Ok(())
                } else {
                    Err(unlike(index, "key_file", name, "api_keys", "is none"))
                }
            }
        }
    }

    fn accounts(&self) -> Option<&Vec<Value>> {
        self.0.get("accounts")?.as_array()
    }
}

fn unlike(index: usize, ours: &str, name: &str, theirs: &str, is: &str) -> SettingsError {
    let reason = format!("{is} of ingest.accounts[{name}].{theirs}: every push would be refused");
    SettingsError::key(key_of(index, ours), reason)
}

fn text<'a>(account: &'a Value, name: &str) -> Option<&'a str> {
    account.get(name)?.as_str()
}

/// The values of a key, with those of the file beside it.
fn known(account: &Value, list: &str, file: &str) -> Result<Vec<String>, SettingsError> {
    let written = account.get(list).and_then(Value::as_array);
    let written = written.into_iter().flatten().filter_map(Value::as_str);
    let mut known: Vec<String> = written.map(str::to_owned).collect();
    if let Some(path) = text(account, file) {
        let unread =
            |error: std::io::Error| SettingsError::key(format!("ingest.accounts[].{file}"), format!("{path}: {error}"));
        let lines = std::fs::read_to_string(Path::new(path)).map_err(unread)?;
        known.extend(
            lines
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned),
        );
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::subscribe::accounts;

    /// What is wrong with an account whose key, salt and name are these, beside an account of ingest with two salts.
    fn loaded(salt: &str, name: &str) -> Result<usize, String> {
        let directory = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let file = directory.path().join(file);
            std::fs::write(&file, text).unwrap();
            file.display().to_string()
        };
        let (key, salt, more) = (write("key", "K"), write("salt", salt), write("more", "salt-b\n"));
        let file = write(
            "c.toml",
            &format!(
                r#"
                [[ingest.accounts]]
                name = "demo"
                vendor = "kuaidi100"
                salts = ["salt-a"]
                salt_file = '{more}'
                [[subscribe.accounts]]
                name = "{name}"
                vendor = "kuaidi100"
                api = "kuaidi100_enterprise"
                subscribe_url = "https://poll.example.com/poll"
                callback_base = "http://push.example.com"
                key_file = '{key}'
                salt_file = '{salt}'
                "#
            ),
        );
        let config = Config::load(file.as_ref()).map_err(|error| error.to_string())?;
        let contracts = accounts::load(&config).map_err(|error| error.to_string())?;
        assert!(
            !format!("{config:?} {contracts:?}").contains("salt-"),
            "a secret is printed"
        );
        Ok(contracts.len())
    }

    #[test]
    fn a20_the_key_of_17track_signs_its_pushes() {
        let directory = tempfile::tempdir().unwrap();
        let checked = |keys: &str| {
            let (key, file) = (directory.path().join("key"), directory.path().join("c.toml"));
            std::fs::write(&key, "own").unwrap();
            let text = format!(
                r#"
                [[ingest.accounts]]
                name = "demo"
                vendor = "17track"
                {keys}
                [[subscribe.accounts]]
                name = "demo"
                vendor = "17track"
                api = "17track"
                subscribe_url = "https://api.example.com/track/v2.4"
                key_file = '{}'
                "#,
                key.display()
            );
            std::fs::write(&file, text).unwrap();
            let config = Config::load(&file).map_err(|error| error.to_string())?;
            accounts::load(&config).map(drop).map_err(|error| error.to_string())
        };
        // Its callback address is set in its console, not here.
        assert_eq!(checked(r#"api_keys = ["other", "own"]"#), Ok(()));
        assert_eq!(checked(r#"unsigned = "accept""#), Ok(()));
        let error = checked(r#"api_keys = ["other"]"#).unwrap_err();
        assert!(
            error.starts_with(
                "configuration key subscribe.accounts[0].key_file: is none of ingest.accounts[demo].api_keys: "
            ),
            "{error}"
        );
    }

    #[test]
    fn a20_what_the_vendor_is_told_must_be_known_to_ingest() {
        assert_eq!(loaded("salt-a", "demo"), Ok(1));
        assert_eq!(loaded("salt-b", "demo"), Ok(1));
        for (salt, name, expected) in [
            (
                "salt-c",
                "demo",
                "subscribe.accounts[0].salt_file: is none of ingest.accounts[demo].salts: ",
            ),
            (
                "salt-a",
                "other",
                "subscribe.accounts[0].name: \"other\" is no account of kuaidi100 in ingest.accounts: ",
            ),
        ] {
            let error = loaded(salt, name).unwrap_err();
            assert!(error.starts_with(&format!("configuration key {expected}")), "{error}");
            assert!(!error.contains("salt-c") && error.lines().count() == 1, "{error}");
        }
    }
}
