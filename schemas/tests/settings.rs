//! The configuration file, the environment over it, and errors that name the key.

#![allow(
    clippy::result_large_err,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests; the signature of figment's jail"
)]

use std::path::Path;

use courierflow_schemas::settings::{self, KafkaSettings, RegistrySettings, Secret, SettingsError};
use figment::Jail;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    kafka: KafkaSettings,
    #[serde(default)]
    registry: RegistrySettings,
    #[serde(default)]
    service: Service,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Service {
    rows: u32,
    names: Vec<String>,
}

/// Loads `file` under `environment`.
fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, SettingsError> {
    let mut loaded = None;
    Jail::expect_with(|jail| {
        jail.create_file("courierflow.toml", file)?;
        for (name, value) in environment {
            jail.set_env(name, value);
        }
        loaded = Some(settings::load(Path::new("courierflow.toml")));
        Ok(())
    });
    loaded.expect("the jail ran")
}

fn error(file: &str, environment: &[(&str, &str)]) -> String {
    let text = load(file, environment).expect_err("should be refused").to_string();
    assert!(!text.contains('\n'), "one line: {text}");
    text
}

#[test]
fn the_environment_wins_over_the_file() {
    let file = "[kafka]\nbrokers = \"one:1\"\n[service]\nrows = 1";
    let config = load(
        file,
        &[
            ("COURIERFLOW__KAFKA__BROKERS", "two:2"),
            ("COURIERFLOW__SERVICE__ROWS", "7"),
            ("COURIERFLOW__SERVICE__NAMES", "[a, b]"),
        ],
    )
    .unwrap();
    assert_eq!(config.kafka.brokers, "two:2");
    assert_eq!(config.service.rows, 7);
    assert_eq!(config.service.names, ["a", "b"]);
}

#[test]
fn a_text_may_look_like_a_number() {
    let config = load("", &[("COURIERFLOW__REGISTRY__PASSWORD", "123456")]).unwrap();
    assert_eq!(config.registry.password, Some(Secret::new("123456")));
}

#[test]
fn secrets_are_not_shown() {
    let config = load("[registry]\npassword = \"hush\"", &[]).unwrap();
    assert!(!format!("{config:?}").contains("hush"));
}

#[test]
fn errors_name_the_key_and_the_origin() {
    let wrong = error("[service]\nrows = \"many\"", &[]);
    assert!(
        wrong.contains("service.rows") && wrong.contains("courierflow.toml"),
        "{wrong}"
    );
    let wrong = error("", &[("COURIERFLOW__SERVICE__ROWS", "many")]);
    assert!(
        wrong.to_lowercase().contains("service.rows") && wrong.contains("environment"),
        "{wrong}"
    );
    let unknown = error("[kafka]\nbroker = \"x\"", &[]);
    assert!(unknown.contains("broker"), "{unknown}");
    let unknown = error("", &[("COURIERFLOW__KAFKA__BROKER", "x")]);
    assert!(unknown.contains("broker"), "{unknown}");
    let broken = error("[kafka", &[]);
    assert!(broken.contains("courierflow.toml"), "{broken}");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    for (file, environment, key) in [
        ("[service]\nnames = \"hush\"", None, "service.names"),
        ("[service]\nnames = [[\"hush\"]]", None, "service.names[0]"),
        ("[service]\nrows = \"hush\"", None, "service.rows"),
        ("[registry]\npassword = [\"hush\"]", None, "registry.password"),
        ("kafka = \"hush\"", None, "kafka"),
        ("[registry]\npassword = hush", None, "courierflow.toml"),
        ("", Some(("COURIERFLOW__SERVICE__NAMES", "hush")), "NAMES"),
    ] {
        let text = error(file, environment.as_slice());
        assert!(!text.contains("hush"), "{text}");
        assert!(text.to_lowercase().contains(&key.to_lowercase()), "{text}");
    }
}

#[test]
fn what_the_promises_rest_on_is_not_for_configuration_to_change() {
    let complete = |name: &str| {
        let mut kafka = KafkaSettings {
            properties: [(name.to_owned(), "hush".to_owned())].into(),
            ..KafkaSettings::default()
        };
        kafka.complete().map_err(|error| error.to_string())
    };
    for name in ["acks", "enable.idempotence", "isolation.level", "group.id"] {
        let error = complete(name).unwrap_err();
        assert!(error.contains(&format!("kafka.properties.{name}")), "{error}");
        assert!(!error.contains("hush"), "{error}");
    }
    assert_eq!(complete("sasl.password"), Ok(()));
}

#[test]
fn the_region_of_amazon_msk_stands_for_its_mechanism() {
    let complete = |text: &str| {
        let mut config = load(&format!("[kafka]\n{text}"), &[]).unwrap();
        let checked = config.kafka.complete().map_err(|error| error.to_string());
        checked.map(|()| config.kafka.properties)
    };
    let properties = complete("aws_msk_iam_region = 'cn-north-1'").unwrap();
    let expected = [
        ("sasl.mechanism", "OAUTHBEARER"),
        ("sasl.oauthbearer.config", "aws_msk_iam_region=cn-north-1"),
        ("security.protocol", "SASL_SSL"),
    ];
    assert_eq!(
        properties,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    );
    for (text, words) in [
        ("aws_msk_iam_region = ''", "no name of a region"),
        ("aws_msk_iam_region = 'evil.example/'", "no name of a region"),
        (
            "aws_msk_iam_region = 'eu-west-1'\nproperties = { 'sasl.mechanism' = 'PLAIN' }",
            "sets kafka.properties.sasl.mechanism",
        ),
        (
            "aws_msk_iam_region = 'eu-west-1'\nproperties = { 'sasl.oauthbearer.method' = 'oidc' }",
            "sets kafka.properties.sasl.oauthbearer.method",
        ),
    ] {
        let error = complete(text).unwrap_err();
        assert!(error.contains("key kafka.aws_msk_iam_region: "), "{error}");
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn the_registry_is_told_one_name() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "t").unwrap();
    let file = format!("token_file = '{}'", file.display());
    for (text, key) in [
        (file.as_str(), None),
        ("token = 'hush'", None),
        ("user = 'me'\npassword = 'hush'", None),
        ("[registry.headers]\ntarget-sr-cluster = 'lsrc-1'", None),
        ("token = 'hush'\nuser = 'me'", Some("registry.user")),
        (&format!("token = 'hush'\n{file}"), Some("registry.token")),
        ("token_file = '/no/such'", Some("registry.token_file")),
        ("[registry.headers]\n'a b' = 'hush'", Some("registry.headers.a b")),
    ] {
        let mut config = load(&format!("[registry]\n{text}"), &[]).unwrap();
        let checked = config.registry.complete().map_err(|error| error.to_string());
        match (checked, key) {
            (Ok(()), None) => {}
            (Err(said), Some(key)) => assert!(
                said.contains(&format!("key {key}: ")) && !said.contains("hush"),
                "{said}"
            ),
            (checked, _) => panic!("{text}: {checked:?}"),
        }
    }
}

#[test]
fn addresses_have_a_host_and_no_password() {
    for (url, reason) in [
        ("http://registry:8082/apis", None),
        ("https://[::1]/x@y", None),
        ("registry:8082", Some("http://")),
        ("ftp://registry", Some("http://")),
        ("http://", Some("host")),
        ("http://:8082/", Some("host")),
        ("http://me:hush@registry:8082", Some("password")),
    ] {
        let checked = settings::check_http_url("registry.url", url).map_err(|error| error.to_string());
        match (checked, reason) {
            (Ok(()), None) => {}
            (Err(text), Some(reason)) => {
                assert!(
                    text.contains(reason) && text.contains("registry.url") && !text.contains("hush"),
                    "{text}"
                );
            }
            (checked, _) => panic!("{url}: {checked:?}"),
        }
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = settings::load::<Config>(Path::new("no/such.toml"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("no/such.toml"), "{error}");
}
