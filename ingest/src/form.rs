//! `application/x-www-form-urlencoded`, read without copying what is not needed. Byte for byte the result is that of the
//! URL standard (the `form_urlencoded` crate, a property test says so); it exists because decoding is the largest part of
//! the work for a push, and because the signature needs the bytes even where they are not UTF-8.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// The pairs of a form, still encoded: (key, value). Empty sequences are skipped, a missing `=` gives an empty value.
pub fn pairs(body: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        loop {
            let current = rest?;
            let sequence = match memchr(b'&', current).and_then(|at| current.split_at_checked(at)) {
                Some((sequence, tail)) => {
                    rest = tail.get(1..);
                    sequence
                }
                None => {
                    rest = None;
                    current
                }
            };
            if !sequence.is_empty() {
                return Some(
                    match memchr(b'=', sequence).and_then(|at| sequence.split_at_checked(at)) {
                        Some((key, value)) => (key, value.get(1..).unwrap_or_default()),
                        None => (sequence, [].as_slice()),
                    },
                );
            }
        }
    })
}

/// True if the body has at least one `key=value` with a key: what rule 39 calls a form.
pub fn has_pair(body: &[u8]) -> bool {
    body.split(|byte| *byte == b'&')
        .any(|sequence| memchr(b'=', sequence).is_some_and(|at| at > 0))
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
    // Decoding never grows. Writing through an iterator over a buffer of full size spares the capacity check of `push`.
    let mut decoded = vec![0_u8; encoded.len()];
    let mut slots = decoded.iter_mut();
    let mut rest = encoded;
    while let [first, after @ ..] = rest {
        let (byte, tail) = match (*first, after) {
            (b'%', [high, low, tail @ ..]) => match hex_byte(*high, *low) {
                Some(byte) => (byte, tail),
                None => (b'%', after),
            },
            (b'+', _) => (b' ', after),
            (byte, _) => (byte, after),
        };
        let Some(slot) = slots.next() else { break };
        *slot = byte;
        rest = tail;
    }
    let unused = slots.len();
    decoded.truncate(encoded.len() - unused);
    decoded
}

const NOT_HEX: u8 = 0xFF;

/// Value of each hex digit.
const HEX: [u8; 256] = {
    let mut table = [NOT_HEX; 256];
    let mut value = 0_u8;
    while value < 16 {
        // Constant evaluation: an index out of range would not compile.
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            table[b"0123456789abcdef"[value as usize] as usize] = value;
            table[b"0123456789ABCDEF"[value as usize] as usize] = value;
        }
        value += 1;
    }
    table
};

#[inline]
fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let high = HEX.get(usize::from(high)).copied().unwrap_or(NOT_HEX);
    let low = HEX.get(usize::from(low)).copied().unwrap_or(NOT_HEX);
    if (high | low) == NOT_HEX {
        None
    } else {
        Some((high << 4) | low)
    }
}

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
            // That crate decodes to text and replaces what is not UTF-8: compare after doing the same.
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
