//! `POST /api/v1/annotations`: a correction by hand, as `processor annotate` makes it. Who may say so is known by a token, and is the one
//! who has said it.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use courierflow_schemas::records::{Annotation, AnnotationKind};
use courierflow_service::bearer;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Refusal;
use crate::annotation::judge::{Wish, time_of_micros};
use crate::annotation::parcel::{LookupError, Parcel, Which};
use crate::annotation::{AnnotateError, annotate};
use crate::config::{ClickHouseSettings, Config};

/// Largest body: a reason has 500 characters.
pub(super) const MAX_BYTES: usize = 16 * 1024;

/// Those who may say so, and where it is said.
#[derive(Clone)]
pub(super) struct Desk {
    annotators: Arc<Vec<(String, bearer::Tokens)>>,
    config: Arc<Config>,
    tables: Arc<ClickHouseSettings>,
}

/// What somebody says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    number: String,
    vendor: Option<String>,
    account: Option<String>,
    carrier: Option<String>,
    epoch: Option<String>,
    kind: AnnotationKind,
    at: Option<String>,
    reason: String,
}

impl Desk {
    /// `tables` is the server as a user who may read.
    pub(super) fn new(config: &Config, tables: ClickHouseSettings) -> Self {
        Self {
            // They were checked when the configuration was read.
            annotators: Arc::new(config.dashboard.annotators().unwrap_or_default()),
            config: Arc::new(config.clone()),
            tables: Arc::new(tables),
        }
    }

    pub(super) async fn take(&self, headers: &HeaderMap, body: Bytes) -> Result<Response, Refusal> {
        let by = self.who(headers)?.to_owned();
        let said = read(&body)?;
        let which = Which {
            number: said.number,
            vendor: said.vendor,
            account: said.account,
            carrier: said.carrier,
            epoch: parsed::<Date>("epoch", said.epoch.as_deref(), "a day such as 2026-11-28")?,
        };
        let wish = Wish {
            kind: said.kind,
            at: parsed::<Timestamp>("at", said.at.as_deref(), "a time such as 2026-12-01T08:00:00Z")?,
            reason: said.reason,
            by,
        };
        let (parcel, said) = annotate(&self.config, &self.tables, &which, &wish, Timestamp::now())
            .await
            .map_err(|error| refusal(&error))?;
        Ok(([(CACHE_CONTROL, "no-store")], Json(answer(&parcel, &said))).into_response())
    }

    fn who(&self, headers: &HeaderMap) -> Result<&str, Refusal> {
        if self.annotators.is_empty() {
            let message =
                "nobody may correct parcels here: dashboard.annotators names none; processor annotate does it";
            return Err(Refusal::because(StatusCode::FORBIDDEN, "not_configured", message));
        }
        let known = self.annotators.iter().map(|(name, tokens)| (tokens, name.as_str()));
        bearer::holder(headers, known).ok_or_else(|| {
            let message = "token missing or wrong: Authorization: Bearer TOKEN";
            Refusal::because(StatusCode::UNAUTHORIZED, "unauthorized", message)
        })
    }
}

fn read(body: &[u8]) -> Result<Said, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let message = format!("the body is not what is described in /api/v1/openapi.json: {error}");
        Refusal::because(StatusCode::BAD_REQUEST, "bad_body", message)
    })
}

fn parsed<T: FromStr>(member: &str, text: Option<&str>, what: &str) -> Result<Option<T>, Refusal> {
    let wrong = |_| Refusal::bad_parameter(member, "bad_body", &format!("is not {what}"));
    text.map(|text| text.parse().map_err(wrong)).transpose()
}

fn answer(parcel: &Parcel, said: &Annotation) -> Value {
    let before = parcel.standing.as_ref().map(|standing| {
        json!({
            "kind": standing.kind,
            "reason": standing.reason,
            "annotated_by": standing.by,
            "annotated_at": time_of_micros(standing.annotated_at).to_string(),
        })
    });
    let occurred_at = said
        .occurred_at
        .and_then(|at| Timestamp::from_millisecond(at.0).ok())
        .map(|at| at.to_string());
    json!({
        "vendor": said.vendor,
        "account": said.account,
        "carrier": said.carrier,
        "tracking_number": said.tracking_number,
        "epoch": parcel.day().to_string(),
        "vendor_status": parcel.status,
        "before": before,
        "kind": said.kind.as_str(),
        "occurred_at": occurred_at,
        "reason": said.reason,
        "annotated_by": said.annotated_by,
        "annotated_at": time_of_micros(said.annotated_at.0).to_string(),
    })
}

fn refusal(error: &AnnotateError) -> Refusal {
    let (status, code) = match error {
        AnnotateError::Lookup(LookupError::None(_)) => (StatusCode::NOT_FOUND, "unknown_parcel"),
        AnnotateError::Lookup(LookupError::Several { .. }) => (StatusCode::CONFLICT, "several_parcels"),
        AnnotateError::Refused { .. } => (StatusCode::BAD_REQUEST, "refused"),
        AnnotateError::Lookup(LookupError::Server { .. }) | AnnotateError::Send(_) => {
            tracing::warn!(
                error = error as &(dyn std::error::Error + 'static),
                "a correction by hand was not stored"
            );
            let message = "the database or Kafka does not answer as it should; saying the same twice does no harm";
            return Refusal::because(StatusCode::SERVICE_UNAVAILABLE, "not_stored", message);
        }
    };
    Refusal::because(status, code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_says_what_it_means_and_nothing_else() {
        for (body, expected) in [
            (
                r#"{"number": "N1", "kind": "LOST", "reason": "x"}"#,
                Ok(AnnotationKind::Lost),
            ),
            (
                r#"{"number": "N1", "kind": "NONE", "reason": "x", "epoch": "2026-08-01"}"#,
                Ok(AnnotationKind::None),
            ),
            (
                r#"{"number": "N1", "kind": "DELIVERED", "at": "2026-08-01T00:00:00Z", "reason": "x"}"#,
                Ok(AnnotationKind::Delivered),
            ),
            (
                r#"{"number": "N1", "kind": "lost", "reason": "x"}"#,
                Err("unknown variant `lost`"),
            ),
            (r#"{"number": "N1", "kind": "LOST"}"#, Err("missing field `reason`")),
            (
                r#"{"number": "N1", "kind": "LOST", "reason": "x", "by": "somebody else"}"#,
                Err("unknown field `by`"),
            ),
            ("", Err("not what is described")),
        ] {
            match (read(body.as_bytes()), expected) {
                (Ok(said), Ok(kind)) => assert_eq!(said.kind, kind, "{body}"),
                (Err(refusal), Err(part)) => {
                    assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
                    assert!(refusal.message.contains(part), "{body}: {}", refusal.message);
                }
                (read, expected) => panic!("{body}: {read:?} instead of {expected:?}"),
            }
        }
    }

    #[test]
    fn days_and_times_are_read_or_refused() {
        let day = |text| parsed::<Date>("epoch", text, "a day").map_err(|refusal| refusal.message);
        assert_eq!(day(None), Ok(None));
        assert_eq!(day(Some("2026-08-01")), Ok(Some(Date::constant(2026, 8, 1))));
        assert_eq!(day(Some("yesterday")), Err("epoch is not a day".to_owned()));
    }
}
