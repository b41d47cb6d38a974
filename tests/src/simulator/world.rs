//! The lives of parcels: from order to a door, a locker, a sender who gets it back, or nowhere. Nobody has told anybody
//! about it yet; what a vendor sees and when is the business of [`push`](super::push).

use super::carriers::{CARRIERS, Carrier, ORDINARY, carrier};
use super::clock::{HOUR, Seconds, working_hour};
use super::places::{CITIES, CROSSROADS, City};
use super::random::Random;
use super::steps::Step;
use super::texts::{self, Person, Scene};

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
    /// Kuaidi100's code.
    pub kuaidi100: &'static str,
    /// 17TRACK's number of it.
    pub seventeentrack: u32,
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
    /// A foreign carrier, followed by Kdniao's cross-border product.
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

/// The carrier that Kdniao's cross-border product follows here.
pub static CROSS_BORDER: Carrier = Carrier {
    code: "colissimo",
    kuaidi100: "colissimo",
    kdniao: "COLISSIMO",
    seventeentrack: 6_051,
    name: "法国邮政",
    name_en: "Colissimo",
    hotline: "",
    number: ("6A", 11),
    ..ORDINARY
};

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

/// Writes a life down, step by step: where the parcel is and what time it is.
struct Diary<'random> {
    random: &'random mut Random,
    carrier: &'static Carrier,
    now: Seconds,
    happenings: Vec<Happening>,
    courier: Person,
    station: &'static str,
    code: String,
}

impl<'random> Diary<'random> {
    fn new(carrier: &'static Carrier, ordered_at: Seconds, random: &'random mut Random) -> Self {
        let (courier, station, code) = (
            texts::person(random),
            texts::station(random),
            texts::pickup_code(random),
        );
        Self {
            random,
            carrier,
            now: ordered_at,
            happenings: Vec::new(),
            courier,
            station,
            code,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "hours of a parcel's life")]
    fn pass_hours(&mut self, median: f64) {
        self.now += (self.random.duration(median, 0.3) * HOUR as f64) as Seconds + self.random.whole(1, 59);
    }

    /// Waits until people work, and a little, so that not all of them begin at the stroke of the hour.
    fn pass_until_work(&mut self, open: i8, close: i8) {
        let opens = working_hour(self.now, open, close);
        if opens > self.now {
            self.now = opens + self.random.whole(0, 90 * 60);
        }
    }

    fn next_courier(&mut self) {
        self.courier = texts::person(self.random);
    }

    fn note(&mut self, step: Step, city: &'static City, precision: Precision, site: &str, next: &str) {
        let scene = Scene {
            carrier: self.carrier,
            city,
            site,
            next,
            courier: &self.courier,
            station: self.station,
            code: &self.code,
        };
        let text = texts::text(step, &scene, self.random);
        let place = Place::China(city, precision, site.to_owned());
        self.write(step, place, text);
    }

    fn write(&mut self, step: Step, place: Place, text: String) {
        let visible_at = self.now + self.random.whole(60, 1_800);
        self.happenings.push(Happening {
            at: self.now,
            visible_at,
            step,
            place,
            text,
            written_time: None,
        });
    }
}

/// How a delivery ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Delivered,
    Back,
    GoesOn,
}

fn domestic(
    carrier: &'static Carrier,
    from: &'static City,
    to: &'static City,
    ordered_at: Seconds,
    random: &mut Random,
) -> Parcel {
    let mut parcel = parcel(Course::Domestic, carrier, from, to, ordered_at, random);
    let mut diary = Diary::new(carrier, ordered_at, random);
    let origin_depot = texts::depot(diary.random, from);
    let delivery_depot = texts::depot(diary.random, to);

    if diary.random.chance(0.6) {
        diary.note(Step::Ordered, from, Precision::District, &origin_depot, "");
    }
    if diary.random.chance(0.3) {
        diary.pass_hours(0.4);
        diary.note(Step::AwaitingPickup, from, Precision::District, &origin_depot, "");
    }
    if diary.random.chance(0.012) {
        cancel(&mut diary, from, &origin_depot);
        parcel.happenings = diary.happenings;
        return parcel;
    }
    diary.pass_hours(carrier.pickup_hours);
    diary.pass_until_work(9, 21);
    diary.note(Step::PickedUp, from, Precision::District, &origin_depot, "");
    diary.pass_hours(2.0);
    diary.note(
        Step::LeftOriginDepot,
        from,
        Precision::District,
        &origin_depot,
        from.hub,
    );

    travel(&mut diary, from, to);
    if diary.random.chance(carrier.lost) {
        // Somewhere between two hubs; nothing says so, only that nothing more comes.
        let heard_of = diary.random.whole(2, 5);
        diary.happenings.truncate(usize::try_from(heard_of).unwrap_or(2));
        parcel.happenings = diary.happenings;
        return parcel;
    }
    diary.pass_hours(1.5);
    diary.note(Step::ToDeliveryDepot, to, Precision::City, to.hub, &delivery_depot);
    diary.pass_hours(2.0);
    diary.note(Step::ArrivedDeliveryDepot, to, Precision::District, &delivery_depot, "");
    trouble_at_the_depot(&mut diary, to, &delivery_depot);

    if deliver(&mut diary, to, &delivery_depot) == Ending::Back {
        bring_back(&mut diary, from, to, &origin_depot, &delivery_depot);
    }
    parcel.happenings = diary.happenings;
    parcel
}

fn cancel(diary: &mut Diary<'_>, from: &'static City, depot: &str) {
    if diary.happenings.is_empty() {
        diary.note(Step::Ordered, from, Precision::District, depot, "");
    }
    diary.pass_hours(6.0);
    if diary.random.chance(0.5) {
        diary.note(Step::CancelRequested, from, Precision::District, depot, "");
        diary.pass_hours(1.0);
    }
    diary.note(Step::Voided, from, Precision::District, depot, "");
}

/// From hub to hub. Long lanes have a third hub between them.
fn travel(diary: &mut Diary<'_>, from: &'static City, to: &'static City) {
    let carrier = diary.carrier;
    let distance = from.distance(to);
    let slowness = if distance > 1_200.0 { carrier.long_lane } else { 1.0 };
    let mut stops = vec![from];
    if distance > 900.0 {
        let crossroads = CITIES.iter().filter(|city| CROSSROADS.contains(&city.city));
        // The one with the smallest detour, unless the lane begins or ends there.
        let detour = |city: &City| from.distance(city) + city.distance(to);
        let middle = crossroads.min_by(|one, other| detour(one).total_cmp(&detour(other)));
        stops.extend(middle.filter(|city| city.city != from.city && city.city != to.city));
    }
    if to.city != from.city {
        stops.push(to);
    }

    let mut here = from;
    diary.pass_hours(1.5);
    diary.note(Step::ArrivedHub, from, Precision::City, from.hub, "");
    for next in stops.into_iter().skip(1) {
        diary.pass_hours(carrier.hub_hours);
        diary.note(Step::LeftHub, here, Precision::City, here.hub, next.hub);
        if diary.random.chance(carrier.silent) {
            diary.pass_hours(60.0);
            diary.note(Step::Silent, here, Precision::City, here.hub, "");
            diary.pass_hours(30.0);
        }
        diary.pass_hours(slowness * (1.0 + here.distance(next) / carrier.speed));
        let step = if next.city == to.city {
            Step::ArrivedDestCity
        } else {
            Step::ArrivedHub
        };
        diary.note(step, next, Precision::City, next.hub, "");
        here = next;
    }
    diary.pass_hours(carrier.hub_hours);
}

fn trouble_at_the_depot(diary: &mut Diary<'_>, to: &'static City, depot: &str) {
    let carrier = diary.carrier;
    if diary.random.chance(carrier.held) {
        diary.pass_hours(6.0);
        diary.note(Step::Held, to, Precision::District, depot, "");
        diary.pass_hours(24.0);
    }
    if diary.random.chance(carrier.damaged) {
        diary.pass_hours(2.0);
        diary.note(Step::Damaged, to, Precision::District, depot, "");
        diary.pass_hours(12.0);
    }
    if diary.random.chance(carrier.out_of_area) {
        diary.pass_hours(3.0);
        diary.note(Step::OutOfArea, to, Precision::District, depot, "");
        diary.pass_hours(20.0);
        diary.note(Step::HandedOn, to, Precision::District, depot, "");
        diary.pass_hours(24.0);
    }
    if diary.random.chance(0.006) {
        diary.pass_hours(2.0);
        diary.note(Step::Redirected, to, Precision::District, depot, depot);
        diary.pass_hours(16.0);
    }
}

/// Delivery rounds, at most four of them.
fn deliver(diary: &mut Diary<'_>, to: &'static City, depot: &str) -> Ending {
    let refuses = diary.random.chance(diary.carrier.refused);
    let mut troubled = false;
    for round in 1..=4 {
        diary.pass_until_work(8, 16);
        diary.next_courier();
        diary.note(Step::OutForDelivery, to, Precision::District, depot, "");
        diary.pass_hours(2.5);
        match delivery_round(diary, to, depot, refuses, troubled || round > 1) {
            Ending::GoesOn => troubled = true,
            ending => return ending,
        }
        diary.pass_hours(14.0);
    }
    Ending::Back
}

fn delivery_round(diary: &mut Diary<'_>, to: &'static City, depot: &str, refuses: bool, troubled: bool) -> Ending {
    let carrier = diary.carrier;
    let note = |diary: &mut Diary<'_>, step| diary.note(step, to, Precision::District, depot, "");
    if refuses {
        note(diary, Step::Refused);
        return Ending::Back;
    }
    if diary.random.chance(carrier.failed_attempt) {
        note(diary, Step::FailedAttempt);
        return Ending::GoesOn;
    }
    if diary.random.chance(carrier.unreachable) {
        note(diary, Step::Unreachable);
        return Ending::GoesOn;
    }
    if diary.random.chance(0.003) {
        diary.pass_hours(36.0);
        note(diary, Step::DeliveryOverdue);
        return Ending::GoesOn;
    }
    if diary.random.chance(carrier.locker) {
        note(diary, Step::InLocker);
        diary.pass_hours(7.0);
        if diary.random.chance(carrier.locker_overdue) {
            diary.pass_hours(20.0);
            note(diary, Step::LockerOverdue);
            diary.pass_hours(20.0);
            if diary.random.chance(0.1) {
                return Ending::Back;
            }
        }
        diary.pass_until_work(7, 23);
        note(diary, Step::CollectedFromLocker);
        return Ending::Delivered;
    }
    let step = match diary.random.between(0.0, 1.0) {
        _ if troubled => Step::DeliveredAfterException,
        draw if draw < 0.70 => Step::DeliveredToRecipient,
        draw if draw < 0.85 => Step::DeliveredByProxy,
        _ => Step::Delivered,
    };
    note(diary, step);
    Ending::Delivered
}

fn bring_back(diary: &mut Diary<'_>, from: &'static City, to: &'static City, origin_depot: &str, delivery_depot: &str) {
    diary.pass_hours(20.0);
    if diary.random.chance(0.25) {
        diary.note(Step::RefusedForGood, to, Precision::District, delivery_depot, "");
        return;
    }
    diary.note(Step::Returning, to, Precision::District, delivery_depot, to.hub);
    diary.pass_hours(8.0);
    diary.note(Step::LeftHub, to, Precision::City, to.hub, from.hub);
    let hours = 4.0 + from.distance(to) / diary.carrier.speed;
    diary.pass_hours(hours);
    diary.note(Step::ArrivedHub, from, Precision::City, from.hub, "");
    diary.pass_hours(10.0);
    diary.pass_until_work(9, 19);
    diary.note(Step::Returned, from, Precision::District, origin_depot, "");
}

/// Picked up, sent off, and never seen again.
fn abandoned(
    carrier: &'static Carrier,
    from: &'static City,
    to: &'static City,
    ordered_at: Seconds,
    random: &mut Random,
) -> Parcel {
    let mut parcel = parcel(Course::Stale, carrier, from, to, ordered_at, random);
    let mut diary = Diary::new(carrier, ordered_at, random);
    let depot = texts::depot(diary.random, from);
    diary.note(Step::PickedUp, from, Precision::District, &depot, "");
    diary.pass_hours(3.0);
    diary.note(Step::LeftOriginDepot, from, Precision::District, &depot, from.hub);
    parcel.happenings = diary.happenings;
    parcel
}

/// A country that EMS goes to: code, zone and office of exchange of its carrier, and how that carrier writes its number.
struct Country {
    kuaidi100: &'static str,
    seventeentrack: u32,
    code: &'static str,
    zone: &'static str,
    office: &'static str,
    town: &'static str,
    recipient: &'static str,
    /// None: the number of the origin country stays.
    suffix: Option<&'static str>,
}

const COUNTRIES: [Country; 2] = [
    Country {
        kuaidi100: "japanposten",
        seventeentrack: 10_021,
        code: "JP",
        zone: "Asia/Tokyo",
        office: "KAWASAKI HIGASHI",
        town: "CHIYODA",
        recipient: "TANAKA",
        suffix: None,
    },
    Country {
        kuaidi100: "speedpost",
        seventeentrack: 19_131,
        code: "SG",
        zone: "Asia/Singapore",
        office: "SINGAPORE CHANGI",
        town: "SINGAPORE",
        recipient: "SLOVESNOV",
        suffix: Some("SG"),
    },
];

fn international(from: &'static City, ordered_at: Seconds, random: &mut Random) -> Parcel {
    let ems = carrier("ems");
    let country = random.pick(&COUNTRIES);
    let serial = random.digits(9);
    let mut parcel = parcel(Course::International, ems, from, from, ordered_at, random);
    parcel.tracking_number = format!("EX{serial}CN");

    let mut diary = Diary::new(ems, ordered_at, random);
    let depot = texts::depot(diary.random, from);
    let exchange = format!("{}国际邮件互换局", from.short());
    diary.pass_until_work(9, 20);
    diary.note(Step::PickedUp, from, Precision::District, &depot, "");
    diary.pass_hours(9.0);
    diary.note(Step::LeftOriginDepot, from, Precision::District, &depot, &exchange);
    diary.pass_hours(10.0);
    diary.note(Step::AwaitingCustoms, from, Precision::City, &exchange, "");
    diary.pass_hours(8.0);
    if diary.random.chance(0.12) {
        diary.note(Step::CustomsProblem, from, Precision::City, &exchange, "");
        diary.pass_hours(40.0);
    }
    diary.note(Step::ThroughCustoms, from, Precision::City, &exchange, "");
    diary.pass_hours(6.0);
    diary.note(Step::LeftHub, from, Precision::City, &exchange, country.office);
    parcel.happenings = std::mem::take(&mut diary.happenings);

    diary.pass_hours(40.0);
    let office = || Place::Abroad(country.office, country.zone);
    let town = || Place::Abroad(country.town, country.zone);
    diary.write(
        Step::ArrivedHub,
        office(),
        "Arrival at inward office of exchange".to_owned(),
    );
    diary.pass_hours(12.0);
    diary.write(Step::InCustoms, office(), "Held by import customs".to_owned());
    diary.pass_hours(14.0);
    diary.write(
        Step::LeftHub,
        office(),
        "Departure from inward office of exchange, in transit".to_owned(),
    );
    diary.pass_hours(15.0);
    diary.pass_until_work(8, 16);
    diary.write(Step::OutForDelivery, town(), "Out for delivery".to_owned());
    diary.pass_hours(3.0);
    diary.write(
        Step::Delivered,
        town(),
        format!("[01000]Final delivery Delivered to: {}", country.recipient),
    );
    parcel.destination = Some(DestinationCarrier {
        kuaidi100: country.kuaidi100,
        seventeentrack: country.seventeentrack,
        country: country.code,
        tracking_number: match country.suffix {
            Some(suffix) => format!("EX{serial}{suffix}"),
            None => parcel.tracking_number.clone(),
        },
        zone: country.zone,
        happenings: diary.happenings,
    });
    parcel
}

fn cross_border(ordered_at: Seconds, random: &mut Random) -> Parcel {
    let from = random.pick(CITIES);
    let mut parcel = parcel(Course::CrossBorder, &CROSS_BORDER, from, from, ordered_at, random);
    let mut diary = Diary::new(&CROSS_BORDER, ordered_at, random);
    let place = || Place::Abroad("", "Europe/Paris");
    let write = |diary: &mut Diary<'_>, step, text: &str| diary.write(step, place(), text.to_owned());
    write(
        &mut diary,
        Step::Ordered,
        "Your parcel will soon be handed over to us! It is being prepared by the sender.",
    );
    diary.pass_hours(36.0);
    write(
        &mut diary,
        Step::PickedUp,
        "Your parcel has been picked up by us and is being sorted.",
    );
    for _ in 0..2 {
        diary.pass_hours(20.0);
        write(
            &mut diary,
            Step::LeftHub,
            "Your parcel is transiting through our logistics platforms.",
        );
    }
    diary.pass_hours(18.0);
    let text = "Your parcel is at the delivery site that serves your address. We are preparing it for delivery.";
    // The vendor's code 211 here, although no locker is meant: its own document does the same.
    write(&mut diary, Step::InLocker, text);
    diary.pass_hours(4.0);
    let (step, text) = if diary.random.chance(0.8) {
        (
            Step::DeliveredToRecipient,
            "Your parcel has been delivered in your letter box.",
        )
    } else {
        (
            Step::CollectedFromLocker,
            "Your parcel has been delivered to its recipient at the pickup point.",
        )
    };
    write(&mut diary, step, text);
    parcel.happenings = diary.happenings;
    parcel
}

/// Whether a parcel stands where nothing will happen to it any more.
pub fn is_over(happenings: &[Happening]) -> bool {
    happenings.last().is_some_and(|last| last.step.ends_tracking())
}
