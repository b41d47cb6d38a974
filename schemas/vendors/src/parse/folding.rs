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

/// Checks with a single pass over the bytes, because almost every text is already folded.
fn is_folded(text: &str) -> bool {
    let bytes = text.as_bytes();
    // A blank at the beginning would have to be removed, so the text begins as if after a blank.
    let mut after_blank = true;
    for (position, byte) in bytes.iter().enumerate() {
        if !MAY_BE_WHITE[usize::from(*byte)] {
            after_blank = false;
        } else if *byte == b' ' {
            if after_blank {
                return false;
            }
            after_blank = true;
        } else if bytes.get(position..).is_some_and(begins_with_other_white_space) {
            return false;
        } else {
            after_blank = false;
        }
    }
    !after_blank || bytes.is_empty()
}

/// The first bytes of white space. A table, because this is asked of every byte of every push; few Chinese characters begin
/// with such a byte.
const MAY_BE_WHITE: [bool; 256] = {
    let mut table = [false; 256];
    let firsts = [b' ', b'\t', b'\n', 0x0B, 0x0C, b'\r', 0xC2, 0xE1, 0xE2, 0xE3];
    let mut next = 0;
    while next < firsts.len() {
        table[firsts[next] as usize] = true;
        next += 1;
    }
    table
};

/// Every member of Unicode `White_Space` but the blank, in UTF-8.
fn begins_with_other_white_space(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [b'\t'..=b'\r', ..]
            | [0xC2, 0x85 | 0xA0, ..]
            | [0xE1, 0x9A, 0x80, ..]
            | [0xE2, 0x80, 0x80..=0x8A | 0xA8 | 0xA9 | 0xAF, ..]
            | [0xE2, 0x81, 0x9F, ..]
            | [0xE3, 0x80, 0x80, ..]
    )
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
            let mut utf8 = [0; 4];
            let found = begins_with_other_white_space(letter.encode_utf8(&mut utf8).as_bytes());
            assert_eq!(found, letter.is_whitespace() && letter != ' ', "{letter:?}");
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
