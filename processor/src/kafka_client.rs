//! What the Kafka clients of the processor have in common.

use courierflow_schemas::settings::KafkaSettings;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

/// Sets what the configuration says about all clients. What is set afterwards, a user cannot change.
pub(crate) fn configure(client: &mut ClientConfig, kafka: &KafkaSettings) {
    for (name, value) in kafka.client_properties() {
        client.set(name, value);
    }
}

/// A line of a client's own log; `table` tells the consumers of the sink apart.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str, table: Option<&'static str>) {
    use RDKafkaLogLevel::{Alert, Critical, Debug, Emerg, Error, Info, Notice, Warning};
    match level {
        Emerg | Alert | Critical | Error | Warning => {
            tracing::warn!(target: "librdkafka", table, facility, message);
        }
        Notice | Info => tracing::info!(target: "librdkafka", table, facility, message),
        Debug => tracing::debug!(target: "librdkafka", table, facility, message),
    }
}
