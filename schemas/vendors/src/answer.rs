//! Bodies of answers.

use serde::Serialize;

/// An answer as JSON. It is made of texts and truth values, so writing it cannot fail.
pub(crate) fn json(answer: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap_or_default()
}
