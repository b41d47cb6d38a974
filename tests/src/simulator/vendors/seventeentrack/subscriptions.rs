//! How each parcel of a simulation is followed by 17TRACK.

use std::collections::HashMap;

use courierflow_schemas::records::{Signature, Vendor};

use super::payload::body;
use super::request::sign;
use super::schedule::{self, Look};
use crate::simulator::push::config::SimulationConfig;
use crate::simulator::push::followed::Followed;
use crate::simulator::random::Random;
use crate::simulator::vendors::{Call, Detail, Life, Request, Subscriptions};
use crate::simulator::world::Parcel;

/// First of the streams that its calls are planned with, one a parcel: apart from that of the other vendors.
const PLAN_STREAM: u64 = 1 << 34;

/// A push: which parcel, as seen when and told why.
#[derive(Clone, Copy, Debug)]
struct Push {
    parcel: usize,
    look: Look,
}

/// Whether the pushes about a parcel are signed, by its number, and the pushes by their own.
#[derive(Debug, Default)]
pub(super) struct SeventeenTrackSubscriptions {
    subscriptions: HashMap<usize, Signature>,
    pushes: Vec<Push>,
}

impl Subscriptions for SeventeenTrackSubscriptions {
    fn subscribe(
        &mut self,
        config: &SimulationConfig,
        number: usize,
        _parcel: &Parcel,
        _life: Life,
        random: &mut Random,
    ) -> Detail {
        let signature = if config.draws_unsigned(Vendor::SeventeenTrack, random) {
            Signature::Unsigned
        } else {
            Signature::Verified
        };
        self.subscriptions.insert(number, signature);
        Detail::Statuses
    }

    fn plan(
        &mut self,
        config: &SimulationConfig,
        number: usize,
        followed: &Followed,
        _random: &mut Random,
    ) -> Vec<Call> {
        let mut random = config.stream(PLAN_STREAM + number as u64);
        let looks = schedule::looks(config, followed, &mut random);
        let calls = schedule::calls(config, &looks, self.pushes.len(), &mut random);
        let pushes = looks.into_iter().map(|look| Push { parcel: number, look });
        self.pushes.extend(pushes);
        calls
    }

    fn request(&self, config: &SimulationConfig, push: usize, parcels: &[Followed]) -> Option<Request> {
        let Push { parcel, look } = *self.pushes.get(push)?;
        let account = match self.subscriptions.get(&parcel)? {
            Signature::Verified => config.signed(Vendor::SeventeenTrack),
            Signature::Unsigned => config.unsigned(Vendor::SeventeenTrack),
        }?;
        let body = body(&parcels.get(parcel)?.snapshot(look.taken_at), look.reason);
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if let Some(api_key) = &account.secret {
            headers.push(("sign", sign(&body, api_key)));
        }
        Some(Request {
            account: account.name.clone(),
            query: String::new(),
            headers,
            body: body.into_bytes(),
            parcels: vec![parcel],
        })
    }
}
