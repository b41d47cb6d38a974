//! Tables as a user sees them: SQL over HTTP.

use courierflow_tests::measures::REFRESHED;
use courierflow_tests::oracle::{Expected, PushRow, ShipmentRow, TransitionRow};
use courierflow_tests::stack::Stack;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The rows of a query, or the error of ClickHouse.
pub(crate) fn try_rows(stack: &dyn Stack, sql: &str) -> Result<Vec<Value>, String> {
    let text = send(stack, &format!("{sql}\nFORMAT JSONEachRow"))?;
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(|error| format!("{error} in {line}")))
        .collect()
}

/// Runs a statement that gives no rows and must succeed.
pub(crate) fn execute(stack: &dyn Stack, sql: &str) {
    send(stack, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Runs a statement that gives no rows, or returns the error of ClickHouse.
pub(crate) fn try_execute(stack: &dyn Stack, sql: &str) -> Result<(), String> {
    send(stack, sql).map(drop)
}

fn send(stack: &dyn Stack, sql: &str) -> Result<String, String> {
    let settings = "output_format_json_quote_64bit_integers=0&output_format_json_named_tuples_as_objects=1";
    let url = format!("{}/?{settings}", stack.clickhouse_url());
    let mut response = super::agent().post(url).send(sql).map_err(|error| error.to_string())?;
    let text = response
        .body_mut()
        .with_config()
        .limit(u64::MAX)
        .read_to_string()
        .map_err(|error| error.to_string())?;
    if response.status() != 200 {
        return Err(text);
    }
    Ok(text)
}

/// The rows of a query that must succeed.
pub(crate) fn rows(stack: &dyn Stack, sql: &str) -> Vec<Value> {
    try_rows(stack, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The shipment rows of a tracking number.
pub(crate) fn shipments_of(stack: &dyn Stack, number: &str) -> Vec<ShipmentRow> {
    typed(stack, &format!("{SHIPMENT} WHERE tracking_number = '{number}'"))
}

/// The valid transitions of a tracking number, oldest first.
pub(crate) fn transitions_of(stack: &dyn Stack, number: &str) -> Vec<TransitionRow> {
    typed(
        stack,
        &format!("{TRANSITION} WHERE tracking_number = '{number}' ORDER BY transition.occurred_at, transition_id"),
    )
}

/// The push rows of a tracking number, in order of arrival.
pub(crate) fn pushes_of(stack: &dyn Stack, number: &str) -> Vec<PushRow> {
    typed(
        stack,
        &format!("{PUSH} WHERE tracking_number = '{number}' ORDER BY push.received_at"),
    )
}

/// The content of the three tables as a user sees it.
pub(crate) fn contents(stack: &dyn Stack) -> Expected {
    contents_of(stack, Slice::WHOLE)
}

/// A slice of all tracking numbers: if everything does not fit into memory, it is compared slice by slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) number: u64,
    pub(crate) of: u64,
}

impl Slice {
    const WHOLE: Self = Self { number: 0, of: 1 };

    pub(crate) fn contains(self, tracking_number: &str) -> bool {
        xxhash_rust::xxh3::xxh3_64(tracking_number.as_bytes()) % self.of == self.number
    }

    fn condition(self) -> String {
        format!("WHERE xxh3(tracking_number) % {} = {}", self.of, self.number)
    }
}

/// The content of the three tables for the numbers in a slice.
pub(crate) fn contents_of(stack: &dyn Stack, slice: Slice) -> Expected {
    let condition = slice.condition();
    let sorted = |select: &str, order: &str| format!("{select} {condition} ORDER BY {order}");
    Expected {
        push: typed(stack, &sorted(PUSH, "vendor, account, push.received_at, push_id, part")),
        shipment: typed(stack, &sorted(SHIPMENT, "carrier, tracking_number, vendor, epoch")),
        transition: typed(
            stack,
            &sorted(
                TRANSITION,
                "carrier, tracking_number, vendor, epoch, transition.occurred_at, transition_id",
            ),
        ),
        records: Vec::new(),
    }
}

fn typed<Row: DeserializeOwned>(stack: &dyn Stack, sql: &str) -> Vec<Row> {
    let parse = |row: Value| serde_json::from_value(row.clone()).unwrap_or_else(|error| panic!("{error} in {row}"));
    rows(stack, sql).into_iter().map(parse).collect()
}

/// Times as the recomputation has them: seconds, or microseconds where we set them ourselves.
const PUSH: &str = "
SELECT * REPLACE (toUnixTimestamp64Micro(received_at) AS received_at, toUnixTimestamp(push_time) AS push_time) FROM courier.push AS push FINAL";

const SHIPMENT: &str = "
SELECT * REPLACE (toString(epoch) AS epoch,
                  toUnixTimestamp64Micro(first_received_at) AS first_received_at,
                  toUnixTimestamp64Micro(received_at) AS received_at,
                  toUnixTimestamp64Micro(last_push_at) AS last_push_at,
                  toUnixTimestamp(created_at) AS created_at,
                  toUnixTimestamp(picked_up_at) AS picked_up_at,
                  toUnixTimestamp(left_origin_at) AS left_origin_at,
                  toUnixTimestamp(arrived_dest_at) AS arrived_dest_at,
                  toUnixTimestamp(out_for_delivery_at) AS out_for_delivery_at,
                  toUnixTimestamp(first_attempt_at) AS first_attempt_at,
                  toUnixTimestamp(available_at) AS available_at,
                  toUnixTimestamp(delivered_at) AS delivered_at,
                  toUnixTimestamp(returning_at) AS returning_at,
                  toUnixTimestamp(returned_at) AS returned_at,
                  toUnixTimestamp(cancelled_at) AS cancelled_at,
                  toUnixTimestamp(last_event_at) AS last_event_at,
                  toUnixTimestamp(edd_first) AS edd_first,
                  toUnixTimestamp(edd_last) AS edd_last),
       arrayMap(i -> CAST((toString(event.id[i]), toUnixTimestamp(event.occurred_at[i]), event.local_time[i],
                           event.status[i], event.sub_status[i], event.raw_code[i], event.segment[i],
                           event.area_code[i], event.location[i], event.context[i], event.origin[i],
                           event.area[i]),
                          'Tuple(id String, occurred_at Int64, local_time String, status String,
                                 sub_status Nullable(String), raw_code Nullable(String), segment String,
                                 area_code Nullable(String), location Nullable(String), context String, origin String,
                                 area Nullable(String))'),
                arrayEnumerate(event.id)) AS event
FROM courier.shipment AS shipment FINAL";

const TRANSITION: &str = "
SELECT * REPLACE (toString(epoch) AS epoch,
                  toString(transition_id) AS transition_id,
                  toUnixTimestamp64Micro(first_received_at) AS first_received_at,
                  toUnixTimestamp64Micro(received_at) AS received_at,
                  toUnixTimestamp(occurred_at) AS occurred_at)
FROM courier.transition AS transition FINAL";

/// Refreshes all metrics, as the schedule does every few minutes.
pub(crate) fn refresh_metrics(stack: &dyn Stack) {
    for table in REFRESHED {
        refresh(stack, table);
    }
}

/// The same of one table.
pub(crate) fn refresh(stack: &dyn Stack, table: &str) {
    let view = format!("courier.{table}_refresh");
    // A refresh that is already running may have begun before the rows were inserted.
    execute(stack, &format!("SYSTEM WAIT VIEW {view}"));
    execute(stack, &format!("SYSTEM REFRESH VIEW {view}"));
    execute(stack, &format!("SYSTEM WAIT VIEW {view}"));
}
