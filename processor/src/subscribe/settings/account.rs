//! `[[subscribe.accounts]]`: one contract with a vendor.

use std::collections::BTreeMap;
use std::path::PathBuf;

use courierflow_schemas::records::{Product, Vendor};
use courierflow_schemas::settings::{SettingsError, check_http_url, require, require_between};
use courierflow_vendors::api::ApiKind;
use courierflow_vendors::api::order::{RequestTypes, Transport};
use courierflow_vendors::request::account::{AutoCarrier, PhonePolicy, SubscribeAccount, advanced, all_carriers, api};
use serde::Deserialize;

use crate::vendor_calls::limiter::Limits;

/// One of `[[subscribe.accounts]]`: what a request must know of it, which ingest reads too, and how it is called. The fields of
/// [`SubscribeAccount`] stand here again, because serde cannot refuse unknown keys beside a flattened struct.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubscribeAccountSettings {
    /// As [`SubscribeAccount::name`].
    pub name: String,
    /// As [`SubscribeAccount::vendor`].
    pub vendor: Vendor,
    /// As [`SubscribeAccount::api`].
    #[serde(deserialize_with = "api")]
    pub api: ApiKind,
    /// As [`SubscribeAccount::takes`].
    #[serde(default = "all_carriers")]
    pub takes: Vec<String>,
    /// As [`SubscribeAccount::international`].
    #[serde(default)]
    pub international: bool,
    /// As [`SubscribeAccount::phone`].
    #[serde(default)]
    pub phone: PhonePolicy,
    /// As [`SubscribeAccount::product`].
    #[serde(default = "advanced")]
    pub product: Product,
    /// As [`SubscribeAccount::auto_carrier`].
    #[serde(default)]
    pub auto_carrier: AutoCarrier,
    /// Where subscriptions go. Without it the account is not called.
    #[serde(default)]
    pub subscribe_url: Option<String>,
    /// Where queries go.
    #[serde(default)]
    pub query_url: Option<String>,
    /// A file with Kuaidi100's key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// Kuaidi100's customer number, for queries.
    #[serde(default)]
    pub customer: Option<String>,
    /// A file with the marketplace's `AppCode`.
    #[serde(default)]
    pub app_code_file: Option<PathBuf>,
    /// A file with the salt that Kuaidi100 shall sign its pushes with: one of `ingest.accounts[same name].salts`.
    #[serde(default)]
    pub salt_file: Option<PathBuf>,
    /// Kdniao's `EBusinessID`: that of `ingest.accounts[same name]`.
    #[serde(default)]
    pub business_id: Option<String>,
    /// A file with Kdniao's key: one of `ingest.accounts[same name].app_keys`.
    #[serde(default)]
    pub app_key_file: Option<PathBuf>,
    /// Kdniao's numbers of its calls: of a subscription, of a query.
    #[serde(default = "cross_border")]
    pub request_types: [String; 2],
    /// Where pushes shall go, up to `/v1/push`.
    #[serde(default)]
    pub callback_base: Option<String>,
    /// Whether addresses of other hosts may be `http://`, though keys and telephone numbers travel with the calls.
    #[serde(default)]
    pub allow_plaintext: bool,
    /// Kuaidi100's template of maps.
    #[serde(default)]
    pub map_config_key: Option<String>,
    /// How Kuaidi100's marketplace and map track APIs are called.
    #[serde(default)]
    pub transport: Option<Transport>,
    /// Kuaidi100's `resultv2` by product, where it is not the documented one.
    #[serde(default)]
    pub result_levels: BTreeMap<Product, String>,
    /// The same for queries.
    #[serde(default)]
    pub query_result_levels: BTreeMap<Product, String>,
    /// The account to ask when the places are refused.
    #[serde(default)]
    pub fallback_account: Option<String>,
    /// How long a request without `not_before` waits.
    #[serde(default)]
    pub delay_ms: u64,
    /// Calls a second, of each role; without it [`Self::limits`] says how many.
    #[serde(default)]
    pub max_calls_per_second: Option<f64>,
    /// Calls at the same time.
    #[serde(default = "eight")]
    pub max_concurrency: usize,
    /// Accepted subscriptions of a number in a month of China; Kuaidi100 only.
    #[serde(default = "four")]
    pub max_subscriptions_per_month: u16,
    /// Subscriptions of a number in all; Kdniao only.
    #[serde(default = "five")]
    pub max_rounds: u16,
    /// Price of a unit.
    #[serde(default)]
    pub price: f64,
    /// Queries in a China day; 0: it is never asked about a parcel.
    #[serde(default)]
    pub daily_queries: u32,
    /// How many of 10,000 parcels are asked about without a reason, to know what pushes leave out.
    #[serde(default = "hundred")]
    pub audit_per_10000: u32,
    /// The part of `daily_queries` that is kept for them, from 0 to 1.
    #[serde(default = "a_fifth")]
    pub audit_share: f64,
}

fn cross_border() -> [String; 2] {
    let RequestTypes { subscribe, query } = RequestTypes::cross_border();
    [subscribe, query]
}

const fn eight() -> usize {
    8
}

const fn four() -> u16 {
    4
}

const fn five() -> u16 {
    5
}

const fn hundred() -> u32 {
    100
}

const fn a_fifth() -> f64 {
    0.2
}

impl SubscribeAccountSettings {
    /// What a request must know of it.
    pub fn common(&self) -> SubscribeAccount {
        SubscribeAccount {
            name: self.name.clone(),
            vendor: self.vendor,
            api: self.api,
            takes: self.takes.clone(),
            international: self.international,
            phone: self.phone,
            product: self.product,
            auto_carrier: self.auto_carrier,
            is_called: self.is_called(),
        }
    }

    /// Whether it can be called: one without an address is known to those who check requests only.
    pub const fn is_called(&self) -> bool {
        self.subscribe_url.is_some()
    }

    /// Whether it is asked about parcels.
    pub const fn is_queried(&self) -> bool {
        self.daily_queries > 0
    }

    /// Its limits of calls.
    pub fn limits(&self) -> Limits {
        Limits {
            per_second: self.max_calls_per_second.unwrap_or(match self.vendor {
                // Three a second are documented. Subscriptions and queries have half of it each.
                Vendor::SeventeenTrack => 1.5,
                // A guess: nothing is documented.
                Vendor::Kuaidi100 | Vendor::Kdniao => 10.0,
            }),
            concurrency: self.max_concurrency,
        }
    }

    pub(super) fn validate(&self, key: &dyn Fn(&str) -> String) -> Result<(), SettingsError> {
        if let Some(url) = &self.query_url {
            self.check_address("query_url", url, key)?;
        }
        if self.is_called() || self.is_queried() {
            self.validate_limits(key)?;
        }
        if self.is_queried() {
            self.validate_queries(key)?;
        }
        let Some(url) = &self.subscribe_url else {
            return Ok(());
        };
        self.check_address("subscribe_url", url, key)?;
        match &self.callback_base {
            Some(base) => check_http_url(&key("callback_base"), base)?,
            // Its address is set in its console only.
            None if self.api == ApiKind::SeventeenTrack => {}
            None => return Err(SettingsError::key(key("callback_base"), "is missing")),
        }
        require_between(
            &key("max_subscriptions_per_month"),
            self.max_subscriptions_per_month,
            1..=1_000,
        )?;
        require_between(&key("max_rounds"), self.max_rounds, 1..=1_000)?;
        require(
            self.price.is_finite() && self.price >= 0.0,
            &key("price"),
            "is not 0 or more",
        )
    }

    fn validate_limits(&self, key: &dyn Fn(&str) -> String) -> Result<(), SettingsError> {
        let per_second = self.limits().per_second;
        require(
            per_second.is_finite() && per_second > 0.0,
            &key("max_calls_per_second"),
            "is not more than 0",
        )?;
        require_between(&key("max_concurrency"), self.max_concurrency, 1..=1_000)
    }

    fn validate_queries(&self, key: &dyn Fn(&str) -> String) -> Result<(), SettingsError> {
        let reason = "is missing: daily_queries is more than 0";
        require(self.query_url.is_some(), &key("query_url"), reason)?;
        require_between(&key("audit_per_10000"), self.audit_per_10000, 0..=10_000)?;
        require(
            (0.0..=1.0).contains(&self.audit_share),
            &key("audit_share"),
            "is not between 0 and 1",
        )
    }

    fn check_address(&self, name: &str, url: &str, key: &dyn Fn(&str) -> String) -> Result<(), SettingsError> {
        check_http_url(&key(name), url)?;
        require(
            self.allow_plaintext || !url.starts_with("http://") || is_loopback(url),
            &key(name),
            "is http://: keys and telephone numbers would travel in the open; use https://, or set allow_plaintext = true",
        )
    }
}

/// True for an address of this host.
pub(super) fn is_loopback(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_address = |address: std::net::IpAddr| address.is_loopback();
    host == "localhost" || address.parse().is_ok_and(is_address)
}
