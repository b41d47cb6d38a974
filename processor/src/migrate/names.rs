//! Rows of the views `status_name` and `vendor_fact`, made from the code tables, so that no name is written in SQL.

use courierflow_domain::rank;
use courierflow_schemas::meaning::{MEANINGS, Party, SubStatus, is_failed_attempt, party_of, reasons};
use courierflow_schemas::records::{Status, Vendor};
use courierflow_vendors::{Unit, protocol};

/// A row of the view `status_name`; the columns are described there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusName {
    /// `status`, `meaning`, `code`, `reason` or `party`.
    pub kind: &'static str,
    /// Whose code it is, or empty.
    pub vendor: &'static str,
    /// The vendor's code, or empty.
    pub code: &'static str,
    /// Canonical status, or empty.
    pub status: &'static str,
    /// Canonical refinement, or empty.
    pub sub_status: &'static str,
    /// How far along the status is.
    pub rank: u8,
    /// The responsible party, or empty.
    pub party: &'static str,
    /// Whether an event with it is an exception.
    pub is_exception: bool,
    /// Whether it means a failed attempt at delivery, for which a courier must have been at the door.
    pub is_failed_attempt: bool,
    /// Whether it follows from the vendor's clock instead of an event.
    pub is_vendor_clock: bool,
    /// Name in Chinese.
    pub name_zh: &'static str,
    /// Name in English.
    pub name_en: &'static str,
}

/// A row of the view `vendor_fact`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorFact {
    /// Its code.
    pub vendor: &'static str,
    /// Its name in Chinese.
    pub name_zh: &'static str,
    /// Its name in English.
    pub name_en: &'static str,
    /// Days without change after which it stops tracking a parcel; `None` if it does not stop or does not document
    /// it.
    pub stale_days: Option<u16>,
    /// What it bills as one unit of a parcel; `None` if it does not document it.
    pub unit: Option<Unit>,
}

/// Every row of `status_name`, of all vendors.
pub fn rows() -> Vec<StatusName> {
    let statuses = Status::ALL.iter().map(|status| StatusName {
        kind: "status",
        status: status.as_str(),
        rank: rank(*status),
        ..StatusName::default()
    });
    let meanings = MEANINGS.iter().map(|meaning| StatusName {
        kind: "meaning",
        name_zh: meaning.name.zh,
        name_en: meaning.name.en,
        ..refinement(meaning.status, meaning.sub_status, meaning.party.is_some())
    });
    let codes = Vendor::ALL.into_iter().flat_map(|vendor| {
        // The first table contains all codes.
        let table = protocol(vendor).code_tables().first();
        table
            .into_iter()
            .flat_map(|table| table.rows)
            .map(move |row| StatusName {
                kind: "code",
                vendor: vendor.as_str(),
                code: row.code,
                name_zh: row.name().zh,
                name_en: row.name().en,
                ..refinement(row.status, row.sub_status, row.is_exception)
            })
    });
    let reasons = reasons().map(|meaning| StatusName {
        kind: "reason",
        name_zh: meaning.name.zh,
        name_en: meaning.name.en,
        ..refinement(meaning.status, meaning.sub_status, true)
    });
    let parties = Party::ALL.iter().map(|party| StatusName {
        kind: "party",
        party: party.as_str(),
        name_zh: party.name().zh,
        name_en: party.name().en,
        ..StatusName::default()
    });
    statuses
        .chain(meanings)
        .chain(codes)
        .chain(reasons)
        .chain(parties)
        .collect()
}

fn refinement(status: Status, sub_status: SubStatus, is_exception: bool) -> StatusName {
    let name = sub_status.as_str();
    StatusName {
        status: status.as_str(),
        sub_status: name,
        rank: rank(status),
        party: if is_exception {
            party_of(Some(name)).as_str()
        } else {
            ""
        },
        is_exception,
        is_failed_attempt: is_exception && is_failed_attempt(Some(name)),
        is_vendor_clock: is_exception && sub_status.is_vendor_clock(),
        ..StatusName::default()
    }
}

/// Every row of `vendor_fact`.
pub fn vendor_facts() -> Vec<VendorFact> {
    let fact = |vendor: Vendor| VendorFact {
        vendor: vendor.as_str(),
        name_zh: protocol(vendor).name().zh,
        name_en: protocol(vendor).name().en,
        stale_days: protocol(vendor).stale_days(),
        unit: protocol(vendor).unit(),
    };
    Vendor::ALL.into_iter().map(fact).collect()
}

/// The content of the `VALUES` of `status_name`.
pub(super) fn values_of_status_names() -> String {
    values(rows().iter().map(|row| {
        let StatusName {
            rank,
            is_exception,
            is_failed_attempt,
            is_vendor_clock,
            ..
        } = row;
        let head = [row.kind, row.vendor, row.code, row.status, row.sub_status]
            .map(quoted)
            .join(", ");
        let [party, zh, en] = [row.party, row.name_zh, row.name_en].map(quoted);
        format!("{head}, {rank}, {party}, {is_exception}, {is_failed_attempt}, {is_vendor_clock}, {zh}, {en}")
    }))
}

/// The same of `vendor_fact`.
pub(super) fn values_of_vendor_facts() -> String {
    values(vendor_facts().iter().map(|fact| {
        let texts = [fact.vendor, fact.name_zh, fact.name_en].map(quoted).join(", ");
        let stale_days = fact
            .stale_days
            .map_or_else(|| "NULL".to_owned(), |days| days.to_string());
        let (unit, unit_days) = match fact.unit {
            None => ("", 0),
            Some(Unit::Month) => ("MONTH", 0),
            Some(Unit::Days(days)) => ("DAYS", days),
        };
        format!("{texts}, {stale_days}, {}, {unit_days}", quoted(unit))
    }))
}

fn values(rows: impl Iterator<Item = String>) -> String {
    rows.map(|row| format!("({row})")).collect::<Vec<_>>().join(",\n    ")
}

/// A text as a string literal of `ClickHouse`.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_has_a_key_of_its_own_and_all_but_statuses_have_names() {
        let mut keys = HashSet::new();
        for row in rows() {
            let party = if row.kind == "party" { row.party } else { "" };
            assert!(
                keys.insert((row.kind, row.vendor, row.code, row.status, row.sub_status, party)),
                "{row:?} twice"
            );
            assert_eq!(row.name_zh.is_empty(), row.kind == "status", "{row:?}");
            assert_eq!(row.name_en.is_empty(), row.kind == "status", "{row:?}");
            assert_eq!(
                row.is_exception,
                row.kind != "party" && !row.party.is_empty(),
                "{row:?}"
            );
        }
        let kinds: HashSet<&str> = keys.iter().map(|key| key.0).collect();
        assert_eq!(kinds.len(), 5);
    }

    #[test]
    fn texts_are_quoted() {
        assert_eq!(quoted("a'b\\c"), "'a\\'b\\\\c'");
    }
}
