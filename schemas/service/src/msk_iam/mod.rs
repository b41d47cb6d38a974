//! Tokens of Amazon MSK's IAM for all Kafka clients of a process. It is an OAUTHBEARER token that no provider gives: we make it from
//! our AWS credentials ([`token`]), which come from where AWS's other programs have them ([`credentials`]).
//!
//! librdkafka asks for tokens by an event that whoever polls a client must answer. Half of our clients are not polled: those for
//! administration, of which rdkafka polls another queue, and those that only ask for watermarks or groups. So nobody is asked: one thread
//! ([`Issuer`]) renews the token in time, and gives it to every client that lives.

mod credentials;
mod http;
mod issuer;
mod native;
mod token;

use courierflow_schemas::settings::{KafkaSettings, MSK_IAM_REGION, OAUTHBEARER_CONFIG, SettingsError};
use rdkafka::ClientConfig;
use rdkafka::types::RDKafka;

use self::issuer::Issuer;
pub(crate) use self::issuer::Renewal;

/// Waits until there is a token, or a reason why there is none.
pub(crate) fn wait_for_token(kafka: &KafkaSettings) -> Result<(), SettingsError> {
    let Some(region) = &kafka.aws_msk_iam_region else {
        return Ok(());
    };
    let issued = Issuer::of(region).wait_until_issued();
    issued.map_err(|reason| SettingsError::key("kafka.aws_msk_iam_region", format!("there is no token: {reason}")))
}

/// Gives tokens to a client, if it wants these, until the answer is dropped, which must be before the client is.
pub(crate) fn renew(config: &ClientConfig, client: *mut RDKafka) -> Option<Renewal> {
    let region = config.get(OAUTHBEARER_CONFIG)?.strip_prefix(MSK_IAM_REGION)?;
    Some(Issuer::of(region).renew(client))
}
