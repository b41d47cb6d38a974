//! The ClickHouse client: address, user, and every setting whose default differs between versions or would be wrong here.

use std::time::Duration;

use clickhouse::Client;
use courierflow_schemas::settings::Secret;

use crate::config::{ClickHouseSettings, Compression};

/// Identifies us in `system.query_log`.
const PRODUCT: &str = "courierflow-processor";

/// A client without a database: `migrate` creates it.
pub fn client(settings: &ClickHouseSettings) -> Client {
    Client::default()
        .with_url(&settings.url)
        .with_user(&settings.user)
        .with_password(settings.password.as_ref().map_or("", Secret::expose))
        .with_product_info(PRODUCT, env!("CARGO_PKG_VERSION"))
        .with_compression(match settings.compression {
            Compression::Lz4 => clickhouse::Compression::Lz4,
            Compression::None => clickhouse::Compression::None,
        })
}

/// The client of the sink. `timeout` is the sink's own: a server that goes on with an insert that was given up would do
/// the work twice.
pub fn insert_client(settings: &ClickHouseSettings, timeout: Duration) -> Client {
    client(settings)
        .with_database(&settings.database)
        // 1 by default since 26.x. A batch is one block already; buffering it once more only delays the answer.
        .with_setting("async_insert", "0")
        // Should a profile of the server force async_insert: the answer must still mean "stored".
        .with_setting("wait_for_async_insert", "1")
        // Replicated tables drop a retried batch, which is the same block. No token: a token with another content, as
        // after a rebalance, would lose rows.
        .with_setting("insert_deduplicate", "1")
        // Several versions of a row in one batch are reduced to the newest before they are written.
        .with_setting("optimize_on_insert", "1")
        // A month is a partition; a batch of more than 100 of them (a replay, a wrong clock) cannot be retried smaller.
        .with_setting("max_partitions_per_insert_block", "0")
        // Defaults would turn NULL into 0 and drop columns that the table lacks.
        .with_setting("input_format_null_as_default", "0")
        .with_setting("input_format_skip_unknown_fields", "0")
        // The server compares names and types with its table once more.
        .with_setting("input_format_with_names_use_header", "1")
        .with_setting("input_format_with_types_use_header", "1")
        // The status of the answer is that of the whole insert.
        .with_setting("wait_end_of_query", "1")
        .with_setting("max_execution_time", timeout.as_secs().max(1).to_string())
}
