//! Tables as a user sees them: SQL over HTTP.

use courierflow_tests::stack::Stack;
use serde_json::Value;

/// The rows of a query, or what ClickHouse says.
pub(crate) fn try_rows(stack: &dyn Stack, sql: &str) -> Result<Vec<Value>, String> {
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(std::time::Duration::from_secs(30)))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .new_agent();
    let url = format!("{}/?output_format_json_quote_64bit_integers=0", stack.clickhouse_url());
    let mut response = agent
        .post(url)
        .send(format!("{sql}\nFORMAT JSONEachRow"))
        .map_err(|error| error.to_string())?;
    let text = response
        .body_mut()
        .read_to_string()
        .map_err(|error| error.to_string())?;
    if response.status() != 200 {
        return Err(text);
    }
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(|error| format!("{error} in {line}")))
        .collect()
}

/// The rows of a query that must succeed.
pub(crate) fn rows(stack: &dyn Stack, sql: &str) -> Vec<Value> {
    try_rows(stack, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The one number that a query gives.
pub(crate) fn number(stack: &dyn Stack, sql: &str) -> u64 {
    let rows = rows(stack, &format!("SELECT toUInt64(({sql})) AS number"));
    rows[0]["number"].as_u64().expect("a number")
}

/// The newest shipment row of a tracking number, once its version is what it should be.
pub(crate) fn shipment_sql(number: &str) -> String {
    format!("SELECT * FROM courier.shipment FINAL WHERE tracking_number = '{number}' ORDER BY carrier, vendor, epoch")
}

/// The transitions of a tracking number that stand, oldest first.
pub(crate) fn transition_sql(number: &str) -> String {
    format!(
        "SELECT * FROM courier.transition FINAL WHERE tracking_number = '{number}'
         ORDER BY carrier, vendor, epoch, occurred_at, transition_id"
    )
}

/// A fingerprint of everything that a user sees in the three tables.
pub(crate) fn fingerprint(stack: &dyn Stack) -> Vec<Value> {
    let tables = ["push", "shipment", "transition"];
    tables
        .iter()
        .flat_map(|table| {
            rows(
                stack,
                &format!("SELECT '{table}' AS name, count() AS rows, groupBitXor(cityHash64(*)) AS hash FROM courier.{table} FINAL"),
            )
        })
        .collect()
}
