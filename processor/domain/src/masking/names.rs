//! What a name in Chinese looks like: where it ends is told by its surname and by what follows.

use super::cursor::{Cursor, is_han};
use super::fold::folded;
use super::vocabulary::VOCABULARY;

/// How much the place speaks for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// A mark announces it: anything is one that is known for nothing else.
    Marked,
    /// A word stands right before it: it needs a surname.
    Bare,
    /// It needs a surname and a visible end.
    Slight,
}

/// True if a run is a name from its first to its last letter.
pub(super) fn is_whole_name(run: &str, trust: Trust) -> bool {
    let letters = run.chars().count();
    let may_be = (2..=4).contains(&letters) || (5..=6).contains(&letters) && has_title(run);
    if !may_be {
        return false;
    }
    name_in(run, trust) == Some(run.len())
}

fn has_title(run: &str) -> bool {
    VOCABULARY.ends_in_title(run)
}

/// End of the name that begins at a place, if one does.
pub(super) fn name(start: Cursor<'_>, trust: Trust) -> Option<usize> {
    let length = name_in(start.ahead(), trust)?;
    let mut end = start.forward(length);
    // 张三、李四
    loop {
        let next = end.skip(|letter| matches!(letter, '、' | '/' | '&'));
        if next.at() == end.at() || next.at() > end.at().saturating_add(3) {
            return Some(end.at());
        }
        match name_in(next.ahead(), Trust::Slight) {
            Some(length) => end = next.forward(length),
            None => return Some(end.at()),
        }
    }
}

/// Length of the name that a text begins with.
fn name_in(text: &str, trust: Trust) -> Option<usize> {
    let start = Cursor::new(text, 0);
    if let Some(length) = starred_name(start, trust) {
        return Some(length);
    }
    let run = han_run(start);
    if run.is_empty() || VOCABULARY.stops(run) {
        return None;
    }
    if has_point(run) {
        return (run.chars().count() >= 4 || trust == Trust::Marked).then_some(foreign_name(run));
    }
    let end = sure_name(text, run);
    match (trust, end) {
        (_, Some(end)) if !(trust == Trust::Slight && has_no_last(text, end)) => Some(with_title(text, end)),
        (Trust::Slight, _) => None,
        (Trust::Bare, _) => likely_name(run).map(|end| with_title(text, end)),
        (Trust::Marked, _) => unknown_name(text, run).map(|end| with_title(text, end)),
    }
}

fn has_no_last(text: &str, end: usize) -> bool {
    let name = text.get(..end).unwrap_or_default();
    VOCABULARY.stops_inside(name)
        || name
            .chars()
            .next_back()
            .is_some_and(|last| VOCABULARY.ends_no_name(last))
}

/// 张**, *三, 王*明先生: somebody masked it already, and not enough.
fn starred_name(start: Cursor<'_>, trust: Trust) -> Option<usize> {
    let head = start.skip(is_han);
    let behind_stars = head.skip(|letter| letter == '*');
    let letters = start.until(head.at()).chars().count();
    let head = start.until(head.at());
    let is_head = letters == 0
        || trust == Trust::Marked && letters == 1
        || head.chars().next().is_some_and(|first| VOCABULARY.is_surname(first));
    if letters > 3
        || behind_stars.at() == head.len()
        || !is_head
        || VOCABULARY.stops(start.ahead())
        || VOCABULARY.follows(head)
    {
        return None;
    }
    let tail = han_run(behind_stars);
    // Three stars are our own mask: nothing of a name is left behind them.
    let is_whole = start.until(behind_stars.at()).ends_with("***");
    let is_name = letters > 0 || !tail.is_empty();
    let rest = if is_whole || VOCABULARY.follows(tail) || VOCABULARY.follows_weakly(tail) {
        0
    } else {
        ends_of(tail)
            .take(3)
            .find(|end| is_end(tail.get(*end..).unwrap_or_default()))
            .unwrap_or(0)
    };
    is_name.then_some(with_title(start.ahead(), behind_stars.at().saturating_add(rest)))
}

/// End of a name with a surname and a visible end.
fn sure_name(text: &str, run: &str) -> Option<usize> {
    let first = run.chars().next()?;
    let nickname =
        matches!(first, '小' | '老' | '阿') && run.chars().nth(1).is_some_and(|second| VOCABULARY.is_surname(second));
    let surname = if VOCABULARY.begins_with_compound_surname(run) {
        2
    } else if VOCABULARY.is_surname(first) {
        1
    } else if nickname {
        2
    } else {
        return None;
    };
    let end_at = |letters: usize| ends_of(run).nth(letters.checked_sub(1)?);
    let rest_at = |end: usize| text.get(end..).unwrap_or_default();
    // 李先生
    if let Some(end) = end_at(surname)
        && (begins_with_title(rest_at(end)) || nickname && is_end(rest_at(end)))
    {
        return Some(end);
    }
    let shorter = end_at(surname.saturating_add(1)).filter(|end| is_end(rest_at(*end)));
    let longer = end_at(surname.saturating_add(2)).filter(|end| is_end(rest_at(*end)));
    match (shorter, longer) {
        (Some(shorter), Some(longer)) if is_weak_end(rest_at(shorter)) && !is_weak_end(rest_at(longer)) => Some(longer),
        (Some(shorter), _) => Some(shorter),
        (None, longer) => longer,
    }
}

/// A name with a surname that is hardly anything else, in a run that goes on in unknown words: three letters of it.
fn likely_name(run: &str) -> Option<usize> {
    let first = run.chars().next()?;
    let is_compound = VOCABULARY.begins_with_compound_surname(run);
    if !is_compound && (!VOCABULARY.is_surname(first) || VOCABULARY.is_doubtful(first)) {
        return None;
    }
    let letters: usize = if is_compound { 4 } else { 3 };
    let end = ends_of(run).nth(letters.saturating_sub(1))?;
    // 阳光花园: what the name seems to run into counts too.
    let with_next = run.get(..ends_of(run).nth(letters).unwrap_or(end))?;
    (!VOCABULARY.stops_inside(with_next) && !has_no_last(run, end)).then_some(end)
}

/// What a mark announces and no list knows: up to where something else begins, or the hard end.
fn unknown_name(text: &str, run: &str) -> Option<usize> {
    let rest_at = |end: usize| text.get(end..).unwrap_or_default();
    let end = ends_of(run)
        .skip(1)
        .take(5)
        .find(|end| is_end(rest_at(*end)) && !is_weak_end(rest_at(*end)));
    let end = end.or_else(|| likely_name(run)).or_else(|| ends_of(run).last())?;
    let name = run.get(..end)?;
    let letters = name.chars().count();
    let is_one = letters == 1 && !(run.len() == end && VOCABULARY.is_surname(name.chars().next()?));
    let goes_on = rest_at(end).starts_with(|letter: char| letter.is_ascii_alphanumeric() && !letter.is_ascii_digit());
    (!is_one && !goes_on && !VOCABULARY.stops_inside(name) && !has_no_last(text, end)).then_some(end)
}

/// 买买提·艾合买提已签收: the part behind the last point ends as names end.
fn foreign_name(run: &str) -> usize {
    let tail = run.rsplit(is_point).next().unwrap_or_default();
    let tail_start = run.len().saturating_sub(tail.len());
    let end = ends_of(tail).find(|end| {
        let rest = tail.get(*end..).unwrap_or_default();
        *end >= 6 && !rest.is_empty() && is_end(rest) && !is_weak_end(rest)
    });
    tail_start.saturating_add(end.unwrap_or(tail.len()))
}

pub(super) fn has_point(run: &str) -> bool {
    run.contains(is_point)
}

fn is_point(letter: char) -> bool {
    folded(letter) == '·'
}

fn is_end(rest: &str) -> bool {
    match rest.chars().next() {
        None => true,
        Some(letter) if is_han(letter) => VOCABULARY.follows(rest) || VOCABULARY.follows_weakly(rest),
        Some(letter) => !is_point(letter) && letter != '*',
    }
}

fn is_weak_end(rest: &str) -> bool {
    VOCABULARY.follows_weakly(rest) && !VOCABULARY.follows(rest)
}

fn begins_with_title(rest: &str) -> bool {
    VOCABULARY.titles.prefix(rest).is_some()
}

fn with_title(text: &str, end: usize) -> usize {
    let rest = Cursor::new(text, end);
    rest.skip_one_of(&VOCABULARY.titles).map_or(end, Cursor::at)
}

/// The run of Han letters ahead, with points between them.
pub(super) fn han_run(start: Cursor<'_>) -> &str {
    let end = start.skip(|letter| is_han(letter) || letter == '·').at();
    start.until(end).trim_end_matches(is_point)
}

/// Ends of the letters of a run.
fn ends_of(run: &str) -> impl Iterator<Item = usize> {
    run.char_indices()
        .map(|(at, letter)| at.saturating_add(letter.len_utf8()))
}
