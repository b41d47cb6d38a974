//! Text that is written once and used in many statements: `{formula:share}` in the SQL of a view or of the dashboard is
//! replaced by the entry of that name in `deploy/clickhouse/formulas.sql`. Pure.
//!
//! | in a statement | becomes |
//! |---|---|
//! | `{formula:NAME}` | the entry of `formulas.sql`: `<expression> AS NAME`, or several of them |
//! | `{expression:NAME}` | the expression of that entry alone, in parentheses; of several the first |
//! | `{columns:NAME}` | the entry of `columns.sql`: columns with their comments |
//! | `{rows:NAME}` | rows that the program has in tables of its own |
//! | `{engine:NAME}`, `{durable:WHERE}` | what depends on the kind of the database (`migrate::kind`) |
//! | `{setting:NAME}` | what an operator may choose (`[clickhouse.views]`) |
//!
//! Other braces are left alone: `{database}` and the server's own parameters, as `{origin:String}`.

use std::collections::BTreeMap;

/// `deploy/clickhouse/formulas.sql`.
pub const FORMULAS: &str = include_str!("../../deploy/clickhouse/formulas.sql");

/// `deploy/clickhouse/columns.sql`.
pub const COLUMNS: &str = include_str!("../../deploy/clickhouse/columns.sql");

const KINDS: [&str; 7] = [
    "formula",
    "expression",
    "columns",
    "rows",
    "engine",
    "durable",
    "setting",
];

/// Entries may contain splices; this limit stops an entry that contains itself.
const MAX_DEPTH: u8 = 8;

/// Why a statement cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// No entry of this name.
    #[error("there is no {{{kind}:{name}}}")]
    Unknown {
        /// What stands before the colon.
        kind: String,
        /// The name.
        name: String,
    },
    /// The entry consists of several columns, or does not end with its own name.
    #[error("formula {name} is not one expression that ends with AS {name}")]
    NoExpression {
        /// Its name.
        name: String,
    },
    /// An entry contains itself.
    #[error("{{{kind}:{name}}} never ends")]
    Endless {
        /// As in [`SpliceError::Unknown`].
        kind: String,
        /// Its name.
        name: String,
    },
}

/// All entries, by name.
#[derive(Clone, Debug, Default)]
pub struct Splices {
    formulas: BTreeMap<String, String>,
    columns: BTreeMap<String, String>,
    rows: BTreeMap<String, String>,
    /// Texts of the other kinds, by kind and name.
    others: BTreeMap<(&'static str, &'static str), String>,
}

impl Splices {
    /// Reads the entries of the two files.
    pub fn new(formulas: &str, columns: &str) -> Self {
        Self {
            formulas: entries(formulas, "-- formula "),
            columns: entries(columns, "-- columns "),
            ..Self::default()
        }
    }

    /// Adds rows for `{rows:name}`: the inside of a `VALUES`.
    #[must_use]
    pub fn with_rows(mut self, name: &str, rows: String) -> Self {
        self.rows.insert(name.to_owned(), rows);
        self
    }

    /// Adds the text of `{kind:name}`, of a kind that has no file.
    #[must_use]
    pub fn with_text(mut self, kind: &'static str, name: &'static str, text: impl Into<String>) -> Self {
        self.others.insert((kind, name), text.into());
        self
    }

    /// Names of the formulas.
    pub fn formulas(&self) -> impl Iterator<Item = &str> {
        self.formulas.keys().map(String::as_str)
    }

    /// The statement with all splices expanded.
    pub fn expand(&self, statement: &str) -> Result<String, SpliceError> {
        self.expand_to(statement, MAX_DEPTH)
    }

    fn expand_to(&self, statement: &str, depth: u8) -> Result<String, SpliceError> {
        let mut expanded = String::with_capacity(statement.len());
        let mut rest = statement;
        while let Some((before, kind, name, after)) = next_splice(rest) {
            expanded.push_str(before);
            let entry = self.entry(kind, name)?;
            let Some(depth) = depth.checked_sub(1) else {
                return Err(SpliceError::Endless {
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                });
            };
            expanded.push_str(&self.expand_to(&entry, depth)?);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    fn entry(&self, kind: &str, name: &str) -> Result<String, SpliceError> {
        let entry = match kind {
            "columns" => self.columns.get(name),
            "rows" => self.rows.get(name),
            "formula" | "expression" => self.formulas.get(name),
            _ => self.others.get(&(kind, name)),
        };
        let entry = entry.ok_or_else(|| SpliceError::Unknown {
            kind: kind.to_owned(),
            name: name.to_owned(),
        })?;
        if kind != "expression" {
            return Ok(entry.clone());
        }
        // A formula, or the first of several.
        let of_list = entry
            .lines()
            .next()
            .and_then(|line| line.strip_suffix(&format!(" AS {name},")));
        let expression = of_list.or_else(|| entry.strip_suffix(&format!(" AS {name}")));
        expression
            .map(|expression| format!("({expression})"))
            .ok_or_else(|| SpliceError::NoExpression { name: name.to_owned() })
    }
}

/// Splits a text into entries, each of which begins with a line of `header` and a name; comments are left out.
fn entries(text: &str, header: &str) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    let mut current: Option<(&str, Vec<&str>)> = None;
    let mut finish = |entry: Option<(&str, Vec<&str>)>| {
        if let Some((name, lines)) = entry {
            entries.insert(name.to_owned(), lines.join("\n").trim().to_owned());
        }
    };
    for line in text.lines() {
        if let Some(title) = line.strip_prefix(header) {
            finish(current.take());
            let name = title.split_once(':').map_or(title, |(name, _)| name);
            current = Some((name.trim(), Vec::new()));
        } else if let Some((_, lines)) = &mut current
            && !line.starts_with("--")
        {
            lines.push(line);
        }
    }
    finish(current);
    entries
}

/// The text before the first splice, its kind, its name, and the text after it.
fn next_splice(text: &str) -> Option<(&str, &str, &str, &str)> {
    let mut from = 0;
    loop {
        let open = from + text.get(from..)?.find('{')?;
        let inside = text.get(open + 1..)?;
        if let Some((kind, rest)) = inside.split_once(':')
            && KINDS.contains(&kind)
            && let Some((name, after)) = rest.split_once('}')
        {
            return Some((text.get(..open)?, kind, name, after));
        }
        from = open + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "-- What this is.\n\n-- formula double: twice\nx ->\n    x * 2 AS double\n\n-- formula first\na AS first,\nc AS d\n\n\
                        -- Between them.\n-- formula outer\n{formula:first}, {expression:double}\n";

    fn splices() -> Splices {
        Splices::new(TEXT, "-- columns two: both\n`a` Int8,\n`b` Int8\n")
            .with_rows("few", "(1), (2)".to_owned())
            .with_text("engine", "MergeTree", "ReplicatedMergeTree")
    }

    #[test]
    fn splices_are_replaced_and_other_braces_are_not() {
        let cases = [
            (
                "WITH {formula:double} SELECT double(1)",
                "WITH x ->\n    x * 2 AS double SELECT double(1)",
            ),
            ("SELECT {expression:double}", "SELECT (x ->\n    x * 2)"),
            ("{expression:first}", "(a)"),
            ("({columns:two})", "(`a` Int8,\n`b` Int8)"),
            ("VALUES({rows:few})", "VALUES((1), (2))"),
            ("{engine:MergeTree}(a)", "ReplicatedMergeTree(a)"),
            (
                "{database}.t WHERE a = {origin:String}",
                "{database}.t WHERE a = {origin:String}",
            ),
            ("{formula:outer}", "a AS first,\nc AS d, (x ->\n    x * 2)"),
            ("", ""),
        ];
        for (statement, expanded) in cases {
            assert_eq!(splices().expand(statement).as_deref(), Ok(expanded), "{statement}");
        }
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let unknown = |kind: &str, name: &str| SpliceError::Unknown {
            kind: kind.to_owned(),
            name: name.to_owned(),
        };
        assert_eq!(splices().expand("{formula:none}"), Err(unknown("formula", "none")));
        assert_eq!(splices().expand("{rows:none}"), Err(unknown("rows", "none")));
        assert_eq!(splices().expand("{setting:none}"), Err(unknown("setting", "none")));
        assert_eq!(
            splices().expand("{expression:outer}"),
            Err(SpliceError::NoExpression {
                name: "outer".to_owned()
            })
        );
        let endless = Splices::new("-- formula a\n{formula:b}\n-- formula b\n{formula:a}\n", "");
        assert!(matches!(
            endless.expand("{formula:a}"),
            Err(SpliceError::Endless { .. })
        ));
    }

    #[test]
    fn every_formula_of_the_file_can_be_expanded_and_bears_its_name() {
        let splices = Splices::new(FORMULAS, COLUMNS);
        assert!(splices.formulas().count() > 50);
        for name in splices.formulas() {
            let entry = splices.expand(&format!("{{formula:{name}}}")).unwrap();
            let is_list = ["carrier_", "lane_", "exception_"]
                .iter()
                .any(|list| name.starts_with(list));
            assert!(is_list || entry.contains(&format!(" AS {name}")), "{name}: {entry}");
        }
    }
}
