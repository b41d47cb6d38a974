//! The accounts that may be asked for subscriptions, as far as a request must know them: `[[subscribe.accounts]]` of the
//! configuration, without keys and addresses. ingest reads only this of the section; the processor reads the rest beside it.

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::identifier::is_name;
use courierflow_schemas::records::{Product, Vendor};
use courierflow_schemas::settings::{SettingsError, require};
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};

use crate::api::ApiKind;

/// `[subscribe]`, of which only the accounts are read here; other keys are passed over.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SubscribeAccounts {
    /// In the order in which they are tried if a request names none.
    pub accounts: Vec<SubscribeAccount>,
}

/// One of `[[subscribe.accounts]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SubscribeAccount {
    /// Name of the account, unique per vendor: that of `[[ingest.accounts]]` to which its pushes come.
    pub name: String,
    /// The vendor that is asked.
    pub vendor: Vendor,
    /// Which of the vendor's APIs is used.
    #[serde(deserialize_with = "api")]
    pub api: ApiKind,
    /// Carriers that it is asked for: canonical codes or the vendor's own, or `*` for all. Default all.
    #[serde(default = "all_carriers")]
    pub takes: Vec<String>,
    /// Whether international parcels may be asked for, told with both ends. Default no.
    #[serde(default)]
    pub international: bool,
    /// How much of a telephone number is kept. Default the last four digits.
    #[serde(default)]
    pub phone: PhonePolicy,
    /// How much the vendor shall tell if a request does not say. Default `ADVANCED`.
    #[serde(default = "advanced")]
    pub product: Product,
    /// Whether the vendor detects the carrier after it has refused it. Default no.
    #[serde(default)]
    pub auto_carrier: AutoCarrier,
    /// Whether it has a `subscribe_url`: without it nobody is called. Default no.
    #[serde(default, rename = "subscribe_url", deserialize_with = "is_given")]
    pub is_called: bool,
}

/// Whether there is a value, whatever it is: its reader checks it.
fn is_given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Option::<IgnoredAny>::deserialize(deserializer).map(|value| value.is_some())
}

/// The whole name of a setting of an account.
pub fn key_of(index: usize, name: &str) -> String {
    format!("subscribe.accounts[{index}].{name}")
}

/// How much of a telephone number is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhonePolicy {
    /// The last four digits.
    #[default]
    Tail,
    /// All digits, for a carrier that refuses four.
    Full,
}

/// When the vendor is asked to detect the carrier without the request saying so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoCarrier {
    /// Never.
    #[default]
    Off,
    /// Once, after it has refused the carrier.
    OnReject,
}

/// Which places an API must be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NeededPlaces {
    /// Where the parcel comes from.
    pub(super) from: bool,
    /// Where it goes.
    pub(super) to: bool,
}

/// Whether an API detects a carrier that it is not told (S1, S2: `autoCom`; 17TRACK does by itself). The others must be told.
pub(super) const fn detects_carriers(api: ApiKind) -> bool {
    matches!(
        api,
        ApiKind::Kuaidi100Enterprise | ApiKind::Kuaidi100Market | ApiKind::SeventeenTrack
    )
}

/// The places that an API must be told: the map both (S3), a forecast the destination (S1).
pub(super) const fn needed_places(api: ApiKind, product: Product) -> NeededPlaces {
    let map = matches!(api, ApiKind::Kuaidi100Map);
    let forecast =
        matches!(api, ApiKind::Kuaidi100Enterprise | ApiKind::Kuaidi100Market) && matches!(product, Product::Forecast);
    NeededPlaces {
        from: map,
        to: map || forecast,
    }
}

/// Reads the name of an API. It is here because [`ApiKind`] does not deal with configuration files.
pub fn api<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ApiKind, D::Error> {
    let name = String::deserialize(deserializer)?;
    ApiKind::named(&name).ok_or_else(|| {
        let names = ApiKind::ALL.map(ApiKind::as_str);
        D::Error::custom(format!("must be one of {}", names.join(", ")))
    })
}

impl SubscribeAccount {
    /// Whether it is asked for parcels of a carrier: one of the vendor's codes and its canonical code, or a carrier that is to be
    /// detected, which may be any.
    pub(super) fn takes(&self, carrier: Option<(&str, &str)>) -> bool {
        self.takes.iter().any(|taken| match carrier {
            _ if taken == "*" => true,
            Some((code, canonical)) => taken.eq_ignore_ascii_case(code) || taken.eq_ignore_ascii_case(canonical),
            None => false,
        })
    }

    fn validate(&self, index: usize, carriers: &Carriers) -> Result<(), SettingsError> {
        let key = |name: &str| key_of(index, name);
        require(
            is_name(&self.name) && !self.name.starts_with('.'),
            &key("name"),
            "must be 1 to 64 of A-Z a-z 0-9 . _ - and not start with a dot",
        )?;
        require(
            self.api.vendor() == self.vendor,
            &key("api"),
            format!("is none of {}", self.vendor),
        )?;
        require(
            !self.takes.is_empty(),
            &key("takes"),
            "must name a carrier, or \"*\" for all",
        )?;
        for carrier in self.takes.iter().filter(|carrier| *carrier != "*") {
            let is_known =
                carriers.company(&carrier.to_lowercase()).is_some() || carriers.find(self.vendor, carrier).is_some();
            require(is_known, &key("takes"), format!("{carrier:?} is no carrier"))?;
        }
        require(
            self.product != Product::Other,
            &key("product"),
            "must be PLAIN, AREA, ADVANCED or FORECAST",
        )
    }
}

impl SubscribeAccounts {
    /// Checks every account; the error names the key.
    pub fn validate(&self, carriers: &Carriers) -> Result<(), SettingsError> {
        for (index, account) in self.accounts.iter().enumerate() {
            account.validate(index, carriers)?;
            let earlier = self.accounts.iter().take(index);
            let is_same = |other: &SubscribeAccount| (other.vendor, &other.name) == (account.vendor, &account.name);
            require(
                !earlier.clone().any(is_same),
                &key_of(index, "name"),
                format!("there are two accounts {:?} of {}", account.name, account.vendor),
            )?;
        }
        Ok(())
    }

    /// The account of a vendor with this name.
    pub fn get(&self, vendor: Vendor, name: &str) -> Option<&SubscribeAccount> {
        let is_it = |account: &&SubscribeAccount| account.vendor == vendor && account.name == name;
        self.accounts.iter().find(is_it)
    }
}

/// The default of [`SubscribeAccount::takes`].
pub fn all_carriers() -> Vec<String> {
    vec!["*".to_owned()]
}

/// The default of [`SubscribeAccount::product`].
pub const fn advanced() -> Product {
    Product::Advanced
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validated(accounts: &str) -> Result<(), String> {
        let accounts: SubscribeAccounts = serde_json::from_str(accounts).map_err(|error| error.to_string())?;
        accounts
            .validate(Carriers::built_in())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_account_needs_three_keys_and_keeps_little() {
        let text = r#"{"accounts":[{"name":"demo","vendor":"kuaidi100","api":"kuaidi100_enterprise","key_file":"k"}],"workers":1}"#;
        let accounts: SubscribeAccounts = serde_json::from_str(text).unwrap();
        let account = accounts.get(Vendor::Kuaidi100, "demo").unwrap();
        assert_eq!(
            (account.phone, account.auto_carrier),
            (PhonePolicy::Tail, AutoCarrier::Off)
        );
        assert_eq!((account.product, account.international), (Product::Advanced, false));
        assert!(account.takes(None) && account.takes(Some(("yuantong", "yto"))));
        assert_eq!(accounts.get(Vendor::Kdniao, "demo"), None);
        assert!(!account.is_called);
        let called = text.replace("\"key_file\":\"k\"", "\"subscribe_url\":\"https://vendor.example.com\"");
        let called: SubscribeAccounts = serde_json::from_str(&called).unwrap();
        assert!(called.accounts.iter().all(|account| account.is_called));
        accounts.validate(Carriers::built_in()).unwrap();
    }

    #[test]
    fn wrong_values_name_their_key() {
        let of = |account: &str| validated(&format!("{{\"accounts\":[{account}]}}"));
        let demo = r#"{"name":"demo","vendor":"kuaidi100","api":"kuaidi100_map","takes":["yto","YUANTONG"],"phone":"full","auto_carrier":"on_reject"}"#;
        assert_eq!(of(demo), Ok(()));
        for (account, key) in [
            (
                r#"{"name":"a/b","vendor":"kuaidi100","api":"kuaidi100_map"}"#,
                "[0].name",
            ),
            (r#"{"name":"a","vendor":"kdniao","api":"kuaidi100_map"}"#, "[0].api"),
            (
                r#"{"name":"a","vendor":"kdniao","api":"kdniao_domestic","takes":[]}"#,
                "[0].takes",
            ),
            (
                r#"{"name":"a","vendor":"kdniao","api":"kdniao_domestic","takes":["snail"]}"#,
                "[0].takes",
            ),
            (
                r#"{"name":"a","vendor":"kdniao","api":"kdniao_domestic","product":"OTHER"}"#,
                "[0].product",
            ),
            (&format!("{demo},{demo}"), "[1].name"),
        ] {
            let error = of(account).unwrap_err();
            let start = format!("configuration key subscribe.accounts{key}: ");
            assert!(error.starts_with(&start), "{error}");
        }
    }
}
