//! Personal numbers: telephones of all countries, identity and bank cards. A run of digits is read in groups, across
//! blanks, dots, dashes and brackets; dates, measures, hotlines and announced waybills are passed over.

use std::ops::Range;

use super::cursor::Cursor;
use super::vocabulary::VOCABULARY;

/// Digits from which on a run may be a number.
pub(super) const SHORTEST: usize = 7;
/// From here on a run without separators is a waybill.
const SHORTEST_WAYBILL: usize = 12;
/// Groups of one run that are looked at.
const MOST_GROUPS: usize = 12;

/// A stretch of digits and of stars that stand for digits.
#[derive(Clone, Copy, Debug)]
struct Group {
    start: usize,
    end: usize,
}

impl Group {
    const fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }
}

/// Groups that stand together, and the text that they are in.
struct Run<'t> {
    text: &'t str,
    groups: Vec<Group>,
}

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

const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'*'
}

/// What may stand between two groups of one number, three of them at most.
const fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'(' | b')')
}

/// What digits and stars in a row are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    /// Digits, with stars for some of them if somebody hid them: 138****1234.
    Group,
    /// Stars in place of a whole group: 138-****-1234.
    Stars,
    /// Stars that masking itself may have left beside digits.
    Masked,
}

impl Row {
    fn of(row: &str) -> Self {
        let stars = row.bytes().filter(|byte| *byte == b'*').count();
        let is_one_stretch = row.trim_matches(|letter: char| letter.is_ascii_digit()).len() == stars;
        match stars {
            0 => Self::Group,
            4.. if stars == row.len() => Self::Stars,
            4.. if is_one_stretch && !row.starts_with('*') => Self::Group,
            _ => Self::Masked,
        }
    }
}

impl<'t> Run<'t> {
    /// The groups from a digit on, and where to look for the next ones.
    fn read(text: &'t str, start: usize) -> (Self, usize) {
        let mut groups = Vec::new();
        // Stars alone are a group only if digits follow: else they are what masking put in place of something.
        let mut known = 0;
        let mut row_start = start;
        let mut end = start;
        loop {
            let row_end = row_start.saturating_add(leading(text, row_start, is_digit));
            if row_end == row_start {
                break;
            }
            end = row_end;
            match Row::of(text.get(row_start..row_end).unwrap_or_default()) {
                Row::Masked => break,
                Row::Stars => groups.push(Group {
                    start: row_start,
                    end: row_end,
                }),
                Row::Group => {
                    groups.push(Group {
                        start: row_start,
                        end: row_end,
                    });
                    known = groups.len();
                }
            }
            let separators = leading(text, row_end, is_separator);
            if !(1..=3).contains(&separators) {
                break;
            }
            row_start = row_end.saturating_add(separators);
        }
        groups.truncate(known);
        (Self { text, groups }, end)
    }

    /// Reads all groups; returns where the last number ends.
    fn find(&self, found: &mut impl FnMut(Range<usize>)) -> usize {
        let mut next = 0;
        let mut last_end = 0;
        while let Some(first) = self.groups.get(next) {
            match self.read_from(next) {
                Reading::Number { groups, end } => {
                    let start = self.start_with_bracket(first.start);
                    found(start..end);
                    last_end = end;
                    next = next.saturating_add(groups.max(1));
                }
                Reading::Other(groups) => next = next.saturating_add(groups.max(1)),
            }
        }
        last_end
    }

    /// The plus of a country code and the bracket of an area code belong to the number.
    fn start_with_bracket(&self, start: usize) -> usize {
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
            return Reading::Other(self.dashed(first));
        }
        if let Some(reading) = self.with_country_code(first) {
            return reading;
        }
        if let Some(groups) = self.mobile(first) {
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

    fn cursor_behind(&self, last: usize) -> Cursor<'t> {
        Cursor::new(
            self.text,
            self.groups.get(last).map_or(self.text.len(), |group| group.end),
        )
    }

    fn digits(&self, group: Group) -> &'t str {
        self.text.get(group.start..group.end).unwrap_or_default()
    }

    fn separator(&self, before: usize) -> &'t str {
        let (left, right) = (self.groups.get(before.saturating_sub(1)), self.groups.get(before));
        match (left, right) {
            (Some(left), Some(right)) => self.text.get(left.end..right.start).unwrap_or_default(),
            _ => "",
        }
    }

    /// Digits of so many groups.
    fn total(&self, first: usize, groups: usize) -> usize {
        self.groups
            .iter()
            .skip(first)
            .take(groups)
            .map(|group| group.len())
            .sum()
    }

    fn value(&self, at: usize) -> Option<u32> {
        self.groups.get(at).and_then(|group| self.digits(*group).parse().ok())
    }

    /// 2026-03-05, 05.03.2026, 20260305: groups of a date.
    fn date(&self, first: usize) -> Option<usize> {
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
    fn is_time(&self, group: Group) -> bool {
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
    fn hotline(&self, first: usize) -> Option<usize> {
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

    /// The group and those that dashes tie to it.
    fn dashed(&self, first: usize) -> usize {
        let more = (first.saturating_add(1)..self.groups.len())
            .take_while(|at| self.separator(*at) == "-")
            .count();
        more.saturating_add(1)
    }

    /// +852 6000 1234, 0086 13812345678, (86)13812345678.
    fn with_country_code(&self, first: usize) -> Option<Reading> {
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
            if let Some(groups) = groups {
                return Some(self.number(first, groups));
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
        best.map(|groups| self.number(first, groups))
    }

    /// 13812345678, 138-1234-5678, 138 12345678: groups of a mobile number of China.
    fn mobile(&self, first: usize) -> Option<usize> {
        self.mobile_behind(first, 0)
    }

    /// The same behind so many digits of a country code.
    fn mobile_behind(&self, first: usize, code: usize) -> Option<usize> {
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
    fn is_landline(&self, first: usize) -> bool {
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
    fn identity_card(&self, group: Group) -> Option<usize> {
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

    /// True if a group belongs to the one before it.
    fn ties(&self, at: usize) -> bool {
        let (Some(left), Some(right)) = (self.groups.get(at.saturating_sub(1)), self.groups.get(at)) else {
            return false;
        };
        if right.len() >= SHORTEST {
            // A number of its own.
            return false;
        }
        match self.separator(at) {
            " " => left.len() < SHORTEST && right.len() >= 2 || left.len() == SHORTEST && right.len() == 4,
            "-" | "." | "--" | ")" | ") " | "- " | " -" | " - " | ")-" => true,
            _ => false,
        }
    }

    /// 12345.67, 120.123456, 12345678元.
    fn is_measure(&self, first: usize, groups: usize) -> bool {
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
    fn is_postcode(&self, first: usize, groups: usize) -> bool {
        let before = Cursor::new(self.text, self.groups.get(first).map_or(0, |group| group.start));
        let state = before.skip_back(|letter| letter == ' ').behind();
        let state = state.get(state.len().saturating_sub(2)..).unwrap_or_default();
        let lengths = [first, first.saturating_add(1)].map(|at| self.groups.get(at).map_or(0, |group| group.len()));
        groups == 2 && lengths == [5, 4] && state.len() == 2 && state.bytes().all(|byte| byte.is_ascii_uppercase())
    }

    /// 包裹88123456, 第13900004821号.
    fn is_parcel(&self, first: usize) -> bool {
        let before = Cursor::new(self.text, self.groups.get(first).map_or(0, |group| group.start));
        is_announced(before, &VOCABULARY.parcel_words)
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

/// Length of the bytes of a kind from a place on.
fn leading(text: &str, start: usize, kind: impl Fn(u8) -> bool) -> usize {
    text.bytes().skip(start).take_while(|byte| kind(*byte)).count()
}

fn is_mobile(digits: &str) -> bool {
    matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..])
}

/// End of the extension behind a number.
fn extension(number: Cursor<'_>) -> Option<usize> {
    let marks = [
        " 转 ",
        " 转",
        "转 ",
        "转",
        "分机号",
        " 分机 ",
        " 分机",
        "分机",
        "-",
        ",",
        "#",
        " ext. ",
        " ext ",
        "ext",
        " x",
        "*",
        "_",
    ];
    let mark = marks.iter().find(|mark| number.ahead().starts_with(**mark))?;
    let start = number.forward(mark.len());
    let start = if *mark == "," {
        start
    } else {
        start.skip(|letter| letter == ' ' || letter == ':')
    };
    let end = start.skip(|letter| letter.is_ascii_digit());
    let length = end.at().saturating_sub(start.at());
    let longest = if *mark == "," { 3..=4 } else { 1..=6 };
    let goes_on = match end.next() {
        Some('-' | ':' | '.' | '/') => end.forward(1).next().is_some_and(|letter| letter.is_ascii_digit()),
        Some(letter) => {
            letter.is_ascii_alphabetic() || letter == '*' || *mark == "," && end.begins_with_any(&VOCABULARY.units)
        }
        None => false,
    };
    (longest.contains(&length) && !goes_on).then_some(end.at())
}

/// True if one of the words announces what comes, with marks between.
fn is_announced(number: Cursor<'_>, words: &[String]) -> bool {
    let gap = |letter: char| {
        matches!(
            letter,
            ' ' | ':' | '#' | '[' | '(' | '"' | '号' | '是' | '为' | '.' | '='
        )
    };
    let before = number.skip_back(gap);
    if before.skip_word_back(words).is_some() {
        return true;
    }
    let whole = number.skip_back(|letter| matches!(letter, ' ' | ':' | '#' | '[' | '(' | '"' | '是' | '为' | '='));
    whole.skip_word_back(words).is_some()
        || whole.behind().ends_with('第') && number.skip(|letter| letter.is_ascii_digit()).ahead().starts_with('号')
}

/// A letter before a number: it is a waybill, unless the letters are a word for telephones.
fn touches_latin(number: Cursor<'_>) -> bool {
    let before = number.previous();
    if !before.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return false;
    }
    number.skip_word_back(&VOCABULARY.phone_words).is_none()
}

fn starts_latin(behind: Cursor<'_>) -> bool {
    let is_extension = behind.ahead().starts_with("ext");
    behind
        .next()
        .is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_')
        && !is_extension
}

fn passes_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit.saturating_sub(b'0'));
            let doubled = digit.saturating_mul(2);
            match place % 2 {
                0 => digit,
                _ if doubled > 9 => doubled.saturating_sub(9),
                _ => doubled,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}
