//! Lives across a border: by EMS to another country, and those of a foreign carrier.

use super::super::carriers::{Carrier, ORDINARY, carrier};
use super::super::clock::Seconds;
use super::super::places::{CITIES, City};
use super::super::random::Random;
use super::super::steps::Step;
use super::super::texts;
use super::diary::Diary;
use super::{Course, DestinationCarrier, Parcel, Place, Precision, parcel};

/// The carrier of every parcel of [`Course::CrossBorder`].
pub static CROSS_BORDER: Carrier = Carrier {
    code: "colissimo",
    name: "法国邮政",
    name_en: "Colissimo",
    hotline: "",
    number: ("6A", 11),
    ..ORDINARY
};

/// A country that EMS goes to: its carrier, that one's zone and office of exchange, and how it writes the number.
struct Country {
    carrier: &'static str,
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
        carrier: "japanpost",
        code: "JP",
        zone: "Asia/Tokyo",
        office: "KAWASAKI HIGASHI",
        town: "CHIYODA",
        recipient: "TANAKA",
        suffix: None,
    },
    Country {
        carrier: "singpost",
        code: "SG",
        zone: "Asia/Singapore",
        office: "SINGAPORE CHANGI",
        town: "SINGAPORE",
        recipient: "SLOVESNOV",
        suffix: Some("SG"),
    },
];

/// By EMS, then by the post of the country.
pub(super) fn international(from: &'static City, ordered_at: Seconds, random: &mut Random) -> Parcel {
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
        code: country.carrier,
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

/// From door to door by one foreign carrier.
pub(super) fn cross_border(ordered_at: Seconds, random: &mut Random) -> Parcel {
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
