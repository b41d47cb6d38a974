//! Whether the brokers will let us in: what the configuration says of it, checked against what this build can do, and one look at
//! the brokers at start. Otherwise a wrong mechanism or password would show as time-outs.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use courierflow_schemas::settings::{KafkaSettings, SettingsError};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use crate::authenticated::{self, Authenticated};
use crate::kafka_client;

/// Brokers that are up answer within this time; one that is away is none of our business here.
const LOOK: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(200);

const MSK_IAM_KEY: &str = "kafka.aws_msk_iam_region";

/// What this build can do, most of it by its librdkafka.
struct Abilities {
    kerberos: bool,
    oidc: bool,
    msk_iam: bool,
}

impl Abilities {
    fn of_this_build() -> Self {
        let features = ClientConfig::new()
            .create_native_config()
            .and_then(|client| client.get("builtin.features"));
        let features = features.unwrap_or_default();
        let has = |name| {
            features
                .split(',')
                .any(|feature| feature.trim_end_matches('\0') == name)
        };
        Self {
            kerberos: has("sasl_gssapi"),
            oidc: has("oidc"),
            msk_iam: cfg!(feature = "msk-iam"),
        }
    }

    fn mechanisms(&self) -> Vec<&'static str> {
        let mut mechanisms = vec!["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];
        mechanisms.extend(self.kerberos.then_some("GSSAPI"));
        mechanisms
    }
}

/// Checks the properties by which we authenticate. Nothing is connected.
pub(crate) fn check_properties(kafka: &KafkaSettings) -> Result<(), SettingsError> {
    judge(kafka, &Abilities::of_this_build())
}

fn judge(kafka: &KafkaSettings, can: &Abilities) -> Result<(), SettingsError> {
    const MECHANISM: &str = "sasl.mechanism";
    if kafka.aws_msk_iam_region.is_some() && !can.msk_iam {
        return Err(SettingsError::key(MSK_IAM_KEY, "needs a build with --features msk-iam"));
    }
    let property = |name: &str| kafka.properties.get(name).map(String::as_str);
    let wrong = |name: &str, reason: String| Err(SettingsError::key(format!("kafka.properties.{name}"), reason));
    let mechanism = property(MECHANISM).or_else(|| property("sasl.mechanisms"));
    let protocol = property("security.protocol").unwrap_or("plaintext");
    if !protocol.to_ascii_lowercase().starts_with("sasl_") {
        return match mechanism {
            Some(_) => wrong(
                "security.protocol",
                format!("is {protocol:?}, so nobody authenticates by {MECHANISM}: it needs SASL_SSL or SASL_PLAINTEXT"),
            ),
            None => Ok(()),
        };
    }
    let has = format!("this build has {}", can.mechanisms().join(", "));
    let Some(mechanism) = mechanism else {
        return wrong(
            MECHANISM,
            format!("is missing, and security.protocol is {protocol:?}; {has}"),
        );
    };
    if mechanism == "GSSAPI" && !can.kerberos {
        return wrong(
            MECHANISM,
            format!("GSSAPI (Kerberos) needs a build with --features kerberos; {has}"),
        );
    }
    if !can.mechanisms().contains(&mechanism) {
        let hint = match mechanism {
            "AWS_MSK_IAM" => "; for this one of Amazon MSK set kafka.aws_msk_iam_region, and no mechanism",
            _ => "",
        };
        return wrong(MECHANISM, format!("there is no {mechanism:?}; {has}{hint}"));
    }
    if mechanism == "OAUTHBEARER" && kafka.aws_msk_iam_region.is_none() {
        return judge_tokens(&property, can);
    }
    Ok(())
}

/// Where the tokens of OAUTHBEARER come from.
fn judge_tokens<'k>(property: &dyn Fn(&str) -> Option<&'k str>, can: &Abilities) -> Result<(), SettingsError> {
    const METHOD: &str = "sasl.oauthbearer.method";
    let wrong = |reason: &str| Err(SettingsError::key(format!("kafka.properties.{METHOD}"), reason));
    let is_oidc = property(METHOD).is_some_and(|method| method.eq_ignore_ascii_case("oidc"));
    let is_unsecured = property("enable.sasl.oauthbearer.unsecure.jwt") == Some("true");
    match (is_oidc, is_unsecured) {
        (true, _) if !can.oidc => wrong("oidc needs a build with --features oidc"),
        (true, _) | (_, true) => Ok(()),
        (false, false) => wrong(
            "must be oidc, with sasl.oauthbearer.token.endpoint.url, sasl.oauthbearer.client.id and \
             sasl.oauthbearer.client.secret: OAUTHBEARER has no other source of tokens",
        ),
    }
}

/// Looks once whether the brokers take what we authenticate with. If none of them answers, that is no error: services wait for them.
/// Where nobody authenticates, nothing is looked at. It blocks.
pub fn look(kafka: &KafkaSettings) -> Result<(), SettingsError> {
    check_properties(kafka)?;
    let protocol = kafka.properties.get("security.protocol").map(String::as_str);
    if protocol.is_none_or(|protocol| protocol.eq_ignore_ascii_case("plaintext")) {
        return Ok(());
    }
    #[cfg(feature = "msk-iam")]
    crate::msk_iam::wait_for_token(kafka)?;
    let mut client = ClientConfig::new();
    kafka_client::configure(&mut client, kafka);
    client.set("allow.auto.create.topics", "false");
    let client: Authenticated<BaseProducer<Visitor>> =
        authenticated::create_with_context(&client, Visitor::new(Credentials::of(kafka)))
            .map_err(|error| kafka_client::wrong_property(&error))?;
    let begun = Instant::now();
    loop {
        let is_in = client.client().fetch_metadata(None, STEP).is_ok();
        // Errors are told while it polls.
        client.poll(Duration::ZERO);
        let refusal = client.context().refusal();
        match refusal {
            _ if is_in => return Ok(()),
            // Over TLS a broker that is just starting may break off, too.
            Some(refusal) if refusal.is_final || begun.elapsed() >= LOOK => return Err(refusal.told()),
            None if begun.elapsed() >= LOOK => return Ok(()),
            _ => {}
        }
    }
}

/// What we say who we are by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Credentials {
    Password,
    Certificate,
    /// Of a provider.
    Token,
    MskIam,
    Ticket,
}

impl Credentials {
    fn of(kafka: &KafkaSettings) -> Self {
        let property = |name: &str| kafka.properties.get(name).map(String::as_str);
        let mechanism = property("sasl.mechanism").or_else(|| property("sasl.mechanisms"));
        match mechanism {
            _ if kafka.aws_msk_iam_region.is_some() => Self::MskIam,
            Some("OAUTHBEARER") => Self::Token,
            Some("GSSAPI") => Self::Ticket,
            Some(_) => Self::Password,
            None => Self::Certificate,
        }
    }

    /// The key that is wrong if brokers do not know us.
    fn key(self) -> &'static str {
        match self {
            Self::Password => "kafka.properties.sasl.username",
            Self::Certificate => "kafka.properties.security.protocol",
            Self::Token => "kafka.properties.sasl.oauthbearer.client.id",
            Self::MskIam => MSK_IAM_KEY,
            Self::Ticket => "kafka.properties.sasl.kerberos.principal",
        }
    }
}

/// Notes why it is not let in.
struct Visitor {
    credentials: Credentials,
    refusal: Mutex<Option<Refusal>>,
}

#[derive(Clone, Debug)]
struct Refusal {
    key: &'static str,
    reason: String,
    is_final: bool,
}

impl Refusal {
    fn of(error: &KafkaError, reason: &str, credentials: Credentials) -> Option<Self> {
        let key = match error {
            KafkaError::Global(RDKafkaErrorCode::Authentication)
                if credentials == Credentials::Token && reason.contains("OAUTHBEARER token") =>
            {
                "kafka.properties.sasl.oauthbearer.token.endpoint.url"
            }
            KafkaError::Global(RDKafkaErrorCode::Authentication) if reason.contains("mechanism handshake failed") => {
                "kafka.properties.sasl.mechanism"
            }
            KafkaError::Global(RDKafkaErrorCode::Authentication) => credentials.key(),
            KafkaError::Global(RDKafkaErrorCode::SSL) => "kafka.properties.security.protocol",
            _ => return None,
        };
        Some(Self {
            key,
            // One line.
            reason: reason.split_whitespace().collect::<Vec<_>>().join(" "),
            is_final: !matches!(error, KafkaError::Global(RDKafkaErrorCode::SSL)),
        })
    }

    fn told(self) -> SettingsError {
        SettingsError::key(self.key, format!("the brokers do not let us in: {}", self.reason))
    }
}

impl Visitor {
    fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            refusal: Mutex::new(None),
        }
    }

    fn refusal(&self) -> Option<Refusal> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Visitor {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // What matters of it comes as an error, too.
        tracing::debug!(target: "librdkafka", ?level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(refusal) = Refusal::of(&error, reason, self.credentials) {
            *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
        }
    }
}

impl ProducerContext for Visitor {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Abilities = Abilities {
        kerberos: true,
        oidc: true,
        msk_iam: true,
    };
    const USUAL: Abilities = Abilities {
        kerberos: false,
        oidc: false,
        msk_iam: false,
    };

    fn told(properties: &[(&str, &str)], can: &Abilities) -> String {
        let properties = properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let kafka = KafkaSettings {
            properties: properties.collect(),
            ..KafkaSettings::default()
        };
        judge(&kafka, can)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn what_cannot_let_us_in_is_named_with_what_could() {
        const SASL: (&str, &str) = ("security.protocol", "SASL_SSL");
        let mechanism = |name| ("sasl.mechanism", name);
        let oidc = ("sasl.oauthbearer.method", "OIDC");
        for (properties, can, key, words) in [
            (vec![], &USUAL, "", ""),
            (vec![("security.protocol", "ssl")], &USUAL, "", ""),
            (vec![SASL, mechanism("PLAIN")], &USUAL, "", ""),
            (vec![SASL, ("sasl.mechanisms", "SCRAM-SHA-512")], &USUAL, "", ""),
            (vec![SASL, mechanism("GSSAPI")], &ALL, "", ""),
            (vec![SASL, mechanism("OAUTHBEARER"), oidc], &ALL, "", ""),
            (
                vec![
                    SASL,
                    mechanism("OAUTHBEARER"),
                    ("enable.sasl.oauthbearer.unsecure.jwt", "true"),
                ],
                &USUAL,
                "",
                "",
            ),
            (vec![mechanism("PLAIN")], &USUAL, "security.protocol", "needs SASL_SSL"),
            (
                vec![SASL],
                &USUAL,
                "sasl.mechanism",
                "is missing, and security.protocol is \"SASL_SSL\"; this build has PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER",
            ),
            (
                vec![SASL, mechanism("GSSAPI")],
                &USUAL,
                "sasl.mechanism",
                "--features kerberos; this build has PLAIN",
            ),
            (
                vec![SASL, mechanism("SCRAM-SHA-1")],
                &ALL,
                "sasl.mechanism",
                "no \"SCRAM-SHA-1\"; this build has PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, GSSAPI",
            ),
            (
                vec![SASL, mechanism("AWS_MSK_IAM")],
                &ALL,
                "sasl.mechanism",
                "set kafka.aws_msk_iam_region",
            ),
            (
                vec![SASL, mechanism("OAUTHBEARER"), oidc],
                &USUAL,
                "sasl.oauthbearer.method",
                "--features oidc",
            ),
            (
                vec![SASL, mechanism("OAUTHBEARER")],
                &ALL,
                "sasl.oauthbearer.method",
                "must be oidc",
            ),
        ] {
            let error = told(&properties, can);
            assert_eq!(error.is_empty(), key.is_empty(), "{properties:?}: {error}");
            assert!(error.contains(words), "{properties:?}: {error}");
            if !key.is_empty() {
                assert!(error.contains(&format!("kafka.properties.{key}: ")), "{error}");
            }
        }
    }

    #[test]
    fn this_build_has_what_its_features_say() {
        let can = Abilities::of_this_build();
        assert_eq!(can.kerberos, cfg!(feature = "kerberos"));
        assert_eq!(can.oidc, cfg!(feature = "oidc"));
    }

    #[test]
    fn tokens_of_amazon_need_a_region_and_a_build_that_makes_them() {
        let mut kafka = KafkaSettings {
            aws_msk_iam_region: Some("eu-west-1".to_owned()),
            ..KafkaSettings::default()
        };
        kafka.complete().unwrap();
        assert!(judge(&kafka, &ALL).is_ok());
        let error = judge(&kafka, &USUAL).unwrap_err().to_string();
        assert!(
            error.contains("kafka.aws_msk_iam_region: needs a build with --features msk-iam"),
            "{error}"
        );
    }

    /// Port 9 (discard) is closed on any sane machine.
    #[test]
    fn brokers_that_are_away_are_no_error() {
        let properties = [
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.username", "somebody"),
            ("sasl.password", "hush"),
        ];
        let kafka = KafkaSettings {
            brokers: "127.0.0.1:9".to_owned(),
            properties: properties
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..KafkaSettings::default()
        };
        assert!(look(&kafka).is_ok());
    }

    #[test]
    fn a_missing_password_is_said_at_once() {
        let properties = [("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "PLAIN")];
        let kafka = KafkaSettings {
            properties: properties
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..KafkaSettings::default()
        };
        let error = look(&kafka).unwrap_err().to_string();
        assert!(error.contains("sasl.username"), "{error}");
    }
}
