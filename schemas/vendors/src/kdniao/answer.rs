//! Answers to Kdniao: always the same four keys, with the time in China. Kdniao compares keys case-sensitively.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::account::Account;
use crate::local_time::CHINA;
use crate::{Refusal, answer};

pub(super) fn accepted(account: &Account, now: Timestamp) -> Vec<u8> {
    body(Some(account), now, true, "")
}

/// Rule 2.7.
pub(super) fn refused(account: Option<&Account>, now: Timestamp, refusal: Refusal<'_>) -> Vec<u8> {
    body(account, now, false, refusal.text)
}

fn body(account: Option<&Account>, now: Timestamp, success: bool, reason: &str) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer<'a> {
        #[serde(rename = "EBusinessID")]
        business_id: &'a str,
        update_time: String,
        success: bool,
        reason: &'a str,
    }
    answer::json(&Answer {
        business_id: account.map_or("", |account| &account.contract_id),
        update_time: now
            .to_zoned(TimeZone::fixed(CHINA))
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        success,
        reason,
    })
}
