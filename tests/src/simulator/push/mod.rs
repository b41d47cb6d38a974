//! When which vendor pushes what, and what goes wrong on the way.
//!
//! A vendor looks at a parcel about every four hours (more often near the end) and pushes its whole history when that
//! has changed. On top of it comes what real streams are full of, in the measure of [`SimulationConfig::mischief`]: retries of
//! pushes that had arrived, older snapshots after newer ones, rewritten and retracted history, back-dated scans, full
//! re-pushes, impossible times.
//!
//! | room | what |
//! |---|---|
//! | [`config`] | what to simulate |
//! | `follow` | lives parcels, and subscribes to each at one vendor |
//! | `revise` | what vendors get wrong about a parcel |
//! | [`followed`] | a parcel that a vendor follows, and when it looks |
//!
//! What a vendor pushes at which look is in its folder among the [`vendors`](super::vendors).

pub mod config;
mod follow;
pub mod followed;
mod revise;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use courierflow_schemas::records::Vendor;

pub use self::config::SimulationConfig;
use self::followed::Followed;
use super::clock::Seconds;
use super::vendors::{Call, Subscriptions, service};
use super::world::Parcel;

/// One HTTP call of a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedPush {
    /// Who calls.
    pub vendor: Vendor,
    /// Name of the account.
    pub account: String,
    /// Path and query, from the slash.
    pub path: String,
    /// Header fields.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The parcels in it, in the order of the push.
    pub tracking_numbers: Vec<String>,
    /// When the vendor sends it, simulated seconds UTC.
    pub sent_at: Seconds,
}

/// The subscriptions of every vendor that has an account.
type SubscriptionsByVendor = BTreeMap<Vendor, Box<dyn Subscriptions>>;

/// The pushes of a simulation, in the order in which the vendors send them: those of one parcel in order, parcels
/// interleaved. Bodies are written when they are asked for.
#[derive(Debug)]
pub struct Simulation {
    config: SimulationConfig,
    followed: Vec<Followed>,
    subscriptions: SubscriptionsByVendor,
    calls: std::vec::IntoIter<(Vendor, Call)>,
}

impl Simulation {
    /// Lives all parcels and plans all pushes.
    pub fn new(config: SimulationConfig) -> Self {
        let vendors = config.vendors();
        let mut subscriptions = vendors
            .map(|vendor| (vendor, service(vendor).subscriptions()))
            .collect();
        let followed = follow::follow_all(&config, &mut subscriptions);
        let mut random = config.stream(u64::MAX);
        let mut calls = Vec::new();
        for (number, parcel) in followed.iter().enumerate() {
            if let Some(subscriptions) = subscriptions.get_mut(&parcel.vendor) {
                let planned = subscriptions.plan(&config, number, parcel, &mut random);
                calls.extend(planned.into_iter().map(|call| (parcel.vendor, call)));
            }
        }
        for (vendor, subscriptions) in &mut subscriptions {
            let planned = subscriptions.plan_shared(&config, &mut random);
            calls.extend(planned.into_iter().map(|call| (*vendor, call)));
        }
        // Stable: pushes of one second stay in the order in which they were planned.
        calls.sort_by_key(|(_, call)| call.sent_at);
        Self {
            config,
            followed,
            subscriptions,
            calls: calls.into_iter(),
        }
    }

    /// The parcels, also those of which the vendors have nothing to tell yet.
    pub fn parcels(&self) -> impl Iterator<Item = &Parcel> {
        self.followed.iter().map(|followed| &followed.parcel)
    }

    fn write(&self, vendor: Vendor, call: Call) -> Option<SimulatedPush> {
        let request = self
            .subscriptions
            .get(&vendor)?
            .request(&self.config, call.push, &self.followed)?;
        let parcels = request.parcels.iter().filter_map(|number| self.followed.get(*number));
        Some(SimulatedPush {
            vendor,
            path: format!("/v1/push/{vendor}/{}{}", request.account, request.query),
            account: request.account,
            headers: request.headers,
            body: request.body,
            tracking_numbers: parcels
                .map(|followed| followed.parcel.tracking_number.clone())
                .collect(),
            sent_at: call.sent_at,
        })
    }
}

impl Iterator for Simulation {
    type Item = SimulatedPush;

    fn next(&mut self) -> Option<SimulatedPush> {
        let (vendor, call) = self.calls.next()?;
        self.write(vendor, call)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.calls.size_hint()
    }
}

impl ExactSizeIterator for Simulation {}
