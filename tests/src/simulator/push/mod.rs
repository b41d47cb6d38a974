//! When which vendor pushes what, and what goes wrong on the way.
//!
//! A vendor looks at a parcel about every four hours (more often near the end) and pushes its whole history when that
//! has changed. On top of it comes what real streams are full of, in the measure of [`SimulationConfig::mischief`]: retries of
//! pushes that had arrived, older snapshots after newer ones, rewritten and retracted history, back-dated scans, full
//! re-pushes, impossible times.

use courierflow_schemas::records::Vendor;

use super::carriers::CARRIERS;
use super::clock::{DAY, HOUR, Seconds, working_hour};
use super::kdniao;
use super::kuaidi100::{self, Correction};
use super::random::Random;
use super::seventeentrack;
use super::snapshot::{Change, Revision, Snapshot};
use super::steps::Step;
use super::texts;
use super::world::{Course, Parcel, is_over, live};

/// A contract with Kuaidi100: the account's name is the last segment of the callback URL.
#[derive(Clone, Debug)]
pub struct Kuaidi100Account {
    /// Name of the account.
    pub name: String,
    /// Salt of its subscriptions; None: subscribed without one, so pushes carry no signature.
    pub salt: Option<String>,
}

/// A contract with Kdniao.
#[derive(Clone, Debug)]
pub struct KdniaoAccount {
    /// Name of the account.
    pub name: String,
    /// `EBusinessID` of the contract.
    pub business_id: String,
    /// App key of the contract; None: pushes carry no signature.
    pub app_key: Option<String>,
}

/// A contract with 17TRACK.
#[derive(Clone, Debug)]
pub struct SeventeenTrackAccount {
    /// Name of the account.
    pub name: String,
    /// Key of its API, which signs its pushes; None: pushes carry no signature.
    pub api_key: Option<String>,
}

/// What to simulate. The same configuration gives the same pushes, byte for byte.
#[derive(Clone, Debug)]
pub struct SimulationConfig {
    /// Seed of every draw.
    pub seed: u64,
    /// How many parcels.
    pub parcels: u32,
    /// The present, seconds UTC: nothing is told that happens later. It is part of the seed, so that a simulation of
    /// another day has other tracking numbers.
    pub now: Seconds,
    /// How long ago the oldest parcels were ordered, days. (Parcels that a vendor gives up for age are older.)
    pub days: u32,
    /// How much goes wrong, 0 to 1: share of pushes repeated, of parcels whose history is rewritten, and so on.
    pub mischief: f64,
    /// Whether some tracking numbers live a second time, more than 30 days after the first.
    pub reuse_numbers: bool,
    /// Account of signed Kuaidi100 pushes; None: none are sent.
    pub kuaidi100: Option<Kuaidi100Account>,
    /// Account of unsigned Kuaidi100 pushes: flat forms and bare JSON.
    pub kuaidi100_open: Option<Kuaidi100Account>,
    /// Account of signed Kdniao pushes.
    pub kdniao: Option<KdniaoAccount>,
    /// Account of unsigned Kdniao pushes: JSON.
    pub kdniao_open: Option<KdniaoAccount>,
    /// Account of signed 17TRACK pushes.
    pub seventeentrack: Option<SeventeenTrackAccount>,
    /// Account of unsigned 17TRACK pushes.
    pub seventeentrack_open: Option<SeventeenTrackAccount>,
}

impl SimulationConfig {
    /// The accounts of the local configuration.
    pub fn local(seed: u64, parcels: u32, now: Seconds) -> Self {
        let business_id = "1000001".to_owned();
        let app_key = Some("courierflow-demo-app-key".to_owned());
        Self {
            seed,
            parcels,
            now,
            days: 40,
            mischief: 0.05,
            reuse_numbers: false,
            kuaidi100: Some(Kuaidi100Account {
                name: "demo".to_owned(),
                salt: Some("courierflow-demo-salt".to_owned()),
            }),
            kuaidi100_open: Some(Kuaidi100Account {
                name: "open".to_owned(),
                salt: None,
            }),
            kdniao: Some(KdniaoAccount {
                name: "demo".to_owned(),
                business_id: business_id.clone(),
                app_key,
            }),
            kdniao_open: Some(KdniaoAccount {
                name: "open".to_owned(),
                business_id,
                app_key: None,
            }),
            seventeentrack: Some(SeventeenTrackAccount {
                name: "demo".to_owned(),
                api_key: Some("17track-demo-key-0001".to_owned()),
            }),
            seventeentrack_open: Some(SeventeenTrackAccount {
                name: "open".to_owned(),
                api_key: None,
            }),
        }
    }
}

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

/// How a parcel is followed.
#[derive(Clone, Copy, Debug)]
enum Subscription {
    Kuaidi100 {
        product: kuaidi100::Product,
        shape: kuaidi100::Shape,
        correction: Option<Correction>,
        has_query: bool,
    },
    Kdniao {
        product: kdniao::Product,
        shape: kdniao::Shape,
    },
    SeventeenTrack {
        is_open: bool,
    },
}

impl Subscription {
    /// Neither codes nor names of statuses.
    fn has_texts_only(&self) -> bool {
        match self {
            Self::Kuaidi100 { product, .. } => *product == kuaidi100::Product::Plain,
            Self::Kdniao { product, .. } => *product == kdniao::Product::Basic,
            Self::SeventeenTrack { .. } => false,
        }
    }
}

#[derive(Clone, Debug)]
struct Followed {
    parcel: Parcel,
    revisions: Vec<Revision>,
    subscription: Subscription,
    subscribed_at: Seconds,
}

/// A parcel as the vendor saw it at one moment.
#[derive(Clone, Copy, Debug)]
struct Look<Word> {
    followed: usize,
    taken_at: Seconds,
    word: Word,
}

#[derive(Clone, Debug)]
enum Planned {
    Kuaidi100(Look<kuaidi100::Word>),
    Kdniao {
        product: kdniao::Product,
        shape: kdniao::Shape,
        pushed_at: Seconds,
        looks: Vec<Look<kdniao::Word>>,
    },
    SeventeenTrack(Look<seventeentrack::Word>),
}

#[derive(Clone, Debug)]
struct Entry {
    sent_at: Seconds,
    planned: Planned,
}

/// The pushes of a simulation, in the order in which the vendors send them: those of one parcel in order, parcels
/// interleaved. Bodies are written when they are asked for.
#[derive(Debug)]
pub struct Simulation {
    config: SimulationConfig,
    followed: Vec<Followed>,
    entries: std::vec::IntoIter<Entry>,
}

impl Simulation {
    /// Lives all parcels and plans all pushes.
    pub fn new(config: SimulationConfig) -> Self {
        let mut followed: Vec<_> = (0..config.parcels).filter_map(|index| follow(&config, index)).collect();
        if config.reuse_numbers {
            let second_lives: Vec<_> = followed
                .iter()
                .zip(0..)
                .filter_map(|(first, index)| live_again(&config, first, index))
                .collect();
            followed.extend(second_lives);
        }
        let mut random = Random::new(config.seed, config.now.unsigned_abs(), u64::MAX);
        let mut entries = Vec::new();
        let mut kdniao_looks = Vec::new();
        for (index, parcel) in followed.iter().enumerate() {
            match parcel.subscription {
                Subscription::Kuaidi100 { .. } => entries.extend(plan_kuaidi100(&config, parcel, index, &mut random)),
                Subscription::Kdniao { product, shape } => {
                    let looks = plan_kdniao(&config, parcel, index, &mut random);
                    kdniao_looks.extend(looks.into_iter().map(|look| (look.taken_at, product, shape, look)));
                }
                Subscription::SeventeenTrack { .. } => {
                    entries.extend(plan_seventeentrack(&config, parcel, index));
                }
            }
        }
        entries.extend(batches(&config, kdniao_looks, &mut random));
        // Stable: pushes of one second stay in the order in which they were planned.
        entries.sort_by_key(|entry| entry.sent_at);
        Self {
            config,
            followed,
            entries: entries.into_iter(),
        }
    }

    /// The parcels, also those of which the vendors have nothing to tell yet.
    pub fn parcels(&self) -> impl Iterator<Item = &Parcel> {
        self.followed.iter().map(|followed| &followed.parcel)
    }

    fn render(&self, entry: &Entry) -> Option<SimulatedPush> {
        match &entry.planned {
            Planned::Kuaidi100(look) => self.render_kuaidi100(entry.sent_at, *look),
            Planned::Kdniao {
                product,
                shape,
                pushed_at,
                looks,
            } => self.render_kdniao(entry.sent_at, *product, *shape, *pushed_at, looks),
            Planned::SeventeenTrack(look) => self.render_seventeentrack(entry.sent_at, *look),
        }
    }

    fn render_kuaidi100(&self, sent_at: Seconds, look: Look<kuaidi100::Word>) -> Option<SimulatedPush> {
        let followed = self.followed.get(look.followed)?;
        let Subscription::Kuaidi100 {
            product,
            shape,
            correction,
            has_query,
        } = followed.subscription
        else {
            return None;
        };
        let account = match shape {
            kuaidi100::Shape::SignedForm => self.config.kuaidi100.as_ref(),
            kuaidi100::Shape::FlatForm | kuaidi100::Shape::BareJson => self.config.kuaidi100_open.as_ref(),
        }?;
        let snapshot = Snapshot::taken(&followed.parcel, &followed.revisions, look.taken_at);
        let param = kuaidi100::param(&snapshot, product, look.word, correction);
        let (content_type, body) = kuaidi100::body(&param, shape, account.salt.as_deref());
        let query = if has_query {
            format!("?orderId=SO{}", followed.parcel.ordered_at)
        } else {
            String::new()
        };
        Some(SimulatedPush {
            vendor: Vendor::Kuaidi100,
            account: account.name.clone(),
            path: format!("/v1/push/{}/{}{query}", Vendor::Kuaidi100, account.name),
            headers: vec![("content-type", content_type.to_owned())],
            body,
            tracking_numbers: vec![followed.parcel.tracking_number.clone()],
            sent_at,
        })
    }

    fn render_seventeentrack(&self, sent_at: Seconds, look: Look<seventeentrack::Word>) -> Option<SimulatedPush> {
        let followed = self.followed.get(look.followed)?;
        let Subscription::SeventeenTrack { is_open } = followed.subscription else {
            return None;
        };
        let account = if is_open {
            self.config.seventeentrack_open.as_ref()
        } else {
            self.config.seventeentrack.as_ref()
        }?;
        let snapshot = Snapshot::taken(&followed.parcel, &followed.revisions, look.taken_at);
        let body = seventeentrack::body(&snapshot, look.word);
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if let Some(api_key) = &account.api_key {
            headers.push(("sign", seventeentrack::sign(&body, api_key)));
        }
        Some(SimulatedPush {
            vendor: Vendor::SeventeenTrack,
            account: account.name.clone(),
            path: format!("/v1/push/{}/{}", Vendor::SeventeenTrack, account.name),
            headers,
            body: body.into_bytes(),
            tracking_numbers: vec![followed.parcel.tracking_number.clone()],
            sent_at,
        })
    }

    fn render_kdniao(
        &self,
        sent_at: Seconds,
        product: kdniao::Product,
        shape: kdniao::Shape,
        pushed_at: Seconds,
        looks: &[Look<kdniao::Word>],
    ) -> Option<SimulatedPush> {
        let account = match shape {
            kdniao::Shape::SignedForm | kdniao::Shape::DoublyEncodedForm => self.config.kdniao.as_ref(),
            kdniao::Shape::BareJson => self.config.kdniao_open.as_ref(),
        }?;
        let mut snapshots = Vec::with_capacity(looks.len());
        for look in looks {
            let followed = self.followed.get(look.followed)?;
            snapshots.push((
                Snapshot::taken(&followed.parcel, &followed.revisions, look.taken_at),
                look.word,
            ));
        }
        let request_data = kdniao::request_data(&snapshots, product, &account.business_id, pushed_at);
        let (content_type, body) = kdniao::body(&request_data, product, shape, account.app_key.as_deref());
        Some(SimulatedPush {
            vendor: Vendor::Kdniao,
            account: account.name.clone(),
            path: format!("/v1/push/{}/{}", Vendor::Kdniao, account.name),
            headers: vec![("content-type", content_type.to_owned())],
            body,
            tracking_numbers: snapshots
                .iter()
                .map(|(snapshot, _)| snapshot.parcel.tracking_number.clone())
                .collect(),
            sent_at,
        })
    }
}

impl Iterator for Simulation {
    type Item = SimulatedPush;

    fn next(&mut self) -> Option<SimulatedPush> {
        let entry = self.entries.next()?;
        self.render(&entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl ExactSizeIterator for Simulation {}

/// Share of the parcels that 17TRACK follows; the others are shared by the Chinese vendors.
const SEVENTEENTRACK_SHARE: f64 = 0.12;

/// Lives parcel number `index` and subscribes to it; None when no account could tell of it.
fn follow(config: &SimulationConfig, index: u32) -> Option<Followed> {
    let mut random = Random::new(config.seed, config.now.unsigned_abs(), u64::from(index));
    // Drawn from numbers of its own, so that the other parcels are the same with and without this vendor.
    let mut apart = Random::new(config.seed, config.now.unsigned_abs(), (1 << 33) + u64::from(index));
    let has_seventeentrack = config.seventeentrack.is_some() || config.seventeentrack_open.is_some();
    let vendor = if has_seventeentrack && apart.chance(SEVENTEENTRACK_SHARE) {
        Vendor::SeventeenTrack
    } else {
        vendor(config, &mut random)?
    };
    let course = course(config, vendor, &mut random);
    let parcel = live(course, order_time(config, course, &mut random), &mut random);
    Some(subscribe(config, vendor, parcel, &mut random))
}

fn vendor(config: &SimulationConfig, random: &mut Random) -> Option<Vendor> {
    let kuaidi100 = config.kuaidi100.is_some() || config.kuaidi100_open.is_some();
    let kdniao = config.kdniao.is_some() || config.kdniao_open.is_some();
    match (kuaidi100, kdniao) {
        (true, true) if random.chance(0.3) => Some(Vendor::Kdniao),
        (true, _) => Some(Vendor::Kuaidi100),
        (false, true) => Some(Vendor::Kdniao),
        (false, false) => None,
    }
}

fn course(config: &SimulationConfig, vendor: Vendor, random: &mut Random) -> Course {
    let abroad = match vendor {
        Vendor::Kuaidi100 if config.kuaidi100.is_some() => Course::International,
        Vendor::Kuaidi100 => Course::Domestic,
        Vendor::Kdniao => Course::CrossBorder,
        Vendor::SeventeenTrack => Course::International,
    };
    // Who asks 17TRACK mostly ships abroad.
    let to_abroad = if vendor == Vendor::SeventeenTrack { 0.6 } else { 0.03 };
    match random.between(0.0, 1.0) {
        draw if draw < 0.03 => Course::NeverFound,
        draw if draw < 0.03 + to_abroad => abroad,
        draw if draw < 0.03 + to_abroad + config.mischief * 0.1 => Course::Stale,
        _ => Course::Domestic,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "days of a simulation")]
fn order_time(config: &SimulationConfig, course: Course, random: &mut Random) -> Seconds {
    let days = match course {
        Course::Stale => random.between(62.0, 75.0),
        _ => random.between(0.05, f64::from(config.days) - 0.3),
    };
    let ordered_at = config.now - (days * DAY as f64) as Seconds;
    let awake = working_hour(ordered_at, 7, 24);
    if awake < config.now {
        awake + random.whole(0, 60)
    } else {
        ordered_at
    }
}

fn subscribe(config: &SimulationConfig, vendor: Vendor, mut parcel: Parcel, random: &mut Random) -> Followed {
    let subscription = match vendor {
        Vendor::Kuaidi100 => {
            let (product, shape) = kuaidi100_subscription(config, parcel.course, random);
            let wrong = random.pick(CARRIERS.as_slice());
            let may_be_wrong = parcel.course == Course::Domestic && wrong.code != parcel.carrier.code;
            let keeps_old_company = random.chance(0.5);
            let correction = (may_be_wrong && random.chance(0.01)).then_some(Correction {
                wrong,
                keeps_old_company,
            });
            Subscription::Kuaidi100 {
                product,
                shape,
                correction,
                has_query: random.chance(0.3),
            }
        }
        Vendor::Kdniao => {
            let (product, shape) = kdniao_subscription(config, parcel.course, random);
            Subscription::Kdniao { product, shape }
        }
        Vendor::SeventeenTrack => {
            let open = config.seventeentrack_open.is_some();
            Subscription::SeventeenTrack {
                is_open: config.seventeentrack.is_none() || (open && random.chance(0.15)),
            }
        }
    };
    let late = if random.chance(0.1) { 20 } else { 2 };
    let subscribed_at = parcel.ordered_at + random.whole(0, late * HOUR);
    let texts_only = subscription.has_texts_only();
    if texts_only {
        for happening in &mut parcel.happenings {
            texts::telling(happening.step, random).clone_into(&mut happening.text);
        }
    }
    let revisions = revise(config, &mut parcel, texts_only, random);
    Followed {
        parcel,
        revisions,
        subscription,
        subscribed_at,
    }
}

fn kuaidi100_subscription(
    config: &SimulationConfig,
    course: Course,
    random: &mut Random,
) -> (kuaidi100::Product, kuaidi100::Shape) {
    use kuaidi100::Product::{Advanced, Forecast, International, Map, MapForecast, Named, Plain};
    use kuaidi100::Shape::{BareJson, FlatForm, SignedForm};
    const SIGNED: [(kuaidi100::Product, kuaidi100::Shape, u32); 6] = [
        (Advanced, SignedForm, 38),
        (Forecast, SignedForm, 16),
        (Map, SignedForm, 12),
        (MapForecast, SignedForm, 6),
        (Named, SignedForm, 9),
        (Plain, SignedForm, 4),
    ];
    const OPEN: [(kuaidi100::Product, kuaidi100::Shape, u32); 2] = [(Forecast, FlatForm, 8), (Advanced, BareJson, 7)];
    if course == Course::International {
        return (International, SignedForm);
    }
    let mut offers = Vec::with_capacity(SIGNED.len() + OPEN.len());
    if config.kuaidi100.is_some() {
        offers.extend(SIGNED);
    }
    if config.kuaidi100_open.is_some() {
        offers.extend(OPEN);
    }
    let (product, shape, _) = random.weighted(&offers, |(_, _, weight)| *weight);
    (*product, *shape)
}

fn kdniao_subscription(
    config: &SimulationConfig,
    course: Course,
    random: &mut Random,
) -> (kdniao::Product, kdniao::Shape) {
    let product = match course {
        Course::CrossBorder => kdniao::Product::CrossBorder,
        _ if random.chance(0.2) => kdniao::Product::Basic,
        _ => kdniao::Product::ValueAdded,
    };
    let open = config.kdniao.is_none() || (config.kdniao_open.is_some() && random.chance(0.15));
    (
        product,
        if open {
            kdniao::Shape::BareJson
        } else {
            kdniao::Shape::SignedForm
        },
    )
}

/// What the vendor will get wrong about this parcel. A text that is all there is stays as it is.
fn revise(config: &SimulationConfig, parcel: &mut Parcel, texts_only: bool, random: &mut Random) -> Vec<Revision> {
    let mut revisions = Vec::new();
    let Some(last) = parcel.happenings.len().checked_sub(1).filter(|last| *last > 1) else {
        return revisions;
    };
    let any = |random: &mut Random| usize::try_from(random.whole(1, i64::try_from(last).unwrap_or(1))).unwrap_or(last);
    if random.chance(0.05) && !texts_only {
        let index = any(random);
        revisions.push(Revision {
            since: 0,
            index,
            change: Change::Decorated(texts::promotion(random)),
        });
    }
    if random.chance(config.mischief) {
        let index = any(random);
        let Some(happening) = parcel.happenings.get(index) else {
            return revisions;
        };
        let since = happening.visible_at + random.whole(6, 48) * HOUR;
        let change = match random.whole(0, 2) {
            0 if index < last => Change::Forgotten,
            1 if !texts_only => Change::Reworded(format!("{}（更正）", happening.text)),
            _ => Change::Moved(random.whole(60, 3_000)),
        };
        revisions.push(Revision { since, index, change });
    }
    if random.chance(config.mischief * 0.1) {
        let time = *random.pick(&["0001-01-01 00:00:00", "9999-12-31 23:59:59", "", "昨天 12:30"]);
        revisions.push(Revision {
            since: 0,
            index: any(random),
            change: Change::Misdated(time),
        });
    }
    if random.chance(config.mischief * 0.05) {
        // A scanner with a wrong clock.
        revisions.push(Revision {
            since: 0,
            index: any(random),
            change: Change::Moved(90 * DAY),
        });
    }
    if random.chance(config.mischief) {
        let index = any(random);
        if let Some(happening) = parcel.happenings.get_mut(index) {
            happening.visible_at += random.whole(6, 14) * HOUR;
        }
    }
    revisions
}

/// A second life of the same number for some parcels of the first days.
fn live_again(config: &SimulationConfig, first: &Followed, index: u64) -> Option<Followed> {
    let mut random = Random::new(config.seed, config.now.unsigned_abs(), (1 << 32) + index);
    let Subscription::Kuaidi100 { .. } = first.subscription else {
        return None;
    };
    let ended_at = first
        .parcel
        .happenings
        .last()
        .filter(|_| is_over(&first.parcel.happenings))?
        .at;
    let ordered_at = ended_at + 31 * DAY + random.whole(0, HOUR);
    if first.parcel.course != Course::Domestic || ordered_at + DAY > config.now || !random.chance(0.5) {
        return None;
    }
    let mut parcel = live(Course::Domestic, ordered_at, &mut random);
    parcel.tracking_number.clone_from(&first.parcel.tracking_number);
    parcel.carrier = first.parcel.carrier;
    let mut second = subscribe(config, Vendor::Kuaidi100, parcel, &mut random);
    if let Subscription::Kuaidi100 {
        product,
        shape,
        has_query,
        ..
    } = second.subscription
    {
        second.subscription = Subscription::Kuaidi100 {
            product,
            shape,
            correction: None,
            has_query,
        };
    }
    Some(second)
}

/// When a vendor looks next.
fn next_look(at: Seconds, snapshot: &Snapshot<'_>, random: &mut Random) -> Seconds {
    let near_the_end = snapshot.has(|step| {
        matches!(
            step,
            Step::ArrivedDestCity | Step::ArrivedDeliveryDepot | Step::OutForDelivery
        )
    });
    let hours = if near_the_end { 2 } else { 4 };
    at + hours * HOUR + random.whole(-900, 1_800)
}

/// What a vendor can have changed its mind about by then.
fn revised(followed: &Followed, at: Seconds) -> usize {
    followed
        .revisions
        .iter()
        .filter(|revision| revision.since <= at)
        .count()
}

fn plan_kuaidi100(config: &SimulationConfig, followed: &Followed, index: usize, random: &mut Random) -> Vec<Entry> {
    use kuaidi100::Word;
    let look = |taken_at, word| Look {
        followed: index,
        taken_at,
        word,
    };
    let mut looks = Vec::new();
    let mut lines_told = Vec::new();
    let mut at = followed.subscribed_at + 15 * 60;
    let Subscription::Kuaidi100 { correction, .. } = followed.subscription else {
        return Vec::new();
    };
    if correction.is_some() {
        at = followed.subscribed_at + 3 * DAY + random.whole(0, 2 * HOUR);
        if at <= config.now {
            looks.push(look(at, Word::AbortCorrected));
            lines_told.push(0);
        }
        at += 15 * 60;
    }
    let mut known = (0, 0);
    let mut changed_at = followed.subscribed_at;
    while at <= config.now {
        let snapshot = Snapshot::taken(&followed.parcel, &followed.revisions, at);
        let found = (snapshot.lines(), revised(followed, at));
        if found != known && found.0 > 0 {
            // Some sign-offs come first with an ordinary push, and the end of the subscription later.
            let ends = snapshot.is_over() && (found.0 == known.0 || random.chance(0.8));
            looks.push(look(at, if ends { Word::Shutdown } else { Word::Polling }));
            lines_told.push(found.0);
            (known, changed_at) = (found, at);
            if ends {
                break;
            }
        } else if snapshot.is_over() {
            looks.push(look(at, Word::Shutdown));
            lines_told.push(found.0);
            break;
        } else if known.0 == 0 && at - changed_at > 3 * DAY {
            looks.push(look(at, Word::AbortNoRecord));
            lines_told.push(0);
            break;
        } else if known.0 > 0 && at - changed_at > 60 * DAY {
            looks.push(look(at, Word::AbortStale));
            lines_told.push(found.0);
            break;
        }
        at = next_look(at, &snapshot, random);
    }
    if looks.last().is_some_and(|last| last.word == Word::Shutdown) && random.chance(config.mischief * 0.5) {
        let again = at + DAY;
        if again <= config.now {
            looks.push(look(again, Word::UpdateAll));
            lines_told.push(usize::MAX);
        }
    }

    let mut entries: Vec<_> = looks
        .iter()
        .map(|look| Entry {
            sent_at: look.taken_at,
            planned: Planned::Kuaidi100(*look),
        })
        .collect();
    // An older snapshot after a newer one, as when a retry of a failed call is overtaken.
    if random.chance(config.mischief)
        && let Some(late) = lines_told
            .iter()
            .zip(lines_told.iter().skip(1))
            .position(|(one, next)| 0 < *one && one < next)
        && let Some(newer) = entries.get(late + 1).map(|newer| newer.sent_at)
        && let Some(late) = entries.get_mut(late)
    {
        late.sent_at = newer + 60;
    }
    let retries: Vec<_> = entries
        .iter()
        .filter(|_| random.chance(config.mischief))
        .map(|entry| Entry {
            sent_at: entry.sent_at + 30 * 60,
            planned: entry.planned.clone(),
        })
        .collect();
    entries.extend(retries);
    entries
}

fn plan_kdniao(
    config: &SimulationConfig,
    followed: &Followed,
    index: usize,
    random: &mut Random,
) -> Vec<Look<kdniao::Word>> {
    use kdniao::Word;
    let mut looks = Vec::new();
    let mut at = followed.subscribed_at + 15 * 60;
    let mut known = (0, 0);
    let mut changed_at = followed.subscribed_at;
    let mut told_nothing_yet = !random.chance(0.1);
    while at <= config.now {
        // Calls leave by the hour, so that they carry several parcels.
        let taken_at = at.next_multiple_of_hour();
        if taken_at > config.now {
            break;
        }
        let mut look = |word| {
            looks.push(Look {
                followed: index,
                taken_at,
                word,
            });
        };
        let snapshot = Snapshot::taken(&followed.parcel, &followed.revisions, taken_at);
        let found = (snapshot.lines(), revised(followed, taken_at));
        if found != known && found.0 > 0 {
            look(Word::Followed);
            (known, changed_at) = (found, taken_at);
            if snapshot.is_over() {
                break;
            }
        } else if known.0 == 0 && taken_at - changed_at > 3 * DAY {
            look(Word::NoRecord);
            break;
        } else if known.0 > 0 && taken_at - changed_at > 7 * DAY {
            look(Word::Stale);
            break;
        } else if known.0 == 0 && !told_nothing_yet {
            look(Word::NotYet);
            told_nothing_yet = true;
        }
        at = next_look(taken_at, &snapshot, random).max(taken_at + HOUR);
    }
    looks
}

/// An update whenever something changed, and a stop when nothing has for long.
fn plan_seventeentrack(config: &SimulationConfig, followed: &Followed, index: usize) -> Vec<Entry> {
    use seventeentrack::Word;
    let mut random = Random::new(config.seed, config.now.unsigned_abs(), (1 << 34) + index as u64);
    let mut looks = Vec::new();
    let mut at = followed.subscribed_at + 15 * 60;
    let mut known = (0, 0);
    let mut changed_at = followed.subscribed_at;
    while at <= config.now {
        let snapshot = Snapshot::taken(&followed.parcel, &followed.revisions, at);
        let found = (snapshot.lines(), revised(followed, at));
        let patience = if snapshot.is_over() { 15 * DAY } else { 30 * DAY };
        let word = if found != known && found.0 > 0 {
            (known, changed_at) = (found, at);
            Some(Word::Updated)
        } else if at - changed_at > patience {
            Some(Word::Stopped)
        } else {
            None
        };
        looks.extend(word.map(|word| Look {
            followed: index,
            taken_at: at,
            word,
        }));
        if word == Some(Word::Stopped) {
            break;
        }
        at = next_look(at, &snapshot, &mut random);
    }
    let mut entries = Vec::new();
    for look in looks {
        let planned = Planned::SeventeenTrack(look);
        if random.chance(config.mischief) {
            // Its first retry; then it is overtaken, or not.
            entries.push(Entry {
                sent_at: look.taken_at + 10 * 60,
                planned: planned.clone(),
            });
        }
        let lateness = if random.chance(config.mischief * 0.5) {
            5 * HOUR
        } else {
            0
        };
        entries.push(Entry {
            sent_at: look.taken_at + lateness,
            planned,
        });
    }
    entries
}

trait Hours {
    fn next_multiple_of_hour(self) -> Self;
}

impl Hours for Seconds {
    fn next_multiple_of_hour(self) -> Self {
        self + (HOUR - self.rem_euclid(HOUR)) % HOUR
    }
}

/// Puts the looks of one hour into calls of 1 to 10 parcels.
fn batches(
    config: &SimulationConfig,
    mut looks: Vec<(Seconds, kdniao::Product, kdniao::Shape, Look<kdniao::Word>)>,
    random: &mut Random,
) -> Vec<Entry> {
    looks.sort_by_key(|(taken_at, product, shape, _)| (*taken_at, *product, *shape));
    let mut entries: Vec<Entry> = Vec::new();
    for same_call in looks.chunk_by(|one, other| (one.0, one.1, one.2) == (other.0, other.1, other.2)) {
        let mut rest = same_call;
        while let Some((taken_at, product, shape, _)) = rest.first().copied() {
            let count = usize::try_from(random.whole(1, 10)).unwrap_or(1).min(rest.len());
            let (call, later) = rest.split_at(count);
            rest = later;
            let pushed_at = taken_at + random.whole(1, 240);
            let shape = match shape {
                kdniao::Shape::SignedForm if random.chance(config.mischief) => kdniao::Shape::DoublyEncodedForm,
                shape => shape,
            };
            let looks = call.iter().map(|(.., look)| *look).collect();
            let planned = Planned::Kdniao {
                product,
                shape,
                pushed_at,
                looks,
            };
            // A late call: overtaken by what the next hours bring. Its push time tells.
            let lateness = if random.chance(config.mischief * 0.5) {
                random.whole(1, 5) * HOUR
            } else {
                0
            };
            if random.chance(config.mischief) {
                entries.push(Entry {
                    sent_at: pushed_at + 15 * 60,
                    planned: planned.clone(),
                });
            }
            entries.push(Entry {
                sent_at: pushed_at + lateness,
                planned,
            });
        }
    }
    entries
}

#[cfg(test)]
mod tests;
