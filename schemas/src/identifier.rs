//! What may be a tracking number or a carrier code: both become Kafka keys and parts of a table's sorting key.

/// Longest tracking number or carrier code, in bytes. The vendors document 30 and 10 characters; what is far beyond is
/// refused rather than carried through.
pub const MAX_BYTES: usize = 128;

/// True if `text` can be carried through: not too long, no control characters.
pub fn is_identifier(text: &str) -> bool {
    text.len() <= MAX_BYTES && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_control_characters() {
        assert!(is_identifier(""));
        assert!(is_identifier(&"A".repeat(128)));
        assert!(!is_identifier(&"A".repeat(129)));
        assert!(!is_identifier("YT\u{0}1"));
        assert!(!is_identifier("YT\u{85}1"));
        assert!(is_identifier("圆通 1"));
    }
}
