//! Folds white space in texts (rule 4.9): each run, including U+3000 and U+00A0, becomes one blank, and the ends are
//! trimmed. Vendors change white space between pushes, and ids must not change with it.

use std::borrow::Cow;

use memchr::memchr3_iter;

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
fn is_folded(text: &str) -> bool {
    !has_spare_blank(text.as_bytes()) && !has_other_white_space(text)
}

#[expect(
    clippy::needless_bitwise_bool,
    reason = "this looks at every byte of every push, and takes many at a time if it has no branch"
)]
fn has_spare_blank(bytes: &[u8]) -> bool {
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let has_two = pairs.fold(false, |found, pair| found | (pair == (&b' ', &b' ')));
    has_two || bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ')
}

/// White space but the blank.
fn has_other_white_space(text: &str) -> bool {
    let bytes = text.as_bytes();
    // None of these bytes is in a Chinese text, and together they are found many at a time.
    let has_rare = bytes
        .iter()
        .fold(false, |found, byte| found | matches!(byte, b'\t'..=b'\r' | 0xE1));
    // Letters that begin with one of the other bytes, among them Chinese marks, are looked at one by one.
    let is_white_at = |at| text.get(at..).is_some_and(|rest| rest.starts_with(char::is_whitespace));
    has_rare && text.contains(|letter: char| letter != ' ' && letter.is_whitespace())
        || memchr3_iter(0xC2, 0xE2, 0xE3, bytes).any(is_white_at)
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
