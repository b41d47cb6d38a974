//! Brokers that ask who we are. A broker with a listener for SASL is asked by each mechanism, with what is right and with what is wrong.
//! What needs other builds of the services is in [`super::kafka_auth`].

use std::process::Command;

use courierflow_tests::stack::{Server, Stack};

use crate::harness::guarded::{Credentials, Guard, GuardedBroker, Refused, jaas};

const USER: &str = "courierflow";
const PASSWORD: &str = "right-password";
const SECRETS: [&str; 2] = [PASSWORD, "wrong-password"];

fn start(name: &str) -> GuardedBroker {
    const SECURITY: &str = "org.apache.kafka.common.security";
    let plain = format!(" user_{USER}=\"{PASSWORD}\"");
    let broker = GuardedBroker::start(name, &[Server::Kafka], |_| Guard {
        mechanisms: "PLAIN,SCRAM-SHA-256,OAUTHBEARER",
        host: "127.0.0.1",
        properties: [
            jaas("plain", &format!("{SECURITY}.plain.PlainLoginModule"), &plain),
            jaas("scram-sha-256", &format!("{SECURITY}.scram.ScramLoginModule"), ""),
            // Tokens that nobody has signed are good: Kafka's own handler for development.
            jaas(
                "oauthbearer",
                &format!("{SECURITY}.oauthbearer.OAuthBearerLoginModule"),
                " unsecuredLoginStringClaim_sub=\"broker\"",
            ),
        ]
        .concat(),
        jvm: String::new(),
        source: None,
    });
    add_scram_user(&broker);
    broker
}

/// SCRAM's users are in the cluster's metadata.
fn add_scram_user(broker: &GuardedBroker) {
    let classes = format!("{}/lib/*", broker.stack.kafka_home().unwrap().display());
    let credentials = format!("SCRAM-SHA-256=[password={PASSWORD}]");
    let output = Command::new("java")
        .args(["-cp", &classes, "kafka.admin.ConfigCommand"])
        .args(["--bootstrap-server", &broker.stack.brokers(), "--alter"])
        .args(["--entity-type", "users", "--entity-name", USER])
        .args(["--add-config", &credentials])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn password(mechanism: &str, password: &str) -> Credentials {
    Credentials::new([
        ("sasl.mechanism", mechanism),
        ("sasl.username", USER),
        ("sasl.password", password),
    ])
}

#[test]
fn brokers_let_us_in_by_each_mechanism_and_what_they_refuse_is_one_line() {
    let broker = start("sasl");
    let (code, said) = broker.migrate("plain", &password("PLAIN", PASSWORD));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("created topic courier.push.v1"), "{said}");
    let (code, said) = broker.migrate("scram", &password("SCRAM-SHA-256", PASSWORD));
    assert_eq!((code, said.contains("nothing to change")), (Some(0), true), "{said}");
    let unsecured = Credentials::new([
        ("sasl.mechanism", "OAUTHBEARER"),
        ("enable.sasl.oauthbearer.unsecure.jwt", "true"),
        ("sasl.oauthbearer.config", "principal=courierflow"),
    ]);
    let (code, said) = broker.migrate("oauthbearer", &unsecured);
    assert_eq!((code, said.contains("nothing to change")), (Some(0), true), "{said}");

    for (name, credentials, key, words) in [
        (
            "wrong-password",
            password("PLAIN", "wrong-password"),
            "kafka.properties.sasl.username",
            "Authentication failed: Invalid username or password",
        ),
        (
            "wrong-scram",
            password("SCRAM-SHA-256", "wrong-password"),
            "kafka.properties.sasl.username",
            "invalid credentials",
        ),
        (
            "not-of-the-broker",
            password("SCRAM-SHA-512", PASSWORD),
            "kafka.properties.sasl.mechanism",
            "PLAIN",
        ),
        (
            "not-there",
            password("SCRAM-SHA-1", PASSWORD),
            "kafka.properties.sasl.mechanism",
            "this build has PLAIN",
        ),
        (
            "no-user",
            Credentials::new([("sasl.mechanism", "PLAIN")]),
            "kafka.properties",
            "sasl.username",
        ),
        (
            "no-mechanism",
            Credentials::new([("sasl.username", USER), ("sasl.password", PASSWORD)]),
            "kafka.properties.sasl.mechanism",
            "is missing",
        ),
    ] {
        broker.assert_refuses(name, &credentials, &Refused { key, words }, &SECRETS);
    }
}

#[cfg(not(feature = "oidc"))]
#[test]
fn what_this_build_lacks_is_said_with_the_feature_that_brings_it() {
    let broker = start("sasl-features");
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
        let (code, said) = broker.migrate(name, &Credentials::new(properties));
        assert_eq!((code, said.contains(words)), (Some(2), true), "{name}: {said}");
    }
}
