//! Lives within China: to a door, a locker, the sender, or nowhere.

use super::super::carriers::Carrier;
use super::super::clock::Seconds;
use super::super::places::{CITIES, CROSSROADS, City};
use super::super::random::Random;
use super::super::steps::Step;
use super::super::texts;
use super::diary::Diary;
use super::{Course, Parcel, Precision, parcel};

/// How a delivery ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Delivered,
    Back,
    GoesOn,
}

/// From order to whatever end.
pub(super) fn domestic(
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
pub(super) fn abandoned(
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
