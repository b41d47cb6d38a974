//! The types of code tables: one row per code of a vendor, with its canonical meaning. The tables are in the vendors'
//! folders; tests, documentation and the database use them.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use courierflow_schemas::meaning::{self, Name, Party, SubStatus};
use courierflow_schemas::records::Status;

/// One code of a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeRow {
    /// Exactly as the vendor writes it.
    pub code: &'static str,
    /// Canonical status.
    pub status: Status,
    /// Canonical refinement.
    pub sub_status: SubStatus,
    /// Whether it counts as an exception, independently of the status.
    pub is_exception: bool,
    /// Whether it is an exception that ends the parcel if the rest of the push says so (rule 6.6).
    pub ends_in_doubt: bool,
    /// The vendor's own name for it, in Chinese if there is one.
    pub word: &'static str,
    /// Status names that stand for the code if the vendor sends only names; includes `word` (rule 6.2).
    pub names: &'static [&'static str],
}

impl CodeRow {
    /// A row whose events are exceptions if its status is EXCEPTION. If `word` is empty, the name of the meaning is
    /// used.
    pub const fn new(code: &'static str, status: Status, sub_status: SubStatus, word: &'static str) -> Self {
        Self {
            code,
            status,
            sub_status,
            is_exception: matches!(status, Status::Exception),
            ends_in_doubt: false,
            word,
            names: &[],
        }
    }

    /// The same with `names` that stand for it.
    #[must_use]
    pub const fn named(self, names: &'static [&'static str]) -> Self {
        Self { names, ..self }
    }

    /// The same, as an exception independently of its status.
    #[must_use]
    pub const fn exception(self) -> Self {
        Self {
            is_exception: true,
            ..self
        }
    }

    /// The same, as a refusal that may end the parcel.
    #[must_use]
    pub const fn in_doubt(self) -> Self {
        Self {
            ends_in_doubt: true,
            ..self
        }
    }

    /// Its name: the vendor's own word, and in English the name of its meaning.
    pub fn name(&self) -> Name {
        let meaning = meaning::meaning_of(self.status, self.sub_status);
        let name = meaning.map_or(Name { zh: "", en: "" }, |meaning| meaning.name);
        if self.word.is_empty() {
            name
        } else {
            Name { zh: self.word, ..name }
        }
    }

    /// The responsible party, if it is an exception.
    pub fn party(&self) -> Option<Party> {
        self.is_exception
            .then(|| meaning::party_of(Some(self.sub_status.as_str())))
    }
}

/// A guard: a code that has another meaning depending on the text (rule 6.4).
#[derive(Debug)]
pub struct Guard {
    /// The code.
    pub code: &'static str,
    /// Lower case; looked for in the lower-cased text.
    pub phrases: &'static [&'static str],
    /// Whether the guard applies if a phrase is found (true) or if none is (false).
    pub applies_if_found: bool,
    /// Status of the event if the guard applies.
    pub status: Status,
    /// Its sub-status.
    pub sub_status: SubStatus,
}

/// How the codes of a push are read. The same code has different meanings for different vendors.
pub struct CodeTable {
    /// Unique among all tables.
    pub name: &'static str,
    /// One row a code.
    pub rows: &'static [CodeRow],
    /// Codes whose meaning depends on the text.
    pub guards: &'static [Guard],
    /// The known code that an unknown one falls back to (rule 6.3).
    fallback: fn(&str) -> Option<&str>,
    index: OnceLock<HashMap<&'static str, &'static CodeRow>>,
}

impl CodeTable {
    /// A table.
    pub const fn new(
        name: &'static str,
        rows: &'static [CodeRow],
        guards: &'static [Guard],
        fallback: fn(&str) -> Option<&str>,
    ) -> Self {
        Self {
            name,
            rows,
            guards,
            fallback,
            index: OnceLock::new(),
        }
    }

    /// The row of a code exactly as the vendor writes it.
    pub fn find(&self, code: &str) -> Option<&'static CodeRow> {
        let index = self
            .index
            .get_or_init(|| self.rows.iter().map(|row| (row.code, row)).collect());
        index.get(code).copied()
    }

    /// The row that an unknown code falls back to.
    pub fn find_fallback(&self, unknown_code: &str) -> Option<&'static CodeRow> {
        self.find((self.fallback)(unknown_code)?)
    }

    /// True if a state says that somebody signed for the parcel, recipient or sender (rule 8.3b). The code must match
    /// exactly: an unknown code does not count as a signature.
    pub fn is_sign_off(&self, state: &str) -> bool {
        self.find(state)
            .is_some_and(|row| matches!(row.status, Status::Delivered | Status::Returned) || row.ends_in_doubt)
    }

    /// The status in which a parcel with this state has come to its end. The code must match exactly.
    pub fn end(&self, state: &str) -> Option<Status> {
        let status = self.find(state)?.status;
        status.is_terminal().then_some(status)
    }

    /// The row that a status name stands for (rule 6.2).
    pub fn find_name(&self, name: &str) -> Option<&'static CodeRow> {
        self.rows.iter().find(|row| row.names.contains(&name))
    }
}

impl PartialEq for CodeTable {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for CodeTable {}

impl fmt::Debug for CodeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use courierflow_schemas::records::Vendor;

    use super::*;
    use crate::protocol;

    fn tables() -> impl Iterator<Item = &'static CodeTable> {
        let of_vendor = |vendor| protocol(vendor).code_tables().iter().copied();
        Vendor::ALL.into_iter().flat_map(of_vendor)
    }

    #[test]
    fn tables_have_names_of_their_own_and_no_code_twice() {
        let mut names = HashSet::new();
        for table in tables() {
            assert!(names.insert(table.name), "{table:?}");
            let codes: HashSet<&str> = table.rows.iter().map(|row| row.code).collect();
            assert_eq!(codes.len(), table.rows.len(), "{table:?}");
            for guard in table.guards {
                assert!(codes.contains(guard.code), "{table:?} {guard:?}");
            }
        }
    }

    #[test]
    fn every_code_has_a_meaning_and_a_name_in_both_languages() {
        for table in tables() {
            for row in table.rows {
                assert!(
                    meaning::meaning_of(row.status, row.sub_status).is_some(),
                    "{table:?} {row:?}"
                );
                assert!(!row.name().zh.is_empty() && !row.name().en.is_empty(), "{row:?}");
                assert!(!row.ends_in_doubt || row.is_exception, "{row:?}");
            }
            for guard in table.guards {
                assert!(
                    meaning::meaning_of(guard.status, guard.sub_status).is_some(),
                    "{guard:?}"
                );
            }
        }
    }

    #[test]
    fn rule_6_2_no_name_stands_for_two_codes() {
        for table in tables() {
            for row in table.rows {
                for name in row.names {
                    assert_eq!(table.find_name(name), Some(row), "{name}");
                }
            }
        }
    }

    #[test]
    fn rule_6_7_every_exception_has_a_party() {
        for row in tables().flat_map(|table| table.rows).filter(|row| row.is_exception) {
            assert!(
                meaning::reasons().any(|reason| reason.sub_status == row.sub_status),
                "{row:?}"
            );
        }
    }
}
