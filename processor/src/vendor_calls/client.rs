//! The only HTTP client of the vendors' APIs. It follows no redirect, because the key would travel with it, and tells calls that were
//! never sent from those that may have arrived.

use std::fmt;
use std::time::{Duration, Instant};

use courierflow_vendors::api::answer::{Exchange, Response};
use courierflow_vendors::api::request::CallRequest;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;

/// Longest answer. The longest histories are a few hundred kilobytes.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// Sends calls. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    client: reqwest::Client,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// What the transport says of it.
    pub ended: Ended,
    /// From the first byte of the request to the last one of the answer.
    pub duration: Duration,
}

/// How a call ended.
#[derive(Clone)]
pub enum Ended {
    /// Nothing was sent.
    Unsent,
    /// Something was sent, and no whole answer came back.
    Unanswered,
    /// A whole answer came back.
    Answered(Reply),
}

/// An HTTP answer.
#[derive(Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    retry_after: Option<String>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// An answer may repeat what was asked, so nothing of it is printed but its status.
impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsent => f.write_str("Unsent"),
            Self::Unanswered => f.write_str("Unanswered"),
            Self::Answered(reply) => write!(f, "Answered({})", reply.status),
        }
    }
}

impl Ended {
    /// The same for those who read answers.
    pub fn exchange(&self) -> Exchange<'_> {
        match self {
            Self::Unsent => Exchange::Unsent,
            Self::Unanswered => Exchange::Unanswered,
            Self::Answered(reply) => Exchange::Answered(Response {
                status: reply.status,
                retry_after: reply.retry_after.as_deref(),
                body: &reply.body,
            }),
        }
    }

    /// The HTTP answer, if there is one.
    pub const fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Answered(reply) => Some(reply),
            Self::Unsent | Self::Unanswered => None,
        }
    }
}

impl Client {
    /// A client that gives a call up after `timeout`.
    pub fn new(timeout: Duration) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            // Keys and telephone numbers go to the vendor, not to a proxy that the environment happens to name.
            .no_proxy()
            .timeout(timeout)
            // Half of it, so that a peer that cannot be reached is told from one that does not answer.
            .connect_timeout(timeout / 2)
            .tcp_nodelay(true)
            .build()?;
        Ok(Self { client })
    }

    /// Makes a call. Whatever goes wrong is an ending of the call, not an error.
    pub async fn call(&self, request: &CallRequest) -> Exchanged {
        let begun = Instant::now();
        let ended = self.attempt(request).await.unwrap_or_else(|error| {
            let is_unsent = error.is_builder() || error.is_connect();
            // The address may hold a key.
            tracing::debug!(error = %error.without_url(), is_unsent, "call");
            if is_unsent { Ended::Unsent } else { Ended::Unanswered }
        });
        Exchanged {
            ended,
            duration: begun.elapsed(),
        }
    }

    async fn attempt(&self, request: &CallRequest) -> reqwest::Result<Ended> {
        let mut post = self.client.post(&request.url).body(request.body.expose().to_owned());
        for (name, value) in &request.headers {
            post = post.header(*name, value.expose());
        }
        let mut response = post.send().await?;
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Ok(Ended::Unanswered);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Ended::Answered(Reply {
            status: response.status().as_u16(),
            retry_after,
            body,
        }))
    }
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::settings::Secret;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn request(url: String) -> CallRequest {
        CallRequest {
            method: "POST",
            url,
            headers: vec![("Content-Type", Secret::new("application/json"))],
            body: Secret::new("{}"),
        }
    }

    /// Serves one connection with this text, then closes it; what the call becomes.
    async fn answered(text: &'static str) -> Ended {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/poll", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4_096];
            let _ = stream.read(&mut buffer).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
        });
        let client = Client::new(Duration::from_millis(500)).unwrap();
        client.call(&request(url)).await.ended
    }

    #[tokio::test]
    async fn what_was_not_sent_is_told_from_what_may_have_arrived() {
        let client = Client::new(Duration::from_millis(500)).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        for url in [format!("http://{free}/"), "no address".to_owned()] {
            assert!(matches!(client.call(&request(url)).await.ended, Ended::Unsent));
        }
        for broken in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"] {
            assert!(matches!(answered(broken).await, Ended::Unanswered), "{broken}");
        }
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        assert!(matches!(client.call(&request(url)).await.ended, Ended::Unanswered));
    }

    /// Without `no_proxy` the client has that of the environment, whatever it says there.
    #[test]
    fn the_environment_names_no_proxy() {
        let client = Client::new(Duration::from_millis(500)).unwrap();
        assert!(!format!("{client:?}").contains("proxies"), "{client:?}");
    }

    #[tokio::test]
    async fn redirects_are_answers() {
        let redirect = "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(answered(redirect).await.reply().map(|reply| reply.status), Some(302));
    }

    #[tokio::test]
    async fn an_answer_is_read_whole_and_printed_without_its_body() {
        let text = "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 6\r\n\r\nsecret";
        let ended = answered(text).await;
        assert_eq!(ended.reply().map(|reply| reply.body.as_slice()), Some(&b"secret"[..]));
        assert!(matches!(
            ended.exchange(),
            Exchange::Answered(Response {
                retry_after: Some("7"),
                ..
            })
        ));
        assert_eq!(format!("{ended:?}"), "Answered(429)");
    }
}
