//! The ClickHouse client: address, user, and every setting whose default differs between versions or would be wrong here.

use std::time::Duration;

use anyhow::Context;
use clickhouse::Client;
use courierflow_schemas::settings::Secret;
use courierflow_schemas::tls::ClientTls;
use hyper_tls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use native_tls::{Certificate, Identity, TlsConnector};

use crate::config::{ClickHouseSettings, Compression};

/// Identifies us in `system.query_log`.
const PRODUCT: &str = "courierflow-processor";

/// As the crate's own client, so that a connection is not used again just when the server closes it (3 s by default).
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(2);
const TCP_KEEPALIVE: Duration = Duration::from_mins(1);

/// A client without a database: `migrate` creates it.
pub fn client(settings: &ClickHouseSettings) -> Client {
    let client = match &settings.tls {
        None => Client::default(),
        Some(tls) => Client::with_http_client(
            hyper_util::client::legacy::Client::builder(TokioExecutor::new())
                .pool_idle_timeout(POOL_IDLE_TIMEOUT)
                .build(https(tls)),
        ),
    };
    let client = settings
        .settings
        .iter()
        .fold(client, |client, (name, value)| client.with_setting(name, value));
    client
        .with_url(&settings.url)
        .with_user(&settings.user)
        .with_password(settings.password.as_ref().map_or("", Secret::expose))
        .with_product_info(PRODUCT, env!("CARGO_PKG_VERSION"))
        .with_compression(match settings.compression {
            Compression::Lz4 => clickhouse::Compression::Lz4,
            Compression::None => clickhouse::Compression::None,
        })
}

fn https(tls: &TlsConnector) -> HttpsConnector<HttpConnector> {
    let mut http = HttpConnector::new();
    http.set_keepalive(Some(TCP_KEEPALIVE));
    http.enforce_http(false);
    HttpsConnector::from((http, tls.clone().into()))
}

/// What the files of `[clickhouse]` say, for connections. Fails if OpenSSL cannot use them.
pub(crate) fn connector(tls: &ClientTls) -> anyhow::Result<TlsConnector> {
    let mut connector = TlsConnector::builder();
    // Those of the file stand instead of the system's.
    connector.disable_built_in_roots(tls.roots().len() > 0);
    for certificate in tls.roots() {
        connector.add_root_certificate(Certificate::from_der(certificate).context("ca_file")?);
    }
    if let Some((chain, key)) = tls.own() {
        connector.identity(Identity::from_pkcs8(chain, key).context("certificate_file and key_file")?);
    }
    Ok(connector.build()?)
}

/// A client whose inserts into replicated tables are answered when a majority of the replicas has them, so that an offset is not
/// committed for rows that die with one disk. Other tables pass over it. `[clickhouse.settings]` may say another number.
pub(crate) fn quorum_client(settings: &ClickHouseSettings) -> Client {
    let client = client(settings);
    if settings.settings.contains_key("insert_quorum") {
        return client;
    }
    client.with_setting("insert_quorum", "auto")
}

/// The client of the sink. `timeout` is the sink's own time-out of an insert: a server that continued after it would do
/// the work twice.
pub fn insert_client(settings: &ClickHouseSettings, timeout: Duration) -> Client {
    quorum_client(settings)
        .with_setting("insert_quorum_timeout", timeout.as_millis().to_string())
        .with_database(&settings.database)
        // The default is 1 since 26.x. A batch already is one block; buffering it again would only delay the answer.
        .with_setting("async_insert", "0")
        // In case a profile of the server forces async_insert: the answer must still mean "stored".
        .with_setting("wait_for_async_insert", "1")
        // Replicated tables would drop a batch that they have had. When its rows are lost on all replicas, Keeper still knows it, and the
        // rows that are read again would be dropped, too. A retried batch changes nothing without it (I4).
        .with_setting("insert_deduplicate", "0")
        // Several versions of a row in one batch are reduced to the newest before they are written.
        .with_setting("optimize_on_insert", "1")
        // Tables are partitioned by month. A batch with more than 100 months (a replay, a wrong clock) would always be
        // refused.
        .with_setting("max_partitions_per_insert_block", "0")
        // The defaults would turn NULL into 0 and ignore columns that the table lacks.
        .with_setting("input_format_null_as_default", "0")
        .with_setting("input_format_skip_unknown_fields", "0")
        // The server checks names and types against its table.
        .with_setting("input_format_with_names_use_header", "1")
        .with_setting("input_format_with_types_use_header", "1")
        // The server answers when the insert is complete, so the status is that of the whole insert.
        .with_setting("wait_end_of_query", "1")
        .with_setting("max_execution_time", timeout.as_secs().max(1).to_string())
}
