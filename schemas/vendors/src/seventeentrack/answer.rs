//! Answers to 17TRACK. It looks only at the HTTP status; the body has the form of its own API's answers.

use serde::Serialize;

use crate::{Refusal, answer};

pub(super) fn accepted() -> Vec<u8> {
    r#"{"code":0}"#.into()
}

/// Rule 2.7.
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
