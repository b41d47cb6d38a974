//! Half an emoji: `"…\ud83d"` is JSON by its grammar, and what is left where a vendor cuts a text to a length. The JSON
//! library refuses it, so the half is replaced by U+FFFD before a second try.

use std::borrow::Cow;

const REPLACEMENT: &str = "\\ufffd";
/// Bytes of `\uXXXX`.
const ESCAPE: usize = 6;

/// The text with lone surrogate escapes replaced; borrows when there are none.
pub(super) fn replace(json: &str) -> Cow<'_, str> {
    let mut replaced = String::new();
    let mut pending = json;
    let mut rest = json;
    while let Some(backslash) = rest.find('\\') {
        let escape = rest.get(backslash..).unwrap_or_default();
        let code = unicode_escape(escape);
        let length = match code {
            Some(0xD800..=0xDBFF) => {
                let low = escape.get(ESCAPE..).and_then(unicode_escape);
                if matches!(low, Some(0xDC00..=0xDFFF)) {
                    ESCAPE.saturating_mul(2)
                } else {
                    ESCAPE
                }
            }
            Some(_) => ESCAPE,
            // Any other escape: the backslash and the byte or letter behind it.
            None => escape.chars().take(2).map(char::len_utf8).sum(),
        };
        let after = escape.get(length..).unwrap_or_default();
        if matches!(code, Some(0xD800..=0xDFFF)) && length == ESCAPE {
            let before = pending.len().saturating_sub(escape.len());
            replaced.push_str(pending.get(..before).unwrap_or_default());
            replaced.push_str(REPLACEMENT);
            pending = after;
        }
        rest = after;
    }
    if replaced.is_empty() {
        return Cow::Borrowed(json);
    }
    replaced.push_str(pending);
    Cow::Owned(replaced)
}

/// The code unit of the `\uXXXX` that a text begins with.
fn unicode_escape(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
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
            (r"\é", r"\é"),
            ("", ""),
        ] {
            assert_eq!(replace(json), expected, "{json}");
        }
    }
}
