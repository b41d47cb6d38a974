//! Rows as INSERT statements.

use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64;

use crate::oracle::{PushRow, ShipmentRow, TransitionRow};

/// Microseconds since 1970 as text that a `DateTime64(6)` is read from.
fn micros(time: &Value) -> Value {
    let time = jiff::Timestamp::from_microsecond(time.as_i64().unwrap_or_default()).unwrap_or_default();
    json!(time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string())
}

/// Ids are numbers in the tables and may be readable texts here.
fn id(text: &Value) -> Value {
    let text = text.as_str().unwrap_or_default();
    json!(text.parse::<u64>().unwrap_or_else(|_| xxh3_64(text.as_bytes())))
}

fn object(row: impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(row) {
        Ok(Value::Object(columns)) => columns,
        _ => Map::new(),
    }
}

fn statement(table: &str, rows: impl Iterator<Item = Map<String, Value>>) -> String {
    let mut statement = format!("INSERT INTO {table} SETTINGS async_insert = 0 FORMAT JSONEachRow\n");
    for row in rows {
        statement.push_str(&Value::Object(row).to_string());
        statement.push('\n');
    }
    statement
}

/// Into `shipment` of a database.
pub fn insert_shipments(database: &str, rows: &[ShipmentRow]) -> String {
    let shipment = |row: &ShipmentRow| {
        let mut columns = object(row);
        for time in ["first_received_at", "received_at"] {
            let text = micros(columns.get(time).unwrap_or(&Value::Null));
            columns.insert(time.to_owned(), text);
        }
        if let Some(time) = row.last_push_at {
            columns.insert("last_push_at".to_owned(), micros(&json!(time)));
        }
        columns.remove("event");
        let events: Vec<Map<String, Value>> = row.event.iter().map(object).collect();
        for name in [
            "id",
            "occurred_at",
            "local_time",
            "status",
            "sub_status",
            "raw_code",
            "segment",
            "area_code",
            "location",
            "context",
            "origin",
            "area",
        ] {
            let value = |event: &Map<String, Value>| {
                let value = event.get(name).cloned().unwrap_or_default();
                if name == "id" { id(&value) } else { value }
            };
            columns.insert(format!("event.{name}"), events.iter().map(value).collect());
        }
        columns
    };
    statement(&format!("{database}.shipment"), rows.iter().map(shipment))
}

/// Into `transition` of a database; those taken back as void.
pub fn insert_transitions(database: &str, standing: &[TransitionRow], retracted: &[TransitionRow]) -> String {
    let transition = |row: &TransitionRow, is_deleted: u8, older: i64| {
        let mut columns = object(row);
        for time in ["first_received_at", "received_at"] {
            let text = micros(columns.get(time).unwrap_or(&Value::Null));
            columns.insert(time.to_owned(), text);
        }
        columns.insert("transition_id".to_owned(), id(&json!(row.transition_id)));
        columns.insert("version".to_owned(), json!(row.version - older));
        columns.insert("account".to_owned(), json!("demo"));
        columns.insert("is_deleted".to_owned(), json!(is_deleted));
        columns
    };
    let standing = standing.iter().map(|row| transition(row, 0, 0));
    // Observed first, taken back later.
    let retracted = retracted
        .iter()
        .flat_map(|row| [transition(row, 0, 1), transition(row, 1, 0)]);
    statement(&format!("{database}.transition"), standing.chain(retracted))
}

/// Into `push` of a database.
pub fn insert_pushes(database: &str, rows: &[PushRow]) -> String {
    let push = |(offset, row): (usize, &PushRow)| {
        let mut columns = object(row);
        columns.insert("received_at".to_owned(), micros(&json!(row.received_at)));
        columns.insert("topic".to_owned(), json!("courier.push.v1"));
        columns.insert("partition".to_owned(), json!(0));
        columns.insert("offset".to_owned(), json!(offset));
        columns
    };
    statement(&format!("{database}.push"), rows.iter().enumerate().map(push))
}
