//! What groups of digits look like: dates, times, measures, hotlines, telephone numbers, identity cards.

use std::ops::Range;

use super::super::cursor::Cursor;
use super::super::vocabulary::VOCABULARY;
use super::groups::{Group, Run};
use super::surroundings::{is_announced, starts_latin};
use super::{MOST_GROUPS, SHORTEST};

impl Run<'_> {
    /// 2026-03-05, 05.03.2026, 20260305: groups of a date.
    pub(super) fn date(&self, first: usize) -> Option<usize> {
        let group = *self.groups.get(first)?;
        let is_year = |year: u32| (1900..2100).contains(&year);
        let is_day = |month: u32, day: u32| (1..=12).contains(&month) && (1..=31).contains(&day);
        if group.len() == 8 {
            let number: u32 = self.digits(group).parse().ok()?;
            let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
            return (is_year(year) && is_day(month, day)).then_some(1);
        }
        let second = self.groups.get(first.saturating_add(1))?;
        let third = self.groups.get(first.saturating_add(2))?;
        let same = self.separator(first.saturating_add(1)) == self.separator(first.saturating_add(2));
        let (one, two, three) = (
            self.value(first)?,
            self.value(first.saturating_add(1))?,
            self.value(first.saturating_add(2))?,
        );
        let short = |group: Group| group.len() <= 2;
        let year_first = group.len() == 4 && short(*second) && short(*third) && is_year(one) && is_day(two, three);
        let year_last = short(group)
            && short(*second)
            && third.len() == 4
            && is_year(three)
            && (is_day(one, two) || is_day(two, one));
        (same && (year_first || year_last)).then_some(3)
    }

    /// 10:12, or minutes of it.
    pub(super) fn is_time(&self, group: Group) -> bool {
        let cursor = Cursor::new(self.text, group.start);
        let behind = Cursor::new(self.text, group.end);
        let is_colon_behind =
            behind.next() == Some(':') && behind.forward(1).next().is_some_and(|letter| letter.is_ascii_digit());
        let before_colon = cursor
            .behind()
            .strip_suffix(':')
            .and_then(|rest| rest.chars().next_back());
        let is_colon_before = before_colon.is_some_and(|letter| letter.is_ascii_digit());
        group.len() <= 2 && (is_colon_behind || is_colon_before)
    }

    /// 95338, 95720-3-1, 400-820-1666, 4008123456: groups of a public number.
    pub(super) fn hotline(&self, first: usize) -> Option<usize> {
        let group = *self.groups.get(first)?;
        let digits = self.digits(group);
        if digits.starts_with("95") && (5..=8).contains(&group.len()) {
            let choices = self
                .groups
                .iter()
                .skip(first.saturating_add(1))
                .take_while(|choice| choice.len() <= 2)
                .count();
            return Some(choices.saturating_add(1));
        }
        if ["400", "800", "0800", "0808"]
            .iter()
            .any(|prefix| digits.starts_with(prefix))
            || digits == "1"
                && self.groups.get(first.saturating_add(1)).is_some_and(|next| {
                    matches!(
                        self.digits(*next),
                        "800" | "888" | "877" | "866" | "855" | "844" | "833"
                    )
                })
        {
            let length = if digits.starts_with(['4', '8']) { 10 } else { 11 };
            let length = if digits.starts_with("08") {
                9..=11
            } else {
                length..=length
            };
            return (1..=4).find(|groups| {
                length.contains(&self.total(first, *groups)) && first.saturating_add(*groups) <= self.groups.len()
            });
        }
        None
    }

    /// The group and those that are tied to it as the groups of a waybill are: 7800 1234 5678, 123-456.
    pub(super) fn waybill(&self, first: usize) -> usize {
        let is_tied = |at: &usize| match self.separator(*at) {
            "-" => true,
            " " => self
                .groups
                .get(*at)
                .is_some_and(|group| (2..SHORTEST).contains(&group.len())),
            _ => false,
        };
        let more = (first.saturating_add(1)..self.groups.len()).take_while(is_tied).count();
        more.saturating_add(1)
    }

    /// +852 6000 1234, 0086 13812345678, (86)13812345678.
    pub(super) fn with_country_code(&self, first: usize) -> Option<usize> {
        let group = *self.groups.get(first)?;
        let digits = self.digits(group);
        let before = Cursor::new(self.text, group.start);
        let has_plus = before.previous() == Some('+');
        for code in ["0086", "86"] {
            let groups = match digits.strip_prefix(code) {
                Some("") => self
                    .mobile(first.saturating_add(1))
                    .map(|groups| groups.saturating_add(1)),
                Some(_) => self.mobile_behind(first, code.len()),
                None => None,
            };
            if groups.is_some() {
                return groups;
            }
        }
        if !has_plus {
            return None;
        }
        // As many groups as make a number of 8 to 15 digits, the longest before a date.
        let mut best = None;
        for groups in 1..=MOST_GROUPS {
            if first.saturating_add(groups) > self.groups.len() {
                break;
            }
            let last = first.saturating_add(groups).saturating_sub(1);
            if groups > 1 && (self.date(last).is_some() || self.separator(last).len() > 2) {
                break;
            }
            if (8..=15).contains(&self.total(first, groups)) {
                best = Some(groups);
            }
        }
        best
    }

    /// 13812345678, 138-1234-5678, 138 12345678: groups of a mobile number of China.
    pub(super) fn mobile(&self, first: usize) -> Option<usize> {
        self.mobile_behind(first, 0)
    }

    /// The same behind so many digits of a country code.
    pub(super) fn mobile_behind(&self, first: usize, code: usize) -> Option<usize> {
        let group = *self.groups.get(first)?;
        let digits = self.digits(group).get(code..)?;
        if !is_mobile(digits) || digits.len() < 3 {
            return None;
        }
        let length = code.saturating_add(11);
        let groups = (1..=4).find(|groups| self.total(first, *groups) >= length)?;
        let last = first.saturating_add(groups).saturating_sub(1);
        let is_tied = (first.saturating_add(1)..=last).all(|at| self.separator(at).len() <= 2);
        let is_whole = self
            .groups
            .iter()
            .skip(first)
            .take(groups)
            .all(|group| group.len() >= 2);
        let touches = starts_latin(self.cursor_behind(last));
        (self.total(first, groups) == length && is_tied && is_whole && !touches).then_some(groups)
    }

    /// 0755-83269390, (0755)83269390.
    pub(super) fn is_landline(&self, first: usize) -> bool {
        let (Some(area), Some(number)) = (self.groups.get(first), self.groups.get(first.saturating_add(1))) else {
            return false;
        };
        let is_tied = matches!(
            self.separator(first.saturating_add(1)),
            "-" | "--" | ")" | " " | ") " | ")-" | " - "
        );
        let has_lengths = (3..=4).contains(&area.len()) && (7..=8).contains(&number.len());
        is_tied
            && has_lengths
            && self.digits(*area).starts_with('0')
            && !starts_latin(self.cursor_behind(first.saturating_add(1)))
    }

    /// Eighteen digits with a region and a date of birth.
    pub(super) fn identity_card(&self, group: Group) -> Option<usize> {
        let digits = self.digits(group);
        let behind = Cursor::new(self.text, group.end);
        let check = behind.next().filter(|letter| matches!(letter, 'X' | 'x'));
        let end = group.end.saturating_add(usize::from(check.is_some()));
        if end.saturating_sub(group.start) != 18 || starts_latin(Cursor::new(self.text, end)) {
            return None;
        }
        let part = |range: Range<usize>| digits.get(range).and_then(|part| part.parse::<u32>().ok());
        let is_region = part(0..2).is_some_and(|region| (11..=82).contains(&region));
        let is_birth = part(6..10).is_some_and(|year| (1900..2030).contains(&year))
            && part(10..12).is_some_and(|month| (1..=12).contains(&month))
            && part(12..14).is_some_and(|day| (1..=31).contains(&day));
        (is_region && is_birth).then_some(end)
    }

    /// 12345.67, 120.123456, 12345678元.
    pub(super) fn is_measure(&self, first: usize, groups: usize) -> bool {
        let behind = self.cursor_behind(first.saturating_add(groups).saturating_sub(1));
        let before = Cursor::new(self.text, self.groups.get(first).map_or(0, |group| group.start));
        let (left, right) = (self.groups.get(first), self.groups.get(first.saturating_add(1)));
        let is_decimal = groups == 2
            && self.separator(first.saturating_add(1)) == "."
            && matches!((left, right), (Some(left), Some(right)) if right.len() <= 2 || left.len() <= 3 && !right.len().eq(&4));
        let unit = behind.skip(|letter| letter == ' ');
        is_decimal
            || unit.begins_with_any(&VOCABULARY.units)
            || before
                .previous()
                .is_some_and(|letter| matches!(letter, '¥' | '￥' | '$' | '€' | '£'))
    }

    /// TX 78701-1234.
    pub(super) fn is_postcode(&self, first: usize, groups: usize) -> bool {
        let before = Cursor::new(self.text, self.groups.get(first).map_or(0, |group| group.start));
        let state = before.skip_back(|letter| letter == ' ').behind();
        let state = state.get(state.len().saturating_sub(2)..).unwrap_or_default();
        let lengths = [first, first.saturating_add(1)].map(|at| self.groups.get(at).map_or(0, |group| group.len()));
        groups == 2 && lengths == [5, 4] && state.len() == 2 && state.bytes().all(|byte| byte.is_ascii_uppercase())
    }

    /// 包裹88123456, 第13900004821号.
    pub(super) fn is_parcel(&self, first: usize) -> bool {
        let before = Cursor::new(self.text, self.groups.get(first).map_or(0, |group| group.start));
        is_announced(before, &VOCABULARY.parcel_words)
    }
}

fn is_mobile(digits: &str) -> bool {
    matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..])
}
