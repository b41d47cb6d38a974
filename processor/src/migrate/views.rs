//! The parts of a view, read from its file; the views that it reads, and hence the order of creation. Pure.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_64;

use crate::splices::{SpliceError, Splices};

/// Where the name of the database stands in a file.
const DATABASE: &str = "{database}.";

/// Why a file cannot be used. These are mistakes in the files, not in the database.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// It uses a formula that does not exist.
    #[error("views/{view}.sql: {source}")]
    Splice {
        /// The view.
        view: String,
        /// What is missing.
        source: SpliceError,
    },
    /// It is not a single statement of the form that all views have.
    #[error("views/{view}.sql {problem}")]
    Form {
        /// The view.
        view: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Views that read each other.
    #[error("these views read each other: {}", views.join(", "))]
    Circle {
        /// Their names.
        views: Vec<String>,
    },
}

/// The parts of a refreshable view other than its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refresh {
    /// `EVERY … DEPENDS ON … SETTINGS …`
    pub(super) schedule: String,
    /// The table that it fills.
    pub(super) target: String,
}

/// A view from its file: splices expanded, comments left out, the name of the database not filled in yet.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) name: String,
    /// None for a plain view.
    pub(super) refresh: Option<Refresh>,
    /// Columns and definer: the text between name and `AS`, without the refresh.
    head: String,
    query: String,
    comment: String,
    /// Views that its query reads.
    pub(super) reads: BTreeSet<String>,
    /// Views that must come before it: those that it reads, and those whose refresh it waits for.
    after: BTreeSet<String>,
    /// Checksum of its own text alone.
    own_checksum: String,
    /// Checksum of its text and of all views that it reads: if it is equal, the figures are equal.
    pub(super) checksum: String,
}

/// All views, each after what it reads.
pub(super) fn in_order(files: &BTreeMap<String, String>, splices: &Splices) -> Result<Vec<View>, ViewError> {
    let mut waiting = files
        .iter()
        .map(|(name, text)| read(name, text, splices, files))
        .collect::<Result<Vec<View>, _>>()?;
    let mut ordered: Vec<View> = Vec::new();
    while !waiting.is_empty() {
        let is_placed = |name: &String| ordered.iter().any(|view| view.name == *name);
        let (ready, later): (Vec<View>, Vec<View>) =
            waiting.into_iter().partition(|view| view.after.iter().all(is_placed));
        if ready.is_empty() {
            return Err(ViewError::Circle {
                views: later.into_iter().map(|view| view.name).collect(),
            });
        }
        waiting = later;
        for mut view in ready {
            let below = ordered.iter().filter(|other| view.reads.contains(&other.name));
            let below: String = below.map(|other| other.checksum.as_str()).collect();
            view.checksum = checksum(&format!("{}{below}", view.own_checksum));
            ordered.push(view);
        }
    }
    Ok(ordered)
}

fn read(name: &str, text: &str, splices: &Splices, files: &BTreeMap<String, String>) -> Result<View, ViewError> {
    let form = |problem| ViewError::Form {
        view: name.to_owned(),
        problem,
    };
    let expanded = splices.expand(text).map_err(|source| ViewError::Splice {
        view: name.to_owned(),
        source,
    })?;
    let lines: Vec<&str> = expanded
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !line.trim_start().starts_with("--"))
        .collect();
    let statement = lines.join("\n");

    let [first, lines @ .., comment] = lines.as_slice() else {
        return Err(form("has no statement"));
    };
    let comment = comment
        .strip_prefix("COMMENT '")
        .and_then(|comment| comment.strip_suffix("';"))
        .ok_or_else(|| form("does not end with a line COMMENT '...';"))?;
    let (head, query) = split_at_line(lines, |line| line == "AS").ok_or_else(|| form("has no line AS"))?;
    let (refresh, head) = if *first == format!("CREATE OR REPLACE VIEW {DATABASE}{name}") {
        (None, head)
    } else if *first == format!("CREATE MATERIALIZED VIEW {DATABASE}{name}") {
        let to = format!("TO {DATABASE}");
        let position = head.iter().position(|line| line.starts_with(&to));
        let (schedule, rest) = head.split_at(position.ok_or_else(|| form("does not say where TO write"))?);
        let [target, head @ ..] = rest else {
            return Err(form("does not say where TO write"));
        };
        let schedule = schedule.join("\n");
        let schedule = schedule
            .strip_prefix("REFRESH ")
            .ok_or_else(|| form("does not say when to REFRESH"))?;
        let refresh = Refresh {
            schedule: schedule.to_owned(),
            target: target.strip_prefix(&to).unwrap_or_default().to_owned(),
        };
        (Some(refresh), head)
    } else {
        return Err(form(
            "does not begin with CREATE OR REPLACE VIEW or CREATE MATERIALIZED VIEW {database}. and its own name",
        ));
    };

    let query = query.join("\n");
    let views_in = |text: &str| -> BTreeSet<String> {
        relations(text)
            .filter(|relation| files.contains_key(*relation))
            .map(str::to_owned)
            .collect()
    };
    let reads = views_in(&query);
    let mut after = reads.clone();
    after.extend(refresh.iter().flat_map(|refresh| views_in(&refresh.schedule)));
    let own_checksum = checksum(&statement);
    Ok(View {
        name: name.to_owned(),
        refresh,
        head: head.join("\n"),
        query,
        comment: comment.to_owned(),
        reads,
        after,
        checksum: own_checksum.clone(),
        own_checksum,
    })
}

impl View {
    /// The statement that creates or replaces a plain view, or creates a refreshable one that does not exist.
    pub(super) fn create(&self, database: &str) -> String {
        let (name, head, query) = (&self.name, &self.head, &self.query);
        let comment = self.marked_comment();
        let statement = match &self.refresh {
            None => format!("CREATE OR REPLACE VIEW {DATABASE}{name}\n{head}\nAS\n{query}\nCOMMENT '{comment}'"),
            Some(Refresh { schedule, target }) => format!(
                "CREATE MATERIALIZED VIEW IF NOT EXISTS {DATABASE}{name}\nREFRESH {schedule}\nTO {DATABASE}{target}\n{head}\n\
                 AS\n{query}\nCOMMENT '{comment}'"
            ),
        };
        in_database(&statement, database)
    }

    /// The statements that change an existing refreshable view. The target keeps its rows. Query and comment change together, so
    /// that the comment always belongs to the query, and come last: the comment also says that the others are done. The definer is told
    /// every time, as CREATE OR REPLACE tells that of the other views.
    ///
    /// CREATE OR REPLACE of a refreshable view takes `ClickHouse` 26.6; these statements are understood by 25.8.
    pub(super) fn alter(&self, refresh: &Refresh, database: &str) -> Vec<String> {
        let (name, query) = (&self.name, &self.query);
        let security = self.security().map(|(definer, security)| {
            format!("ALTER TABLE {DATABASE}{name} MODIFY SQL SECURITY {security} DEFINER = {definer}")
        });
        let others = [
            format!("ALTER TABLE {DATABASE}{name} MODIFY REFRESH {}", refresh.schedule),
            format!(
                "ALTER TABLE {DATABASE}{name} MODIFY COMMENT '{}', MODIFY QUERY\n{query}",
                self.marked_comment()
            ),
        ];
        let statements = security.into_iter().chain(others);
        statements.map(|statement| in_database(&statement, database)).collect()
    }

    /// Whether it says what its columns are: a view for readers, and not one that only counts or fills.
    pub(super) fn has_described_columns(&self) -> bool {
        self.head.starts_with('(')
    }

    /// As whom it reads: definer and security of its line `DEFINER = … SQL SECURITY …`.
    fn security(&self) -> Option<(&str, &str)> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix("DEFINER = ")?.split_once(" SQL SECURITY "))
    }

    /// A plain view with the same query under another name, which reads renamed views.
    pub(super) fn create_as(&self, name: &str, database: &str, renamed: &BTreeMap<String, String>) -> String {
        let mut query = String::new();
        let mut rest = self.query.as_str();
        while let Some((before, after)) = rest.split_once(DATABASE) {
            let relation = identifier(after);
            query.push_str(before);
            query.push_str(DATABASE);
            rest = after.strip_prefix(relation).unwrap_or(after);
            match renamed.get(relation) {
                None => query.push_str(relation),
                Some(other) => {
                    query.push_str(other);
                    // An alias, because the query names columns by the view's original name.
                    if !rest.starts_with('(') && !rest.starts_with(" AS ") {
                        query.push_str(" AS ");
                        query.push_str(relation);
                    }
                }
            }
        }
        query.push_str(rest);
        let head = &self.head;
        in_database(
            &format!("CREATE VIEW {DATABASE}{name}\n{head}\nAS\n{query}\nCOMMENT 'Being checked by migrate'"),
            database,
        )
    }

    /// Arguments for a view with parameters, so that the server can plan it: `(from_date = '2020-01-01', …)`; empty for one
    /// without.
    pub(super) fn sample_arguments(&self) -> String {
        let arguments: BTreeMap<&str, &str> = parameters(&self.query).collect();
        if arguments.is_empty() {
            return String::new();
        }
        let arguments: Vec<String> = arguments
            .iter()
            .map(|(name, kind)| format!("{name} = {}", sample(kind)))
            .collect();
        format!("({})", arguments.join(", "))
    }

    /// The comment of the view with the checksum of its text. As part of the view it cannot get out of step with it.
    fn marked_comment(&self) -> String {
        format!("{} [{}]", self.comment, self.checksum)
    }
}

/// The checksum in the comment of a view that `migrate` created; `None` for views of others.
pub(super) fn mark_of(comment: &str) -> Option<&str> {
    let (_, mark) = comment.strip_suffix(']')?.rsplit_once(" [")?;
    (mark.len() == 16 && mark.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(mark)
}

/// 16 hex digits.
pub(super) fn checksum(text: &str) -> String {
    format!("{:016x}", xxh3_64(text.as_bytes()))
}

/// Fills the name of the database into a statement.
pub(super) fn in_database(statement: &str, database: &str) -> String {
    statement.replace("{database}", database)
}

/// Tables and views that a text names.
fn relations(text: &str) -> impl Iterator<Item = &str> {
    text.split(DATABASE).skip(1).map(identifier)
}

fn identifier(text: &str) -> &str {
    let end = text
        .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// `{name:Type}`, as the server writes parameters.
fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}')?.0.split_once(':'))
}

fn sample(kind: &str) -> &'static str {
    match kind {
        _ if kind.starts_with("DateTime") => "'2020-01-01 00:00:00'",
        "Date" => "'2020-01-01'",
        "String" => "''",
        _ => "0",
    }
}

fn split_at_line<'l>(lines: &'l [&'l str], is_border: impl Fn(&str) -> bool) -> Option<(&'l [&'l str], &'l [&'l str])> {
    let position = lines.iter().position(|line| is_border(line))?;
    let (before, after) = lines.split_at_checked(position)?;
    Some((before, after.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::super::definitions::Definitions;
    use super::*;

    fn plain(name: &str, query: &str) -> (String, String) {
        let text = format!(
            "-- Why {{formula:none}}.\nCREATE OR REPLACE VIEW {{database}}.{name}\n(\n    `a` Int8\n)\nAS\n{query}\nCOMMENT 'What';\n"
        );
        (name.to_owned(), text)
    }

    fn refreshed(name: &str, schedule: &str, query: &str) -> (String, String) {
        let text = format!(
            "CREATE MATERIALIZED VIEW {{database}}.{name}\nREFRESH {schedule}\nSETTINGS refresh_retries = 2\nTO {{database}}.t_{name}\n\
             DEFINER = CURRENT_USER SQL SECURITY DEFINER\nAS\n{query}\nCOMMENT 'Fills';\n"
        );
        (name.to_owned(), text)
    }

    fn splices() -> Splices {
        Splices::new("-- formula one\n1 AS one\n-- formula none\n0 AS none\n", "")
    }

    fn ordered(files: impl IntoIterator<Item = (String, String)>) -> Vec<View> {
        in_order(&files.into_iter().collect(), &splices()).unwrap()
    }

    fn checksums(views: &[View]) -> BTreeMap<&str, &str> {
        views
            .iter()
            .map(|view| (view.name.as_str(), view.checksum.as_str()))
            .collect()
    }

    fn some() -> Vec<(String, String)> {
        vec![
            plain("a", "SELECT * FROM {database}.b JOIN {database}.c"),
            plain("b", "SELECT * FROM {database}.z"),
            plain("c", "SELECT {formula:one} FROM {database}.b_table"),
            plain("d", "SELECT 1"),
            refreshed("e", "EVERY 1 DAY DEPENDS ON {database}.f", "SELECT * FROM {database}.d"),
            refreshed("f", "EVERY 1 DAY", "SELECT * FROM {database}.d"),
            plain("z", "SELECT 1"),
        ]
    }

    #[test]
    fn each_view_comes_after_what_it_reads_and_waits_for() {
        let views = ordered(some());
        let place = |name: &str| views.iter().position(|view| view.name == name).unwrap();
        for (earlier, later) in [("z", "b"), ("b", "a"), ("c", "a"), ("d", "f"), ("f", "e")] {
            assert!(place(earlier) < place(later), "{earlier} {later}");
        }
        let read = |name: &str| views[place(name)].reads.iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(read("a"), ["b", "c"]);
        assert_eq!(read("c"), Vec::<&str>::new(), "b_table is not b");
        assert_eq!(read("e"), ["d"], "a refresh is waited for, not read");
    }

    #[test]
    fn a_changed_view_changes_those_that_read_it_and_no_others() {
        let before = ordered(some());
        let changed = |files: Vec<(String, String)>, splices: &Splices| {
            let after = in_order(&files.into_iter().collect(), splices).unwrap();
            let (before, after) = (checksums(&before), checksums(&after));
            let names = before.keys().filter(|name| before[*name] != after[*name]);
            names.map(|name| (*name).to_owned()).collect::<Vec<_>>()
        };
        let with = |name: &str, query: &str| {
            let mut files = some();
            files.retain(|(other, _)| other != name);
            files.push(plain(name, query));
            files
        };
        assert_eq!(changed(some(), &splices()), Vec::<String>::new());
        assert_eq!(changed(with("z", "SELECT 2"), &splices()), ["a", "b", "z"]);
        assert_eq!(changed(with("d", "SELECT 2"), &splices()), ["d", "e", "f"]);
        let other_formula = Splices::new("-- formula one\n2 AS one\n-- formula none\n0 AS none\n", "");
        assert_eq!(
            changed(some(), &other_formula),
            ["a", "c"],
            "one in a comment counts for nothing"
        );
    }

    #[test]
    fn statements() {
        let views = ordered(some());
        let find = |name: &str| views.iter().find(|view| view.name == name).unwrap();
        let (c, e) = (find("c"), find("e"));
        assert_eq!(
            c.create("x"),
            format!(
                "CREATE OR REPLACE VIEW x.c\n(\n    `a` Int8\n)\nAS\nSELECT 1 AS one FROM x.b_table\nCOMMENT 'What [{}]'",
                c.checksum
            )
        );
        assert_eq!(
            e.create("x"),
            format!(
                "CREATE MATERIALIZED VIEW IF NOT EXISTS x.e\nREFRESH EVERY 1 DAY DEPENDS ON x.f\nSETTINGS refresh_retries = 2\n\
                 TO x.t_e\nDEFINER = CURRENT_USER SQL SECURITY DEFINER\nAS\nSELECT * FROM x.d\nCOMMENT 'Fills [{}]'",
                e.checksum
            )
        );
        assert_eq!(
            e.alter(e.refresh.as_ref().unwrap(), "x"),
            [
                "ALTER TABLE x.e MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER".to_owned(),
                "ALTER TABLE x.e MODIFY REFRESH EVERY 1 DAY DEPENDS ON x.f\nSETTINGS refresh_retries = 2".to_owned(),
                format!(
                    "ALTER TABLE x.e MODIFY COMMENT 'Fills [{}]', MODIFY QUERY\nSELECT * FROM x.d",
                    e.checksum
                ),
            ]
        );
        let renamed = BTreeMap::from([("b".to_owned(), "check_b".to_owned())]);
        assert_eq!(
            find("a").create_as("check_a", "x", &renamed),
            "CREATE VIEW x.check_a\n(\n    `a` Int8\n)\nAS\nSELECT * FROM x.check_b AS b JOIN x.c\nCOMMENT 'Being checked by migrate'"
        );
    }

    #[test]
    fn views_with_parameters_are_asked_with_values_of_their_types() {
        let query = "SELECT * FROM {database}.t WHERE a = {name:String} AND b > {from:Date} OR {name:String} = '' \
                     OR c > {at:DateTime('UTC')} OR d = {n:UInt8}";
        let views = ordered([plain("p", query)]);
        assert_eq!(
            views[0].sample_arguments(),
            "(at = '2020-01-01 00:00:00', from = '2020-01-01', n = 0, name = '')"
        );
    }

    #[test]
    fn marks() {
        assert_eq!(mark_of("What it is [0123456789abcdef]"), Some("0123456789abcdef"));
        for comment in [
            "",
            "What it is",
            "of [somebody else]",
            "[0123456789abcdef]",
            "a [0123456789abcdeg]",
        ] {
            assert_eq!(mark_of(comment), None, "{comment}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let error = |name: &str, text: &str| {
            let files = BTreeMap::from([(name.to_owned(), text.to_owned())]);
            in_order(&files, &splices()).unwrap_err().to_string()
        };
        let (_, good) = plain("a", "SELECT 1");
        assert!(error("b", &good).contains("views/b.sql does not begin with"));
        assert!(error("a", &good.replace("COMMENT 'What';", "")).contains("COMMENT"));
        assert!(error("a", &good.replace("\nAS\n", "\nAs\n")).contains("no line AS"));
        assert!(error("a", "").contains("no statement"));
        assert!(error("a", &good.replace("SELECT 1", "{formula:two}")).contains("{formula:two}"));
        let (_, refreshing) = refreshed("a", "EVERY 1 DAY", "SELECT 1");
        assert!(error("a", &refreshing.replace("TO {database}", "INTO {database}")).contains("TO"));
        let circle = [
            plain("a", "SELECT * FROM {database}.b"),
            plain("b", "SELECT * FROM {database}.a"),
            plain("c", "SELECT 1"),
        ];
        let error = in_order(&circle.into_iter().collect(), &splices()).unwrap_err();
        assert_eq!(error.to_string(), "these views read each other: a, b");
    }

    #[test]
    fn the_files_of_this_program_are_views() {
        let definitions = Definitions::embedded();
        let views = in_order(&definitions.views, &definitions.splices()).unwrap();
        assert_eq!(views.len(), definitions.views.len());
        assert_eq!(views.iter().filter(|view| view.refresh.is_some()).count(), 8);
        for view in &views {
            assert_eq!(mark_of(&view.marked_comment()), Some(view.checksum.as_str()));
            let statement = view.create("courier");
            assert!(!statement.contains("{database}"), "{}", view.name);
            // A user who may read a view needs no right on its tables, which hold texts of the vendors.
            assert!(
                statement.contains("DEFINER = CURRENT_USER SQL SECURITY DEFINER"),
                "{}",
                view.name
            );
        }
    }
}
