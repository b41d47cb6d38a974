//! Requests for subscriptions: how what somebody asks for is read and checked before it goes to the topic. Pure: HTTP (ingest),
//! CSV files (`processor subscriptions load`) and the worker that subscribes use the same functions, so that one way in is as
//! strict as the other.
//!
//! | room | what |
//! |---|---|
//! | [`account`] | the accounts that may be asked, as `[[subscribe.accounts]]` says |
//! | [`error`] | why an item is refused: one row a code |
//! | [`item`] | the members of an item, read one by one |
//! | [`mod@phone`] | of a telephone number only what a vendor needs |
//! | [`place`] | province, city, district |
//! | [`record`] | the same rules for a request that lies on the topic |
//! | [`route`] | which account is asked |

pub mod account;
pub mod error;
mod international;
pub mod item;
pub mod phone;
pub mod place;
pub mod record;
pub mod route;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::identifier;
use courierflow_schemas::records::{
    Product, RequestAction, SubscriptionRequest, TimestampMicros, TimestampMillis, Vendor,
};
use jiff::{SignedDuration, Timestamp};

use self::account::{PhonePolicy, SubscribeAccount};
use self::error::{Code, ItemError};
use self::item::{Item, Members};
use self::phone::PhoneNumber;
use self::route::Wish;
use crate::api::order::is_number;
use crate::api::phone::is_needed;
use crate::protocol;

/// Longest request id, requester and reference, in characters.
const MAX_ID_LENGTH: usize = 64;

/// What is wrong with an id of the caller's that many can read.
const HOLDS_PHONE: &str = "holds the telephone number";

/// A first call later than this is a mistake: by then a label has expired.
const LONGEST_DELAY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Who asks, when, and what may be asked.
#[derive(Clone, Debug)]
pub struct Asker<'a> {
    /// The name of the token or of the program.
    pub name: &'a str,
    /// Every account of the configuration, in its order.
    pub accounts: &'a [SubscribeAccount],
    /// Which of them it may use.
    pub may_use: &'a dyn MayUse,
    /// What the vendors' codes of carriers mean.
    pub carriers: &'a Carriers,
    /// When it asked.
    pub now: Timestamp,
}

/// Whether somebody may use an account.
pub trait MayUse: std::fmt::Debug {
    /// True if it may.
    fn may_use(&self, vendor: Vendor, account: &str) -> bool;
}

/// Somebody who may use every account: who can read the configuration can.
#[derive(Clone, Copy, Debug)]
pub struct Everything;

impl MayUse for Everything {
    fn may_use(&self, _: Vendor, _: &str) -> bool {
        true
    }
}

impl Asker<'_> {
    /// The record that asks for a subscription, or the first reason why there is none. Vendor and account are always named in it,
    /// because what may be asked, and how much of a telephone number is kept, depends on the account.
    pub fn subscribe(&self, item: &Item) -> Result<SubscriptionRequest, ItemError> {
        let members = item.members(&item::SUBSCRIBE)?;
        let tracking_number = tracking_number(&members)?;
        let request_id = request_id(&members)?;
        let international = international::read(&members)?;
        let wish = wish(&members, international.is_some())?;
        let target = route::route(self, &wish)?;
        let account = target.account;
        let lengths = protocol(account.vendor).api().number_lengths();
        if !lengths.contains(&tracking_number.len()) {
            return Err(Code::BadNumber.says("tracking_number", "is shorter or longer than the vendor takes"));
        }
        let product = product(&members)?;
        let (from, to) = places(&members, account, product.unwrap_or(account.product))?;
        let phone = phone(&members, target.carrier)?;
        if phone
            .as_ref()
            .is_some_and(|phone| tells(&request_id, &tracking_number, phone))
        {
            return Err(Code::BadRequestId.says("request_id", HOLDS_PHONE));
        }
        Ok(SubscriptionRequest {
            request_id,
            requester: self.name.to_owned(),
            action: RequestAction::Subscribe,
            requested_at: self.requested_at(),
            vendor: Some(account.vendor.as_str().to_owned()),
            account: Some(account.name.clone()),
            carrier: wish.carrier.map(str::to_lowercase),
            reference: reference(&members, &tracking_number, phone.as_ref())?,
            tracking_number,
            phone: phone.map(|phone| phone.kept(account.phone)),
            from,
            to,
            product,
            international,
            not_before: self.not_before(&members)?,
            force: members.flag("force")?,
        })
    }

    /// The records that cancel a subscription: one for each account that is meant, since a token speaks only for its own.
    pub fn cancel(&self, item: &Item) -> Result<Vec<SubscriptionRequest>, ItemError> {
        let members = item.members(&item::CANCEL)?;
        let tracking_number = tracking_number(&members)?;
        let request_id = request_id(&members)?;
        let vendor = route::vendor(&members)?;
        let accounts = route::named(self, vendor, members.text("account", Code::UnknownAccount)?)?;
        let record = |account: &SubscribeAccount| SubscriptionRequest {
            request_id: request_id.clone(),
            requester: self.name.to_owned(),
            action: RequestAction::Cancel,
            requested_at: self.requested_at(),
            vendor: Some(account.vendor.as_str().to_owned()),
            account: Some(account.name.clone()),
            carrier: None,
            tracking_number: tracking_number.clone(),
            phone: None,
            from: None,
            to: None,
            product: None,
            international: None,
            reference: None,
            not_before: None,
            force: false,
        };
        Ok(accounts.into_iter().map(record).collect())
    }

    fn requested_at(&self) -> TimestampMicros {
        TimestampMicros(self.now.as_microsecond())
    }

    fn not_before(&self, members: &Members<'_>) -> Result<Option<TimestampMillis>, ItemError> {
        let Some(text) = members.text("not_before", Code::BadNotBefore)? else {
            return Ok(None);
        };
        let time: Timestamp = text.parse().map_err(|_| Code::BadNotBefore.at("not_before"))?;
        if time.duration_since(self.now) > LONGEST_DELAY {
            return Err(Code::BadNotBefore.says("not_before", "is more than 90 days away"));
        }
        Ok(Some(TimestampMillis(time.as_millisecond())))
    }
}

/// Who shall be asked about what.
fn wish<'m>(members: &Members<'m>, international: bool) -> Result<Wish<'m>, ItemError> {
    let carrier = members.text("carrier", Code::UnknownCarrier)?;
    let detect = members.flag("auto_carrier")?;
    match (carrier, detect) {
        // A vendor that is to detect the carrier refuses a request that names one (S1, autoCom).
        (Some(_), true) => return Err(Code::CarrierAndAuto.at("carrier")),
        (None, false) => {
            return Err(Code::UnknownCarrier.says("carrier", "is missing: name it, or set auto_carrier"));
        }
        _ => {}
    }
    Ok(Wish {
        vendor: route::vendor(members)?,
        account: members.text("account", Code::UnknownAccount)?,
        carrier,
        international,
    })
}

/// The number as it is stored, which is also the record's key.
fn tracking_number(members: &Members<'_>) -> Result<String, ItemError> {
    let text = members.text("tracking_number", Code::BadNumber)?.unwrap_or_default();
    let number = identifier::normalised(text);
    if is_number(&number) {
        Ok(number.to_ascii_uppercase())
    } else {
        Err(Code::BadNumber.at("tracking_number"))
    }
}

fn request_id(members: &Members<'_>) -> Result<String, ItemError> {
    let Some(id) = members.text("request_id", Code::BadRequestId)? else {
        return Err(Code::BadRequestId.says("request_id", "is missing"));
    };
    if !is_id(id) {
        return Err(Code::BadRequestId.at("request_id"));
    }
    Ok(id.to_owned())
}

/// 1 to 64 printable ASCII characters without spaces.
fn is_id(text: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn product(members: &Members<'_>) -> Result<Option<Product>, ItemError> {
    let Some(name) = members.text("product", Code::BadProduct)? else {
        return Ok(None);
    };
    let known = Product::ALL.iter().filter(|product| **product != Product::Other);
    let found = known.copied().find(|product| product.as_str() == name);
    found.map(Some).ok_or_else(|| Code::BadProduct.at("product"))
}

/// Both places. They are checked whether or not they are needed: what is wrong would be refused by the vendor.
fn places(
    members: &Members<'_>,
    account: &SubscribeAccount,
    product: Product,
) -> Result<(Option<String>, Option<String>), ItemError> {
    let place = |field: &'static str| match members.text(field, Code::BadPlace)? {
        None => Ok(None),
        Some(text) => place::read(text).map(Some).ok_or_else(|| Code::BadPlace.at(field)),
    };
    let (from, to) = (place("from")?, place("to")?);
    let needed = account::needed_places(account.api, product);
    if needed.from && from.is_none() {
        return Err(Code::PlacesRequired.at("from"));
    }
    if needed.to && to.is_none() {
        return Err(Code::PlacesRequired.at("to"));
    }
    Ok((from, to))
}

/// `carrier` is the canonical code; `None` if it is to be detected.
fn phone(members: &Members<'_>, carrier: Option<&str>) -> Result<Option<PhoneNumber>, ItemError> {
    match members.text("phone", Code::BadPhone)? {
        Some(text) => PhoneNumber::read(text)
            .map(Some)
            .ok_or_else(|| Code::BadPhone.at("phone")),
        None if carrier.is_some_and(is_needed) => Err(Code::PhoneRequired.at("phone")),
        None => Ok(None),
    }
}

/// The caller's own id of the order. It is public within the company, so it may not be a telephone number, at least not that of
/// the item.
fn reference(
    members: &Members<'_>,
    tracking_number: &str,
    phone: Option<&PhoneNumber>,
) -> Result<Option<String>, ItemError> {
    let Some(reference) = members.text("reference", Code::BadReference)? else {
        return Ok(None);
    };
    if !identifier::is_name(reference) {
        return Err(Code::BadReference.at("reference"));
    }
    if phone.is_some_and(|phone| tells(reference, tracking_number, phone)) {
        return Err(Code::BadReference.says("reference", HOLDS_PHONE));
    }
    Ok(Some(reference.to_owned()))
}

/// Whether an id of the caller's tells the telephone number. The tracking number is known to everybody anyhow.
fn tells(id: &str, tracking_number: &str, phone: &PhoneNumber) -> bool {
    phone.is_in(id) && id != tracking_number
}

/// What the policy of an account leaves of a number.
impl PhoneNumber {
    fn kept(self, policy: PhonePolicy) -> String {
        match policy {
            PhonePolicy::Tail => self.tail().to_owned(),
            PhonePolicy::Full => self.into_digits(),
        }
    }
}

#[cfg(test)]
mod tests;
