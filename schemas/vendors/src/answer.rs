//! Bodies of answers.

use serde::Serialize;

/// An answer as JSON. It contains only texts and booleans, so serializing it cannot fail.
pub(crate) fn json(answer: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap_or_default()
}
