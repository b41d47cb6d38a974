//! A place in a folded text, from which to look ahead and back.

use super::fold::folded;
use super::words::{Endings, Words};

/// A place between two letters of a text. The letters that it shows are folded, whether the text is or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    pub(super) const fn new(text: &'t str, at: usize) -> Self {
        Self { text, at }
    }

    /// Bytes before it.
    pub(super) const fn at(self) -> usize {
        self.at
    }

    pub(super) fn ahead(self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn behind(self) -> &'t str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// What lies between it and a place further on.
    pub(super) fn until(self, end: usize) -> &'t str {
        self.text.get(self.at..end).unwrap_or_default()
    }

    #[inline]
    pub(super) fn next(self) -> Option<char> {
        self.ahead().chars().next().map(folded)
    }

    /// The place behind the next letter.
    pub(super) fn step(self) -> Self {
        self.forward(self.ahead().chars().next().map_or(0, char::len_utf8))
    }

    /// True if one of the letters up to a place is one that is asked for.
    pub(super) fn has(self, end: usize, letters: impl Fn(char) -> bool) -> bool {
        self.until(end).chars().any(|letter| letters(folded(letter)))
    }

    pub(super) fn previous(self) -> Option<char> {
        self.behind().chars().next_back().map(folded)
    }

    pub(super) const fn forward(self, bytes: usize) -> Self {
        Self {
            text: self.text,
            at: self.at.saturating_add(bytes),
        }
    }

    pub(super) const fn moved_to(self, at: usize) -> Self {
        Self { text: self.text, at }
    }

    pub(super) fn skip(self, letters: impl Fn(char) -> bool) -> Self {
        let rest = self.ahead().trim_start_matches(|letter| letters(folded(letter)));
        self.moved_to(self.text.len().saturating_sub(rest.len()))
    }

    /// The place before the letters that end here.
    pub(super) fn skip_back(self, letters: impl Fn(char) -> bool) -> Self {
        self.moved_to(self.behind().trim_end_matches(|letter| letters(folded(letter))).len())
    }

    /// The place behind one of the words, if one begins here; Latin ones in any case.
    pub(super) fn skip_word(self, words: &[String]) -> Option<Self> {
        let ahead = self.ahead().as_bytes();
        words
            .iter()
            .find(|word| {
                ahead
                    .get(..word.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
            })
            .map(|word| self.forward(word.len()))
    }

    /// [`Cursor::skip_word`] by the longest of many words.
    pub(super) fn skip_one_of(self, words: &Words<()>) -> Option<Self> {
        words.prefix(self.ahead()).map(|(length, ())| self.forward(length))
    }

    /// The place before one of the words, if one ends here; Latin ones in any case, and not as the end of another.
    pub(super) fn skip_word_back(self, words: &Endings) -> Option<Self> {
        let behind = self.behind().as_bytes();
        words.that_may_end(self.behind()).find_map(|word| {
            let start = behind.len().checked_sub(word.len())?;
            let is_there = behind.get(start..)?.eq_ignore_ascii_case(word.as_bytes());
            let before = self.moved_to(start);
            let is_whole = !word.starts_with(|letter: char| letter.is_ascii_alphabetic())
                || !before.previous().is_some_and(|letter| letter.is_ascii_alphanumeric());
            (is_there && is_whole).then_some(before)
        })
    }

    pub(super) fn begins_with_any(self, words: &[String]) -> bool {
        words.iter().any(|word| self.ahead().starts_with(word.as_str()))
    }
}

/// A Han letter, or the point inside the names of many peoples.
pub(super) const fn is_han(letter: char) -> bool {
    matches!(
        letter,
        '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' | '々' | '〇'
    )
}

/// A letter of Latin writing, accents included.
pub(super) const fn is_latin(letter: char) -> bool {
    letter.is_ascii_alphabetic()
        || matches!(letter, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}') && !matches!(letter, '×' | '÷')
}

/// Where a clause ends for certain.
pub(super) const fn is_hard_end(letter: char) -> bool {
    matches!(
        letter,
        '。' | ';' | ',' | '、' | '!' | '?' | '[' | ']' | '(' | ')' | '{' | '}' | '<' | '>' | '"' | '\'' | '|' | '~'
    )
}
