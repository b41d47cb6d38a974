//! Tokens of Amazon MSK's IAM. No broker of Amazon is here: `tests/java/AmazonMsk.java` judges them in ours, by AWS's description of the
//! signature. The credentials come from a program, as one of AWS's sources, and are good for seconds.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use courierflow_tests::stack::{Server, Stack};

use crate::harness::eventually;
use crate::harness::guarded::{Credentials, Guard, GuardedBroker, Refused, jaas};

const SECRET: &str = "right-secret";
/// How long credentials are good, and with them a token. The broker ends sessions with their tokens.
const SECONDS: u32 = 20;

fn start(name: &str) -> GuardedBroker {
    GuardedBroker::start(name, &Server::ALL, |_| Guard {
        mechanisms: "OAUTHBEARER",
        host: "127.0.0.1",
        properties: format!(
            "{}listener.name.guarded.oauthbearer.sasl.server.callback.handler.class=AmazonMsk\n\
             listener.name.guarded.oauthbearer.connections.max.reauth.ms={}\n\
             test.aws.secret={SECRET}\n\
             test.aws.seconds={SECONDS}\n",
            jaas(
                "oauthbearer",
                "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule",
                ""
            ),
            SECONDS * 1000,
        ),
        jvm: String::new(),
        source: Some("AmazonMsk.java"),
    })
}

/// A profile of AWS whose credentials come from a program.
fn profile(broker: &GuardedBroker, name: &str, secret: &str) -> Credentials {
    let (program, config) = (
        broker.stack.dir().join(format!("{name}.sh")),
        broker.stack.dir().join(format!("{name}.config")),
    );
    let text = format!(
        "#!/bin/sh\n\
         end=$(date -u -d '+{SECONDS} seconds' +%Y-%m-%dT%H:%M:%SZ)\n\
         printf '{{\"Version\":1,\"AccessKeyId\":\"AKIDEXAMPLE\",\"SecretAccessKey\":\"{secret}\",\
         \"SessionToken\":\"session/of+test=\",\"Expiration\":\"%s\"}}' \"$end\"\n"
    );
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(
        &config,
        format!("[default]\ncredential_process = {}\n", program.display()),
    )
    .unwrap();
    of_amazon(&config.display().to_string())
}

/// No source but this file of profiles.
fn of_amazon(config: &str) -> Credentials {
    Credentials::default().environment([
        ("COURIERFLOW__KAFKA__AWS_MSK_IAM_REGION", "eu-west-1"),
        ("AWS_CONFIG_FILE", config),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ])
}

fn broker_log(broker: &GuardedBroker) -> String {
    fs::read_to_string(broker.stack.dir().join("log/kafka.log")).unwrap()
}

/// When the tokens that were taken had been made.
fn taken(broker: &GuardedBroker) -> BTreeSet<String> {
    let log = broker_log(broker);
    let lines = log
        .lines()
        .filter_map(|line| line.strip_prefix("AmazonMsk takes a token of "));
    lines.map(str::to_owned).collect()
}

#[test]
#[ignore = "needs builds of the services with the feature msk-iam: ./dev kafka-auth"]
fn tokens_of_amazon_let_every_client_in_and_are_renewed() {
    let broker = start("kafka-auth-amazon");
    let credentials = profile(&broker, "right", SECRET);
    broker.assert_pushes_become_rows(&credentials, || {
        // Both services make their own.
        let begun = taken(&broker).len();
        eventually("the tokens are renewed", || {
            let tokens = taken(&broker);
            if tokens.len() >= begun + 4 {
                Ok(())
            } else {
                Err(format!("{tokens:?}"))
            }
        });
    });
    // A client whose token nobody renews would have come with an old one: those for administration and watermarks, which nobody polls.
    let log = broker_log(&broker);
    let refused: Vec<_> = log
        .lines()
        .filter(|line| line.starts_with("AmazonMsk refuses"))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");

    for (name, credentials, words) in [
        (
            "wrong-secret",
            profile(&broker, "wrong", "wrong-secret"),
            "invalid_token",
        ),
        ("no-credentials", of_amazon("/dev/null"), "no AWS credentials"),
    ] {
        let expected = Refused {
            key: "kafka.aws_msk_iam_region",
            words,
        };
        broker.assert_refuses(name, &credentials, &expected, &[SECRET, "wrong-secret"]);
    }
}
