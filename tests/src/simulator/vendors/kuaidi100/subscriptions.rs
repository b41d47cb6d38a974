//! What subscribers buy from Kuaidi100, and how each parcel of a simulation is followed.

use std::collections::HashMap;

use courierflow_schemas::records::Vendor;

use super::payload::param;
use super::request::{Shape, body};
use super::schedule::{self, Look};
use crate::simulator::carriers::{CARRIERS, Carrier};
use crate::simulator::push::config::SimulationConfig;
use crate::simulator::push::followed::Followed;
use crate::simulator::random::Random;
use crate::simulator::vendors::{Call, Detail, Life, Request, Subscriptions};
use crate::simulator::world::{Course, Parcel};

/// What the subscriber bought. `resultv2` settles which fields an item has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Product {
    /// Enterprise subscription without `resultv2`: texts and times only.
    Plain,
    /// Enterprise subscription, `resultv2` = 1: base names and bare area codes.
    Named,
    /// `resultv2` = 4: advanced names and codes, places.
    Advanced,
    /// `resultv2` = 8: the same with a forecast.
    Forecast,
    /// Map-track subscription, `resultv2` = 5.
    Map,
    /// Map-track subscription, `resultv2` = 7: with a forecast.
    MapForecast,
    /// `interCom` = 1: origin and destination country.
    International,
}

impl Product {
    pub(in crate::simulator) const fn has_codes(self) -> bool {
        matches!(self, Self::Advanced | Self::Forecast | Self::Map | Self::MapForecast)
    }

    pub(super) const fn has_forecast(self) -> bool {
        matches!(self, Self::Forecast | Self::MapForecast)
    }

    pub(super) const fn is_map(self) -> bool {
        matches!(self, Self::Map | Self::MapForecast)
    }

    /// The products whose pushes carry `autoCheck`, `comOld` and `comNew`.
    pub(super) const fn tells_correction(self) -> bool {
        matches!(self, Self::Plain | Self::Named)
    }
}

/// A subscription under the wrong carrier, and who it was.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulator) struct Correction {
    /// The company that the subscriber named.
    pub(super) wrong: &'static Carrier,
    /// Whether the vendor still writes it into `lastResult.com` afterwards, as one of its documents shows.
    pub(super) keeps_old_company: bool,
}

/// How a parcel is followed.
#[derive(Clone, Copy, Debug)]
struct Subscription {
    product: Product,
    shape: Shape,
    correction: Option<Correction>,
    /// Whether the subscriber gave a callback URL with a query.
    has_query: bool,
}

/// A push: which parcel, as seen when and told why.
#[derive(Clone, Copy, Debug)]
struct Push {
    parcel: usize,
    look: Look,
}

/// The subscriptions by the number of their parcel, and the pushes by their own.
#[derive(Debug, Default)]
pub(super) struct Kuaidi100Subscriptions {
    subscriptions: HashMap<usize, Subscription>,
    pushes: Vec<Push>,
}

impl Subscriptions for Kuaidi100Subscriptions {
    fn subscribe(
        &mut self,
        config: &SimulationConfig,
        number: usize,
        parcel: &Parcel,
        life: Life,
        random: &mut Random,
    ) -> Detail {
        let (product, shape) = offer(config, parcel.course, random);
        let wrong = random.pick(CARRIERS.as_slice());
        let may_be_wrong = parcel.course == Course::Domestic && wrong.code != parcel.carrier.code;
        let keeps_old_company = random.chance(0.5);
        let is_wrong = may_be_wrong && random.chance(0.01);
        let subscription = Subscription {
            product,
            shape,
            // The carrier of a number that has lived before is known.
            correction: (is_wrong && life == Life::First).then_some(Correction {
                wrong,
                keeps_old_company,
            }),
            has_query: random.chance(0.3),
        };
        self.subscriptions.insert(number, subscription);
        match product {
            Product::Plain => Detail::TextsOnly,
            _ => Detail::Statuses,
        }
    }

    fn plan(
        &mut self,
        config: &SimulationConfig,
        number: usize,
        followed: &Followed,
        random: &mut Random,
    ) -> Vec<Call> {
        let Some(subscription) = self.subscriptions.get(&number) else {
            return Vec::new();
        };
        let looks = schedule::looks(config, followed, subscription.correction, random);
        let calls = schedule::calls(config, &looks, self.pushes.len(), random);
        let pushes = looks.into_iter().map(|look| Push { parcel: number, look });
        self.pushes.extend(pushes);
        calls
    }

    fn request(&self, config: &SimulationConfig, push: usize, parcels: &[Followed]) -> Option<Request> {
        let Push { parcel, look } = *self.pushes.get(push)?;
        let followed = parcels.get(parcel)?;
        let subscription = self.subscriptions.get(&parcel)?;
        let account = match subscription.shape {
            Shape::SignedForm => config.signed(Vendor::Kuaidi100),
            Shape::FlatForm | Shape::BareJson => config.unsigned(Vendor::Kuaidi100),
        }?;
        let snapshot = followed.snapshot(look.taken_at);
        let param = param(&snapshot, subscription.product, look.reason, subscription.correction);
        let (content_type, body) = body(&param, subscription.shape, account.secret.as_deref());
        Some(Request {
            account: account.name.clone(),
            query: if subscription.has_query {
                format!("?orderId=SO{}", followed.parcel.ordered_at)
            } else {
                String::new()
            },
            headers: vec![("content-type", content_type.to_owned())],
            body,
            parcels: vec![parcel],
        })
    }
}

/// A product and a shape, of those that the accounts allow.
fn offer(config: &SimulationConfig, course: Course, random: &mut Random) -> (Product, Shape) {
    use Product::{Advanced, Forecast, International, Map, MapForecast, Named, Plain};
    use Shape::{BareJson, FlatForm, SignedForm};
    const SIGNED: [(Product, Shape, u32); 6] = [
        (Advanced, SignedForm, 38),
        (Forecast, SignedForm, 16),
        (Map, SignedForm, 12),
        (MapForecast, SignedForm, 6),
        (Named, SignedForm, 9),
        (Plain, SignedForm, 4),
    ];
    const UNSIGNED: [(Product, Shape, u32); 2] = [(Forecast, FlatForm, 8), (Advanced, BareJson, 7)];
    if course == Course::International {
        return (International, SignedForm);
    }
    let mut offers = Vec::with_capacity(SIGNED.len() + UNSIGNED.len());
    if config.signed(Vendor::Kuaidi100).is_some() {
        offers.extend(SIGNED);
    }
    if config.unsigned(Vendor::Kuaidi100).is_some() {
        offers.extend(UNSIGNED);
    }
    let (product, shape, _) = random.weighted(&offers, |(_, _, weight)| *weight);
    (*product, *shape)
}
