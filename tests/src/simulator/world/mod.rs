//! The lives of parcels: from order to a door, a locker, a sender who gets it back, or nowhere. Nobody has told anybody
//! about it yet; what a vendor sees and when is the business of [`push`](super::push).

mod abroad;
mod diary;
mod domestic;

pub use self::abroad::CROSS_BORDER;

use self::abroad::{cross_border, international};
use self::domestic::{abandoned, domestic};
use super::carriers::{CARRIERS, Carrier};
use super::clock::Seconds;
use super::places::{CITIES, City};
use super::random::Random;
use super::steps::Step;

/// How precisely a place is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Down to the city, as of a hub.
    City,
    /// Down to the district, as of a depot.
    District,
}

/// Where something happened.
#[derive(Clone, Debug)]
pub enum Place {
    /// In China: a city of the table and the name of the depot or hub.
    China(&'static City, Precision, String),
    /// Abroad: a place name and its IANA zone.
    Abroad(&'static str, &'static str),
}

/// Something that happened to a parcel.
#[derive(Clone, Debug)]
pub struct Happening {
    /// When, seconds UTC.
    pub at: Seconds,
    /// From when on the vendor's polls can see it; later than `at` by minutes, or by hours for a back-dated scan.
    pub visible_at: Seconds,
    /// What.
    pub step: Step,
    /// Where.
    pub place: Place,
    /// What the carrier wrote.
    pub text: String,
    /// What the vendor writes as its time instead of the true one: carriers' systems have bad days.
    pub written_time: Option<&'static str>,
}

/// The carrier of the destination country, which tells its own part of the story.
#[derive(Clone, Debug)]
pub struct DestinationCarrier {
    /// Canonical code, as in topics and tables.
    pub code: &'static str,
    /// ISO code of its country.
    pub country: &'static str,
    /// Its own number of the parcel, which may be another one.
    pub tracking_number: String,
    /// IANA zone of its times, which come without one.
    pub zone: &'static str,
    /// What it did.
    pub happenings: Vec<Happening>,
}

/// What kind of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Within China.
    Domestic,
    /// By post to another country: two carriers, two lists.
    International,
    /// By a foreign carrier alone.
    CrossBorder,
    /// A number that no carrier knows.
    NeverFound,
    /// So old that the vendor gives up.
    Stale,
}

/// A parcel and everything that will ever happen to it, also after the present.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The carrier's number.
    pub tracking_number: String,
    /// Who carries it.
    pub carrier: &'static Carrier,
    /// Kind of life.
    pub course: Course,
    /// Where it comes from.
    pub from: &'static City,
    /// Where it goes.
    pub to: &'static City,
    /// When it was ordered.
    pub ordered_at: Seconds,
    /// What happened, oldest first.
    pub happenings: Vec<Happening>,
    /// The carrier abroad, of an international parcel.
    pub destination: Option<DestinationCarrier>,
}

impl Parcel {
    /// Hours that the journey was promised to take: what a vendor's forecast says.
    pub fn promised_hours(&self) -> f64 {
        let distance = self.from.distance(self.to);
        24.0 + distance / self.carrier.speed + 2.0 * self.carrier.hub_hours
    }
}

/// A parcel ordered at `ordered_at`. The carrier is drawn by share, the lane by the weights of the cities.
pub fn live(course: Course, ordered_at: Seconds, random: &mut Random) -> Parcel {
    let drawn = random.weighted(&CARRIERS, |carrier| carrier.share);
    let from = random.weighted(CITIES, |city| city.sends);
    let to = random.weighted(CITIES, |city| city.receives);
    match course {
        Course::Domestic => domestic(drawn, from, to, ordered_at, random),
        Course::International => international(from, ordered_at, random),
        Course::CrossBorder => cross_border(ordered_at, random),
        Course::NeverFound => parcel(course, drawn, from, to, ordered_at, random),
        Course::Stale => Parcel {
            course,
            ..abandoned(drawn, from, to, ordered_at, random)
        },
    }
}

fn parcel(
    course: Course,
    carrier: &'static Carrier,
    from: &'static City,
    to: &'static City,
    ordered_at: Seconds,
    random: &mut Random,
) -> Parcel {
    let (prefix, digits) = carrier.number;
    let tracking_number = format!("{prefix}{}", random.digits(digits));
    Parcel {
        tracking_number,
        carrier,
        course,
        from,
        to,
        ordered_at,
        happenings: Vec::new(),
        destination: None,
    }
}

/// Whether a parcel stands where nothing will happen to it any more.
pub fn is_over(happenings: &[Happening]) -> bool {
    happenings.last().is_some_and(|last| last.step.ends_tracking())
}
