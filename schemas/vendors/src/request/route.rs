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
    for account in named(asker, wish.vendor, wish.account)? {
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
