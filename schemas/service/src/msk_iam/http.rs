//! The HTTP client of `aws-config`, over the one that this project has already. Its own would bring a second TLS library.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

pub(super) fn client() -> reqwest::Result<SharedHttpClient> {
    let client = reqwest::Client::builder().build()?;
    Ok(http_client_fn(move |settings, _| {
        SharedHttpConnector::new(Connector {
            client: client.clone(),
            timeout: timeout(settings),
        })
    }))
}

#[derive(Debug)]
struct Connector {
    client: reqwest::Client,
    timeout: Option<Duration>,
}

/// Of the whole request, which is small.
fn timeout(settings: &HttpConnectorSettings) -> Option<Duration> {
    let parts = [settings.connect_timeout(), settings.read_timeout()];
    parts.into_iter().flatten().reduce(|connect, read| connect + read)
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (client, timeout) = (self.client.clone(), self.timeout);
        HttpConnectorFuture::new(async move {
            let mut request = converted(request)?;
            *request.timeout_mut() = timeout;
            answer(&client, request).await
        })
    }
}

fn converted(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let request = request
        .try_into_http1x()
        .map_err(|error| ConnectorError::user(error.into()))?;
    // Requests for credentials are in memory.
    let request = request.map(|body| body.bytes().unwrap_or_default().to_vec());
    reqwest::Request::try_from(request).map_err(|error| ConnectorError::user(error.into()))
}

async fn answer(client: &reqwest::Client, request: reqwest::Request) -> Result<HttpResponse, ConnectorError> {
    let answer = client.execute(request).await.map_err(failed)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.map_err(failed)?;
    let mut converted = axum::http::Response::new(SdkBody::from(body));
    *converted.status_mut() = status;
    *converted.headers_mut() = headers;
    HttpResponse::try_from(converted).map_err(|error| ConnectorError::other(error.into(), None))
}

fn failed(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}
