//! How Kafka clients are made: all of them here, because some ways to be let in need more than properties for as long as the client lives.

use std::ops::Deref;

use rdkafka::ClientConfig;
use rdkafka::admin::AdminClient;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::producer::{BaseProducer, FutureProducer, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafka;

/// A client that has what the brokers let it in by, now and later.
#[derive(Clone)]
pub struct Authenticated<T> {
    /// Before the client, for fields are dropped in this order: a token must not be given to a client that is gone. Clones of a client
    /// are one client, which is gone with the last of them.
    #[cfg(feature = "msk-iam")]
    _renewal: Option<std::sync::Arc<crate::msk_iam::Renewal>>,
    client: T,
}

impl<T: NativeHandle> Authenticated<T> {
    fn new(config: &ClientConfig, client: T) -> Self {
        #[cfg(not(feature = "msk-iam"))]
        let _ = config;
        Self {
            #[cfg(feature = "msk-iam")]
            _renewal: crate::msk_iam::renew(config, client.handle()).map(Into::into),
            client,
        }
    }
}

/// Nobody can take the client out.
impl<T> Deref for Authenticated<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.client
    }
}

/// Makes a client of this configuration.
pub fn create<T: FromClientConfig + NativeHandle>(config: &ClientConfig) -> KafkaResult<Authenticated<T>> {
    Ok(Authenticated::new(config, T::from_config(config)?))
}

/// Makes a client of this configuration with callbacks of its own.
pub fn create_with_context<C, T>(config: &ClientConfig, context: C) -> KafkaResult<Authenticated<T>>
where
    C: ClientContext,
    T: FromClientConfigAndContext<C> + NativeHandle,
{
    Ok(Authenticated::new(config, T::from_config_and_context(config, context)?))
}

/// A client of librdkafka, of whatever kind.
pub trait NativeHandle {
    /// It is good for as long as the client lives.
    fn handle(&self) -> *mut RDKafka;
}

impl<C: ConsumerContext> NativeHandle for BaseConsumer<C> {
    fn handle(&self) -> *mut RDKafka {
        self.client().native_ptr()
    }
}

impl<C: ProducerContext + 'static> NativeHandle for BaseProducer<C> {
    fn handle(&self) -> *mut RDKafka {
        self.client().native_ptr()
    }
}

impl<C: ProducerContext + 'static> NativeHandle for ThreadedProducer<C> {
    fn handle(&self) -> *mut RDKafka {
        self.client().native_ptr()
    }
}

impl NativeHandle for FutureProducer {
    fn handle(&self) -> *mut RDKafka {
        self.client().native_ptr()
    }
}

impl<C: ClientContext> NativeHandle for AdminClient<C> {
    fn handle(&self) -> *mut RDKafka {
        self.inner().native_ptr()
    }
}
