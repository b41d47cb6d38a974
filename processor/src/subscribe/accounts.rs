//! The contracts with the vendors: who is asked, and how each of them stands.

use courierflow_domain::subscription::{AccountTerms, CarrierCodes, Standing};
use courierflow_schemas::carriers::{Carriers, Named, UNKNOWN_CARRIER};
use courierflow_schemas::records::{Reason, SubscriptionRequest, Vendor};
use courierflow_schemas::settings::SettingsError;
use courierflow_vendors::request::account::SubscribeAccounts;
use courierflow_vendors::request::error::Code;
use courierflow_vendors::request::record::{self, Checked};
use courierflow_vendors::request::route::{Wish, route};
use courierflow_vendors::request::{Asker, Everything};
use jiff::Timestamp;

use super::settings::key_of;
use super::state::Names;
use crate::config::Config;
use crate::vendor_calls::account::CallAccount;
use crate::vendor_calls::limiter::{Limiter, Limits};

/// A contract, its terms and its keys. The same for all workers.
#[derive(Clone, Debug)]
pub(super) struct Contract {
    pub(super) terms: AccountTerms,
    pub(super) call: CallAccount,
    limits: Limits,
}

/// Reads the keys of all accounts, and compares them with what ingest knows.
pub(super) fn load(config: &Config) -> Result<Vec<Contract>, SettingsError> {
    let settings = &config.subscribe;
    let contract = |(index, account)| {
        let call = CallAccount::load(account, |name| key_of(index, name))?;
        config.ingest.check(settings, index, &call)?;
        let base = account.callback_base.as_deref().unwrap_or_default();
        if base.starts_with("https://") && account.vendor == Vendor::Kuaidi100 {
            let name = &account.name;
            tracing::warn!(account = %name, "callback_base is https://, which Kuaidi100 supports only on request");
        }
        Ok(Contract {
            terms: settings.terms(account),
            call,
            limits: account.limits(),
        })
    };
    settings.called().map(contract).collect()
}

impl Contract {
    /// What all subscriptions of the account have in common.
    pub(super) fn names(&self) -> Names {
        Names {
            vendor: self.terms.vendor.as_str().to_owned(),
            account: self.terms.account.clone(),
            api: self.terms.api.clone(),
        }
    }
}

/// A contract as one worker uses it.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) contract: Contract,
    pub(super) standing: Standing,
    pub(super) limiter: Limiter,
    /// `vendor:account`, which begins the keys of its subscriptions.
    pub(super) owner: Box<str>,
    /// `vendor/account`, for metrics and people.
    pub(super) label: String,
}

impl Account {
    pub(super) const fn terms(&self) -> &AccountTerms {
        &self.contract.terms
    }
}

/// All contracts of a worker.
#[derive(Debug)]
pub(super) struct Accounts {
    all: Vec<Account>,
    common: SubscribeAccounts,
    carriers: &'static Carriers,
}

/// Who is asked for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Routed {
    /// The request, of which the account's policy has left what it may know.
    pub(super) asked: SubscriptionRequest,
    pub(super) account: usize,
    pub(super) carrier: CarrierCodes,
}

/// Why nobody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unroutable {
    /// Whom it was meant for; both are empty if there is no such account.
    pub(super) vendor: String,
    pub(super) account: String,
    pub(super) reason: Reason,
    /// The request without what breaks a rule.
    pub(super) asked: Box<SubscriptionRequest>,
}

impl Accounts {
    pub(super) fn new(contracts: &[Contract], common: SubscribeAccounts, carriers: &'static Carriers) -> Self {
        let account = |contract: &Contract| Account {
            contract: contract.clone(),
            standing: match contract.terms.vendor {
                Vendor::Kuaidi100 => Standing::that_may_blame_callback(),
                Vendor::Kdniao | Vendor::SeventeenTrack => Standing::default(),
            },
            limiter: Limiter::new(contract.limits),
            owner: format!("{}:{}", contract.terms.vendor, contract.terms.account).into(),
            label: format!("{}/{}", contract.terms.vendor, contract.terms.account),
        };
        Self {
            all: contracts.iter().map(account).collect(),
            common,
            carriers,
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&Account> {
        self.all.get(index)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Account> {
        self.all.get_mut(index)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.all.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The account of a vendor with this name.
    pub(super) fn find(&self, vendor: &str, name: &str) -> Option<usize> {
        let is_it = |account: &Account| account.terms().vendor.as_str() == vendor && account.terms().account == name;
        self.all.iter().position(is_it)
    }

    /// What the vendors' codes of carriers mean.
    pub(super) const fn carriers(&self) -> &'static Carriers {
        self.carriers
    }

    /// Both languages of a vendor's code.
    pub(super) fn codes(&self, vendor: Vendor, code: &str) -> CarrierCodes {
        CarrierCodes {
            canonical: self.carriers.canonical(vendor, code).into_owned(),
            vendors: code.to_owned(),
        }
    }

    /// `vendor:account` of one of them.
    pub(super) fn owner(&self, index: usize) -> &str {
        self.all.get(index).map_or("", |account| &account.owner)
    }

    /// Whether calls may be made for `vendor:account`. One that is not in the configuration does not go on.
    pub(super) fn is_running(&self, owner: &str) -> bool {
        let mut found = self.all.iter().filter(|account| &*account.owner == owner);
        found.any(|account| account.standing.is_running())
    }

    /// Who is asked. Requests from the topic are checked like those that came by other ways, because anybody may write there.
    pub(super) fn route(&self, asked: &SubscriptionRequest, now: Timestamp) -> Result<Routed, Unroutable> {
        let Checked { asked, wrong } = record::checked(asked, now);
        let vendor = asked.vendor.as_deref().map(str::parse::<Vendor>).transpose();
        let routed = match (wrong, vendor) {
            (Some(reason), _) => Err(reason),
            (None, Err(_)) => Err(Reason::BadData),
            (None, Ok(vendor)) => self.target(&asked, vendor),
        };
        routed.map_err(|reason| {
            let named = (asked.vendor.as_deref(), asked.account.as_deref());
            let (vendor, account) = match named {
                (Some(vendor), Some(account)) if self.find(vendor, account).is_some() => (vendor, account),
                _ => ("", ""),
            };
            Unroutable {
                vendor: vendor.to_owned(),
                account: account.to_owned(),
                reason,
                asked: Box::new(asked.clone()),
            }
        })
    }

    fn target(&self, asked: &SubscriptionRequest, vendor: Option<Vendor>) -> Result<Routed, Reason> {
        let who = Asker {
            name: &asked.requester,
            accounts: &self.common.accounts,
            may_use: &Everything,
            carriers: self.carriers,
            now: Timestamp::UNIX_EPOCH,
        };
        let wish = Wish {
            vendor,
            account: asked.account.as_deref(),
            carrier: asked.carrier.as_deref(),
            international: asked.international.is_some(),
        };
        let target = route(&who, &wish).map_err(|error| match error.code {
            Code::UnknownCarrier => Reason::UnknownCarrier,
            _ => Reason::BadData,
        })?;
        let account = target.account;
        let found = self.find(account.vendor.as_str(), &account.name);
        Ok(Routed {
            asked: record::of_account(asked.clone(), account, target.carrier)?,
            account: found.ok_or(Reason::BadData)?,
            carrier: self.carrier(account.vendor, asked.carrier.as_deref()),
        })
    }

    /// A carrier in both languages; the vendor shall detect it if it is not told.
    fn carrier(&self, vendor: Vendor, told: Option<&str>) -> CarrierCodes {
        match told.map(|told| self.carriers.named(vendor, told)) {
            Some(Named::One(row)) => self.codes(vendor, &row.written()),
            _ => undetected(),
        }
    }
}

/// A carrier that is not known yet.
pub(super) fn undetected() -> CarrierCodes {
    CarrierCodes {
        canonical: UNKNOWN_CARRIER.to_owned(),
        vendors: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::records::{RequestAction, TimestampMicros};

    use super::*;

    /// Accounts as requests know them; whether one can be called does not matter here.
    fn routed(asked: &SubscriptionRequest) -> Result<Routed, Unroutable> {
        let common = r#"{"accounts":[{"name":"demo","vendor":"kuaidi100","api":"kuaidi100_enterprise"}]}"#;
        let common: SubscribeAccounts = serde_json::from_str(common).unwrap();
        let accounts = Accounts::new(&[], common, Carriers::built_in());
        accounts.route(asked, Timestamp::UNIX_EPOCH)
    }

    fn asked() -> SubscriptionRequest {
        SubscriptionRequest {
            request_id: "r1".to_owned(),
            requester: "oms".to_owned(),
            action: RequestAction::Subscribe,
            requested_at: TimestampMicros(0),
            vendor: None,
            account: None,
            carrier: Some("shunfeng".to_owned()),
            tracking_number: "SF0000000000001".to_owned(),
            phone: None,
            from: None,
            to: None,
            product: None,
            international: None,
            reference: None,
            not_before: None,
            force: false,
        }
    }

    #[test]
    fn a_vendor_is_called_with_the_carrier_s_code_as_it_writes_it() {
        let accounts = Accounts::new(&[], SubscribeAccounts::default(), Carriers::built_in());
        for (vendor, told, written) in [
            (Vendor::Kdniao, "yto", "YTO"),
            (Vendor::Kdniao, "YTO", "YTO"),
            (Vendor::Kdniao, "Colissimo", "COLISSIMO"),
            (Vendor::Kuaidi100, "YTO", "yuantong"),
            (Vendor::Kuaidi100, "YuanTong", "yuantong"),
        ] {
            assert_eq!(accounts.carrier(vendor, Some(told)).vendors, written, "{vendor} {told}");
        }
    }

    #[test]
    fn a_request_from_the_topic_is_checked_and_its_refusal_shows_nothing_of_what_was_wrong() {
        let person = || Some("张三 134-8888-8888".to_owned());
        for (wrong, reason) in [
            (
                SubscriptionRequest {
                    vendor: person(),
                    ..asked()
                },
                Reason::BadData,
            ),
            (
                SubscriptionRequest {
                    carrier: person(),
                    ..asked()
                },
                Reason::UnknownCarrier,
            ),
            (
                SubscriptionRequest {
                    reference: person(),
                    ..asked()
                },
                Reason::BadData,
            ),
            (
                SubscriptionRequest {
                    phone: person(),
                    ..asked()
                },
                Reason::Phone,
            ),
            (
                SubscriptionRequest {
                    to: person(),
                    ..asked()
                },
                Reason::BadPlace,
            ),
            (asked(), Reason::Phone),
        ] {
            let refused = routed(&wrong).unwrap_err();
            assert_eq!(refused.reason, reason);
            let shown = serde_json::to_string(&refused.asked).unwrap();
            assert!(!shown.contains("8888"), "{shown}");
        }
    }
}
