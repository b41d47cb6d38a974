//! The vendors' push services as the simulator plays them. A vendor is one folder behind two traits, [`PushService`] and
//! [`Subscriptions`]; [`service`] is the only place that leads from a [`Vendor`] to its folder.
//!
//! | room of a folder | what |
//! |---|---|
//! | `mod` | the vendor's [`PushService`] |
//! | `subscriptions` | what its subscribers buy; its [`Subscriptions`] |
//! | `schedule` | when it pushes what for which reason |
//! | `payload` | a snapshot as the vendor tells it |
//! | `request` | the payload as a request, signed |
//! | `steps`, `carriers` | its words for what happens, its codes of the carriers |

pub mod kdniao;
pub mod kuaidi100;
pub mod options;
#[cfg(test)]
pub mod reading;
pub mod seventeentrack;

use std::fmt::Debug;

use courierflow_schemas::records::Vendor;
use serde_json::Value;

use self::options::AccountOptions;
use super::clock::Seconds;
use super::push::config::SimulationConfig;
use super::push::followed::Followed;
use super::random::Random;
use super::world::{Course, Parcel};

/// What a vendor is and does in every simulation.
pub trait PushService: Sync {
    /// The options that its accounts are made of.
    fn account_options(&self) -> &'static AccountOptions;

    /// Whether it follows parcel number `index`, which a vendor before it in [`Vendor::ALL`] could follow as well.
    /// `random` is the parcel's own stream: who draws from it changes the lives of all parcels.
    fn follows(&self, config: &SimulationConfig, index: u64, random: &mut Random) -> bool;

    /// Which of its parcels cross a border.
    fn crossing(&self, config: &SimulationConfig) -> Crossing;

    /// Whether the numbers of its parcels come back after a month, where [`SimulationConfig::reuse_numbers`] asks for it.
    fn reuses_numbers(&self) -> bool {
        false
    }

    /// The subscriptions of a simulation, none so far.
    fn subscriptions(&self) -> Box<dyn Subscriptions>;

    /// Whether the vendor, or for it our promise to it, takes an answer of status 200 with this JSON body for a success.
    fn is_success(&self, body: &Value) -> bool;

    /// Whether the body of an answer is our success to the letter, with nothing that the vendor's documents do not ask for.
    /// `contract_id` is that of the account.
    fn is_promised_success(&self, body: &str, contract_id: &str) -> bool;

    /// Reads a push back.
    #[cfg(test)]
    fn read(&self, push: &super::push::SimulatedPush) -> reading::Told;
}

/// The vendor's folder.
pub fn service(vendor: Vendor) -> &'static dyn PushService {
    match vendor {
        Vendor::Kuaidi100 => &kuaidi100::Kuaidi100,
        Vendor::Kdniao => &kdniao::Kdniao,
        Vendor::SeventeenTrack => &seventeentrack::SeventeenTrack,
    }
}

/// Parcels that cross a border.
#[derive(Clone, Copy, Debug)]
pub struct Crossing {
    /// How they do.
    pub course: Course,
    /// Share of all parcels of the vendor, 0 to 1.
    pub share: f64,
}

/// Which life of its tracking number a parcel lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// The first, and mostly the only one.
    First,
    /// The number was used before.
    Second,
}

/// What the pushes about a parcel consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Codes or names of statuses beside the texts.
    Statuses,
    /// Neither codes nor names: what happened must be read from the texts.
    TextsOnly,
}

/// A call of a vendor, to be written when it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it is sent, seconds UTC.
    pub sent_at: Seconds,
    /// Number of the push among those of the vendor; a retry repeats it.
    pub push: usize,
}

/// What a vendor sends: to which account, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Name of the account.
    pub account: String,
    /// Query of the callback URL with its question mark, or empty.
    pub query: String,
    /// Header fields.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Numbers of the parcels in it, in the order of the push.
    pub parcels: Vec<usize>,
}

/// A vendor's subscriptions in one simulation, and the pushes that they lead to. First all parcels are subscribed to, then
/// the calls about each of them are planned in the same order, then those about several; requests are written at the end.
pub trait Subscriptions: Debug + Send + Sync {
    /// Subscribes to parcel number `number`.
    fn subscribe(
        &mut self,
        config: &SimulationConfig,
        number: usize,
        parcel: &Parcel,
        life: Life,
        random: &mut Random,
    ) -> Detail;

    /// Plans the calls about one parcel, except for those that carry others too. `random` is one stream for all parcels.
    fn plan(&mut self, config: &SimulationConfig, number: usize, followed: &Followed, random: &mut Random)
    -> Vec<Call>;

    /// Plans the calls that carry several parcels.
    fn plan_shared(&mut self, _config: &SimulationConfig, _random: &mut Random) -> Vec<Call> {
        Vec::new()
    }

    /// Writes a push; `None` if there is none of that number.
    fn request(&self, config: &SimulationConfig, push: usize, parcels: &[Followed]) -> Option<Request>;
}

#[cfg(test)]
mod tests {
    use courierflow_vendors::account::{self, Unsigned};
    use courierflow_vendors::{Refusal, protocol};
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn each_vendor_takes_its_own_success_and_nothing_else() {
        let account = |vendor| account::Account {
            name: "demo".to_owned(),
            vendor,
            contract_id: "1000001".to_owned(),
            secrets: Vec::new(),
            unsigned: Unsigned::Reject,
            unsigned_end: false,
        };
        let takes = |vendor: Vendor, body: &[u8]| {
            let text = std::str::from_utf8(body).unwrap();
            let is_success = service(vendor).is_success(&serde_json::from_str(text).unwrap());
            (is_success, service(vendor).is_promised_success(text, "1000001"))
        };
        for vendor in Vendor::ALL {
            let account = account(vendor);
            let accepted = protocol(vendor).accepted(&account, Timestamp::UNIX_EPOCH);
            for other in Vendor::ALL {
                let is_own = other == vendor;
                assert_eq!(takes(other, &accepted), (is_own, is_own), "{vendor} to {other}");
            }
            let refusal = Refusal {
                status: 503,
                text: "later",
            };
            let refused = protocol(vendor).refused(Some(&account), Timestamp::UNIX_EPOCH, refusal);
            assert_eq!(takes(vendor, &refused), (false, false), "{vendor}");
        }
    }
}
