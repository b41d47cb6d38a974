//! What stands around a number: words that announce it, letters that touch it, what is dialled behind it.

use super::super::cursor::Cursor;
use super::super::vocabulary::VOCABULARY;
use super::super::words::Endings;

/// End of the extension behind a number.
pub(super) fn extension(number: Cursor<'_>) -> Option<usize> {
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
pub(super) fn is_announced(number: Cursor<'_>, words: &Endings) -> bool {
    let gap = |letter: char| {
        matches!(
            letter,
            ' ' | ':' | '#' | '[' | '(' | '"' | '号' | '是' | '为' | '.' | '='
        )
    };
    let before = number.skip_back(gap);
    let before = before
        .skip_word_back(&VOCABULARY.number_words)
        .map_or(before, |word| word.skip_back(gap));
    if before.skip_word_back(words).is_some() {
        return true;
    }
    let whole = number.skip_back(|letter| matches!(letter, ' ' | ':' | '#' | '[' | '(' | '"' | '是' | '为' | '='));
    whole.skip_word_back(words).is_some()
        || whole.behind().ends_with('第') && number.skip(|letter| letter.is_ascii_digit()).ahead().starts_with('号')
}

/// A letter before a number: it is a waybill, unless the letters are a word for telephones.
pub(super) fn touches_latin(number: Cursor<'_>) -> bool {
    let before = number.previous();
    if !before.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return false;
    }
    number.skip_word_back(&VOCABULARY.phone_words).is_none()
}

pub(super) fn starts_latin(behind: Cursor<'_>) -> bool {
    let is_extension = behind.ahead().starts_with("ext");
    behind
        .next()
        .is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_')
        && !is_extension
}

pub(super) fn passes_luhn(digits: &str) -> bool {
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
