//! Which account is asked: the one that is named, or the first one, in the order of the configuration, that takes the parcel.

use courierflow_schemas::carriers::{Carrier, Named};
use courierflow_schemas::records::Vendor;

use super::Asker;
use super::account::{SubscribeAccount, detects_carriers};
use super::error::{Code, ItemError};
use super::item::Members;

/// What a request says about who shall be asked.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The vendor; `None` for any.
    pub vendor: Option<Vendor>,
    /// The account; `None` for any.
    pub account: Option<&'a str>,
    /// Canonical code or the vendor's own; `None` to have it detected.
    pub carrier: Option<&'a str>,
    /// Both ends are told.
    pub international: bool,
}

/// The account that is asked.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The account.
    pub account: &'a SubscribeAccount,
    /// Canonical code of the carrier; `None` if it is to be detected.
    pub carrier: Option<&'a str>,
}

/// The account that is asked, or why there is none.
pub fn route<'a>(asker: &Asker<'a>, wish: &Wish<'_>) -> Result<Target<'a>, ItemError> {
    let mut refused = None;
    let mut accounts = named(asker, wish.vendor, wish.account)?;
    // Where no account is called, requests are only checked and stored. Where some are, one that is not would have them rejected.
    if wish.account.is_none() && asker.accounts.iter().any(|account| account.is_called) {
        accounts.retain(|account| account.is_called);
    }
    for account in accounts {
        match target(asker, account, wish) {
            Ok(target) => return Ok(target),
            // The reason of the first account, which is the one that was most probably meant.
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| Code::UnknownVendor.at("vendor")))
}

/// The vendor that a request names.
pub(super) fn vendor(members: &Members<'_>) -> Result<Option<Vendor>, ItemError> {
    let name = members.text("vendor", Code::UnknownVendor)?;
    let vendor = name.map(str::parse).transpose();
    vendor.map_err(|_| Code::UnknownVendor.at("vendor"))
}

/// The accounts that may be meant, at least one.
pub(super) fn named<'a>(
    asker: &Asker<'a>,
    vendor: Option<Vendor>,
    name: Option<&str>,
) -> Result<Vec<&'a SubscribeAccount>, ItemError> {
    let of_vendor = |account: &&SubscribeAccount| vendor.is_none_or(|vendor| account.vendor == vendor);
    let of_name = |account: &&SubscribeAccount| name.is_none_or(|name| account.name == name);
    let mut accounts: Vec<&SubscribeAccount> = asker.accounts.iter().filter(of_vendor).filter(of_name).collect();
    if accounts.is_empty() {
        return Err(match name {
            Some(_) => Code::UnknownAccount.at("account"),
            None => Code::UnknownVendor.at("vendor"),
        });
    }
    accounts.retain(|account| asker.may_use.may_use(account.vendor, &account.name));
    match (accounts.as_slice(), name) {
        ([], Some(_)) => Err(Code::ForeignAccount.at("account")),
        ([], None) => Err(Code::UnknownVendor.at("vendor")),
        ([_, _, ..], Some(_)) => {
            Err(Code::UnknownAccount.says("account", "is one of several vendors: name the vendor"))
        }
        _ => Ok(accounts),
    }
}

fn target<'a>(asker: &Asker<'a>, account: &'a SubscribeAccount, wish: &Wish<'_>) -> Result<Target<'a>, ItemError> {
    let row = match wish.carrier {
        Some(carrier) => Some(row(asker, account.vendor, carrier)?),
        None if detects_carriers(account.api) => None,
        None => {
            return Err(Code::UnknownCarrier.says("carrier", "cannot be detected by this API: name it"));
        }
    };
    if !account.takes(row.map(|row| (row.code.as_str(), row.carrier.as_str()))) {
        return Err(Code::UnknownCarrier.at("carrier"));
    }
    if wish.international && !account.international {
        let message = "the account does not take international parcels";
        return Err(Code::BadInternational.says("international", message));
    }
    Ok(Target {
        account,
        carrier: row.map(|row| row.carrier.as_str()),
    })
}

fn row<'a>(asker: &Asker<'a>, vendor: Vendor, carrier: &str) -> Result<&'a Carrier, ItemError> {
    match asker.carriers.named(vendor, carrier) {
        Named::One(row) => Ok(row),
        Named::Several => {
            Err(Code::UnknownCarrier.says("carrier", "has several codes at this vendor: name one of them"))
        }
        Named::Unknown => Err(Code::UnknownCarrier.says("carrier", "is no carrier of this vendor")),
    }
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::carriers::Carriers;
    use jiff::Timestamp;

    use super::*;
    use crate::request::Everything;
    use crate::request::account::SubscribeAccounts;

    /// The account that is asked if none is named, or the code of the refusal.
    fn chosen(accounts: &str, wish: &Wish<'_>) -> Result<String, Code> {
        let accounts: SubscribeAccounts = serde_json::from_str(accounts).unwrap();
        let asker = Asker {
            name: "oms",
            accounts: &accounts.accounts,
            may_use: &Everything,
            carriers: Carriers::built_in(),
            now: Timestamp::UNIX_EPOCH,
        };
        let target = route(&asker, wish).map_err(|error| error.code)?;
        Ok(target.account.name.clone())
    }

    #[test]
    fn a_request_that_names_no_account_goes_to_one_that_is_called() {
        let any = Wish {
            vendor: None,
            account: None,
            carrier: Some("yto"),
            international: false,
        };
        let named = Wish {
            account: Some("old"),
            ..any
        };
        let old = r#"{"name":"old","vendor":"kuaidi100","api":"kuaidi100_enterprise"}"#;
        let new = r#"{"name":"new","vendor":"kuaidi100","api":"kuaidi100_enterprise","subscribe_url":"https://a.example.com"}"#;
        let sf = r#"{"name":"sf","vendor":"kuaidi100","api":"kuaidi100_enterprise","takes":["sf"],"subscribe_url":"https://a.example.com"}"#;
        for (accounts, wish, expected) in [
            (format!("{old},{new}"), any, Ok("new")),
            (format!("{old},{new}"), named, Ok("old")),
            (format!("{old},{sf}"), any, Err(Code::UnknownCarrier)),
            // Nobody is called: requests are checked and stored only.
            (old.to_owned(), any, Ok("old")),
        ] {
            let found = chosen(&format!("{{\"accounts\":[{accounts}]}}"), &wish);
            assert_eq!(found.as_deref(), expected.as_ref().copied(), "{accounts}");
        }
    }
}
