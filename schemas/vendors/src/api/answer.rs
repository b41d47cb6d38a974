//! What came of a call. The body counts first; the HTTP status only where the body has no readable code, because then a gateway
//! has answered and not the vendor.

use std::borrow::Cow;
use std::time::Duration;

use courierflow_schemas::records::{CallClass, Reason};

use super::mask::{SHORTEST_SECRET, masked, without};
use super::table::{AnswerRow, AnswerTable};
use crate::parse::lenient_json::{Text, lenient_object, parse_object};
use crate::push::without_mark;

/// What the transport says of a call.
#[derive(Clone, Copy, Debug)]
pub enum Exchange<'a> {
    /// Nothing was sent: the connection was refused, the name is unknown, TLS failed. The vendor cannot have done anything.
    Unsent,
    /// Something was sent and no whole answer came back: the vendor may have done it.
    Unanswered,
    /// A whole answer came back.
    Answered(Response<'a>),
}

/// An HTTP answer.
#[derive(Clone, Copy)]
pub struct Response<'a> {
    /// HTTP status.
    pub status: u16,
    /// The header `Retry-After`, as sent.
    pub retry_after: Option<&'a str>,
    /// The whole body.
    pub body: &'a [u8],
}

impl std::fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl<'a> Response<'a> {
    /// The body as text, without a byte order mark; `None` if it is none.
    pub(crate) fn text(self) -> Option<&'a str> {
        std::str::from_utf8(without_mark(self.body)).ok()
    }
}

/// What an answer means, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it means for the caller.
    pub class: CallClass,
    /// Why, where there is something to say.
    pub reason: Option<Reason>,
    /// The vendor's code; `None` when it could not be read.
    pub code: Option<String>,
    /// The vendor's words, masked and cut.
    pub message: Option<String>,
    /// Earliest time of a repetition, where the answer says one or the vendor's rules do.
    pub retry_after: Option<Duration>,
    /// False if nobody looked at the order, so that the call is not counted as an attempt.
    pub is_attempt: bool,
    /// True if the vendor has too much to do: the account's rate is halved for a while.
    pub slow_down: bool,
    /// True if the code, or the whole answer, is in no table.
    pub is_unlisted: bool,
}

/// Without a `Retry-After`.
const WAIT_AFTER_LIMIT: Duration = Duration::from_secs(5);
/// A header that says more is not believed.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

impl Answer {
    fn of(class: CallClass) -> Self {
        Self {
            class,
            reason: None,
            code: None,
            message: None,
            retry_after: None,
            is_attempt: true,
            slow_down: false,
            is_unlisted: false,
        }
    }

    fn unsent() -> Self {
        Self {
            is_attempt: false,
            ..Self::of(CallClass::Retry)
        }
    }

    fn in_doubt() -> Self {
        Self {
            reason: Some(Reason::InDoubt),
            ..Self::of(CallClass::Unknown)
        }
    }

    fn of_row(row: &AnswerRow, told: Told<'_>) -> Self {
        Self {
            reason: row.reason,
            code: Some(told.code),
            message: told.message.as_deref().and_then(masked),
            retry_after: row.retry_after,
            slow_down: row.slow_down,
            ..Self::of(row.class)
        }
    }

    /// Any other code of the vendor: tried again, and somebody should look at it.
    fn unlisted(told: Told<'_>) -> Self {
        Self {
            code: Some(told.code),
            message: told.message.as_deref().and_then(masked),
            is_unlisted: true,
            ..Self::of(CallClass::Retry)
        }
    }

    /// Not the vendor's own answer.
    fn of_gateway(response: Response<'_>) -> Self {
        let error = response
            .text()
            .and_then(|text| parse_object::<GatewayError<'_>>(text).ok());
        let error = error.unwrap_or_default();
        let code = error.error_code.trimmed().as_deref().and_then(code);
        let message = error.error_msg.as_str().and_then(masked);
        let answer = if response.status == 429 || code.as_deref() == Some(THROTTLED) {
            Self {
                retry_after: Some(wait(response.retry_after)),
                is_attempt: false,
                slow_down: true,
                ..Self::of(CallClass::Retry)
            }
        } else {
            match response.status {
                // The key, the address, or a redirect, which is not followed because the key would travel.
                300..=399 | 401 | 403 | 404 => Self {
                    reason: Some(Reason::AccountStopped),
                    ..Self::of(CallClass::Account)
                },
                _ => Self {
                    is_unlisted: response.status < 500,
                    ..Self::in_doubt()
                },
            }
        };
        Self {
            code,
            message,
            ..answer
        }
    }
}

/// The code of Huawei Cloud's gateway for too many calls.
const THROTTLED: &str = "APIG.0308";

lenient_object! {
    /// An error of Huawei Cloud's API gateway.
    GatewayError {
        "error_code" => error_code: Text<'a>,
        "error_msg" => error_msg: Text<'a>,
    }
}

/// Seconds; the other form of the header, a date, would need a clock.
fn wait(retry_after: Option<&str>) -> Duration {
    let seconds = retry_after.and_then(|text| text.trim().parse().ok());
    seconds.map_or(WAIT_AFTER_LIMIT, Duration::from_secs).min(LONGEST_WAIT)
}

/// What a vendor's body says.
pub(crate) struct Told<'a> {
    /// What the table is asked for, and the record keeps.
    pub(crate) code: String,
    /// The vendor's words.
    pub(crate) message: Option<Cow<'a, str>>,
}

/// Reads an exchange by a vendor's table. `told` finds the vendor's code in a body; `None` if there is none.
pub(crate) fn read<'a>(
    table: &AnswerTable,
    exchange: Exchange<'a>,
    told: impl FnOnce(&'a str) -> Option<Told<'a>>,
) -> Answer {
    let response = match exchange {
        Exchange::Unsent => return Answer::unsent(),
        Exchange::Unanswered => return Answer::in_doubt(),
        Exchange::Answered(response) => response,
    };
    match response.text().and_then(told) {
        None => Answer::of_gateway(response),
        Some(told) => match table.find(&told.code, told.message.as_deref()) {
            Some(row) => Answer::of_row(row, told),
            None => Answer::unlisted(told),
        },
    }
}

/// What a query brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryAnswer<'a> {
    /// What it means.
    pub answer: Answer,
    /// The history, exactly if the answer is [`CallClass::Done`].
    pub found: Option<Found<'a>>,
}

/// A history, for a push event with origin QUERY.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// The event's payload: the vendor's JSON text, byte for byte.
    pub payload: &'a str,
    /// Lines in it.
    pub items: u32,
}

impl std::fmt::Debug for Found<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found")
            .field("items", &self.items)
            .finish_non_exhaustive()
    }
}

impl<'a> QueryAnswer<'a> {
    /// A success without lines is no result: it is free, and makes no event.
    pub(crate) fn new(answer: Answer, found: Option<Found<'a>>, retry_without_lines: Option<Duration>) -> Self {
        if answer.class != CallClass::Done {
            return Self { answer, found: None };
        }
        match found.filter(|found| found.items > 0) {
            Some(found) => Self {
                answer,
                found: Some(found),
            },
            None => Self {
                answer: Answer {
                    class: CallClass::NoResult,
                    retry_after: retry_without_lines,
                    ..answer
                },
                found: None,
            },
        }
    }
}

/// Longest code that is one.
const LONGEST_CODE: usize = 40;

/// A code as records and metrics may show it; `None` if it is free text.
pub(crate) fn code(text: &str) -> Option<String> {
    let text = text.trim();
    let is_code = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    ((1..=LONGEST_CODE).contains(&text.len()) && text.bytes().all(is_code)).then(|| text.to_owned())
}

impl Answer {
    /// The same without what the vendor may have repeated of the call: keys, telephone numbers, places.
    #[must_use]
    pub fn without<'s>(self, secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let secrets: Vec<&str> = secrets
            .into_iter()
            .filter(|secret| secret.chars().count() >= SHORTEST_SECRET)
            .collect();
        // The last digits of a telephone number may be those of a code.
        let is_told = |code: &String| {
            secrets
                .iter()
                .any(|secret| secret.len() > SHORTEST_SECRET && code.contains(secret))
        };
        Self {
            code: self.code.filter(|code| !is_told(code)),
            message: self.message.map(|message| without(&message, &secrets)),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::table::Matching;

    const TABLE: AnswerTable = AnswerTable {
        name: "nothing",
        matching: Matching::Code,
        rows: &[],
    };

    fn gateway(status: u16, retry_after: Option<&str>, body: &str) -> Answer {
        let response = Response {
            status,
            retry_after,
            body: body.as_bytes(),
        };
        read(&TABLE, Exchange::Answered(response), |_| None)
    }

    #[test]
    fn without_a_code_in_the_body_the_status_decides() {
        let html = "<html><body>502 Bad Gateway</body></html>";
        let denied =
            r#"{"error_msg":"Incorrect app authentication information: app not found","error_code":"APIG.0303"}"#;
        for (status, body, class, unlisted) in [
            (301, "", CallClass::Account, false),
            (302, html, CallClass::Account, false),
            (401, denied, CallClass::Account, false),
            (403, "", CallClass::Account, false),
            (404, html, CallClass::Account, false),
            (429, "", CallClass::Retry, false),
            (500, "", CallClass::Unknown, false),
            (502, html, CallClass::Unknown, false),
            (503, "", CallClass::Unknown, false),
            (200, html, CallClass::Unknown, true),
            (200, "", CallClass::Unknown, true),
            (400, "", CallClass::Unknown, true),
        ] {
            let answer = gateway(status, None, body);
            assert_eq!((answer.class, answer.is_unlisted), (class, unlisted), "{status} {body}");
        }
        assert_eq!(gateway(401, None, denied).code.as_deref(), Some("APIG.0303"));
    }

    #[test]
    fn a_limit_is_no_attempt_and_says_how_long_to_wait() {
        let throttled = r#"{"error_msg":"The throttling threshold has been reached","error_code":"APIG.0308"}"#;
        for (status, retry_after, body, seconds) in [
            (429, None, "", 5),
            (429, Some("30"), "", 30),
            (429, Some("86400"), "", 3_600),
            (429, Some("Sun, 29 Nov 2026 12:00:00 GMT"), "", 5),
            (403, None, throttled, 5),
        ] {
            let answer = gateway(status, retry_after, body);
            assert_eq!(answer.class, CallClass::Retry);
            assert_eq!(
                answer.retry_after,
                Some(Duration::from_secs(seconds)),
                "{retry_after:?}"
            );
            assert!(answer.slow_down && !answer.is_attempt);
        }
    }

    #[test]
    fn what_was_not_sent_is_no_attempt_and_what_was_not_answered_is_in_doubt() {
        let unsent = read(&TABLE, Exchange::Unsent, |_| None);
        assert_eq!((unsent.class, unsent.is_attempt), (CallClass::Retry, false));
        let unanswered = read(&TABLE, Exchange::Unanswered, |_| None);
        assert_eq!((unanswered.class, unanswered.is_attempt), (CallClass::Unknown, true));
        assert_eq!(unanswered.reason, Some(Reason::InDoubt));
    }

    #[test]
    fn what_was_asked_is_not_told_back() {
        let answer = |message: &str| Answer {
            code: Some("APIG.0303".to_owned()),
            message: masked(message),
            ..Answer::of(CallClass::Retry)
        };
        let long = "字".repeat(195);
        let cut = format!("{long}secret-key");
        for (message, secret, expected) in [
            ("key secret-key?", "secret-key", "key ***?"),
            ("a12345678b", "a12345678b", "***"),
            ("来自广东省深圳市南山区", "广东省深圳市南山区", "来自***"),
            ("尾号0303", "0303", "尾号***"),
            ("no 501", "501", "no 501"),
            (&cut, "secret-key", &format!("{long}***")),
        ] {
            let told = answer(message).without([secret]);
            assert_eq!(told.message.as_deref(), Some(expected), "{secret}");
            assert_eq!(told.code.as_deref(), Some("APIG.0303"));
        }
        assert_eq!(answer("x").without(["APIG.0303"]).code, None);
    }
}
