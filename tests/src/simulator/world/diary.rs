//! A life written down, step by step.

use super::super::carriers::Carrier;
use super::super::clock::{HOUR, Seconds, working_hour};
use super::super::places::City;
use super::super::random::Random;
use super::super::steps::Step;
use super::super::texts::{self, Person, Scene};
use super::{Happening, Place, Precision};

/// Writes a life down, step by step: where the parcel is and what time it is.
pub(super) struct Diary<'random> {
    pub(super) random: &'random mut Random,
    pub(super) carrier: &'static Carrier,
    now: Seconds,
    pub(super) happenings: Vec<Happening>,
    courier: Person,
    station: &'static str,
    code: String,
}

impl<'random> Diary<'random> {
    pub(super) fn new(carrier: &'static Carrier, ordered_at: Seconds, random: &'random mut Random) -> Self {
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
    pub(super) fn pass_hours(&mut self, median: f64) {
        self.now += (self.random.duration(median, 0.3) * HOUR as f64) as Seconds + self.random.whole(1, 59);
    }

    /// Waits until people work, and a little, so that not all of them begin at the stroke of the hour.
    pub(super) fn pass_until_work(&mut self, open: i8, close: i8) {
        let opens = working_hour(self.now, open, close);
        if opens > self.now {
            self.now = opens + self.random.whole(0, 90 * 60);
        }
    }

    pub(super) fn next_courier(&mut self) {
        self.courier = texts::person(self.random);
    }

    pub(super) fn note(&mut self, step: Step, city: &'static City, precision: Precision, site: &str, next: &str) {
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

    pub(super) fn write(&mut self, step: Step, place: Place, text: String) {
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
