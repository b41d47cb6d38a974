//! SASL/OAUTHBEARER with signed tokens: a provider gives them to whoever knows the secret, and the broker judges them by the keys that
//! the provider publishes.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use courierflow_tests::stack::Server;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::harness::eventually;
use crate::harness::guarded::{Credentials, Guard, GuardedBroker, Refused, jaas};

const ISSUER: &str = "https://provider.test";
const AUDIENCE: &str = "kafka";
const CLIENT: &str = "courierflow";
const SECRET: &str = "right-secret";
/// The provider signs tokens of this client with a key that it does not publish.
const FORGER: &str = "forger";

/// How long a token is good, so that services need several during the test. The broker ends sessions with their tokens.
const SECONDS: u64 = 10;

struct Provider {
    url: String,
    keys: Arc<Keys>,
    /// Ends the server when it is dropped.
    _runtime: Runtime,
}

struct Keys {
    published: PKey<Private>,
    hidden: PKey<Private>,
    /// Tokens given to [`CLIENT`].
    given: AtomicU64,
}

impl Provider {
    fn start() -> Self {
        let key = || PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let keys = Arc::new(Keys {
            published: key(),
            hidden: key(),
            given: AtomicU64::new(0),
        });
        let routes = Router::new()
            .route("/token", post(give_token))
            .route("/keys", get(publish_keys))
            .with_state(Arc::clone(&keys));
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Self {
            url,
            keys,
            _runtime: runtime,
        }
    }

    fn given(&self) -> u64 {
        self.keys.given.load(Ordering::Relaxed)
    }

    fn client(&self, id: &str, secret: &str) -> Credentials {
        Credentials::new([
            ("sasl.mechanism", "OAUTHBEARER"),
            ("sasl.oauthbearer.method", "oidc"),
            ("sasl.oauthbearer.client.id", id),
            ("sasl.oauthbearer.client.secret", secret),
            ("sasl.oauthbearer.scope", "kafka"),
            ("sasl.oauthbearer.token.endpoint.url", &format!("{}/token", self.url)),
        ])
    }

    fn broker(&self, name: &str) -> GuardedBroker {
        const OAUTH: &str = "org.apache.kafka.common.security.oauthbearer";
        let keys = format!("{}/keys", self.url);
        GuardedBroker::start(name, &Server::ALL, |_| Guard {
            mechanisms: "OAUTHBEARER",
            host: "127.0.0.1",
            properties: format!(
                "{}listener.name.guarded.oauthbearer.sasl.server.callback.handler.class={OAUTH}.OAuthBearerValidatorCallbackHandler\n\
                 listener.name.guarded.oauthbearer.connections.max.reauth.ms={}\n\
                 sasl.oauthbearer.jwks.endpoint.url={keys}\n\
                 sasl.oauthbearer.expected.issuer={ISSUER}\n\
                 sasl.oauthbearer.expected.audience={AUDIENCE}\n",
                jaas("oauthbearer", &format!("{OAUTH}.OAuthBearerLoginModule"), ""),
                SECONDS * 1000,
            ),
            jvm: format!("-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys}"),
            source: None,
        })
    }
}

/// The grant of client credentials (RFC 6749, 4.4), with the client in the header `Authorization`.
async fn give_token(State(keys): State<Arc<Keys>>, headers: HeaderMap, body: String) -> (StatusCode, Json<Value>) {
    let is_grant = form_urlencoded::parse(body.as_bytes())
        .any(|(name, value)| name == "grant_type" && value == "client_credentials");
    let client = [CLIENT, FORGER].into_iter().find(|client| {
        let expected = format!("Basic {}", STANDARD.encode(format!("{client}:{SECRET}")));
        headers.get(AUTHORIZATION).is_some_and(|given| given == &expected)
    });
    let Some(client) = client.filter(|_| is_grant) else {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_client"})));
    };
    keys.given.fetch_add(u64::from(client == CLIENT), Ordering::Relaxed);
    let token = json!({"access_token": keys.token(client), "token_type": "Bearer", "expires_in": SECONDS});
    (StatusCode::OK, Json(token))
}

/// A JSON Web Key Set (RFC 7517).
async fn publish_keys(State(keys): State<Arc<Keys>>) -> Json<Value> {
    let rsa = keys.published.rsa().unwrap();
    let number = |number: &openssl::bn::BigNumRef| URL_SAFE_NO_PAD.encode(number.to_vec());
    let key =
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": number(rsa.n()), "e": number(rsa.e())});
    Json(json!({"keys": [key]}))
}

impl Keys {
    fn token(&self, client: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = json!({"alg": "RS256", "typ": "JWT", "kid": "1"});
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": client, "scope": "kafka", "iat": now, "exp": now + SECONDS,
        });
        let text = format!("{}.{}", part(&head), part(&claims));
        let key = if client == FORGER {
            &self.hidden
        } else {
            &self.published
        };
        let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
        let signature = signer.sign_oneshot_to_vec(text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

#[test]
#[ignore = "needs builds of the services with the feature oidc: ./dev kafka-auth"]
fn signed_tokens_of_a_provider_let_us_in_and_are_renewed() {
    let provider = Provider::start();
    let broker = provider.broker("kafka-auth-openid");
    broker.assert_pushes_become_rows(&provider.client(CLIENT, SECRET), || {
        // Every client of both services has begun with one token and has gone on with others.
        let begun = provider.given();
        eventually("the tokens are renewed", || {
            let given = provider.given();
            if given >= 3 * begun {
                Ok(())
            } else {
                Err(format!("{given} tokens were given"))
            }
        });
    });
    for (name, id, secret, key, words) in [
        (
            "wrong-secret",
            CLIENT,
            "wrong-secret",
            "kafka.properties.sasl.oauthbearer.token.endpoint.url",
            "invalid_client",
        ),
        (
            "forged",
            FORGER,
            SECRET,
            "kafka.properties.sasl.oauthbearer.client.id",
            "invalid_token",
        ),
    ] {
        broker.assert_refuses(
            name,
            &provider.client(id, secret),
            &Refused { key, words },
            &[SECRET, "wrong-secret"],
        );
    }
}
