//! What 17TRACK is answered. It looks at the HTTP status alone; the body is written as its own API writes answers.

use serde::Serialize;

use crate::{Refusal, answer};

pub(super) fn accepted() -> Vec<u8> {
    r#"{"code":0}"#.into()
}

/// Rule 51.
pub(super) fn refused(refusal: Refusal<'_>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Failure<'a> {
        code: i32,
        message: &'a str,
    }
    answer::json(&Failure {
        code: -1,
        message: refusal.text,
    })
}
