//! What is asked of a vendor, and with which account.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use courierflow_schemas::records::{International, Product, Reason};
use courierflow_schemas::settings::Secret;
use serde::Deserialize;

use super::ApiKind;
use super::phone::{self, PhoneDigits};

/// How Kuaidi100's marketplace and map track APIs are called: the documents disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// A form with a field `param`.
    Form,
    /// JSON.
    Json,
}

impl Transport {
    /// What the documents show in their examples.
    const fn usual(kind: ApiKind) -> Self {
        match kind {
            ApiKind::Kuaidi100Market => Self::Json,
            _ => Self::Form,
        }
    }
}

/// `RequestType` of Kdniao's two calls. Those of the domestic products depend on what was bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestTypes {
    /// Of a subscription.
    pub subscribe: String,
    /// Of a query.
    pub query: String,
}

impl RequestTypes {
    /// Those of the cross-border product.
    pub fn cross_border() -> Self {
        Self {
            subscribe: "7108".to_owned(),
            query: "7101".to_owned(),
        }
    }
}

/// One contract with a vendor, as far as calls need it. What a kind of API does not need is missing; what it needs and is missing
/// is an [`OrderError::Missing`] of the first order, so [`ApiAccount::check`] is called at the start.
#[derive(Clone, Debug)]
pub struct ApiAccount {
    /// Last path segment of the callback address.
    pub name: String,
    /// Which API.
    pub kind: ApiKind,
    /// Where subscriptions go; of 17TRACK the address before the name of a call.
    pub subscribe_url: String,
    /// Where queries go; of 17TRACK the address before the name of a call.
    pub query_url: String,
    /// Where pushes shall go, up to the path.
    pub callback_base: String,
    /// Kuaidi100's key of the contract, 17TRACK's API key.
    pub key: Option<Secret>,
    /// Kuaidi100's customer number, for queries.
    pub customer: Option<String>,
    /// The marketplace's key.
    pub app_code: Option<Secret>,
    /// What Kuaidi100 shall sign its pushes with.
    pub salt: Option<Secret>,
    /// Kdniao's `EBusinessID`.
    pub business_id: Option<String>,
    /// Kdniao's key.
    pub app_key: Option<Secret>,
    /// Kdniao's numbers of the calls.
    pub request_types: RequestTypes,
    /// Kuaidi100's template of maps.
    pub map_config_key: Option<String>,
    /// How Kuaidi100's marketplace and map track APIs are called.
    pub transport: Transport,
    /// Values of Kuaidi100's `resultv2` that replace the documented ones, by product: its documents disagree.
    pub result_levels: BTreeMap<Product, String>,
    /// The same for queries.
    pub query_result_levels: BTreeMap<Product, String>,
}

impl ApiAccount {
    /// An account without keys.
    pub fn new(name: impl Into<String>, kind: ApiKind) -> Self {
        Self {
            name: name.into(),
            kind,
            subscribe_url: String::new(),
            query_url: String::new(),
            callback_base: String::new(),
            key: None,
            customer: None,
            app_code: None,
            salt: None,
            business_id: None,
            app_key: None,
            request_types: RequestTypes::cross_border(),
            map_config_key: None,
            transport: Transport::usual(kind),
            result_levels: BTreeMap::new(),
            query_result_levels: BTreeMap::new(),
        }
    }

    /// The first setting that a subscription needs and the account does not have.
    pub fn check(&self) -> Result<(), OrderError> {
        self.check_key()?;
        filled(&self.subscribe_url, "subscribe_url")?;
        // 17TRACK's is set in its console only.
        if self.kind != ApiKind::SeventeenTrack {
            filled(&self.callback_base, "callback_base")?;
        }
        Ok(())
    }

    /// The first setting that a query needs and the account does not have.
    pub fn check_query(&self) -> Result<(), OrderError> {
        filled(&self.query_url, "query_url")?;
        match self.kind {
            ApiKind::Kuaidi100Enterprise | ApiKind::Kuaidi100Market | ApiKind::Kuaidi100Map => {
                needed(self.key.as_ref(), "key_file")?;
                needed(self.customer.as_ref(), "customer").map(drop)
            }
            _ => self.check_key(),
        }
    }

    fn check_key(&self) -> Result<(), OrderError> {
        match (self.kind, self.transport) {
            (ApiKind::Kuaidi100Enterprise, _) | (ApiKind::Kuaidi100Map, Transport::Form) => {
                needed(self.key.as_ref(), "key_file").map(drop)
            }
            (ApiKind::Kuaidi100Market, _) | (ApiKind::Kuaidi100Map, Transport::Json) => {
                needed(self.app_code.as_ref(), "app_code_file").map(drop)
            }
            (ApiKind::KdniaoCrossBorder | ApiKind::KdniaoDomestic, _) => {
                needed(self.business_id.as_ref(), "business_id")?;
                needed(self.app_key.as_ref(), "app_key_file").map(drop)
            }
            (ApiKind::SeventeenTrack, _) => needed(self.key.as_ref(), "key_file").map(drop),
        }
    }
}

pub(crate) fn needed<'a, T>(value: Option<&'a T>, name: &'static str) -> Result<&'a T, OrderError> {
    value.ok_or(OrderError::Missing(name))
}

fn filled(value: &str, name: &'static str) -> Result<(), OrderError> {
    if value.is_empty() {
        return Err(OrderError::Missing(name));
    }
    Ok(())
}

/// The parcel that a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waybill<'a> {
    /// The carrier's number: trimmed, ASCII upper case.
    pub tracking_number: &'a str,
    /// Canonical carrier code.
    pub carrier: &'a str,
    /// The vendor's code of it; `None`: the vendor shall detect it.
    pub vendor_carrier: Option<&'a str>,
}

impl<'a> Waybill<'a> {
    /// The vendor's code, where the vendor detects none.
    pub fn vendor_carrier(&self) -> Result<&'a str, OrderError> {
        self.vendor_carrier.ok_or(OrderError::CarrierNeeded)
    }

    /// Refuses a number that is shorter or longer than the vendor takes, and a telephone number that is missing where the carrier needs one. A carrier that
    /// is yet to be detected needs none.
    pub fn check(&self, lengths: &RangeInclusive<usize>, phone: Option<PhoneDigits<'_>>) -> Result<(), OrderError> {
        if !is_number(self.tracking_number) || !lengths.contains(&self.tracking_number.len()) {
            return Err(OrderError::BadNumber);
        }
        if self.vendor_carrier.is_some() && phone.is_none() && phone::is_needed(self.carrier) {
            return Err(OrderError::PhoneNeeded);
        }
        Ok(())
    }
}

/// True for 5 to 50 ASCII letters, digits and hyphens. 17TRACK takes all these lengths, and no vendor takes others.
pub fn is_number(text: &str) -> bool {
    (5..=50).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// That a parcel be followed.
#[derive(Clone, Copy, Debug)]
pub struct SubscribeOrder<'a> {
    /// Which parcel.
    pub waybill: Waybill<'a>,
    /// Digits of the sender's or recipient's telephone number.
    pub phone: Option<PhoneDigits<'a>>,
    /// Where it comes from.
    pub from: Option<&'a str>,
    /// Where it goes.
    pub to: Option<&'a str>,
    /// How much the vendor shall tell.
    pub product: Product,
    /// The two ends of an international parcel.
    pub international: Option<&'a International>,
    /// The caller's own id of the order.
    pub reference: Option<&'a str>,
    /// 1 for the first subscription of a parcel. 17TRACK has another call for the second.
    pub round: u16,
}

/// What is known of a parcel now.
#[derive(Clone, Copy, Debug)]
pub struct QueryOrder<'a> {
    /// Which parcel. No vendor is asked without a carrier: a wrong one is billed, too.
    pub waybill: Waybill<'a>,
    /// Digits of the sender's or recipient's telephone number.
    pub phone: Option<PhoneDigits<'a>>,
    /// Where it comes from.
    pub from: Option<&'a str>,
    /// Where it goes.
    pub to: Option<&'a str>,
    /// How much the vendor shall tell: as much as in its pushes, or lines would gain and lose codes.
    pub product: Product,
}

/// Why an order cannot become a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// The account lacks a setting.
    #[error("the account has no {0}")]
    Missing(&'static str),
    /// The tracking number is none that the vendor takes.
    #[error("the tracking number has other characters, or another length, than the vendor takes")]
    BadNumber,
    /// The vendor does not detect the carrier here.
    #[error("the carrier is needed")]
    CarrierNeeded,
    /// The vendor's codes of carriers have another form.
    #[error("the carrier is none of the vendor's codes")]
    BadCarrier,
    /// The carrier tells nothing without it.
    #[error("the carrier needs a telephone number")]
    PhoneNeeded,
    /// The map needs both places, the forecast the destination.
    #[error("places are needed")]
    PlacesNeeded,
    /// The address for pushes is longer than vendors take.
    #[error("the callback address is too long")]
    CallbackTooLong,
}

impl OrderError {
    /// What the subscription's record says of it.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Missing(_) => Reason::AccountStopped,
            Self::BadNumber | Self::CallbackTooLong => Reason::BadData,
            Self::CarrierNeeded | Self::BadCarrier => Reason::UnknownCarrier,
            Self::PhoneNeeded => Reason::Phone,
            Self::PlacesNeeded => Reason::BadPlace,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_5_to_50_letters_digits_and_hyphens() {
        for (number, expected) in [
            ("YT0000000000001", true),
            ("ABC-12", true),
            ("12345", true),
            ("1234", false),
            (&"1".repeat(50), true),
            (&"1".repeat(51), false),
            ("YT 00001", false),
            ("YT00001圆", false),
            ("", false),
        ] {
            assert_eq!(is_number(number), expected, "{number}");
        }
    }

    #[test]
    fn an_account_names_the_setting_that_it_lacks() {
        let secret = || Some(Secret::new("s"));
        let mut account = ApiAccount::new("demo", ApiKind::Kuaidi100Enterprise);
        assert_eq!(account.check(), Err(OrderError::Missing("key_file")));
        account.key = secret();
        assert_eq!(account.check(), Err(OrderError::Missing("subscribe_url")));
        account.subscribe_url = "https://example.com/poll".to_owned();
        assert_eq!(account.check(), Err(OrderError::Missing("callback_base")));
        account.callback_base = "http://example.com".to_owned();
        assert_eq!(account.check(), Ok(()));
        assert_eq!(account.check_query(), Err(OrderError::Missing("query_url")));
        account.query_url = "https://example.com/query".to_owned();
        assert_eq!(account.check_query(), Err(OrderError::Missing("customer")));
        for (kind, transport, missing) in [
            (ApiKind::Kuaidi100Market, Transport::Form, "app_code_file"),
            (ApiKind::Kuaidi100Map, Transport::Form, "key_file"),
            (ApiKind::Kuaidi100Map, Transport::Json, "app_code_file"),
            (ApiKind::KdniaoCrossBorder, Transport::Form, "business_id"),
            (ApiKind::SeventeenTrack, Transport::Form, "key_file"),
        ] {
            let account = ApiAccount {
                transport,
                ..ApiAccount::new("demo", kind)
            };
            assert_eq!(account.check(), Err(OrderError::Missing(missing)), "{kind:?}");
        }
    }
}
