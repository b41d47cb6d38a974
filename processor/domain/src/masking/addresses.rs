//! Homes: addresses that a word announces, and those that have a building, a stair or a room. Stations, lockers, shops and
//! depots have such addresses too, and stay.

use std::ops::Range;

use super::cursor::{Cursor, is_han, is_hard_end, is_latin};
use super::vocabulary::VOCABULARY;

/// The address behind 收货地址.
pub(super) fn after_home(cursor: Cursor<'_>) -> Option<Range<usize>> {
    let start = cursor.skip(|letter| matches!(letter, ' ' | ':' | '[' | '(' | '"' | '是' | '为' | '至' | '到'));
    let end = start
        .skip(|letter| !matches!(letter, ',' | '。' | ';' | ']' | ')' | '"' | '!' | '、'))
        .at();
    let address = start.until(end).trim_end();
    let is_address = address.chars().count() >= 4
        && (address.contains(|letter: char| letter.is_ascii_digit())
            || VOCABULARY
                .home_places
                .iter()
                .filter(|part| address.contains(part.as_str()))
                .count()
                >= 2);
    // 北京… is no beginning of a name, but one of an address.
    let begins_well = VOCABULARY.begins_with_place(address) || !VOCABULARY.stops(address);
    (is_address && begins_well).then(|| start.at()..start.at().saturating_add(address.len()))
}

/// The address around 3单元, 12栋, 502室; `word` begins there, `cursor` ends it.
pub(super) fn around_mark(word: Cursor<'_>, cursor: Cursor<'_>) -> Option<Range<usize>> {
    let is_numbered = word.previous().is_some_and(is_number);
    if !is_numbered {
        return None;
    }
    let clause = clause(word);
    if is_place_of_resort(word.moved_to(clause.start)) {
        return None;
    }
    let start = start_of(word, clause.start);
    let head = word.moved_to(start).until(word.at());
    let is_long = head.chars().filter(|letter| is_han(*letter)).count() >= 2;
    home(word, start, cursor.at(), clause.end).filter(|_| is_long)
}

/// 快递柜(科技园3栋大堂): what the bracket tells of a locker is no home.
fn is_place_of_resort(clause_start: Cursor<'_>) -> bool {
    let before = clause_start.skip_back(|letter| matches!(letter, '(' | '[' | ' '));
    before.at() < clause_start.at()
        && VOCABULARY
            .resorts
            .iter()
            .any(|resort| before.behind().ends_with(resort.as_str()))
}

/// The home behind 送至, if it ends in a room of three figures: 望江名苑2-1-602.
pub(super) fn after_lead(cursor: Cursor<'_>) -> Option<Range<usize>> {
    let start = cursor.skip(|letter| matches!(letter, ' ' | ':' | '[' | '(' | '"'));
    let han = start.skip(is_han);
    let rooms = han.skip(|letter| letter.is_ascii_digit() || letter == '-');
    let dashes = han.until(rooms.at()).matches('-').count();
    if han.at() <= start.at().saturating_add(3)
        || dashes < 1
        || !han.next().is_some_and(|letter| letter.is_ascii_digit())
    {
        return None;
    }
    home(start, start.at(), rooms.at(), clause(rooms).end)
}

/// From the start of an address up to its last part; none if it is no home.
fn home(place: Cursor<'_>, start: usize, known_end: usize, clause_end: usize) -> Option<Range<usize>> {
    let rest = place.moved_to(known_end).until(clause_end);
    let address = place.moved_to(start).until(clause_end);
    let before_deed = deed(rest).map_or(rest, |at| rest.get(..at).unwrap_or_default());
    let whole = place.moved_to(start).until(known_end.saturating_add(before_deed.len()));
    let is_resort = VOCABULARY.resorts.iter().any(|resort| whole.contains(resort.as_str()));
    if is_resort || address.is_empty() {
        return None;
    }
    // Figures and further parts: 12幢 | 3单元502室, 26楼之 | 2.
    let mut end = place.moved_to(known_end);
    loop {
        let figures = end.skip(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '#' | '之'));
        let part = figures.skip_word(&PARTS).unwrap_or(figures);
        if part.at() == end.at() || part.at() > clause_end {
            break;
        }
        end = part;
    }
    let end = end.skip_word(&VOCABULARY.at_door).unwrap_or(end);
    Some(start..end.at())
}

static PARTS: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| {
    ["单元", "号楼", "号", "栋", "幢", "室", "座", "楼", "层", "户", "房"]
        .map(str::to_owned)
        .to_vec()
});

/// Where somebody does something behind an address.
fn deed(rest: &str) -> Option<usize> {
    ["签收", "由", "已", "请", "本人", "门口", "联系", "电话", "等待"]
        .iter()
        .filter_map(|deed| rest.find(deed))
        .min()
}

/// Where the address before a part of it begins: behind the last word that leads to it, or with its clause.
fn start_of(word: Cursor<'_>, clause_start: usize) -> usize {
    let head = word.moved_to(clause_start).until(word.at());
    let leads = [
        "送至",
        "送到",
        "派至",
        "派到",
        "投递至",
        "投递到",
        "投至",
        "投到",
        "送达",
        "放至",
        "放到",
        "放在",
        "放于",
        "置于",
        "置在",
        "存放在",
        "存至",
        "寄至",
        "寄到",
        "寄往",
        "改为",
        "更改为",
        "变更为",
        "位于",
        "前往",
        "到达",
        "交至",
        "地址为",
        "地址是",
        "地址:",
        "地址",
        "住在",
        "住址",
        "新地址:",
        "至:",
        "到:",
    ];
    let lead = leads
        .iter()
        .filter_map(|lead| head.rfind(lead).map(|at| at.saturating_add(lead.len())))
        .max();
    let weak = || {
        ["至", "到", "在", "往"]
            .iter()
            .filter_map(|lead| head.find(lead).map(|at| at.saturating_add(lead.len())))
            .min()
    };
    let start = word.moved_to(clause_start.saturating_add(lead.or_else(weak).unwrap_or(0)));
    start.skip(|letter| matches!(letter, ' ' | ':' | '为' | '是')).at()
}

fn is_number(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || matches!(
            letter,
            '一' | '二' | '三' | '四' | '五' | '六' | '七' | '八' | '九' | '十' | '甲' | '乙'
        )
}

/// The home behind `Left at`: a number and a street.
pub(super) fn after_latin(word: Cursor<'_>, cursor: Cursor<'_>) -> Option<Range<usize>> {
    if word.previous().is_some_and(is_latin) {
        return None;
    }
    let start = cursor.skip(|letter| matches!(letter, ' ' | ':' | '"' | '('));
    let number = start.skip(|letter| letter.is_ascii_digit());
    let is_numbered = (1..=5).contains(&number.at().saturating_sub(start.at()));
    if !is_numbered {
        return None;
    }
    let stretch = start.until(
        start
            .skip(|letter| !matches!(letter, ';' | '。' | ')' | '"' | '!'))
            .at(),
    );
    let end = end_of_street(stretch);
    let address = stretch.get(..end)?;
    let words = || {
        address
            .split(|letter: char| !is_latin(letter))
            .filter(|word| !word.is_empty())
    };
    let has_street =
        words().any(|word| VOCABULARY.is_latin_street(word) || word.ends_with("straße") || word.ends_with("strasse"));
    // `12 Station Road` is a street, `12 Road Station` a station.
    let next = words().skip(1).chain([""]);
    let is_resort = words()
        .zip(next)
        .any(|(word, next)| VOCABULARY.is_latin_resort(word) && !VOCABULARY.is_latin_street(next));
    (has_street && !is_resort).then(|| start.at()..start.at().saturating_add(address.len()))
}

/// An address goes on over commas, as long as what comes begins with a figure or a capital letter and is no announcement.
fn end_of_street(stretch: &str) -> usize {
    let mut end: usize = 0;
    for part in stretch.split_inclusive(',') {
        let first = part.trim_start().split(' ').next().unwrap_or_default();
        let is_address = first.starts_with(|letter: char| letter.is_ascii_digit() || letter.is_uppercase())
            && (end == 0 || !VOCABULARY.is_latin_stop(first));
        if !is_address {
            break;
        }
        let sentence = part.find(". ").or_else(|| part.find(" - "));
        end = end.saturating_add(sentence.unwrap_or(part.len()));
        if sentence.is_some() {
            break;
        }
    }
    stretch
        .get(..end)
        .unwrap_or_default()
        .trim_end_matches([',', ' ', '.', ']'])
        .len()
}

/// The clause that a place lies in, by its hard ends.
fn clause(place: Cursor<'_>) -> Range<usize> {
    let start = place.skip_back(|letter| !is_hard_end(letter)).at();
    start..place.skip(|letter| !is_hard_end(letter)).at()
}
