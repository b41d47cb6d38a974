//! Where names stand: behind words that announce them, around telephone numbers, before titles.

use std::ops::Range;

use super::cursor::{Cursor, is_han};
use super::latin_names;
use super::names::{Trust, han_run, has_point, is_whole_name, name};
use super::vocabulary::VOCABULARY;

/// The name behind a word for a person's part: 快递员：张三, 快递员张三.
pub(super) fn after_role(cursor: Cursor<'_>, bare: Trust) -> Option<Range<usize>> {
    let cursor = cursor.skip_one_of(&VOCABULARY.name_words).unwrap_or(cursor);
    let (start, trust) = match skip_marks(cursor) {
        (start, true) if bare == Trust::Slight => (start, Trust::Slight),
        (start, true) => (start, Trust::Marked),
        (start, false) => (start.skip(|letter| matches!(letter, ' ' | ',' | '-' | '/')), bare),
    };
    if trust == Trust::Marked
        && let Some(end) = latin_names::marked(start)
    {
        return Some(start.at()..end);
    }
    let start = if trust == Trust::Marked {
        start.moved_to(skip_staff_number(start))
    } else {
        start
    };
    let end = name(start, trust)?;
    // The number of the employee before the name is hidden with it.
    let from = if trust == Trust::Marked {
        skip_marks(cursor).0.at()
    } else {
        start.at()
    };
    Some(from..end)
}

/// The name behind a word that counts only with a mark: 自提：张三.
pub(super) fn after_mark(cursor: Cursor<'_>) -> Option<Range<usize>> {
    let (start, is_marked) = skip_marks(cursor);
    let end = if is_marked {
        name(start, Trust::Slight)?
    } else {
        return None;
    };
    Some(start.at()..end)
}

/// The name behind 交给, 指定, 分配给.
pub(super) fn after_handover(cursor: Cursor<'_>) -> Option<Range<usize>> {
    let start = skip_marks(cursor).0.skip(|letter| letter == ' ');
    let run = han_run(start);
    let is_short = (2..=4).contains(&run.chars().count());
    let end = if is_short {
        name(start, Trust::Marked)?
    } else if run.is_empty() {
        latin_names::bare(start)?
    } else {
        name(start, Trust::Bare)?
    };
    Some(start.at()..end)
}

/// The name in 由张三签收.
pub(super) fn after_by(cursor: Cursor<'_>) -> Option<Range<usize>> {
    let start = cursor.skip(|letter| letter == ' ' || letter == '[');
    let end = name(start, Trust::Slight)?;
    let behind = start.moved_to(end).skip(|letter| letter == ' ' || letter == ']');
    let acts = [
        "签", "代", "收", "取", "领", "派", "揽", "配", "投", "送", "提", "为您", "正在", "已",
    ];
    let is_actor = acts.iter().any(|act| behind.ahead().starts_with(act));
    (is_actor && !VOCABULARY.begins_with_place(start.ahead())).then_some(start.at()..end)
}

/// The name in 】的张三已揽收.
pub(super) fn after_of(cursor: Cursor<'_>) -> Option<Range<usize>> {
    let start = cursor.skip(|letter| letter == ' ');
    Some(start.at()..name(start, Trust::Slight)?)
}

/// The name in `义乌公司 张三 派送中`: between blanks or dashes, and a courier's or a signer's deed behind it.
pub(super) fn after_office(cursor: Cursor<'_>) -> Option<Range<usize>> {
    let start = cursor.skip(|letter| letter == ' ');
    let end = name(start, Trust::Slight)?;
    let behind = start.moved_to(end);
    let deed = behind.skip(|letter| matches!(letter, ' ' | '-'));
    (deed.at() > end && !deed.ahead().is_empty() && VOCABULARY.follows(deed.ahead())).then_some(start.at()..end)
}

/// The name right before a person's number, up to which `number` looks back: 张三13812345678, 【张三/13812345678】.
pub(super) fn before_number(number: Cursor<'_>) -> Option<Range<usize>> {
    let gap = |letter: char| matches!(letter, ' ' | '(' | '[' | ':' | '/' | ',' | '-' | '+' | '"' | '<' | '、');
    let mut end = number.skip_back(gap);
    let mut is_told = false;
    while let Some(before_word) = end.skip_word_back(&VOCABULARY.phone_words) {
        end = before_word.skip_back(gap);
        is_told = true;
    }
    let before_run = end.skip_back(|letter| is_han(letter) || letter == '·');
    if before_run.previous() == Some('*') {
        return None;
    }
    let mut start = last_lead(before_run, end);
    let mut run = start.until(end.at());
    if has_point(run) && run.chars().count() >= 4 {
        return (!is_told && !VOCABULARY.stops_inside(run)).then_some(start.at()..end.at());
    }
    let letters = run.chars().count();
    if letters > 4 && !(letters <= 6 && is_whole_name(run, Trust::Slight)) {
        // Only the end of the run can be a name.
        let lengths = [4, 3, 2];
        let tails = lengths
            .iter()
            .filter_map(|letters| run.char_indices().rev().nth(usize::saturating_sub(*letters, 1)));
        let tail = tails
            .map(|(at, _)| start.forward(at))
            .find(|tail| is_whole_name(tail.until(end.at()), Trust::Slight))?;
        start = tail;
        run = start.until(end.at());
    }
    // 寄件人紫灵儿电话138…: the word before the name and the one behind it are as good as a mark.
    let is_led = start.at() > before_run.at();
    let trust = if is_told && !is_led || letters > 4 {
        Trust::Slight
    } else {
        Trust::Marked
    };
    is_whole_name(run, trust).then_some(start.at()..end.at())
}

/// The name in brackets right behind a person's number: 13812345678（张先生）.
pub(super) fn behind_number(number: Cursor<'_>) -> Option<Range<usize>> {
    let start = number.skip(|letter| letter == ' ');
    let start = matches!(start.next(), Some('(' | '[')).then(|| start.step())?;
    let end = name(start, Trust::Slight)?;
    let is_closed = matches!(start.moved_to(end).next(), Some(')' | ']'));
    is_closed.then_some(start.at()..end)
}

/// The name in 孙师傅正在派送, which only its title tells.
pub(super) fn before_title(word: Cursor<'_>, cursor: Cursor<'_>) -> Option<Range<usize>> {
    let run = word.skip_back(is_han);
    let start = last_lead(run, word);
    let name = start.until(word.at());
    let letters = name.chars().count();
    let first = name.chars().next()?;
    let is_name = match letters {
        1 => VOCABULARY.is_surname(first) && !VOCABULARY.is_doubtful(first),
        2..=3 => is_whole_name(name, Trust::Slight),
        _ => false,
    };
    is_name.then_some(start.at()..cursor.at())
}

/// Steps over what may stand between a word and the name that it announces; true if that is a mark.
fn skip_marks(cursor: Cursor<'_>) -> (Cursor<'_>, bool) {
    let mut cursor = cursor;
    let mut is_marked = false;
    loop {
        cursor = cursor.skip(|letter| letter == ' ');
        match cursor.next() {
            Some(':' | '[' | '(' | '<' | '"' | '\'' | '=' | '是' | '为' | '叫') => {
                is_marked = true;
                cursor = cursor.step();
            }
            _ => return (cursor, is_marked),
        }
    }
}

/// 00218834-张三: where the name begins.
fn skip_staff_number(start: Cursor<'_>) -> usize {
    let number = start.skip(|letter| letter.is_ascii_alphanumeric());
    let mark = number.skip(|letter| matches!(letter, '-' | '_' | '/' | ' '));
    let is_number =
        number.at().saturating_sub(start.at()) >= 3 && start.until(number.at()).contains(|l: char| l.is_ascii_digit());
    if is_number && mark.next().is_some_and(is_han) {
        mark.at()
    } else {
        start.at()
    }
}

/// Where a run ahead that may be a name begins behind the last word that leads to one: 的, 由, 小哥, 联系.
fn last_lead<'t>(start: Cursor<'t>, end: Cursor<'t>) -> Cursor<'t> {
    let run = start.until(end.at());
    let leads = [
        "的", "由", "被", "是", "给", "员", "小哥", "骑手", "司机", "师傅", "联系", "指定", "找", "人", "咨询", "电询",
    ];
    let last = leads
        .iter()
        .filter_map(|lead| run.rfind(lead).map(|at| at.saturating_add(lead.len())));
    let last = last.filter(|end| *end < run.len()).max();
    start.forward(last.unwrap_or(0))
}
