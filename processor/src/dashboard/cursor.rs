//! Where a page of a list ended: the place of its last parcel in the order of the table. Pages are found by place and not by number,
//! so that a page costs the same wherever it is, and no parcel comes twice or is left out because others came or went.

use courierflow_schemas::identifier::is_identifier;
use courierflow_schemas::records::Vendor;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::rows::Row;

/// A place in the order of table `shipment`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) carrier: String,
    pub(super) number: String,
    pub(super) vendor: String,
    pub(super) epoch: Date,
}

impl Default for Cursor {
    /// Before the first parcel: none has an empty carrier.
    fn default() -> Self {
        Self {
            carrier: String::new(),
            number: String::new(),
            vendor: String::new(),
            epoch: Date::constant(1970, 1, 1),
        }
    }
}

impl Cursor {
    /// That of a row.
    pub(super) fn of(row: &Row) -> Option<Self> {
        let text = |name| row.get(name).and_then(Value::as_str);
        Some(Self {
            carrier: text("carrier")?.to_owned(),
            number: text("tracking_number")?.to_owned(),
            vendor: text("vendor")?.to_owned(),
            epoch: text("epoch")?.parse().ok()?,
        })
    }

    /// As it is written in answers.
    pub(super) fn write(&self) -> String {
        json!([self.carrier, self.number, self.vendor, self.epoch.to_string()]).to_string()
    }

    /// The cursor of an answer, read back.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (carrier, number, vendor, epoch): (String, String, String, String) = serde_json::from_str(text).ok()?;
        let is_known = Vendor::ALL.into_iter().any(|known| known.as_str() == vendor);
        if !is_known || !is_identifier(&carrier) || !is_identifier(&number) {
            return None;
        }
        let epoch: Date = epoch.parse().ok().filter(|_| epoch.len() == 10)?;
        // What ClickHouse's Date can hold.
        (1970..=2148).contains(&epoch.year()).then_some(Self {
            carrier,
            number,
            vendor,
            epoch,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let row = json!({"carrier": "sf", "tracking_number": "O'B\"1\\", "vendor": "kdniao", "epoch": "2026-01-02", "status": "DELIVERED"});
        let cursor = Cursor::of(row.as_object().unwrap()).unwrap();
        assert_eq!(cursor.epoch, jiff::civil::date(2026, 1, 2));
        assert_eq!(Cursor::read(&cursor.write()), Some(cursor));
        assert_eq!(Cursor::of(json!({"carrier": "sf"}).as_object().unwrap()), None);
    }

    #[test]
    fn what_no_answer_has_is_no_cursor() {
        for text in [
            "",
            "sf",
            "[]",
            r#"["sf","1","kdniao"]"#,
            r#"["sf","1","kdniao","2026-01-02",""]"#,
            r#"["sf","1","nobody","2026-01-02"]"#,
            r#"["sf","1","kdniao","2026-13-02"]"#,
            r#"["sf","1","kdniao","20260102"]"#,
            r#"["sf","1","kdniao","1969-12-31"]"#,
            r#"["sf","\u0000","kdniao","2026-01-02"]"#,
            r#"["sf",1,"kdniao","2026-01-02"]"#,
        ] {
            assert_eq!(Cursor::read(text), None, "{text}");
        }
    }
}
