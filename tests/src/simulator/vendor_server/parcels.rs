//! The parcels that exist, by their number: what the vendors find when they look. A number that is not here is one that no
//! carrier knows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::Vendor;
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

use super::clock::moment;
use crate::simulator::carriers::{CARRIERS, Carrier, ORDINARY};
use crate::simulator::clock::{DAY, Seconds, working_hour};
use crate::simulator::places::CITIES;
use crate::simulator::random::Random;
use crate::simulator::snapshot::Snapshot;
use crate::simulator::texts;
use crate::simulator::vendors::{Detail, kdniao, kuaidi100, seventeentrack};
use crate::simulator::world::{CROSS_BORDER, Course, Parcel, live};

/// Which parcels exist.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    /// Seed of every draw.
    pub(crate) seed: u64,
    /// How many.
    pub(crate) parcels: u32,
    /// When the vendor's clock starts. It is part of the seed, so that worlds of two days have other numbers.
    pub(crate) from: Seconds,
    /// For so many days from then on parcels are ordered.
    pub(crate) order_days: u32,
}

/// First of the streams that texts without codes are drawn from.
const TEXTS_STREAM: u64 = 1 << 35;

/// All parcels by their number.
#[derive(Debug)]
pub(crate) struct Parcels {
    seed: u64,
    by_number: BTreeMap<String, Parcel>,
}

impl Parcels {
    pub(crate) fn live(world: &World) -> Self {
        let mut by_number = BTreeMap::new();
        for index in 0..u64::from(world.parcels) {
            let mut random = Random::new(world.seed, world.from.unsigned_abs(), index);
            let course = match random.between(0.0, 1.0) {
                draw if draw < 0.03 => Course::NeverFound,
                draw if draw < 0.06 => Course::International,
                draw if draw < 0.09 => Course::CrossBorder,
                draw if draw < 0.10 => Course::Stale,
                _ => Course::Domestic,
            };
            let parcel = live(course, order_time(world, course, &mut random), &mut random);
            by_number.insert(parcel.tracking_number.clone(), parcel);
        }
        Self {
            seed: world.seed,
            by_number,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_number.len()
    }

    pub(crate) fn get(&self, tracking_number: &str) -> Option<&Parcel> {
        self.by_number.get(tracking_number)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Parcel> {
        self.by_number.values()
    }

    /// The life that a vendor sees under this carrier: an empty one if the number is not that carrier's. Where neither codes
    /// nor names of statuses are told, the texts alone say what happened.
    pub(crate) fn seen(&self, vendor: Vendor, carrier: &str, tracking_number: &str, detail: Detail) -> Cow<'_, Parcel> {
        let found = self.by_number.get(tracking_number);
        let Some(parcel) = found.filter(|parcel| code(vendor, parcel.carrier.code) == carrier) else {
            return Cow::Owned(unknown(vendor, carrier, tracking_number));
        };
        if detail == Detail::Statuses {
            return Cow::Borrowed(parcel);
        }
        let mut told = parcel.clone();
        let mut random = Random::new(self.seed, TEXTS_STREAM, xxh3_64(tracking_number.as_bytes()));
        for happening in &mut told.happenings {
            texts::telling(happening.step, &mut random).clone_into(&mut happening.text);
        }
        Cow::Owned(told)
    }

    /// The vendor's code of the carrier that really has the number, if that one knows it by now.
    pub(crate) fn right_carrier(&self, vendor: Vendor, tracking_number: &str, now: Seconds) -> Option<String> {
        let parcel = self.by_number.get(tracking_number)?;
        let is_known = Snapshot::taken(parcel, &[], now).lines() > 0;
        Some(code(vendor, parcel.carrier.code)).filter(|code| is_known && !code.is_empty())
    }

    /// A list of all parcels in the order in which they were ordered, for whoever loads requests from a file; `None` if there
    /// is no such column.
    pub(crate) fn to_csv(&self, columns: &str) -> Option<String> {
        let find = |name: &str| COLUMNS.iter().find(|(column, _)| *column == name);
        let chosen: Vec<_> = columns.split(',').map(find).collect::<Option<_>>()?;
        let mut csv = format!("{columns}\n");
        let mut parcels: Vec<_> = self.iter().collect();
        parcels.sort_by_key(|parcel| parcel.ordered_at);
        for parcel in parcels {
            let quoted: Vec<_> = chosen.iter().map(|(_, cell)| format!("\"{}\"", cell(parcel))).collect();
            csv.push_str(&quoted.join(","));
            csv.push('\n');
        }
        Some(csv)
    }

    /// Every parcel and how far it has come: the truth, for tests and for lists of numbers to subscribe to.
    pub(crate) fn to_json(&self, now: Seconds) -> Value {
        let rows = self.iter().map(|parcel| {
            let snapshot = Snapshot::taken(parcel, &[], now);
            json!({
                "tracking_number": parcel.tracking_number,
                "carrier": parcel.carrier.code,
                "kuaidi100": code(Vendor::Kuaidi100, parcel.carrier.code),
                "kdniao": code(Vendor::Kdniao, parcel.carrier.code),
                "17track": code(Vendor::SeventeenTrack, parcel.carrier.code),
                "course": format!("{:?}", parcel.course),
                "ordered_at": moment(parcel.ordered_at),
                "from": place(parcel.from),
                "to": place(parcel.to),
                "lines": snapshot.happenings.len(),
                "lines_abroad": snapshot.abroad.len(),
                "newest": snapshot.newest().map(|newest| format!("{:?}", newest.step)),
                "is_over": snapshot.is_over(),
            })
        });
        rows.collect()
    }
}

/// A column of [`Parcels::to_csv`]: what a request to subscribe needs to know.
type Column = (&'static str, fn(&Parcel) -> String);

const COLUMNS: [Column; 7] = [
    ("tracking_number", |parcel| parcel.tracking_number.clone()),
    ("carrier", |parcel| parcel.carrier.code.to_owned()),
    // What a carrier abroad has to tell, Kuaidi100 is not asked.
    ("vendor", |parcel| {
        let is_foreign = parcel.course == Course::CrossBorder;
        if is_foreign { Vendor::Kdniao } else { Vendor::Kuaidi100 }.to_string()
    }),
    ("phone", |parcel| {
        let digits = xxh3_64(parcel.tracking_number.as_bytes()) % 10_000;
        format!("{digits:04}")
    }),
    ("from", |parcel| place(parcel.from)),
    ("to", |parcel| place(parcel.to)),
    ("not_before", |parcel| moment(parcel.ordered_at)),
];

/// The place as a subscription names it: `广东省,深圳市,南山区`.
fn place(city: &crate::simulator::places::City) -> String {
    let province = match city.province {
        municipality @ ("北京" | "上海" | "天津" | "重庆") => format!("{municipality}市"),
        "广西" => "广西壮族自治区".to_owned(),
        "新疆" => "新疆维吾尔自治区".to_owned(),
        "宁夏" => "宁夏回族自治区".to_owned(),
        region @ ("内蒙古" | "西藏") => format!("{region}自治区"),
        province => format!("{province}省"),
    };
    format!("{province},{},{}", city.city, city.district)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "days of a simulation"
)]
fn order_time(world: &World, course: Course, random: &mut Random) -> Seconds {
    let days = match course {
        // So old that the vendor gives it up.
        Course::Stale => random.between(-75.0, -62.0),
        _ => random.between(-0.5, f64::from(world.order_days)),
    };
    working_hour(world.from + (days * DAY as f64) as Seconds, 7, 24) + random.whole(0, 60)
}

/// A vendor's code of a carrier of this world; empty if it has none.
pub(crate) fn code(vendor: Vendor, canonical: &str) -> String {
    match vendor {
        Vendor::Kuaidi100 => kuaidi100::carrier_code(canonical).to_owned(),
        Vendor::Kdniao => kdniao::carrier_code(canonical).to_owned(),
        Vendor::SeventeenTrack => match seventeentrack::carrier_number(canonical) {
            0 => String::new(),
            number => number.to_string(),
        },
    }
}

/// Whether the carrier is in the vendor's list, written as it is there.
pub(crate) fn is_listed(vendor: Vendor, carrier: &str) -> bool {
    Carriers::built_in()
        .find(vendor, carrier)
        .is_some_and(|row| row.written() == carrier)
}

/// The carrier whose numbers look like this one.
pub(crate) fn carrier_by_number(tracking_number: &str) -> Option<&'static Carrier> {
    let is_ems_abroad = tracking_number.len() == 13
        && tracking_number
            .strip_prefix("EX")
            .and_then(|rest| rest.strip_suffix("CN"))
            .is_some_and(is_digits);
    if is_ems_abroad {
        return CARRIERS.iter().find(|carrier| carrier.code == "ems");
    }
    let mut carriers = CARRIERS.iter().chain([&CROSS_BORDER]);
    carriers.find(|carrier| {
        let (prefix, digits) = carrier.number;
        let rest = tracking_number.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.len() == digits && is_digits(rest))
    })
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number of which nobody has anything to tell.
fn unknown(vendor: Vendor, carrier: &str, tracking_number: &str) -> Parcel {
    static NOBODY: Carrier = ORDINARY;
    let canonical = Carriers::built_in().canonical(vendor, carrier);
    let known = CARRIERS.iter().find(|carrier| carrier.code == canonical);
    // Nobody reads it: such a parcel has no history.
    let city = Random::new(0, 0, 0).pick(CITIES);
    Parcel {
        tracking_number: tracking_number.to_owned(),
        carrier: known.unwrap_or(&NOBODY),
        course: Course::NeverFound,
        from: city,
        to: city,
        ordered_at: 0,
        happenings: Vec::new(),
        destination: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_is_the_same_for_the_same_seed_and_start() {
        let world = World {
            seed: 3,
            parcels: 50,
            from: 1_740_787_200,
            order_days: 2,
        };
        let csv = |world: &World| {
            Parcels::live(world)
                .to_csv("tracking_number,carrier,vendor,from,not_before")
                .unwrap()
        };
        assert_eq!(csv(&world), csv(&world));
        assert_ne!(csv(&world), csv(&World { seed: 4, ..world }));
        assert_ne!(
            csv(&world),
            csv(&World {
                from: world.from + DAY,
                ..world
            })
        );
        assert_eq!(csv(&world).lines().count(), 51);
        assert_eq!(Parcels::live(&world).to_csv("tracking_number,nothing"), None);
    }

    #[test]
    fn places_of_the_list_are_places_to_the_vendor() {
        for city in CITIES {
            assert!(super::super::place::is_place(&place(city)), "{}", place(city));
        }
    }

    #[test]
    fn the_carrier_of_a_number_is_recognised_as_what_it_is() {
        let world = World {
            seed: 5,
            parcels: 400,
            from: 1_740_787_200,
            order_days: 2,
        };
        for parcel in Parcels::live(&world).iter() {
            let found = carrier_by_number(&parcel.tracking_number).map(|carrier| carrier.code);
            assert_eq!(found, Some(parcel.carrier.code), "{}", parcel.tracking_number);
        }
    }
}
