//! A contract with a vendor, with its keys: requests are made of subscriptions here, and answers are read.

use std::fmt;

use courierflow_schemas::records::{Product, Subscription, SubscriptionSecret, Vendor};
use courierflow_schemas::settings::{self, Secret, SettingsError};
use courierflow_vendors::api::answer::{Answer, Exchange, QueryAnswer};
use courierflow_vendors::api::order::{ApiAccount, OrderError, QueryOrder, RequestTypes, SubscribeOrder, Waybill};
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
    /// Reads the keys of an account that is called for subscriptions. `key` makes the whole name of a setting, for errors.
    pub fn load(settings: &SubscribeAccountSettings, key: impl Fn(&str) -> String) -> Result<Self, SettingsError> {
        let read = Self::read(settings, &key)?;
        read.complete(ApiAccount::check, &key)
    }

    /// Reads the keys of an account that is asked about parcels.
    pub fn load_for_queries(
        settings: &SubscribeAccountSettings,
        key: impl Fn(&str) -> String,
    ) -> Result<Self, SettingsError> {
        let read = Self::read(settings, &key)?;
        read.complete(ApiAccount::check_query, &key)
    }

    fn read(settings: &SubscribeAccountSettings, key: &impl Fn(&str) -> String) -> Result<Self, SettingsError> {
        let secret = |name: &str, file: &Option<std::path::PathBuf>| -> Result<Option<Secret>, SettingsError> {
            let file = file.as_ref();
            file.map(|file| settings::secret_from_file(&key(name), file))
                .transpose()
        };
        let kind = settings.api;
        let [subscribe, query] = &settings.request_types;
        let usual = ApiAccount::new(&settings.name, kind);
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
            transport: settings.transport.unwrap_or(usual.transport),
            result_levels: settings.result_levels.clone(),
            query_result_levels: settings.query_result_levels.clone(),
            ..usual
        };
        Ok(Self {
            account,
            api: protocol(kind.vendor()).api(),
        })
    }

    fn complete(
        self,
        check: impl FnOnce(&ApiAccount) -> Result<(), OrderError>,
        key: &impl Fn(&str) -> String,
    ) -> Result<Self, SettingsError> {
        match check(&self.account) {
            Ok(()) => Ok(self),
            Err(OrderError::Missing(name)) => Err(SettingsError::key(key(name), "is missing")),
            Err(error) => Err(SettingsError::key(key("api"), error.to_string())),
        }
    }

    /// Whether every push of the vendor to the account is signed. One of the documents of 17TRACK has none when it stops.
    pub const fn has_signed_pushes(&self) -> bool {
        match self.account.kind.vendor() {
            Vendor::Kuaidi100 => self.account.salt.is_some(),
            Vendor::Kdniao => true,
            Vendor::SeventeenTrack => false,
        }
    }

    /// 17TRACK's key of calls and pushes.
    pub const fn key(&self) -> Option<&Secret> {
        self.account.key.as_ref()
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

    /// What came of it, without what the vendor may have repeated of the call. `secret` is that of the call.
    pub fn read_subscribed(&self, exchange: Exchange<'_>, secret: &SubscriptionSecret) -> Answer {
        let answer = self.api.read_subscribed(self.kind(), exchange);
        answer.without(self.secrets(secret))
    }

    /// The request that asks about a parcel.
    pub fn query(
        &self,
        waybill: Waybill<'_>,
        product: Product,
        secret: &SubscriptionSecret,
    ) -> Result<CallRequest, OrderError> {
        let order = QueryOrder {
            waybill,
            phone: secret.phone.as_deref().and_then(PhoneDigits::stored),
            from: secret.from.as_deref(),
            to: secret.to.as_deref(),
            product,
        };
        self.api.query(&self.account, &order)
    }

    /// What came of it, likewise.
    pub fn read_queried<'a>(&self, exchange: Exchange<'a>, secret: &SubscriptionSecret) -> QueryAnswer<'a> {
        let QueryAnswer { answer, found } = self.api.read_queried(self.kind(), exchange);
        QueryAnswer {
            answer: answer.without(self.secrets(secret)),
            found,
        }
    }

    /// `RequestType` of a query, which only Kdniao has.
    pub fn request_type_of_queries(&self) -> Option<&str> {
        let has_types = self.kind().vendor() == Vendor::Kdniao;
        has_types.then_some(self.account.request_types.query.as_str())
    }

    /// Everything that an answer must not repeat.
    fn secrets<'s>(&'s self, secret: &'s SubscriptionSecret) -> impl Iterator<Item = &'s str> {
        let ApiAccount {
            key,
            customer,
            app_code,
            salt,
            app_key,
            ..
        } = &self.account;
        let keys = [key, app_code, salt, app_key].into_iter().flatten().map(Secret::expose);
        let of_parcel = [customer, &secret.phone, &secret.from, &secret.to];
        let tail = secret.phone.as_deref().and_then(PhoneDigits::stored);
        keys.chain(of_parcel.into_iter().flatten().map(String::as_str))
            .chain(tail.map(|phone| phone.tail().expose()))
    }
}

#[cfg(test)]
mod tests {
    use courierflow_vendors::api::answer::Response;

    use super::*;

    #[test]
    fn what_a_vendor_repeats_of_the_call_is_not_kept() {
        let kind = ApiKind::Kuaidi100Enterprise;
        let account = CallAccount {
            account: ApiAccount {
                key: Some(Secret::new("Kk12345678kK")),
                customer: Some("CUSTOMER".to_owned()),
                salt: Some(Secret::new("salt-value")),
                app_code: Some(Secret::new("app-code")),
                ..ApiAccount::new("demo", kind)
            },
            api: protocol(kind.vendor()).api(),
        };
        let secret = SubscriptionSecret {
            phone: Some("13488889999".to_owned()),
            to: Some("北京市朝阳区".to_owned()),
            ..SubscriptionSecret::default()
        };
        let message = "key=Kk12345678kK CUSTOMER salt-value app-code 134-8888-9999 尾号9999 北京市朝阳区 错误";
        for (code, kept) in [("701", Some("701")), ("Kk12345678kK", None)] {
            let body = format!(r#"{{"returnCode":"{code}","result":false,"message":"{message}"}}"#);
            let exchange = Exchange::Answered(Response {
                status: 400,
                retry_after: None,
                body: body.as_bytes(),
            });
            let answer = account.read_subscribed(exchange, &secret);
            assert_eq!(answer.code.as_deref(), kept);
            let told = "key=*** *** *** *** *** 尾号*** *** 错误";
            assert_eq!(answer.message.as_deref(), Some(told));
        }
    }
}
