//! Repairs JSON that follows the grammar but is refused by the JSON library, before a second attempt: lone surrogates
//! (`"…\ud83d"`, half of an emoji where a vendor has truncated a text) and numbers too large for an `f64`.

use std::borrow::Cow;

const REPLACEMENT: &str = "\\ufffd";
/// Bytes of `\uXXXX`.
const ESCAPE: usize = 6;

/// The text with lone surrogates replaced by U+FFFD and huge numbers by null; codes, times and tracking numbers are never
/// affected. Borrows if there is nothing to replace.
pub(crate) fn repaired(json: &str) -> Cow<'_, str> {
    let mut repaired = String::new();
    let mut pending = json;
    let mut rest = json;
    let mut in_string = false;
    while let Some(start) = rest.find(|letter| is_start_of_token(letter, in_string)) {
        let token = rest.get(start..).unwrap_or_default();
        let (length, replacement) = match token.as_bytes().first() {
            Some(b'"') => {
                in_string = !in_string;
                (1, None)
            }
            Some(b'\\') => escape(token),
            _ => number(token),
        };
        let after = token.get(length..).unwrap_or_default();
        if let Some(replacement) = replacement {
            let before = pending.len().saturating_sub(token.len());
            repaired.push_str(pending.get(..before).unwrap_or_default());
            repaired.push_str(replacement);
            pending = after;
        }
        rest = after;
    }
    if repaired.is_empty() {
        return Cow::Borrowed(json);
    }
    repaired.push_str(pending);
    Cow::Owned(repaired)
}

fn is_start_of_token(letter: char, in_string: bool) -> bool {
    match letter {
        '"' => true,
        '\\' => in_string,
        '-' | '0'..='9' => !in_string,
        _ => false,
    }
}

/// Length of the escape that `text` begins with, and its replacement, if it needs one.
fn escape(text: &str) -> (usize, Option<&'static str>) {
    match unicode_escape(text) {
        Some(0xD800..=0xDBFF) if matches!(text.get(ESCAPE..).and_then(unicode_escape), Some(0xDC00..=0xDFFF)) => {
            (ESCAPE.saturating_mul(2), None)
        }
        Some(0xD800..=0xDFFF) => (ESCAPE, Some(REPLACEMENT)),
        Some(_) => (ESCAPE, None),
        // Any other escape: the backslash and the character after it.
        None => (text.chars().take(2).map(char::len_utf8).sum(), None),
    }
}

/// The code unit of the `\uXXXX` that a text begins with.
fn unicode_escape(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// Length of the number that `text` begins with, and its replacement, if it needs one.
fn number(text: &str) -> (usize, Option<&'static str>) {
    let is_of_number = |letter: char| matches!(letter, '-' | '+' | '.' | 'e' | 'E' | '0'..='9');
    let length = text.find(|letter| !is_of_number(letter)).unwrap_or(text.len());
    let digits = text.get(..length).unwrap_or_default();
    let is_huge = digits.parse::<f64>().is_ok_and(f64::is_infinite);
    (length, is_huge.then_some("null"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_replaced_and_pairs_stay() {
        for (json, expected) in [
            (r#""a\ud83d""#, r#""a\ufffd""#),
            (r#""\ud83d\ude80""#, r#""\ud83d\ude80""#),
            (r#""\ude80\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\ud83d\ude80x""#, r#""\ufffd\ud83d\ude80x""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\u5df2\n\"""#, r#""\u5df2\n\"""#),
            (r#""\ud83d\n""#, r#""\ufffd\n""#),
            (r#""\ud8"#, r#""\ud8"#),
            (r"\", r"\"),
            (r#""\é"#, r#""\é"#),
            ("", ""),
        ] {
            assert_eq!(repaired(json), expected, "{json}");
        }
    }

    #[test]
    fn numbers_beyond_f64_become_null() {
        let long = "9".repeat(400);
        for (json, expected) in [
            ("[1e400,-1e400]", "[null,null]"),
            (r#"{"a":1e400}"#, r#"{"a":null}"#),
            (r#"{"a":1e300,"b":-0.5e-400}"#, r#"{"a":1e300,"b":-0.5e-400}"#),
            (r#"{"1e400":"1e400 \" 1e400"}"#, r#"{"1e400":"1e400 \" 1e400"}"#),
            (&format!("[{long}]"), "[null]"),
            (r#"{"a":1e400,"b":"\ud83d"}"#, r#"{"a":null,"b":"\ufffd"}"#),
            ("--1e400", "--1e400"),
        ] {
            assert_eq!(repaired(json), expected, "{json}");
        }
    }
}
