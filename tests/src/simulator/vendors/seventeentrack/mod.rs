//! 17TRACK: one parcel a push, as JSON with the signature in a header.

mod carriers;
mod payload;
mod request;
mod schedule;
mod steps;
mod subscriptions;
#[cfg(test)]
mod tests;

pub use request::sign;

pub(in crate::simulator) use carriers::number as carrier_number;
pub(in crate::simulator) use payload::body;
pub(in crate::simulator) use schedule::Reason;

use serde_json::Value;

use self::subscriptions::SeventeenTrackSubscriptions;
use super::options::{AccountOption, AccountOptions};
use super::{Crossing, PushService, Subscriptions};
use crate::simulator::push::config::SimulationConfig;
use crate::simulator::random::Random;
use crate::simulator::world::Course;

/// The vendor.
#[derive(Clone, Copy, Debug)]
pub struct SeventeenTrack;

static ACCOUNT_OPTIONS: AccountOptions = AccountOptions {
    signed: AccountOption {
        name: "17track-account",
        env: None,
        default: "demo",
        help: "Account of signed 17TRACK pushes; empty: none are sent",
    },
    secret: AccountOption {
        name: "17track-api-key",
        env: Some("SEVENTEENTRACK_API_KEY"),
        default: "17track-demo-key-0001",
        help: "API key of that account",
    },
    contract_id: None,
    unsigned: AccountOption {
        name: "17track-open-account",
        env: None,
        default: "open",
        help: "Account of unsigned 17TRACK pushes; empty: none are sent",
    },
};

/// Share of the parcels that it follows; the others are shared by the Chinese vendors.
const SHARE: f64 = 0.12;

/// First of the streams that its share is drawn from, one a parcel: apart from the parcels' own, so that the parcels of
/// the other vendors are the same with and without this one.
const SHARE_STREAM: u64 = 1 << 33;

impl PushService for SeventeenTrack {
    fn account_options(&self) -> &'static AccountOptions {
        &ACCOUNT_OPTIONS
    }

    fn follows(&self, config: &SimulationConfig, index: u64, _random: &mut Random) -> bool {
        config.stream(SHARE_STREAM + index).chance(SHARE)
    }

    fn crossing(&self, _config: &SimulationConfig) -> Crossing {
        // Who asks 17TRACK mostly ships abroad.
        Crossing {
            course: Course::International,
            share: 0.6,
        }
    }

    fn subscriptions(&self) -> Box<dyn Subscriptions> {
        Box::<SeventeenTrackSubscriptions>::default()
    }

    fn is_success(&self, body: &Value) -> bool {
        // It looks at the status alone; the body is our promise.
        body.get("code") == Some(&0.into())
    }
    fn is_promised_success(&self, body: &str, _contract_id: &str) -> bool {
        body == r#"{"code":0}"#
    }

    #[cfg(test)]
    fn read(&self, push: &crate::simulator::push::SimulatedPush) -> super::reading::Told {
        tests::read(push)
    }
}
