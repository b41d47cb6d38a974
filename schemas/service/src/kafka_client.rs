//! What the Kafka clients of both services have in common: the properties of the configuration file, and their log.

use courierflow_schemas::settings::{KafkaSettings, SettingsError};
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use crate::kafka_access;

/// Sets the properties of the configuration. Properties that are set afterwards cannot be changed by a user.
pub fn configure(client: &mut ClientConfig, kafka: &KafkaSettings) {
    for (name, value) in kafka.client_properties() {
        client.set(name, value);
    }
}

/// Checks that the client knows all properties and accepts their values, and that this build can authenticate by them.
pub fn check(kafka: &KafkaSettings) -> Result<(), SettingsError> {
    kafka_access::check_properties(kafka)?;
    let mut client = ClientConfig::new();
    configure(&mut client, kafka);
    client
        .create_native_config()
        .map(drop)
        .map_err(|error| wrong_property(&error))
}

/// The error for a client that could not be created. It names the property without its value, which may be a
/// password.
pub fn wrong_property(error: &KafkaError) -> SettingsError {
    match error {
        KafkaError::ClientConfig(code, _, name, _) => {
            SettingsError::kafka_property(name, *code != RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN)
        }
        error => SettingsError::key("kafka.properties", error.to_string()),
    }
}

/// Writes a line of librdkafka's log to ours; `table` identifies a consumer of the sink.
pub fn log(level: RDKafkaLogLevel, facility: &str, message: &str, table: Option<&'static str>) {
    use RDKafkaLogLevel::{Alert, Critical, Debug, Emerg, Error, Info, Notice, Warning};
    match level {
        Emerg | Alert | Critical | Error | Warning => {
            tracing::warn!(target: "librdkafka", table, facility, message);
        }
        Notice | Info => tracing::info!(target: "librdkafka", table, facility, message),
        Debug => tracing::debug!(target: "librdkafka", table, facility, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_property_is_named_without_its_value() {
        let refused = |name: &str| {
            let properties = [(name.to_owned(), "hush".to_owned())].into();
            let kafka = KafkaSettings {
                properties,
                ..KafkaSettings::default()
            };
            check(&kafka).err().map(|error| error.to_string()).unwrap_or_default()
        };
        for name in ["sasl.passwort", "security.protocol", "socket.timeout.ms"] {
            let error = refused(name);
            assert!(error.contains(&format!("kafka.properties.{name}")), "{error}");
            assert!(!error.contains("hush"), "{error}");
        }
        assert_eq!(refused("sasl.password"), "");
    }
}
