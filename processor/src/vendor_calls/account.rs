//! A contract with a vendor, with its keys: requests are made of subscriptions here, and answers are read.

use std::fmt;

use courierflow_schemas::records::{Subscription, SubscriptionSecret};
use courierflow_schemas::settings::{self, Secret, SettingsError};
use courierflow_vendors::api::answer::{Answer, Exchange};
use courierflow_vendors::api::order::{ApiAccount, OrderError, RequestTypes, SubscribeOrder, Waybill};
use courierflow_vendors::api::phone::PhoneDigits;
use courierflow_vendors::api::request::CallRequest;
use courierflow_vendors::api::{Api, ApiKind};
use courierflow_vendors::protocol;

use crate::config::SubscribeAccountSettings;

/// A contract with a vendor. Nothing of it can be printed but its name.
#[derive(Clone)]
pub struct CallAccount {
    account: ApiAccount,
    api: &'static dyn Api,
}

impl fmt::Debug for CallAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallAccount({}/{})", self.kind().vendor(), self.account.name)
    }
}

impl CallAccount {
    /// Reads the keys of an account. `key` makes the whole name of a setting, for errors.
    pub fn load(settings: &SubscribeAccountSettings, key: impl Fn(&str) -> String) -> Result<Self, SettingsError> {
        let secret = |name: &str, file: &Option<std::path::PathBuf>| -> Result<Option<Secret>, SettingsError> {
            let file = file.as_ref();
            file.map(|file| settings::secret_from_file(&key(name), file))
                .transpose()
        };
        let kind = settings.api;
        let [subscribe, query] = &settings.request_types;
        let account = ApiAccount {
            subscribe_url: settings.subscribe_url.clone().unwrap_or_default(),
            query_url: settings.query_url.clone().unwrap_or_default(),
            callback_base: settings.callback_base.clone().unwrap_or_default(),
            key: secret("key_file", &settings.key_file)?,
            customer: settings.customer.clone(),
            app_code: secret("app_code_file", &settings.app_code_file)?,
            salt: secret("salt_file", &settings.salt_file)?,
            business_id: settings.business_id.clone(),
            app_key: secret("app_key_file", &settings.app_key_file)?,
            request_types: RequestTypes {
                subscribe: subscribe.clone(),
                query: query.clone(),
            },
            map_config_key: settings.map_config_key.clone(),
            transport: settings.transport.into(),
            ..ApiAccount::new(&settings.name, kind)
        };
        match account.check() {
            Ok(()) => Ok(Self {
                account,
                api: protocol(kind.vendor()).api(),
            }),
            Err(OrderError::Missing(name)) => Err(SettingsError::key(key(name), "is missing")),
            Err(error) => Err(SettingsError::key(key("api"), error.to_string())),
        }
    }

    /// What pushes are signed with, to be compared with what ingest knows.
    pub const fn salt(&self) -> Option<&Secret> {
        self.account.salt.as_ref()
    }

    /// Kdniao's `EBusinessID` and its key.
    pub const fn business(&self) -> (Option<&String>, Option<&Secret>) {
        (self.account.business_id.as_ref(), self.account.app_key.as_ref())
    }

    /// Which API is called.
    pub const fn kind(&self) -> ApiKind {
        self.account.kind
    }

    /// The request that has a parcel followed.
    pub fn subscribe(
        &self,
        subscription: &Subscription,
        secret: &SubscriptionSecret,
    ) -> Result<CallRequest, OrderError> {
        let vendor_carrier = Some(subscription.vendor_carrier.as_str()).filter(|code| !code.is_empty());
        let order = SubscribeOrder {
            waybill: Waybill {
                tracking_number: &subscription.tracking_number,
                carrier: &subscription.carrier,
                vendor_carrier,
            },
            phone: secret.phone.as_deref().and_then(PhoneDigits::stored),
            from: secret.from.as_deref(),
            to: secret.to.as_deref(),
            product: subscription.product,
            international: secret.international.as_ref(),
            reference: subscription.reference.as_deref(),
            round: subscription.round,
        };
        self.api.subscribe(&self.account, &order)
    }

    /// What came of it.
    pub fn read_subscribed(&self, exchange: Exchange<'_>) -> Answer {
        self.api.read_subscribed(self.kind(), exchange)
    }
}
