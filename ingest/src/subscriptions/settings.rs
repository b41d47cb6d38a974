//! `[ingest.subscriptions]`: the second listener, and who may ask there.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use courierflow_schemas::identifier::is_name;
use courierflow_schemas::records::Vendor;
use courierflow_schemas::settings::{Secret, SettingsError, require, secrets_from_file, text};
use courierflow_service::bearer;
use courierflow_vendors::request::account::SubscribeAccounts;
use serde::Deserialize;

use super::tokens::{Token, Tokens};

/// Requests without a valid token are counted under this name, so no token may have it.
pub(crate) const NOBODY: &str = "unknown";

/// `[ingest.subscriptions]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SubscriptionsSettings {
    /// Address and port for requests for subscriptions. Default none: nobody can ask over HTTP.
    pub listen: Option<SocketAddr>,
    /// Open connections there, as `ingest.max_connections`. Default 256.
    pub max_connections: usize,
    /// Who may ask; at least one if there is an address.
    pub tokens: Vec<TokenSettings>,
}

impl Default for SubscriptionsSettings {
    fn default() -> Self {
        Self {
            listen: None,
            max_connections: 256,
            tokens: Vec::new(),
        }
    }
}

/// `[[ingest.subscriptions.tokens]]`: somebody who may ask.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSettings {
    /// Who asks: the requester of the records, and a label of metrics. 1 to 64 of `A-Z a-z 0-9 . _ -`; unique.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// A file with the token, at least 32 characters. Several lines are several tokens that are all valid, so that one can be
    /// replaced without a pause.
    pub token_file: PathBuf,
    /// The accounts that it may use, as `vendor/name`; at least one.
    pub accounts: Vec<String>,
    /// Items a minute that it may ask for; further ones are answered 429. Default 600.
    #[serde(default = "items_per_minute")]
    pub rate_per_minute: u32,
    /// What `token_file` holds.
    #[serde(skip)]
    pub tokens: Vec<Secret>,
}

const fn items_per_minute() -> u32 {
    600
}

impl SubscriptionsSettings {
    /// Reads the token files, if anybody can ask at all.
    pub(crate) fn read_files(&mut self) -> Result<(), SettingsError> {
        if self.listen.is_none() {
            return Ok(());
        }
        for (index, token) in self.tokens.iter_mut().enumerate() {
            token.tokens = secrets_from_file(&key(index, "token_file"), &token.token_file)?;
        }
        Ok(())
    }

    /// Those who may ask, checked. Nobody if there is no address.
    pub fn tokens(&self, accounts: &SubscribeAccounts) -> Result<Tokens, SettingsError> {
        if self.listen.is_none() {
            return Ok(Tokens::default());
        }
        require(
            self.max_connections >= 1,
            "ingest.subscriptions.max_connections",
            "must be at least 1",
        )?;
        require(
            !self.tokens.is_empty(),
            "ingest.subscriptions.tokens",
            "must name at least one token: without it nobody could ask",
        )?;
        let mut tokens = Tokens::default();
        for (index, settings) in self.tokens.iter().enumerate() {
            let token = settings.token(index, accounts)?;
            let name = token.name.clone();
            if tokens.has_name(&name) {
                return Err(SettingsError::key(
                    key(index, "name"),
                    format!("there are two tokens {name:?}"),
                ));
            }
            if !tokens.insert(token) {
                return Err(SettingsError::key(
                    key(index, "token_file"),
                    "holds a token that is there already",
                ));
            }
        }
        Ok(tokens)
    }
}

impl TokenSettings {
    fn token(&self, index: usize, accounts: &SubscribeAccounts) -> Result<Token, SettingsError> {
        require(
            is_name(&self.name),
            &key(index, "name"),
            "must be 1 to 64 of A-Z a-z 0-9 . _ -",
        )?;
        require(
            self.name != NOBODY,
            &key(index, "name"),
            "stands for requests without a token",
        )?;
        require(
            bearer::are_tokens(&self.tokens),
            &key(index, "token_file"),
            bearer::NO_TOKENS,
        )?;
        let rate = NonZeroU32::new(self.rate_per_minute)
            .ok_or_else(|| SettingsError::key(key(index, "rate_per_minute"), "must be at least 1"))?;
        let accounts = self.accounts(index, accounts)?;
        Ok(Token::new(self.name.clone(), &self.tokens, accounts, rate))
    }

    fn accounts(&self, index: usize, known: &SubscribeAccounts) -> Result<HashSet<(Vendor, String)>, SettingsError> {
        require(
            !self.accounts.is_empty(),
            &key(index, "accounts"),
            "must name at least one account, as vendor/name",
        )?;
        let mut accounts = HashSet::new();
        for (place, account) in self.accounts.iter().enumerate() {
            let key = format!("{}[{place}]", key(index, "accounts"));
            let parts = account
                .split_once('/')
                .map(|(vendor, name)| (vendor.parse::<Vendor>(), name));
            let Some((Ok(vendor), name)) = parts else {
                return Err(SettingsError::key(key, format!("{account:?} is not vendor/name")));
            };
            require(
                known.get(vendor, name).is_some(),
                &key,
                format!("{account:?} is none of [[subscribe.accounts]]"),
            )?;
            accounts.insert((vendor, name.to_owned()));
        }
        Ok(accounts)
    }
}

fn key(index: usize, name: &str) -> String {
    format!("ingest.subscriptions.tokens[{index}].{name}")
}
