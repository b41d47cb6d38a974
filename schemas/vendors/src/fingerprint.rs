//! Hashes lists of fields: XXH3-64 of a length-prefixed encoding, so that different lists never have the same bytes.
//! The top bit is cleared, because Avro, Java and SQL clients have no unsigned 64-bit integer.

use xxhash_rust::xxh3::xxh3_64;

/// Collects fields in order, then hashes them.
#[derive(Debug, Default)]
pub struct Fingerprint {
    encoded: Vec<u8>,
}

impl Fingerprint {
    /// An empty list of fields with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            encoded: Vec::with_capacity(bytes),
        }
    }

    /// Removes the fields but keeps the memory.
    pub fn clear(&mut self) {
        self.encoded.clear();
    }

    /// Number of bytes collected so far; see [`Self::truncate`].
    pub fn len(&self) -> usize {
        self.encoded.len()
    }

    /// True before the first field.
    pub fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    /// The encoding so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.encoded
    }

    /// Adds a single byte.
    pub fn byte(&mut self, byte: u8) -> &mut Self {
        self.encoded.push(byte);
        self
    }

    /// Goes back to an earlier [`Self::len`], so that fields with which many lists begin are encoded only once.
    pub fn truncate(&mut self, len: usize) {
        self.encoded.truncate(len);
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.number(i64::try_from(text.len()).unwrap_or(i64::MAX));
        self.encoded.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds a text that may be missing; missing and empty differ.
    pub fn optional_text(&mut self, text: Option<&str>) -> &mut Self {
        self.flag(text.is_some());
        if let Some(text) = text {
            self.text(text);
        }
        self
    }

    /// Adds a number.
    pub fn number(&mut self, number: i64) -> &mut Self {
        self.encoded.extend_from_slice(&number.to_le_bytes());
        self
    }

    /// Adds a number that may be missing.
    pub fn optional_number(&mut self, number: Option<i64>) -> &mut Self {
        self.flag(number.is_some());
        if let Some(number) = number {
            self.number(number);
        }
        self
    }

    /// Adds a boolean.
    pub fn flag(&mut self, flag: bool) -> &mut Self {
        self.encoded.push(u8::from(flag));
        self
    }

    /// The hash of the fields so far, never negative.
    pub fn finish(&self) -> i64 {
        not_negative(xxh3_64(&self.encoded))
    }
}

fn not_negative(hash: u64) -> i64 {
    (hash & (u64::MAX >> 1)).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let hash = |a: &str, b: &str| Fingerprint::default().text(a).text(b).finish();
        assert_ne!(hash("ab", "c"), hash("a", "bc"));
        assert_ne!(
            Fingerprint::default().optional_text(None).finish(),
            Fingerprint::default().optional_text(Some("")).finish()
        );
    }

    #[test]
    fn the_top_bit_is_cleared() {
        assert_eq!(not_negative(u64::MAX), i64::MAX);
        assert_eq!(not_negative(1 << 63), 0);
        assert_eq!(not_negative(42), 42);
    }

    #[test]
    fn the_encoding_is_pinned() {
        // Ids are stored in topics and tables for years; a change of the encoding would retract and emit everything
        // again.
        let hash = Fingerprint::default()
            .text("yto")
            .number(-1)
            .optional_text(Some("圆通"))
            .flag(true)
            .finish();
        assert_eq!(hash, 9_017_583_759_065_533_391);
    }
}
