//! Folds white space in texts (rule 4.9): each run, including U+3000 and U+00A0, becomes one blank, and the ends are
//! trimmed. Vendors change white space between pushes, and ids must not change with it.

use std::borrow::Cow;

/// Folds a text; borrows when there is nothing to fold.
pub(crate) fn fold(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_folded(&text) {
        return text;
    }
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    Cow::Owned(folded)
}

/// True if there is nothing to fold, as in almost every text.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "this looks at every byte of every push, and takes many at a time if it has no branch"
)]
fn is_folded(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends_blank = bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ');
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let has_two_blanks = pairs.fold(false, |found, pair| found | (pair == (&b' ', &b' ')));
    let may_have_others = bytes
        .iter()
        .fold(false, |found, byte| found | begins_white_space(*byte));
    !(ends_blank || has_two_blanks || may_have_others && text.contains(is_other_white_space))
}

/// The first bytes of all white space but the blank, in UTF-8; few Chinese characters begin with them.
const fn begins_white_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | 0xC2 | 0xE1..=0xE3)
}

fn is_other_white_space(letter: char) -> bool {
    letter != ' ' && letter.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_4_9_runs_become_one_blank_and_ends_are_trimmed() {
        for (text, folded) in [
            ("", ""),
            (" ", ""),
            ("\u{3000}", ""),
            ("上海分拨中心/装件入车扫描 ", "上海分拨中心/装件入车扫描"),
            ("\u{a0} a \t\r\n\u{2003}b\u{3000}c ", "a b c"),
            ("a b", "a b"),
            ("a\u{3000}b", "a b"),
            ("a\tb", "a b"),
            ("a  b", "a b"),
            ("a\u{200b}b", "a\u{200b}b"),
        ] {
            assert_eq!(fold(Cow::Borrowed(text)), folded, "{text:?}");
        }
    }

    #[test]
    fn rule_4_9_white_space_is_unicodes() {
        for letter in '\0'..=char::MAX {
            let text = format!("a{letter}b");
            let folded = if letter.is_whitespace() { "a b" } else { &text };
            assert_eq!(fold(Cow::Borrowed(&text)), folded, "{letter:?}");
        }
    }

    #[test]
    fn a_folded_text_is_borrowed() {
        assert!(matches!(
            fold(Cow::Borrowed("快件已到达 虎门转运中心")),
            Cow::Borrowed(_)
        ));
    }
}
