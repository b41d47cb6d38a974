//! Under which names the dashboard may be asked. A page of any site can let a name of its own point to our address (DNS rebinding);
//! the browser of somebody who may reach us would then hand it every answer, as one of its own. It does say the name in `Host`.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answer::Refusal;

/// The names that were configured, in lower case; one that begins with a dot stands for all names that end in it.
#[derive(Clone, Debug)]
pub(super) struct Hosts(Arc<[String]>);

impl Hosts {
    /// `allowed` are names without scheme and port.
    pub(super) fn new(allowed: &[String]) -> Self {
        Self(allowed.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether a `Host` (or the authority of a request in absolute form) is one of ours. Every address is: nobody can make a browser
    /// take an address for another. Without a valid name it is nobody's.
    fn allows(&self, host: &str) -> bool {
        let Ok(authority) = Authority::from_str(host) else {
            return false;
        };
        let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        address.parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || self.0.iter().any(|allowed| {
                if allowed.starts_with('.') {
                    name.ends_with(allowed)
                } else {
                    name == *allowed
                }
            })
    }
}

/// Answers 421 if the request is for somebody else.
pub(super) async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let headers = request.headers().get_all(HOST).iter();
    let mut named: Vec<&str> = headers.map(|host| host.to_str().unwrap_or_default()).collect();
    named.extend(request.uri().authority().map(Authority::as_str));
    let Some(wrong) = named.iter().find(|host| !hosts.allows(host)) else {
        return if named.is_empty() {
            refuse("")
        } else {
            next.run(request).await
        };
    };
    refuse(wrong)
}

fn refuse(host: &str) -> Response {
    let host: String = host.chars().take(80).collect();
    Refusal::because(
        StatusCode::MISDIRECTED_REQUEST,
        "unknown_host",
        format!("{host:?} is not a name of this server: use its address or localhost, or add the name to dashboard.allowed_hosts"),
    )
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_loopback_names_and_configured_ones() {
        let hosts = Hosts::new(&["Carriers.example.com".to_owned(), ".svc.cluster.local".to_owned()]);
        for (host, allowed) in [
            ("127.0.0.1:8081", true),
            ("127.0.0.1", true),
            ("[::1]:8081", true),
            ("10.4.0.17:8081", true),
            ("localhost:8081", true),
            ("LOCALHOST.", true),
            ("carriers.localhost:3000", true),
            ("carriers.example.com", true),
            ("CARRIERS.example.com:443", true),
            ("processor.courier.svc.cluster.local:8081", true),
            ("svc.cluster.local", false),
            ("evilsvc.cluster.local", false),
            ("evil.example:8081", false),
            ("x.carriers.example.com", false),
            ("carriers.example.com.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example", false),
            ("evil.example@127.0.0.1@evil.example", false),
            ("notlocalhost", false),
            ("processor:8081", false),
            ("", false),
            ("a b", false),
        ] {
            assert_eq!(hosts.allows(host), allowed, "{host}");
        }
    }
}
