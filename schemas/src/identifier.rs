//! What may be a tracking number or a carrier code: both become Kafka keys and parts of a table's sorting key. One parcel must
//! not have two keys because somebody's page or spreadsheet left traces in its number (rule 3.4).

use std::borrow::Cow;

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use unicode_normalization::UnicodeNormalization;

/// Longest tracking number or carrier code, in bytes. The vendors document 30 and 10 characters; what is far beyond is
/// refused rather than carried through.
pub const MAX_BYTES: usize = 128;

/// Longer texts are not normalised: no identifier comes of them, and NFKC may make ten letters of one.
const MAX_BYTES_AS_SENT: usize = 4096;

/// True if `text` can be carried through: not too long, no control characters.
pub fn is_identifier(text: &str) -> bool {
    text.len() <= MAX_BYTES && !text.chars().any(char::is_control)
}

/// An identifier as it is compared and stored: NFKC, without invisible characters, trimmed. Everybody who takes one in, from a
/// vendor or from a person who looks for it, goes through here; done twice it is the same.
pub fn normalised(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.is_ascii() || text.len() > MAX_BYTES_AS_SENT {
        return Cow::Borrowed(text);
    }
    let visible: String = text.nfkc().filter(|letter| !is_invisible(*letter)).collect();
    // What stood apart may compose now.
    let composed: String = visible.nfkc().collect();
    match composed.trim() {
        same if same == text => Cow::Borrowed(text),
        normalised => Cow::Owned(normalised.to_owned()),
    }
}

/// A carrier code, [normalised]; empty if it has a `:`, which separates the parts of a shipment's key, and so counts as missing.
pub fn carrier_code(text: &str) -> Cow<'_, str> {
    match normalised(text) {
        code if code.contains(':') => Cow::Borrowed(""),
        code => code,
    }
}

/// True for a name of ours, such as that of an account or of who asks: 1 to 64 of `A-Z a-z 0-9 . _ -`.
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// Category Cf of Unicode: zero-width characters, byte order marks, marks of direction, soft hyphens.
fn is_invisible(letter: char) -> bool {
    CodePointMapData::<GeneralCategory>::new().get(letter) == GeneralCategory::Format
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let long = "a".repeat(65);
        for (text, expected) in [
            ("demo", true),
            ("A.b_c-9", true),
            (&long[..64], true),
            ("", false),
            (&long, false),
            ("a b", false),
            ("a/b", false),
            ("é", false),
        ] {
            assert_eq!(is_name(text), expected, "{text:?}");
        }
    }

    #[test]
    fn length_and_control_characters() {
        assert!(is_identifier(""));
        assert!(is_identifier(&"A".repeat(128)));
        assert!(!is_identifier(&"A".repeat(129)));
        assert!(!is_identifier("YT\u{0}1"));
        assert!(!is_identifier("YT\u{85}1"));
        assert!(is_identifier("圆通 1"));
    }

    #[test]
    fn rule_3_4_one_spelling_of_an_identifier() {
        for (sent, stored) in [
            ("YT123", "YT123"),
            (" YT 123\t", "YT 123"),
            ("ＹＴ１２３", "YT123"),
            ("\u{3000}YT123\u{a0}", "YT123"),
            ("\u{feff}YT123", "YT123"),
            ("YT\u{200b}1\u{200d}2\u{ad}3\u{2060}", "YT123"),
            ("\u{202a}YT123\u{202c}", "YT123"),
            ("\u{200e} YT123 \u{200f}", "YT123"),
            ("YT\u{e0041}123", "YT123"),
            ("①②", "12"),
            ("é", "é"),
            ("e\u{301}", "é"),
            ("e\u{200b}\u{301}", "é"),
            ("圆通", "圆通"),
            ("\u{200b}\u{feff}", ""),
            ("", ""),
        ] {
            assert_eq!(normalised(sent), stored, "{sent:?}");
            assert_eq!(normalised(&normalised(sent)), stored, "{sent:?} twice");
        }
        assert!(matches!(normalised(" 圆通 "), Cow::Borrowed("圆通")));
        assert!(!is_identifier(&normalised(&"Ａ".repeat(5000))));
    }

    #[test]
    fn rule_3_4_a_carrier_code_with_a_colon_is_missing() {
        for (sent, code) in [
            (" yuantong ", "yuantong"),
            ("ＥＭＳ", "EMS"),
            ("yuan:tong", ""),
            ("yuan：tong", ""),
            (":", ""),
            ("\u{200d}", ""),
        ] {
            assert_eq!(carrier_code(sent), code, "{sent:?}");
        }
    }
}
