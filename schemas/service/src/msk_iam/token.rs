//! A token of Amazon MSK's IAM: the address of a request `kafka-cluster:Connect`, signed in advance by Signature Version 4, in base64url.
//! AWS publishes its form only as programs, of which `aws-msk-iam-sasl-signer-python` made what the tests here compare with.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningError, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::http::{Error, Request};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How long AWS's own programs let a token be good.
const LIFETIME: Duration = Duration::from_mins(15);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    /// Milliseconds since 1970.
    pub(super) expires_at_ms: i64,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    #[error("the request cannot be made: {0}")]
    Request(#[from] Error),
    #[error("the request cannot be signed: {0}")]
    Signature(#[from] SigningError),
    #[error("the request cannot be signed: {0}")]
    Parameters(#[from] v4::signing_params::BuildError),
}

impl Token {
    pub(super) fn new(region: &str, credentials: &Credentials, now: SystemTime) -> Result<Self, TokenError> {
        let signed = presign(region, credentials, now)?;
        // Not signed: AWS only logs it.
        let url = format!("{signed}&User-Agent=courierflow%2F{}", env!("CARGO_PKG_VERSION"));
        Ok(Self {
            text: URL_SAFE_NO_PAD.encode(url),
            expires_at_ms: expiry(credentials, now),
        })
    }
}

fn presign(region: &str, credentials: &Credentials, now: SystemTime) -> Result<String, TokenError> {
    let url = format!("https://kafka.{region}.amazonaws.com/?Action=kafka-cluster%3AConnect");
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(LIFETIME);
    let identity = credentials.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("kafka-cluster")
        .time(now)
        .settings(settings)
        .build()?
        .into();
    let mut request = Request::get(&url).body(())?;
    let signable = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]))?;
    let (instructions, _) = sign(signable, &parameters)?.into_parts();
    instructions.apply_to_request_http1x(&mut request);
    Ok(request.uri().to_string())
}

/// The signature has whole seconds. What temporary credentials have signed is good no longer than they are.
fn expiry(credentials: &Credentials, now: SystemTime) -> i64 {
    let since_1970 = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let of_token = Duration::from_secs(since_1970(now).as_secs()) + LIFETIME;
    let first = credentials
        .expiry()
        .map_or(of_token, |expiry| of_token.min(since_1970(expiry)));
    i64::try_from(first.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    /// 2026-08-01 10:00:00, and some milliseconds.
    const NOW: Duration = Duration::from_millis(1_785_578_400_250);

    fn token(session: Option<&str>, credentials_expire_after: Option<Duration>) -> Token {
        let now = UNIX_EPOCH + NOW;
        let expiry = credentials_expire_after.map(|after| now + after);
        let credentials = Credentials::new("AKIDEXAMPLE", KEY, session.map(str::to_owned), expiry, "test");
        Token::new("eu-west-1", &credentials, now).unwrap()
    }

    /// Parameters in order of their names: signers write them in different orders.
    fn url(token: &Token) -> (String, Vec<String>) {
        let url = String::from_utf8(URL_SAFE_NO_PAD.decode(&token.text).unwrap()).unwrap();
        let (address, query) = url.split_once('?').unwrap();
        let mut parameters: Vec<String> = query.split('&').map(str::to_owned).collect();
        parameters.sort();
        (address.to_owned(), parameters)
    }

    #[test]
    fn tokens_are_those_of_the_signer_that_aws_publishes() {
        for (session, signature) in [
            (None, "e6a258637cf03260570c2ec1aed1d233bc2ce1374f69357d43640a34aa4124cc"),
            (
                Some("session/token+with=signs"),
                "ca76556e36501ff8023452043913920532d8875915b3fb0f25475c2f8016db1f",
            ),
        ] {
            let token = token(session, None);
            let mut expected = vec![
                "Action=kafka-cluster%3AConnect".to_owned(),
                format!("User-Agent=courierflow%2F{}", env!("CARGO_PKG_VERSION")),
                "X-Amz-Algorithm=AWS4-HMAC-SHA256".to_owned(),
                "X-Amz-Credential=AKIDEXAMPLE%2F20260801%2Feu-west-1%2Fkafka-cluster%2Faws4_request".to_owned(),
                "X-Amz-Date=20260801T100000Z".to_owned(),
                "X-Amz-Expires=900".to_owned(),
                format!("X-Amz-Signature={signature}"),
                "X-Amz-SignedHeaders=host".to_owned(),
            ];
            expected.extend(session.map(|_| "X-Amz-Security-Token=session%2Ftoken%2Bwith%3Dsigns".to_owned()));
            expected.sort();
            assert_eq!(
                url(&token),
                ("https://kafka.eu-west-1.amazonaws.com/".to_owned(), expected)
            );
            assert_eq!(token.expires_at_ms, 1_785_579_300_000);
            assert!(!token.text.contains(KEY));
        }
    }

    #[test]
    fn a_token_is_good_no_longer_than_the_credentials_that_made_it() {
        let minute = Duration::from_mins(1);
        assert_eq!(token(None, Some(minute)).expires_at_ms, 1_785_578_460_250);
        assert_eq!(token(None, Some(60 * minute)).expires_at_ms, 1_785_579_300_000);
    }
}
