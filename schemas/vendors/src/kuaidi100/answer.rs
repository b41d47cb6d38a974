//! Answers to Kuaidi100. It compares keys case-sensitively and reads the body, not the status.

use serde::Serialize;

use crate::{Refusal, answer};

pub(super) fn accepted() -> Vec<u8> {
    r#"{"result":true,"returnCode":"200","message":"成功"}"#.into()
}

/// Rule 2.7.
pub(super) fn refused(refusal: Refusal<'_>) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Failure<'a> {
        result: bool,
        return_code: &'a str,
        message: &'a str,
    }
    // The vendor documents 500 as "server error", for what may come again later; other codes are up to us.
    let status = match refusal.status {
        429 | 503 => 500,
        status => status,
    };
    answer::json(&Failure {
        result: false,
        return_code: &status.to_string(),
        message: refusal.text,
    })
}
