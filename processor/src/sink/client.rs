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

/// The client of the sink. `timeout` is the sink's own time-out of an insert: a server that continued after it would do
/// the work twice.
pub fn insert_client(settings: &ClickHouseSettings, timeout: Duration) -> Client {
    client(settings)
        .with_database(&settings.database)
        // The default is 1 since 26.x. A batch already is one block; buffering it again would only delay the answer.
        .with_setting("async_insert", "0")
        // In case a profile of the server forces async_insert: the answer must still mean "stored".
        .with_setting("wait_for_async_insert", "1")
        // Replicated tables drop a retried batch, because it is the same block. No deduplication token is set: after
        // a rebalance a token could come with other rows, which would then be lost.
        .with_setting("insert_deduplicate", "1")
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
