//! Personal numbers: telephones of all countries, identity and bank cards. A run of digits is read in groups, across
//! blanks, dots, dashes and brackets; dates, measures, hotlines and announced waybills are passed over.

use std::ops::Range;

mod groups;
mod shapes;
mod surroundings;

use self::groups::{Run, is_digit, leading};
use self::surroundings::{extension, is_announced, passes_luhn, starts_latin, touches_latin};
use super::cursor::Cursor;
use super::vocabulary::VOCABULARY;

/// Digits from which on a run may be a number.
pub(super) const SHORTEST: usize = 7;
/// From here on a run without separators is a waybill.
const SHORTEST_WAYBILL: usize = 12;
/// Groups of one run that are looked at.
const MOST_GROUPS: usize = 12;

/// What the groups from a place on are.
enum Reading {
    /// So many groups, and bytes behind them, are a personal number.
    Number { groups: usize, end: usize },
    /// So many groups are something else.
    Other(usize),
}

/// The personal numbers of a folded text, from left to right.
pub(super) fn find(text: &str, mut found: impl FnMut(Range<usize>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(offset) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(u8::is_ascii_digit))
    {
        let start = at.saturating_add(offset);
        let row = leading(text, start, is_digit);
        if row < SHORTEST && text.get(..start).is_some_and(|before| before.ends_with('*')) {
            // The last digits of a number that is hidden already.
            at = start.saturating_add(row);
            continue;
        }
        let (run, end) = Run::read(text, start);
        at = if run.total(0, run.groups.len()) >= SHORTEST {
            run.find(&mut found).max(end)
        } else {
            end
        };
    }
}

impl Run<'_> {
    /// Reads all groups; returns where the last number ends.
    fn find(&self, found: &mut impl FnMut(Range<usize>)) -> usize {
        let mut next = 0;
        let mut last_end = 0;
        while let Some(first) = self.groups.get(next) {
            match self.read_from(next) {
                Reading::Number { groups, end } => {
                    let start = self.start_with_plus(first.start);
                    found(start..end);
                    last_end = end;
                    next = next.saturating_add(groups.max(1));
                }
                Reading::Other(groups) => next = next.saturating_add(groups.max(1)),
            }
        }
        last_end
    }

    /// The plus of a country code belongs to the number.
    fn start_with_plus(&self, start: usize) -> usize {
        let cursor = Cursor::new(self.text, start);
        if cursor.previous() == Some('+') {
            start.saturating_sub(1)
        } else {
            start
        }
    }

    fn read_from(&self, first: usize) -> Reading {
        let Some(group) = self.groups.get(first) else {
            return Reading::Other(1);
        };
        let before = Cursor::new(self.text, group.start);
        if let Some(groups) = self.date(first) {
            return Reading::Other(groups);
        }
        if self.is_time(*group) {
            return Reading::Other(1);
        }
        if touches_latin(before) {
            return Reading::Other(1);
        }
        if let Some(groups) = self.hotline(first) {
            return Reading::Other(groups);
        }
        if is_announced(before, &VOCABULARY.waybill_words) {
            return Reading::Other(self.waybill(first));
        }
        if let Some(groups) = self.with_country_code(first).or_else(|| self.mobile(first)) {
            return self.number(first, groups);
        }
        if self.is_landline(first) {
            return self.number(first, 2);
        }
        if let Some(end) = self.identity_card(*group) {
            return Reading::Number { groups: 1, end };
        }
        if group.len() >= SHORTEST_WAYBILL {
            return self.long(first);
        }
        self.other_number(first)
    }

    /// Twelve digits and more without separator: a landline that is announced as one, or a bank card.
    fn long(&self, first: usize) -> Reading {
        let Some(group) = self.groups.get(first).copied() else {
            return Reading::Other(1);
        };
        let digits = self.digits(group);
        let before = Cursor::new(self.text, group.start);
        let is_landline = group.len() == 12 && digits.starts_with('0') && is_announced(before, &VOCABULARY.phone_words);
        let is_card = matches!(group.len(), 16 | 19) && digits.starts_with("62") && passes_luhn(digits);
        let is_starred = digits.contains('*') && group.len() <= 19;
        if is_landline || is_card || is_starred {
            return self.number(first, 1);
        }
        Reading::Other(1)
    }

    /// Landlines, numbers abroad, bank cards in groups: seven digits and more that are nothing else.
    fn other_number(&self, first: usize) -> Reading {
        let mut best = None;
        for groups in 1..=MOST_GROUPS {
            let last = first.saturating_add(groups).saturating_sub(1);
            let Some(group) = self.groups.get(last) else { break };
            let is_tied = groups == 1 || self.ties(last);
            if !is_tied
                || group.len() >= SHORTEST_WAYBILL
                || groups > 1 && (self.date(last).is_some() || self.is_time(*group))
            {
                break;
            }
            let total = self.total(first, groups);
            let is_card = groups >= 4 && self.groups.iter().skip(first).take(4).all(|group| group.len() == 4);
            if total > if is_card { 19 } else { 15 } {
                break;
            }
            if total >= SHORTEST {
                best = Some(groups);
            }
        }
        let Some(groups) = best else { return Reading::Other(1) };
        let last = first.saturating_add(groups).saturating_sub(1);
        let behind = self.cursor_behind(last);
        if starts_latin(behind)
            || self.is_measure(first, groups)
            || self.is_postcode(first, groups)
            || self.is_parcel(first)
        {
            return Reading::Other(groups);
        }
        self.number(first, groups)
    }

    /// A number with what is dialled behind it: 转5678, ,5678#, -1234, ext. 12.
    fn number(&self, first: usize, groups: usize) -> Reading {
        let last = first.saturating_add(groups).saturating_sub(1);
        let end = self.cursor_behind(last);
        match extension(end) {
            Some(extended) => {
                let more = self
                    .groups
                    .iter()
                    .skip(last.saturating_add(1))
                    .take_while(|group| group.start < extended)
                    .count();
                Reading::Number {
                    groups: groups.saturating_add(more),
                    end: extended,
                }
            }
            None => Reading::Number { groups, end: end.at() },
        }
    }
}
