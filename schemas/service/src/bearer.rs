//! Bearer tokens: who presents one that is known. Both services compare them here.

use axum::http::{HeaderMap, HeaderValue, header};
use courierflow_schemas::settings::Secret;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// Shortest token, in characters: 32 hexadecimal digits are 128 bits.
const SHORTEST: usize = 32;

/// Why a file of tokens cannot be used: completes a sentence that begins with its key.
pub const NO_TOKENS: &str = "must hold tokens of at least 32 printable ASCII characters without spaces, one a line";

/// Digests have one length, so a comparison tells nothing of a token, not even how long it is.
type Digest = [u8; 32];

/// The tokens of somebody, all of them valid.
#[derive(Debug)]
pub struct Tokens(Vec<Digest>);

/// Whether there are tokens, and all can be presented and not guessed.
pub fn are_tokens(tokens: &[Secret]) -> bool {
    let is_token = |token: &Secret| {
        let token = token.expose();
        token.len() >= SHORTEST && token.bytes().all(|byte| byte.is_ascii_graphic())
    };
    !tokens.is_empty() && tokens.iter().all(is_token)
}

impl Tokens {
    /// Keeps only digests of them.
    pub fn new(tokens: &[Secret]) -> Self {
        Self(tokens.iter().map(|token| digest(token.expose().as_bytes())).collect())
    }

    /// Whether both have one in common.
    pub fn share_one(&self, other: &Self) -> bool {
        self.0.iter().any(|digest| other.0.contains(digest))
    }

    fn contain(&self, presented: &Digest) -> bool {
        let mut is_one = Choice::from(0);
        for digest in &self.0 {
            is_one |= digest.ct_eq(presented);
        }
        is_one.into()
    }
}

/// Whose token is in `Authorization: Bearer TOKEN`. It takes the same time whichever it is, and if it is none.
pub fn holder<'t, H>(headers: &HeaderMap, known: impl IntoIterator<Item = (&'t Tokens, H)>) -> Option<H> {
    let presented = digest(bearer(headers).unwrap_or_default());
    let mut found = None;
    for (tokens, holder) in known {
        if tokens.contain(&presented) {
            found = Some(holder);
        }
    }
    found
}

/// The scheme's name is not case-sensitive (RFC 9110 11.1).
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes)?;
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

fn digest(token: &[u8]) -> Digest {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(tokens: &[&str]) -> Vec<Secret> {
        tokens.iter().copied().map(Secret::new).collect()
    }

    #[test]
    fn a_token_is_long_and_has_no_spaces() {
        let long = "x".repeat(32);
        for (tokens, expected) in [
            (vec![long.as_str()], true),
            (vec![&long, &long[1..]], false),
            (vec![], false),
            (vec!["0123456789abcdef 0123456789abcdef"], false),
            (vec!["密码密码密码密码密码密码密码密码密码密码密码"], false),
        ] {
            assert_eq!(are_tokens(&secrets(&tokens)), expected, "{tokens:?}");
        }
    }

    #[test]
    fn only_who_has_one_of_the_tokens_is_known() {
        let tokens = Tokens::new(&secrets(&["old", "new"]));
        for (header, expected) in [
            (Some("Bearer new"), true),
            (Some("bearer  old "), true),
            (Some("Bearer newer"), false),
            (Some("Bearer "), false),
            (Some("Basic new"), false),
            (Some("new"), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = header {
                headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            let found = holder(&headers, [(&tokens, "somebody")]);
            assert_eq!(found.is_some(), expected, "{header:?}");
        }
        assert!(tokens.share_one(&Tokens::new(&secrets(&["new"]))));
        assert!(!tokens.share_one(&Tokens::new(&secrets(&["other"]))));
    }
}
