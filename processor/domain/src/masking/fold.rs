//! A text as it is searched: full-width forms are half-width ones, traditional letters that matter simplified ones, all
//! brackets and dashes one of each kind, and what nobody sees is gone. What is found is mapped back to the text as it came.

use std::ops::Range;

use super::vocabulary::VOCABULARY;

/// Category Cf of Unicode.
pub(super) const fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{AD}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}' | '\u{890}'..='\u{891}' | '\u{8E2}'
        | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{110BD}' | '\u{110CD}'
        | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0001}'
        | '\u{E0020}'..='\u{E007F}')
}

/// A folded text, and the way back.
pub(super) struct Folded<'t> {
    original: &'t str,
    pub(super) text: String,
    /// For each byte of `text` where its letter begins in the original.
    starts: Vec<u32>,
}

impl<'t> Folded<'t> {
    pub(super) fn of(original: &'t str) -> Self {
        let mut folded_text = Self {
            original,
            text: String::with_capacity(original.len()),
            starts: Vec::with_capacity(original.len()),
        };
        let mut copied = 0;
        for (at, letter) in original.char_indices().filter(|(_, letter)| VOCABULARY.folds(*letter)) {
            folded_text.copy(copied..at);
            if !is_unseen(letter) {
                folded_text.text.push(folded(letter));
                folded_text.starts.resize(folded_text.text.len(), place(at));
            }
            copied = at.saturating_add(letter.len_utf8());
        }
        folded_text.copy(copied..original.len());
        folded_text
    }

    /// Takes over what does not change.
    fn copy(&mut self, stretch: Range<usize>) {
        self.starts.extend(place(stretch.start)..place(stretch.end));
        self.text.push_str(self.original.get(stretch).unwrap_or_default());
    }

    /// Where a stretch of the folded text lies in the original.
    pub(super) fn unfolded(&self, stretch: &Range<usize>) -> Range<usize> {
        let start_of = |at: usize| self.starts.get(at).map_or(self.original.len(), |start| *start as usize);
        let last = start_of(stretch.end.saturating_sub(1));
        let mut end = last.saturating_add(1);
        while !self.original.is_char_boundary(end) {
            end = end.saturating_add(1);
        }
        start_of(stretch.start)..end
    }
}

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Latin letters and digits that are searched as others, and what is dropped. Mere marks are not among them: a
/// [`Cursor`](super::cursor::Cursor) folds what it passes.
pub(super) fn is_part_of_words(letter: char) -> bool {
    matches!(letter, '０'..='９' | '＠'..='Ｚ' | 'ａ'..='ｚ' | '\u{1D7CE}'..='\u{1D7FF}') || is_unseen(letter)
}

/// True if a mark that folds may stand inside of a number: （028）84000896, ＋86.
pub(super) fn folds_in_numbers(text: &str) -> bool {
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if !letter.is_ascii() && VOCABULARY.folds(letter) {
            let may_be_inside = match folded_mark(letter) {
                '[' | ']' | ':' | ';' | '!' | '?' => false,
                '(' | ')' | ',' => before.is_ascii() && letters.peek().is_none_or(char::is_ascii),
                _ => true,
            };
            if may_be_inside {
                return true;
            }
        }
        before = letter;
    }
    false
}

/// One letter as it is searched.
#[inline]
pub(super) fn folded(letter: char) -> char {
    if letter.is_ascii() || !VOCABULARY.folds(letter) {
        return letter;
    }
    match folded_mark(letter) {
        same if same == letter => VOCABULARY.simplified(letter),
        mark => mark,
    }
}

/// A mark, digit or Latin letter as it is searched.
pub(super) fn folded_mark(letter: char) -> char {
    match letter {
        '＜' | '【' | '「' | '『' | '〔' | '〖' | '《' | '〈' | '［' | '“' | '‘' | '＂' | '＇' | '〝' | '«' => {
            '['
        }
        '＞' | '】' | '」' | '』' | '〕' | '〗' | '》' | '〉' | '］' | '”' | '’' | '〞' | '»' => ']',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(letter).saturating_sub(0xFEE0)).unwrap_or(letter),
        '\u{3000}' | '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' => '-',
        '•' | '‧' | '・' | '･' | '●' => '·',
        '\u{1D7CE}'..='\u{1D7FF}' => digit_of_mathematics(letter),
        _ => letter,
    }
}

/// 𝟏𝟑𝟖: five styles of ten digits.
fn digit_of_mathematics(letter: char) -> char {
    let digit = u32::from(letter).saturating_sub(0x1D7CE) % 10;
    char::from_digit(digit, 10).unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::identifier;

    use super::*;

    #[test]
    fn rules_68_and_72_agree_on_what_nobody_sees() {
        for letter in '\u{80}'..=char::MAX {
            let dropped = identifier::normalised(&format!("a{letter}b")) == "ab";
            assert_eq!(is_unseen(letter), dropped, "{letter:?}");
        }
    }
}
