//! The secret key from which ids are made (rule 7.4). Without a key, somebody who knows most of a text could try the
//! rest until the hash matches: a masked phone number has only a million possible completions.

use std::fmt;
use std::str::FromStr;

use courierflow_vendors::fingerprint::Fingerprint;
use siphasher::sip128::SipHasher24;

/// A key of 128 bits; everything that derives from the same push topic must use the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdKey([u8; 16]);

impl IdKey {
    /// A key from its bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The id of a list of fields: SipHash-2-4 of its encoding, with the top bit cleared, because Avro, Java and SQL clients
    /// have no unsigned 64-bit integer.
    pub(crate) fn id_of(self, fields: &Fingerprint) -> i64 {
        let hash = SipHasher24::new_with_key(&self.0).hash(fields.as_bytes());
        (hash.h1 & (u64::MAX >> 1)).cast_signed()
    }
}

/// Hides the key, so that it is never logged.
impl fmt::Debug for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdKey(***)")
    }
}

/// The error for a text that is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoIdKey;

impl fmt::Display for NoIdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id key is 32 hexadecimal digits")
    }
}

impl std::error::Error for NoIdKey {}

impl FromStr for IdKey {
    type Err = NoIdKey;

    /// 32 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, NoIdKey> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NoIdKey);
        }
        let key = u128::from_str_radix(text, 16).map_err(|_| NoIdKey)?;
        Ok(Self(key.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_7_4_a_key_is_32_hexadecimal_digits_and_is_not_shown() {
        let key: IdKey = "000102030405060708090a0B0c0d0e0f".parse().unwrap();
        assert_eq!(key, IdKey([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]));
        assert_eq!(format!("{key:?}"), "IdKey(***)");
        for text in [
            "",
            "00",
            "+00102030405060708090a0b0c0d0e0f",
            "000102030405060708090a0b0c0d0e0g",
            "000102030405060708090a0b0c0d0e0f0",
        ] {
            assert_eq!(text.parse::<IdKey>(), Err(NoIdKey), "{text}");
        }
    }

    #[test]
    fn the_hash_is_pinned() {
        // The reference vector of SipHash-2-4-128: key 00..0f, message 00..0e; its first eight bytes, top bit cleared.
        let key = IdKey(std::array::from_fn(|n| u8::try_from(n).unwrap()));
        let mut message = Fingerprint::default();
        for byte in 0..15_u8 {
            message.byte(byte);
        }
        let reference = u64::from_le_bytes([0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11]);
        assert_eq!(key.id_of(&message), (reference & (u64::MAX >> 1)).cast_signed());
    }
}
