//! Kuaidi100: one parcel a push, by every product (enterprise, marketplace, map-track, international) and in every shape
//! (signed form, flat form, bare JSON). It follows whatever no other vendor follows.

mod carriers;
mod payload;
mod request;
mod schedule;
pub mod steps;
mod subscriptions;
#[cfg(test)]
mod tests;

pub use request::{Shape, body, digest, sign};

pub(in crate::simulator) use carriers::code as carrier_code;
pub(in crate::simulator) use payload::{param, trail_url};
pub(in crate::simulator) use schedule::Reason;
pub(in crate::simulator) use subscriptions::Product;

use courierflow_schemas::records::Vendor;
use serde_json::Value;

use self::subscriptions::Kuaidi100Subscriptions;
use super::options::{AccountOption, AccountOptions};
use super::{Crossing, PushService, Subscriptions};
use crate::simulator::push::config::SimulationConfig;
use crate::simulator::random::Random;
use crate::simulator::world::Course;

/// The vendor.
#[derive(Clone, Copy, Debug)]
pub struct Kuaidi100;

static ACCOUNT_OPTIONS: AccountOptions = AccountOptions {
    signed: AccountOption {
        name: "kuaidi100-account",
        env: None,
        default: "demo",
        help: "Account of signed Kuaidi100 pushes; empty: none are sent",
    },
    secret: AccountOption {
        name: "kuaidi100-salt",
        env: Some("KUAIDI100_SALT"),
        default: "courierflow-demo-salt",
        help: "Salt of that account",
    },
    contract_id: None,
    unsigned: AccountOption {
        name: "kuaidi100-open-account",
        env: None,
        default: "open",
        help: "Account of unsigned Kuaidi100 pushes (flat forms, JSON); empty: none are sent",
    },
};

impl PushService for Kuaidi100 {
    fn account_options(&self) -> &'static AccountOptions {
        &ACCOUNT_OPTIONS
    }

    fn follows(&self, _config: &SimulationConfig, _index: u64, _random: &mut Random) -> bool {
        true
    }

    fn crossing(&self, config: &SimulationConfig) -> Crossing {
        // International subscriptions are signed.
        let course = match config.signed(Vendor::Kuaidi100) {
            Some(_) => Course::International,
            None => Course::Domestic,
        };
        Crossing { course, share: 0.03 }
    }

    fn reuses_numbers(&self) -> bool {
        true
    }

    fn subscriptions(&self) -> Box<dyn Subscriptions> {
        Box::<Kuaidi100Subscriptions>::default()
    }

    fn is_success(&self, body: &Value) -> bool {
        body.get("result") == Some(&true.into()) && body.get("returnCode") == Some(&"200".into())
    }
    fn is_promised_success(&self, body: &str, _contract_id: &str) -> bool {
        body == r#"{"result":true,"returnCode":"200","message":"成功"}"#
    }

    #[cfg(test)]
    fn read(&self, push: &crate::simulator::push::SimulatedPush) -> super::reading::Told {
        tests::read(push)
    }
}
