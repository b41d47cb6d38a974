//! Brokers that ask who we are. A broker with a listener for SASL is asked by each mechanism, with what is right and with what is wrong.

use std::path::PathBuf;
use std::process::Command;

use courierflow_tests::stack::{BrokerSettings, Launch, LocalStack, Server, Stack};

use crate::harness::{PATIENCE, processor};

const USER: &str = "courierflow";
const PASSWORD: &str = "right-password";

/// A broker that takes anybody at its usual listener, and at the other one only whom it knows.
struct Broker {
    stack: LocalStack,
    /// `host:port` of the other listener.
    guarded: String,
}

impl Broker {
    fn start(name: &str) -> Self {
        let mut port = 0;
        let stack = LocalStack::start_with(name, &[Server::Kafka], |stack| {
            port = stack.reserve_port()?;
            Ok(BrokerSettings {
                properties: properties(&stack.listeners(), port),
                classes: None,
            })
        });
        let broker = Self {
            stack: stack.unwrap(),
            guarded: format!("127.0.0.1:{port}"),
        };
        broker.add_scram_user();
        broker
    }

    /// A file with properties of the client.
    fn client(&self, properties: &[(&str, &str)]) -> PathBuf {
        let lines = properties.iter().map(|(name, value)| format!("{name}={value}\n"));
        let text = format!("security.protocol=SASL_PLAINTEXT\n{}", lines.collect::<String>());
        let file = self.stack.dir().join("client.properties");
        std::fs::write(&file, text).unwrap();
        file
    }

    fn guarded(&self, launch: Launch, properties: &[(&str, &str)]) -> Launch {
        launch.env("COURIERFLOW__KAFKA__BROKERS", &self.guarded).env(
            "COURIERFLOW__KAFKA__PROPERTIES_FILE",
            self.client(properties).display().to_string(),
        )
    }

    /// Exit code and log.
    fn run(&self, launch: &Launch, name: &str) -> (Option<i32>, String) {
        let mut service = launch.start(name, &self.stack).unwrap();
        let status = service.wait(PATIENCE).unwrap();
        (status.code(), service.log().unwrap())
    }

    fn migrate(&self, name: &str, properties: &[(&str, &str)]) -> (Option<i32>, String) {
        let launch = processor("migrate", &self.stack).arg("--only").arg("topics");
        self.run(&self.guarded(launch, properties), name)
    }

    /// SCRAM's users are in the cluster's metadata.
    fn add_scram_user(&self) {
        let classes = format!("{}/lib/*", self.stack.kafka_home().unwrap().display());
        let credentials = ["SCRAM-SHA-256"].map(|mechanism| format!("{mechanism}=[password={PASSWORD}]"));
        let output = Command::new("java")
            .args(["-cp", &classes, "kafka.admin.ConfigCommand"])
            .args(["--bootstrap-server", &self.stack.brokers(), "--alter"])
            .args(["--entity-type", "users", "--entity-name", USER])
            .args(["--add-config", &credentials.join(",")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

fn properties(listeners: &str, port: u16) -> String {
    const SECURITY: &str = "org.apache.kafka.common.security";
    let login = |mechanism: &str, module: &str, options: &str| {
        format!("listener.name.guarded.{mechanism}.sasl.jaas.config={SECURITY}.{module} required{options};\n")
    };
    let advertised = listeners.split(',').next().unwrap();
    [
        format!("listeners={listeners},GUARDED://127.0.0.1:{port}\n"),
        format!("advertised.listeners={advertised},GUARDED://127.0.0.1:{port}\n"),
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT\n".to_owned(),
        "listener.name.guarded.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,OAUTHBEARER\n".to_owned(),
        login(
            "plain",
            "plain.PlainLoginModule",
            &format!(" user_{USER}=\"{PASSWORD}\""),
        ),
        login("scram-sha-256", "scram.ScramLoginModule", ""),
        // Tokens that nobody has signed are good: Kafka's own handler for development.
        login(
            "oauthbearer",
            "oauthbearer.OAuthBearerLoginModule",
            " unsecuredLoginStringClaim_sub=\"broker\"",
        ),
    ]
    .concat()
}

fn password(mechanism: &'static str, password: &'static str) -> [(&'static str, &'static str); 3] {
    [
        ("sasl.mechanism", mechanism),
        ("sasl.username", USER),
        ("sasl.password", password),
    ]
}

#[test]
fn brokers_let_us_in_by_each_mechanism_and_what_they_refuse_is_one_line() {
    let broker = Broker::start("sasl");
    let (code, said) = broker.migrate("plain", &password("PLAIN", PASSWORD));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("created topic courier.push.v1"), "{said}");
    let (code, said) = broker.migrate("scram", &password("SCRAM-SHA-256", PASSWORD));
    assert_eq!((code, said.contains("nothing to change")), (Some(0), true), "{said}");
    let unsecured = [
        ("sasl.mechanism", "OAUTHBEARER"),
        ("enable.sasl.oauthbearer.unsecure.jwt", "true"),
        ("sasl.oauthbearer.config", "principal=courierflow"),
    ];
    let (code, said) = broker.migrate("oauthbearer", &unsecured);
    assert_eq!((code, said.contains("nothing to change")), (Some(0), true), "{said}");

    for (name, properties, key, words) in [
        (
            "wrong-password",
            password("PLAIN", "wrong-password").to_vec(),
            "sasl.username",
            "Authentication failed: Invalid username or password",
        ),
        (
            "wrong-scram",
            password("SCRAM-SHA-256", "wrong-password").to_vec(),
            "sasl.username",
            "invalid credentials",
        ),
        (
            "not-of-the-broker",
            password("SCRAM-SHA-512", PASSWORD).to_vec(),
            "sasl.mechanism",
            "PLAIN",
        ),
        (
            "not-there",
            password("SCRAM-SHA-1", PASSWORD).to_vec(),
            "sasl.mechanism",
            "this build has PLAIN",
        ),
        ("no-user", vec![("sasl.mechanism", "PLAIN")], "", "sasl.username"),
        (
            "no-mechanism",
            vec![("sasl.username", USER), ("sasl.password", PASSWORD)],
            "sasl.mechanism",
            "is missing",
        ),
    ] {
        let (code, said) = broker.migrate(name, &properties);
        assert_refused(name, code, &said, key, words);
        let ingest = broker.guarded(Launch::ingest(), &properties);
        let (code, said) = broker.run(&ingest, &format!("ingest-{name}"));
        assert_refused(name, code, &said, key, words);
    }
}

/// One line for people, and nothing of a password.
fn assert_refused(name: &str, code: Option<i32>, said: &str, key: &str, words: &str) {
    assert_eq!(code, Some(2), "{name}: {said}");
    let expected = format!(
        "configuration key kafka.properties{}{key}: ",
        if key.is_empty() { "" } else { "." }
    );
    let lines: Vec<&str> = said.lines().filter(|line| line.contains(&expected)).collect();
    assert_eq!(lines.len(), 1, "{name}: {said}");
    assert!(lines[0].contains(words), "{name}: {said}");
    assert!(
        !said.contains(PASSWORD) && !said.contains("wrong-password"),
        "{name}: {said}"
    );
}

#[cfg(not(feature = "oidc"))]
#[test]
fn what_this_build_lacks_is_said_with_the_feature_that_brings_it() {
    let broker = Broker::start("sasl-features");
    for (name, properties, words) in [
        (
            "oidc",
            vec![
                ("sasl.mechanism", "OAUTHBEARER"),
                ("sasl.oauthbearer.method", "oidc"),
                ("sasl.oauthbearer.token.endpoint.url", "http://127.0.0.1:9/token"),
            ],
            "kafka.properties.sasl.oauthbearer.method: oidc needs a build with --features oidc",
        ),
        #[cfg(not(feature = "kerberos"))]
        (
            "kerberos",
            vec![("sasl.mechanism", "GSSAPI")],
            "kafka.properties.sasl.mechanism: GSSAPI (Kerberos) needs a build with --features kerberos",
        ),
    ] {
        let (code, said) = broker.migrate(name, &properties);
        assert_eq!((code, said.contains(words)), (Some(2), true), "{name}: {said}");
    }
}

/// Tokens of an endpoint that speaks OpenID Connect's grant of client credentials.
#[cfg(feature = "oidc")]
mod oidc {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;
    use std::time::{SystemTime, UNIX_EPOCH};

    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    const SECRET: &str = "right-secret";

    /// Gives tokens to whoever knows the secret; ends with the process. Returns its address.
    fn endpoint() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || drop(answer(stream)));
            }
        });
        url
    }

    fn answer(stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let (mut length, mut is_known) = (0, false);
        let right = format!("Basic {}", STANDARD.encode(format!("{USER}:{SECRET}")));
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                if line.trim_end().is_empty() {
                    break;
                }
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap_or(0),
                "authorization" => is_known = value == right,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let is_grant = String::from_utf8_lossy(&body).contains("grant_type=client_credentials");
        let (status, body) = if is_known && is_grant {
            (
                "200 OK",
                json!({"access_token": token(), "token_type": "Bearer", "expires_in": 60}),
            )
        } else {
            ("401 Unauthorized", json!({"error": "invalid_client"}))
        };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        reader.get_mut().write_all(format!("{head}{body}").as_bytes())
    }

    /// A token that is good for ten seconds, so that the clients need several during the test.
    fn token() -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({"sub": USER, "iat": now, "exp": now + 10, "scope": "kafka"});
        format!("{}.{}.", part(json!({"alg": "none"})), part(claims))
    }

    fn client<'a>(url: &'a str, secret: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("sasl.mechanism", "OAUTHBEARER"),
            ("sasl.oauthbearer.method", "oidc"),
            ("sasl.oauthbearer.client.id", USER),
            ("sasl.oauthbearer.client.secret", secret),
            ("sasl.oauthbearer.scope", "kafka"),
            ("sasl.oauthbearer.token.endpoint.url", url),
        ]
    }

    #[test]
    fn tokens_come_from_an_endpoint_and_are_renewed() {
        let broker = Broker::start("sasl-oidc");
        let url = endpoint();
        let (code, said) = broker.migrate("oidc", &client(&url, SECRET));
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("created topic courier.push.v1"), "{said}");
        let (code, said) = broker.migrate("oidc-wrong", &client(&url, "wrong-password"));
        assert_refused(
            "oidc-wrong",
            code,
            &said,
            "sasl.oauthbearer.token.endpoint.url",
            "invalid_client",
        );
    }
}
