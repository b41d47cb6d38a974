//! AWS credentials from where all programs of AWS have them: variables, profiles, the role of a Kubernetes service account, of a container
//! or of a host, in this order. `aws-config` knows them all.

use std::time::Duration;

use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use tokio::runtime::Runtime;

use super::http;

/// For the whole chain, which waits for a host's role even where there is none.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Chain {
    runtime: Runtime,
    chain: DefaultCredentialsChain,
}

impl Chain {
    pub(super) fn new(region: &str) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let region = Region::new(region.to_owned());
        let config = ProviderConfig::without_region()
            .with_region(Some(region.clone()))
            .with_http_client(http::client().map_err(|error| error.to_string())?);
        let chain = DefaultCredentialsChain::builder().configure(config).region(region);
        let chain = runtime.block_on(chain.build());
        Ok(Self { runtime, chain })
    }

    /// It blocks.
    pub(super) fn credentials(&self) -> Result<Credentials, String> {
        let answer = async { tokio::time::timeout(PATIENCE, self.chain.provide_credentials()).await };
        match self.runtime.block_on(answer) {
            Ok(Ok(credentials)) => Ok(credentials),
            Ok(Err(CredentialsError::CredentialsNotLoaded(_))) => {
                Err("no AWS credentials in variables, profiles, or roles of this host".to_owned())
            }
            Ok(Err(error)) => Err(with_sources(&error)),
            Err(_elapsed) => Err(format!("no AWS credentials within {} s", PATIENCE.as_secs())),
        }
    }
}

/// Which of the chain's members failed, and why, is in the sources.
fn with_sources(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
