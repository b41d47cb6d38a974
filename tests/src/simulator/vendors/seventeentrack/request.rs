//! The signature of a push of 17TRACK.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// `sign` of a body: hex of SHA-256 over the body, a slash and the API key.
pub fn sign(body: &str, api_key: &str) -> String {
    let digest = Sha256::digest(format!("{body}/{api_key}"));
    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
