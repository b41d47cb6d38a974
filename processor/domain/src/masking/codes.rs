//! Codes that open a locker or prove who somebody is, names and numbers of accounts, plates of vehicles, e-mail addresses.

use std::ops::Range;

use super::cursor::{Cursor, is_han, is_hard_end};
use super::vocabulary::VOCABULARY;

/// The code behind 取件码 or `pickup code`, in whatever brackets.
pub(super) fn after_code_word(cursor: Cursor<'_>) -> Option<Range<usize>> {
    let start = skip_marks(cursor);
    let is_marked = cursor.until(start.at()).contains(|letter: char| letter != ' ');
    code(start, is_marked).or_else(|| watchword(start, is_marked))
}

/// The code behind a 码 that no list knows: 身份核验码.
pub(super) fn after_any_code(word: Cursor<'_>, cursor: Cursor<'_>) -> Option<Range<usize>> {
    let is_code = word
        .previous()
        .is_some_and(|letter| is_han(letter) && !VOCABULARY.makes_no_code(letter));
    if is_code { code(skip_marks(cursor), false) } else { None }
}

/// A code needs a digit, or a mark before it and nothing but capital letters in it.
fn code(start: Cursor<'_>, is_marked: bool) -> Option<Range<usize>> {
    let mut end = one_code(start, is_marked)?;
    // `90 12`, `1234、5678`, `1234 或 5678`
    loop {
        let next = end.skip(|letter| matches!(letter, ' ' | '、' | '/' | '或' | '和' | '及'));
        if next.at() == end.at() || next.at() > end.at().saturating_add(6) {
            return Some(start.at()..end.at());
        }
        let is_short = next.at().saturating_sub(end.at()) == 1 && end.next() == Some(' ');
        match one_code(next, false) {
            Some(more) if !is_short || is_short_group(start, end) && is_short_group(next, more) => end = more,
            _ => return Some(start.at()..end.at()),
        }
    }
}

fn one_code(start: Cursor<'_>, is_marked: bool) -> Option<Cursor<'_>> {
    let end = start.skip(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    let end = end.moved_to(
        start
            .until(end.at())
            .trim_end_matches('-')
            .len()
            .saturating_add(start.at()),
    );
    let code = start.until(end.at());
    let has_digit = code.contains(|letter: char| letter.is_ascii_digit());
    let is_capital = is_marked && code.len() >= 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_time = end.next() == Some(':') && end.step().next().is_some_and(|letter| letter.is_ascii_digit());
    let is_count = ["件", "次", "天", "小时", "分钟", "个", "元", "折", "位"]
        .iter()
        .any(|unit| end.ahead().starts_with(unit));
    // MSKU1234567: the number of a freight container.
    let is_container = code.len() == 11
        && code.bytes().take(4).all(|byte| byte.is_ascii_uppercase())
        && code.bytes().skip(4).all(|byte| byte.is_ascii_digit());
    let is_something_else = is_container || is_time || is_count && !is_marked || end.next() == Some('*');
    (code.len() <= 24 && (has_digit || is_capital) && !is_something_else).then_some(end)
}

/// Digits that are one group of a code, and neither a time nor a count.
fn is_short_group(start: Cursor<'_>, end: Cursor<'_>) -> bool {
    let group = start.until(end.at());
    group.len() <= 4
        && group.bytes().all(|byte| byte.is_ascii_digit())
        && end.next().is_none_or(|letter| is_hard_end(letter) || letter == ' ')
}

/// 红苹果3301 behind 暗号：.
fn watchword(start: Cursor<'_>, is_marked: bool) -> Option<Range<usize>> {
    let han = start.skip(super::cursor::is_han);
    let end = han.skip(|letter| letter.is_ascii_alphanumeric());
    let words = start.until(han.at()).chars().count();
    let digits = han.until(end.at());
    let is_one =
        is_marked && (1..=4).contains(&words) && digits.len() >= 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_one && !VOCABULARY.stops(start.ahead())).then_some(start.at()..end.at())
}

/// The code in 凭 8-2-3006 到店取件.
pub(super) fn after_voucher(word: Cursor<'_>, cursor: Cursor<'_>) -> Option<Range<usize>> {
    let start = skip_marks(cursor);
    let found = code(start, false)?;
    let end = start.moved_to(found.end);
    let code = start.until(found.end);
    let rest = end.skip(|letter| matches!(letter, ']' | ')' | '"' | ' '));
    let clause = rest.until(rest.skip(|letter| !is_hard_end(letter)).at());
    let is_sure = word.ahead().starts_with('凭') && code.len() >= 3;
    let collects = VOCABULARY.collects.iter().any(|verb| clause.contains(verb.as_str()));
    (is_sure || collects).then_some(found)
}

/// The last digits of a number behind 尾号.
pub(super) fn after_tail(cursor: Cursor<'_>) -> Option<Range<usize>> {
    let start = skip_marks(cursor);
    let end = start.skip(|letter| letter.is_ascii_digit() || matches!(letter, 'X' | 'x' | '*'));
    let length = end.at().saturating_sub(start.at());
    let has_digit = start.has(end.at(), |letter| letter.is_ascii_digit());
    (has_digit && (2..=8).contains(&length)).then_some(start.at()..end.at())
}

/// The name or number of an account behind 微信号, 身份证, 工号.
pub(super) fn after_account(cursor: Cursor<'_>) -> Option<Range<usize>> {
    let mut start = skip_marks(cursor);
    while let Some(next) = start.skip_word(&VOCABULARY.account_gaps) {
        start = skip_marks(next);
    }
    let end =
        start.skip(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '*' | '+' | '@'));
    let account = start.until(end.at()).trim_end_matches(['.', '-', '+']);
    // 622* is the beginning of what is hidden already.
    let is_masked = account.contains('*') && account.len() < super::numbers::SHORTEST;
    let is_account = account.len() >= 3
        && !is_masked
        && account.contains(|letter: char| letter.is_ascii_digit() || matches!(letter, '_' | '@'));
    let end = start.forward(account.len());
    is_account.then_some(start.at()..more_groups(account, end).at())
}

/// 6222 0212 3456 7890: figures in groups go on behind blanks.
fn more_groups<'t>(account: &str, end: Cursor<'t>) -> Cursor<'t> {
    let mut end = end;
    if !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return end;
    }
    loop {
        let group = end.skip(|letter| letter == ' ');
        let behind = group.skip(|letter| letter.is_ascii_digit() || letter == '*');
        let is_group =
            (3..=4).contains(&behind.at().saturating_sub(group.at())) && group.at() == end.at().saturating_add(1);
        if !is_group {
            return end;
        }
        end = behind;
    }
}

/// The plate behind 车牌, of whatever country.
pub(super) fn after_plate_word(cursor: Cursor<'_>) -> Option<Range<usize>> {
    let start = skip_marks(cursor);
    let head = if start.next().is_some_and(super::cursor::is_han) {
        start.step()
    } else {
        start
    };
    let end = head.skip(|letter| {
        letter.is_ascii_uppercase() || letter.is_ascii_digit() || matches!(letter, '-' | '·' | '*' | '.' | ' ')
    });
    let plate = head.until(end.at()).trim_end_matches(['-', '·', '.', ' ']);
    let end = head.at().saturating_add(plate.len());
    let end = head
        .moved_to(end)
        .skip(|letter| matches!(letter, '港' | '澳' | '学' | '警' | '挂' | '领'))
        .at();
    (plate.len() >= 4 && plate.contains(|letter: char| letter.is_ascii_digit() || letter == '*'))
        .then_some(start.at()..end)
}

/// A Chinese plate, which begins with `head`, a province and a city: 浙A12345, 京A·D12345, 粤Z1234港.
pub(super) fn plate(head: Cursor<'_>, cursor: Cursor<'_>) -> Option<Range<usize>> {
    let number = cursor.skip(|letter| matches!(letter, '·' | '.' | '-' | ' '));
    let end = number.skip(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '*');
    let plate = number.until(end.at());
    let has_digit = plate.contains(|letter: char| letter.is_ascii_digit() || letter == '*');
    let end_of_word = end.skip(|letter| matches!(letter, '港' | '澳' | '学' | '警' | '挂' | '领'));
    let length = plate.len().saturating_add(usize::from(end_of_word.at() > end.at()));
    let is_plate =
        has_digit && (5..=6).contains(&length) && !end.next().is_some_and(|letter| letter.is_ascii_alphanumeric());
    is_plate.then_some(head.at()..end_of_word.at())
}

/// The e-mail address around an `@`.
pub(super) fn mail(at_sign: Cursor<'_>) -> Option<Range<usize>> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '+' | '%');
    let start = at_sign.skip_back(is_part);
    let end = at_sign.forward(1).skip(is_part);
    let domain = at_sign.forward(1).until(end.at()).trim_end_matches(['.', '-', '_']);
    let end = at_sign.at().saturating_add(1).saturating_add(domain.len());
    (start.at() < at_sign.at() && domain.contains('.') && domain.contains(|letter: char| letter.is_ascii_alphabetic()))
        .then_some(start.at()..end)
}

/// Steps over what may stand between a word and the code that it announces.
fn skip_marks(cursor: Cursor<'_>) -> Cursor<'_> {
    let mut cursor = cursor;
    loop {
        let marks = |letter| {
            matches!(
                letter,
                ' ' | ':' | '=' | '#' | '[' | '(' | '<' | '{' | '"' | '\'' | '是' | '为' | '-'
            )
        };
        let next = cursor.skip(marks);
        let next = skip_is(next).unwrap_or(next);
        if next.at() == cursor.at() {
            return next;
        }
        cursor = next;
    }
}

/// `Your PIN is 5521`.
fn skip_is(cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    let word = cursor.ahead().get(..3)?;
    word.eq_ignore_ascii_case("is ").then(|| cursor.forward(3))
}

/// True if a Latin word is one of its own: `pin`, not `shipping`.
pub(super) fn is_word(word: Cursor<'_>, end: Cursor<'_>) -> bool {
    let is_inside = |before: Option<char>, letter: Option<char>| {
        before.is_some_and(|before| before.is_ascii_alphabetic())
            && letter.is_some_and(|letter| letter.is_ascii_alphabetic())
    };
    let is_latin_word = word.next().is_some_and(|letter| letter.is_ascii_alphabetic());
    !is_latin_word || !is_inside(word.previous(), word.next()) && !is_inside(end.previous(), end.next())
}
