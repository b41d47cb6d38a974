//! `processor subscriptions`: what people do about subscriptions from the command line. They ask as everybody does, by records on
//! `courier.subscription.request.v1`, and look into the table `subscription`.
//!
//! | room | what |
//! |---|---|
//! | [`mod@file`] | a CSV file → requests, or all of its mistakes |
//! | [`send`] | requests → topic, so many a second |
//! | [`table`] | what the database knows of subscriptions and of open parcels |
//! | [`requeue`] | rows of subscriptions that have ended → requests to begin again |

pub mod file;
pub mod requeue;
pub mod send;
pub mod table;

use courierflow_schemas::identifier::is_name;
use courierflow_vendors::request::account::SubscribeAccounts;
use courierflow_vendors::request::{Asker, Everything};
use jiff::Timestamp;

use crate::config::Config;

/// The accounts that may be asked: those that are called. If none is, the calls are made elsewhere, by another configuration.
pub fn accounts(config: &Config) -> SubscribeAccounts {
    if config.subscribe.is_on() {
        config.subscribe.called_common()
    } else {
        config.subscribe.common()
    }
}

/// Somebody at the command line, who may use every account.
pub fn asker<'a>(config: &Config, accounts: &'a SubscribeAccounts, requester: &'a str, now: Timestamp) -> Asker<'a> {
    Asker {
        name: requester,
        accounts: &accounts.accounts,
        may_use: &Everything,
        carriers: config.carriers,
        now,
    }
}

/// The name of a requester on the command line: 1 to 64 of `A-Z a-z 0-9 . _ -`, as the names of tokens.
pub fn requester(text: &str) -> Result<String, &'static str> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 64 of A-Z a-z 0-9 . _ -")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_that_are_not_called_are_asked_only_if_none_is() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("c.toml");
        let names = |address: &str| {
            let account = |name: &str| {
                format!(
                    "[[subscribe.accounts]]\nname = \"{name}\"\nvendor = \"kuaidi100\"\napi = \"kuaidi100_enterprise\"\n"
                )
            };
            std::fs::write(&file, format!("{}{}{address}", account("checked"), account("called"))).unwrap();
            let accounts = accounts(&Config::load(&file).unwrap()).accounts;
            accounts.into_iter().map(|account| account.name).collect::<Vec<_>>()
        };
        let address =
            "subscribe_url = \"https://poll.example.com/poll\"\ncallback_base = \"https://push.example.com\"\n";
        assert_eq!(names(address), ["called"]);
        assert_eq!(names(""), ["checked", "called"]);
    }
}
