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

use courierflow_vendors::request::account::SubscribeAccounts;
use courierflow_vendors::request::{Asker, Everything};
use jiff::Timestamp;

use crate::config::Config;

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
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 64 of A-Z a-z 0-9 . _ -")
    }
}
