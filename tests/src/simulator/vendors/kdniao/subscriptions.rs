//! What subscribers buy from Kdniao, and how each parcel of a simulation is followed.

use std::collections::HashMap;

use courierflow_schemas::records::Vendor;

use super::payload::request_data;
use super::request::{Shape, body};
use super::schedule::{self, Look, Push};
use crate::simulator::push::config::SimulationConfig;
use crate::simulator::push::followed::Followed;
use crate::simulator::random::Random;
use crate::simulator::vendors::{Call, Detail, Life, Request, Subscriptions};
use crate::simulator::world::{Course, Parcel};

/// What the subscriber bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Product {
    /// 1008: `State` and texts.
    Basic,
    /// 8008: `StateEx`, `Action`, places, forecast.
    ValueAdded,
    /// 7108: foreign carriers, with time zones.
    CrossBorder,
}

impl Product {
    /// `RequestType` of its pushes.
    pub const fn request_type(self) -> &'static str {
        match self {
            Self::Basic => "101",
            Self::ValueAdded | Self::CrossBorder => "102",
        }
    }
}

/// The subscriptions by the number of their parcel, the looks that wait for a push, and the pushes by their number.
#[derive(Debug, Default)]
pub(super) struct KdniaoSubscriptions {
    subscriptions: HashMap<usize, (Product, Shape)>,
    looks: Vec<(Product, Shape, Look)>,
    pushes: Vec<Push>,
}

impl Subscriptions for KdniaoSubscriptions {
    fn subscribe(
        &mut self,
        config: &SimulationConfig,
        number: usize,
        parcel: &Parcel,
        _life: Life,
        random: &mut Random,
    ) -> Detail {
        let product = match parcel.course {
            Course::CrossBorder => Product::CrossBorder,
            _ if random.chance(0.2) => Product::Basic,
            _ => Product::ValueAdded,
        };
        let shape = if config.draws_unsigned(Vendor::Kdniao, random) {
            Shape::BareJson
        } else {
            Shape::SignedForm
        };
        self.subscriptions.insert(number, (product, shape));
        match product {
            Product::Basic => Detail::TextsOnly,
            Product::ValueAdded | Product::CrossBorder => Detail::Statuses,
        }
    }

    fn plan(
        &mut self,
        config: &SimulationConfig,
        number: usize,
        followed: &Followed,
        random: &mut Random,
    ) -> Vec<Call> {
        if let Some((product, shape)) = self.subscriptions.get(&number).copied() {
            let looks = schedule::looks(config, number, followed, random);
            self.looks.extend(looks.into_iter().map(|look| (product, shape, look)));
        }
        Vec::new()
    }

    fn plan_shared(&mut self, config: &SimulationConfig, random: &mut Random) -> Vec<Call> {
        let (pushes, calls) = schedule::batches(config, std::mem::take(&mut self.looks), random);
        self.pushes = pushes;
        calls
    }

    fn request(&self, config: &SimulationConfig, push: usize, parcels: &[Followed]) -> Option<Request> {
        let push = self.pushes.get(push)?;
        let account = match push.shape {
            Shape::SignedForm | Shape::DoublyEncodedForm => config.signed(Vendor::Kdniao),
            Shape::BareJson => config.unsigned(Vendor::Kdniao),
        }?;
        let mut snapshots = Vec::with_capacity(push.looks.len());
        for look in &push.looks {
            snapshots.push((parcels.get(look.parcel)?.snapshot(look.taken_at), look.reason));
        }
        let request_data = request_data(&snapshots, push.product, &account.contract_id, push.pushed_at);
        let (content_type, body) = body(&request_data, push.product, push.shape, account.secret.as_deref());
        Some(Request {
            account: account.name.clone(),
            query: String::new(),
            headers: vec![("content-type", content_type.to_owned())],
            body,
            parcels: push.looks.iter().map(|look| look.parcel).collect(),
        })
    }
}
