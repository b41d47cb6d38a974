//! Names in Latin writing: words with a capital first letter that are no everyday words.

use std::ops::Range;

use super::cursor::{Cursor, is_latin};
use super::vocabulary::VOCABULARY;

/// More words than this are a sentence.
const MOST_WORDS: usize = 6;

/// The name behind `Delivered to`, with a mark or without.
pub(super) fn after_role(word: Cursor<'_>, cursor: Cursor<'_>) -> Option<Range<usize>> {
    if word.previous().is_some_and(is_latin) || cursor.next().is_some_and(is_latin) {
        return None;
    }
    let start = cursor.skip(|letter| letter == ' ');
    let after_mark = start.skip(|letter| matches!(letter, ':' | '-' | ',' | '(' | '[' | '"' | '\'' | '=' | ' '));
    let is_marked = start.has(after_mark.at(), |letter| matches!(letter, ':' | '(' | '[' | '"' | '='));
    let is_comma = !is_marked && start.has(after_mark.at(), |letter| matches!(letter, ',' | '-'));
    let start = if is_marked { after_mark } else { skip_is(after_mark) };
    let end = match (is_marked, is_comma) {
        (true, _) => marked(start)?,
        (false, true) if !is_parted_by_comma(word, cursor) => return None,
        _ => bare(start)?,
    };
    if is_comma && is_town(start.moved_to(end)) {
        return None;
    }
    Some(start.at()..end)
}

/// `Your driver today is Carlos`.
fn skip_is(cursor: Cursor<'_>) -> Cursor<'_> {
    let words = ["today is ", "is ", "today: ", "name is "];
    let word = words.iter().find(|word| cursor.ahead().starts_with(**word));
    word.map_or(cursor, |word| cursor.forward(word.len()))
}

/// `Left with Individual, R LEE`: of all words only this one stands before a comma.
fn is_parted_by_comma(word: Cursor<'_>, cursor: Cursor<'_>) -> bool {
    word.until(cursor.at()).to_ascii_lowercase().ends_with("individual")
}

/// `Left with Individual, AUSTIN, TX 78701`.
fn is_town(behind: Cursor<'_>) -> bool {
    let state = behind.skip(|letter| matches!(letter, ',' | ' '));
    let word = state.until(skip_word(state).at());
    state.at() > behind.at() && word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// End of a name behind a mark, in any case of letters.
pub(super) fn marked(start: Cursor<'_>) -> Option<usize> {
    name(start, |_| true)
}

/// End of a name behind a mere word: every word of it has a capital letter.
pub(super) fn bare(start: Cursor<'_>) -> Option<usize> {
    name(start, |word| word.chars().next().is_some_and(char::is_uppercase))
}

fn name(start: Cursor<'_>, is_good: impl Fn(&str) -> bool) -> Option<usize> {
    let mut end = None;
    let mut place = start;
    let mut words = 0_usize;
    while words < MOST_WORDS {
        let after_word = skip_word(place);
        let word = place.until(after_word.at());
        let bare_word = word.trim_end_matches('.');
        if bare_word.is_empty() || !word.chars().next().is_some_and(is_latin) {
            break;
        }
        let is_particle = words > 0 && VOCABULARY.is_latin_particle(bare_word);
        let is_title = VOCABULARY.is_latin_title(bare_word);
        let is_initial_of = is_initial(bare_word) && is_good(word) && (word.ends_with('.') || is_name_word(after_word));
        if !is_particle && !is_title && !is_initial_of && (VOCABULARY.is_latin_stop(bare_word) || !is_good(word)) {
            // `Left with DHL depot`: what is a name's beginning elsewhere belongs to an office here.
            if words > 0 && is_office(bare_word) {
                return None;
            }
            break;
        }
        words = words.saturating_add(1);
        if !is_particle {
            end = Some(if is_initial(bare_word) || is_title {
                after_word.at()
            } else {
                place.at().saturating_add(bare_word.len())
            });
        }
        if word.ends_with('.') && !is_title && !is_initial(bare_word) {
            break;
        }
        place = match after_word.next() {
            Some(' ') => after_word.skip(|letter| letter == ' '),
            _ if word.ends_with('.') => after_word,
            _ => break,
        };
    }
    let touches_digit = end.is_some_and(|end| start.moved_to(end).next().is_some_and(|letter| letter.is_ascii_digit()));
    if touches_digit { None } else { end }
}

/// A word of letters, with the apostrophes, hyphens and points of names.
fn skip_word(place: Cursor<'_>) -> Cursor<'_> {
    let word = place.skip(|letter| is_latin(letter) || matches!(letter, '-' | '\'' | ']' | '*'));
    // A quotation mark folded to a bracket may be an apostrophe: O’Brien.
    let quote = place.skip(|letter| is_latin(letter) || matches!(letter, '-' | '\'' | '*'));
    // O’Brien, not 【Li】.
    let is_short = place.until(quote.at()).chars().count() <= 2;
    let is_apostrophe = is_short && quote.at() < word.at() && quote.step().next().is_some_and(is_latin);
    let end = if is_apostrophe { word } else { quote };
    let end = end.moved_to(
        place
            .until(end.at())
            .trim_end_matches(['-', '\''])
            .len()
            .saturating_add(place.at()),
    );
    if end.at() > place.at() && end.next() == Some('.') {
        end.forward(1)
    } else {
        end
    }
}

/// `A SMITH`, not `A NEIGHBOUR`: the next word is a name.
fn is_name_word(initial: Cursor<'_>) -> bool {
    let next = initial.skip(|letter| letter == ' ');
    let word = next.until(skip_word(next).at());
    next.at() > initial.at() && word.chars().next().is_some_and(char::is_uppercase) && !VOCABULARY.is_latin_stop(word)
}

fn is_initial(word: &str) -> bool {
    word.chars().count() == 1
}

fn is_office(word: &str) -> bool {
    VOCABULARY.is_latin_resort(word)
        || [
            "ltd",
            "limited",
            "inc",
            "llc",
            "gmbh",
            "co",
            "corp",
            "company",
            "express",
            "logistics",
            "services",
            "service",
            "post",
            "courier",
            "group",
            "cargo",
            "freight",
            "customs",
            "airlines",
            "airport",
        ]
        .iter()
        .any(|office| word.eq_ignore_ascii_case(office))
}
