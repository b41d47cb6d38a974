//! China's working days, looked through one after the other.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};

use super::parcel::{china_day, midnight_after};

const DAY: i64 = 86_400;

/// The days that are not as the day of the week says, and whether each is worked.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    days: BTreeMap<Date, bool>,
}

impl Calendar {
    /// Of such days.
    pub fn new(days: impl IntoIterator<Item = (Date, bool)>) -> Self {
        Self {
            days: days.into_iter().collect(),
        }
    }

    /// As a file for `load-calendar`.
    pub fn file(&self) -> String {
        let lines = self
            .days
            .iter()
            .map(|(day, is_working)| format!("CN,{day},{is_working}\n"));
        lines.fold("country,date,is_working\n".to_owned(), |file, line| file + &line)
    }

    fn is_working(&self, day: Date) -> bool {
        let is_weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        self.days.get(&day).copied().unwrap_or(!is_weekend)
    }

    /// Seconds of working days between two times.
    pub fn worked_seconds(&self, start: i64, end: i64) -> i64 {
        let mut day = china_day(start);
        let mut worked = 0;
        loop {
            let midnight = midnight_after(day);
            if self.is_working(day) {
                worked += midnight.min(end) - (midnight - DAY).max(start);
            }
            if midnight >= end {
                return worked;
            }
            day = tomorrow(day);
        }
    }

    /// The last second in which a promise of so many working days is kept. `cutoff` in minutes after midnight.
    pub fn due(&self, picked_up_at: i64, days: i64, cutoff: i64) -> i64 {
        let mut day = china_day(picked_up_at);
        let is_late = picked_up_at - (midnight_after(day) - DAY) >= cutoff * 60;
        if is_late {
            day = tomorrow(day);
        }
        day = self.first_working(day);
        for _ in 0..days {
            day = self.first_working(tomorrow(day));
        }
        midnight_after(day) - 1
    }

    fn first_working(&self, mut day: Date) -> Date {
        while !self.is_working(day) {
            day = tomorrow(day);
        }
        day
    }
}

fn tomorrow(day: Date) -> Date {
    day.saturating_add(jiff::Span::new().days(1))
}
