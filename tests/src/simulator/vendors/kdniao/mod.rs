//! Kdniao: 1 to 10 parcels a push, basic (`State` only), value-added (`StateEx`, `Action`) and cross-border (`Timezone`),
//! as a signed form or as JSON.

mod carriers;
mod payload;
mod request;
mod schedule;
mod steps;
mod subscriptions;
#[cfg(test)]
mod tests;

pub use request::{Shape, body, sign};
pub use subscriptions::Product;

pub(in crate::simulator) use carriers::code as carrier_code;
pub(in crate::simulator) use payload::request_data;
pub(in crate::simulator) use schedule::{Reason, next_full_hour};

use jiff::civil::DateTime;
use serde_json::Value;

use self::subscriptions::KdniaoSubscriptions;
use super::options::{AccountOption, AccountOptions};
use super::{Crossing, PushService, Subscriptions};
use crate::simulator::push::config::SimulationConfig;
use crate::simulator::random::Random;
use crate::simulator::world::Course;

/// The vendor.
#[derive(Clone, Copy, Debug)]
pub struct Kdniao;

static ACCOUNT_OPTIONS: AccountOptions = AccountOptions {
    signed: AccountOption {
        name: "kdniao-account",
        env: None,
        default: "demo",
        help: "Account of signed Kdniao pushes; empty: none are sent",
    },
    secret: AccountOption {
        name: "kdniao-app-key",
        env: Some("KDNIAO_APP_KEY"),
        default: "courierflow-demo-app-key",
        help: "App key of that account",
    },
    contract_id: Some(AccountOption {
        name: "kdniao-business-id",
        env: None,
        default: "1000001",
        help: "Business id (`EBusinessID`) of that account",
    }),
    unsigned: AccountOption {
        name: "kdniao-open-account",
        env: None,
        default: "open",
        help: "Account of unsigned Kdniao pushes (JSON); empty: none are sent",
    },
};

/// Share of the parcels that no later vendor of the list follows.
const SHARE: f64 = 0.3;

impl PushService for Kdniao {
    fn account_options(&self) -> &'static AccountOptions {
        &ACCOUNT_OPTIONS
    }

    fn follows(&self, _config: &SimulationConfig, _index: u64, random: &mut Random) -> bool {
        random.chance(SHARE)
    }

    fn crossing(&self, _config: &SimulationConfig) -> Crossing {
        Crossing {
            course: Course::CrossBorder,
            share: 0.03,
        }
    }

    fn subscriptions(&self) -> Box<dyn Subscriptions> {
        Box::<KdniaoSubscriptions>::default()
    }

    fn is_success(&self, body: &Value) -> bool {
        let is_text = |key: &str| body.get(key).is_some_and(Value::is_string);
        body.get("Success") == Some(&true.into()) && ["EBusinessID", "UpdateTime", "Reason"].into_iter().all(is_text)
    }
    fn is_promised_success(&self, body: &str, contract_id: &str) -> bool {
        let Ok(Value::Object(members)) = serde_json::from_str(body) else {
            return false;
        };
        let text = |key: &str| members.get(key).and_then(Value::as_str);
        let is_time = |text: &str| DateTime::strptime("%Y-%m-%d %H:%M:%S", text).is_ok();
        members.len() == 4
            && text("EBusinessID") == Some(contract_id)
            && text("UpdateTime").is_some_and(is_time)
            && members.get("Success") == Some(&true.into())
            && text("Reason") == Some("")
    }

    #[cfg(test)]
    fn read(&self, push: &crate::simulator::push::SimulatedPush) -> super::reading::Told {
        tests::read(push)
    }
}
