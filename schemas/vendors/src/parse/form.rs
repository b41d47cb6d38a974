//! `application/x-www-form-urlencoded`, read without copying what is not needed. The result is byte for byte that of the
//! URL standard; a property test compares it with the `form_urlencoded` crate. We have our own because decoding is the
//! largest part of the work for a push, and because the signature needs the bytes even if they are not UTF-8.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// The pairs of a form, still encoded: (key, value). Empty sequences are skipped, a missing `=` gives an empty value.
pub fn pairs(body: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    sequences(body)
        .filter(|sequence| !sequence.is_empty())
        .map(|sequence| split(sequence, b'=').unwrap_or((sequence, &[])))
}

/// True if the body has at least one `key=value` with a key: what rule 2.1 calls a form.
pub fn has_pair(body: &[u8]) -> bool {
    sequences(body).any(|sequence| split(sequence, b'=').is_some_and(|(key, _)| !key.is_empty()))
}

/// The sequences between `&`.
fn sequences(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let current = rest?;
        let (sequence, tail) = split(current, b'&').map_or((current, None), |(sequence, tail)| (sequence, Some(tail)));
        rest = tail;
        Some(sequence)
    })
}

/// The bytes before and after the first `separator`.
fn split(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let (before, after) = bytes.split_at_checked(memchr(separator, bytes)?)?;
    Some((before, after.get(1..)?))
}

/// Compares a key of [`pairs`] with a field name.
pub fn is_key(encoded: &[u8], name: &str) -> bool {
    encoded == name.as_bytes() || (memchr2(b'%', b'+', encoded).is_some() && *decode(encoded) == *name.as_bytes())
}

/// Decodes a key or a value: `+` is a blank, `%XX` a byte; a `%` without two hex digits stays as it is.
pub fn decode(encoded: &[u8]) -> Cow<'_, [u8]> {
    match memchr2(b'%', b'+', encoded) {
        None => Cow::Borrowed(encoded),
        Some(_) => Cow::Owned(decode_all(encoded)),
    }
}

fn decode_all(encoded: &[u8]) -> Vec<u8> {
    // Decoding never makes a text longer. A buffer of full size avoids the capacity check of `push` for every byte.
    let mut decoded = vec![0_u8; encoded.len()];
    let mut free = decoded.as_mut_slice();
    let mut rest = encoded;
    loop {
        // A Chinese character is three escapes. They are most of a body, and decoding three at once is twice as fast.
        while let [b'%', a, b, b'%', c, d, b'%', e, f, tail @ ..] = rest {
            let (first, second, third) = (escaped(*a, *b), escaped(*c, *d), escaped(*e, *f));
            if (first | second | third) >= NOT_HEX {
                break;
            }
            let Some((slots, more)) = std::mem::take(&mut free).split_first_chunk_mut() else {
                break;
            };
            *slots = [first, second, third].map(low_byte);
            (free, rest) = (more, tail);
        }
        let (byte, tail) = match rest {
            [] => break,
            [b'%', high, low, tail @ ..] if escaped(*high, *low) < NOT_HEX => (low_byte(escaped(*high, *low)), tail),
            [b'+', tail @ ..] => (b' ', tail),
            [byte, tail @ ..] => (*byte, tail),
        };
        let Some((slot, more)) = std::mem::take(&mut free).split_first_mut() else {
            break;
        };
        *slot = byte;
        (free, rest) = (more, tail);
    }
    let unused = free.len();
    decoded.truncate(encoded.len() - unused);
    decoded
}

/// Marks a byte that is not a hex digit. It is greater than any byte, so that one comparison detects it among
/// several.
const NOT_HEX: u16 = 0x100;

/// The byte of two hex digits, or at least [`NOT_HEX`].
#[inline]
fn escaped(high: u8, low: u8) -> u16 {
    (digit(high) << 4) | digit(low)
}

#[inline]
fn digit(hex: u8) -> u16 {
    DIGITS.get(usize::from(hex)).copied().unwrap_or(NOT_HEX)
}

#[inline]
fn low_byte(value: u16) -> u8 {
    let [low, _] = value.to_le_bytes();
    low
}

/// Value of each hex digit.
const DIGITS: [u16; 256] = {
    let mut table = [NOT_HEX; 256];
    let mut value = 0_u8;
    while value < 16 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            table[b"0123456789abcdef"[value as usize] as usize] = value as u16;
            table[b"0123456789ABCDEF"[value as usize] as usize] = value as u16;
        }
        value += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pairs_as_the_url_standard_splits_them() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("", &[]),
            ("&&", &[]),
            ("a", &[("a", "")]),
            ("a=", &[("a", "")]),
            ("=a", &[("", "a")]),
            ("a=b=c&d", &[("a", "b=c"), ("d", "")]),
            ("&a=1&&b=2&", &[("a", "1"), ("b", "2")]),
        ];
        for (body, expected) in cases {
            let found: Vec<_> = pairs(body.as_bytes()).collect();
            let expected: Vec<_> = expected.iter().map(|(k, v)| (k.as_bytes(), v.as_bytes())).collect();
            assert_eq!(found, expected, "{body}");
        }
    }

    #[test]
    fn what_counts_as_a_form() {
        for form in ["a=", "a=1", "x&a=1", "=&a=1"] {
            assert!(has_pair(form.as_bytes()), "{form}");
        }
        for other in ["", "a", "=", "=1", "a&b", "&&", "[1,2]"] {
            assert!(!has_pair(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn broken_escapes_stay() {
        for (encoded, decoded) in [
            ("%", "%"),
            ("%4", "%4"),
            ("%zz", "%zz"),
            ("%4g%41", "%4gA"),
            ("%%41", "%A"),
            ("a+%2B%2b", "a ++"),
            ("%f%41", "%fA"),
        ] {
            assert_eq!(decode(encoded.as_bytes()), decoded.as_bytes(), "{encoded}");
        }
    }

    #[test]
    fn keys_may_be_encoded() {
        assert!(is_key(b"param", "param"));
        assert!(is_key(b"p%61ram", "param"));
        assert!(!is_key(b"Param", "param"));
        assert!(!is_key(b"p+ram", "param"));
    }

    /// Bytes in which escapes, separators and broken escapes are common.
    fn form_like() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(
            prop_oneof![
                3 => any::<u8>(),
                3 => proptest::sample::select(b"%+&=0aFg".to_vec()),
            ],
            0..200,
        )
    }

    proptest! {
        #[test]
        fn equals_form_urlencoded(body in form_like()) {
            // That crate decodes to strings and replaces invalid UTF-8, so do the same before comparing.
            let ours: Vec<(String, String)> = pairs(&body)
                .map(|(key, value)| {
                    (String::from_utf8_lossy(&decode(key)).into_owned(), String::from_utf8_lossy(&decode(value)).into_owned())
                })
                .collect();
            let theirs: Vec<(String, String)> =
                form_urlencoded::parse(&body).map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn reads_back_what_form_urlencoded_writes(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            let encoded: String = form_urlencoded::byte_serialize(&value).collect();
            prop_assert_eq!(decode(encoded.as_bytes()).into_owned(), value);
        }
    }
}
