//! The lines of a CSV file with a header, and what is told of the first that cannot be used.

use std::collections::HashMap;
use std::hash::Hash;

use courierflow_schemas::csv_line::line_of;
use csv::{ReaderBuilder, Trim};

/// What is wrong with a file, and where.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FileError {
    /// The first line is not the header.
    #[error("line 1: the columns must be {0}")]
    Header(&'static str),
    /// A line cannot be used.
    #[error("line {line}: {problem}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it, with the value.
        problem: String,
    },
}

/// The columns that a file may have.
pub(super) struct Columns {
    /// Those that it must have, and then those that may be left out from the end.
    pub(super) names: &'static [&'static str],
    /// How many of them it must have.
    pub(super) required: usize,
    /// As the error says it.
    pub(super) told: &'static str,
}

/// Reads a file, one value a line. `read` gets the fields of a line, empty ones for columns that the file does not have, and gives
/// the value and what only one line may say, of which `same` are the words; or what is wrong.
pub(super) fn read<Key: Eq + Hash, Value, const COLUMNS: usize>(
    text: &[u8],
    columns: &Columns,
    same: &str,
    mut read: impl FnMut([&str; COLUMNS]) -> Result<(Key, Value), String>,
) -> Result<Vec<Value>, FileError> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text);
    let header = match reader.headers() {
        Ok(header) => header,
        Err(error) => return Err(not_csv(text, &error, 0)),
    };
    let count = header.len();
    if count < columns.required || !columns.names.starts_with(&header.iter().collect::<Vec<_>>()) {
        return Err(FileError::Header(columns.told));
    }
    let mut lines = HashMap::new();
    let mut values = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| not_csv(text, &error, count))?;
        let line = line_of(text, record.position());
        let told = |problem| FileError::Line { line, problem };
        if let Some(field) = record.iter().find(|field| field.contains(char::is_control)) {
            let start: String = field
                .chars()
                .take_while(|letter| !letter.is_control())
                .take(40)
                .collect();
            let problem =
                format!("after \"{start}\" there is a line break or another control character: is a quote not closed?");
            return Err(told(problem));
        }
        let fields = std::array::from_fn(|column| record.get(column).unwrap_or_default());
        let (key, value) = read(fields).map_err(told)?;
        if let Some(first) = lines.insert(key, line) {
            return Err(told(format!("the same {same} as in line {first}")));
        }
        values.push(value);
    }
    Ok(values)
}

fn not_csv(text: &[u8], error: &csv::Error, columns: usize) -> FileError {
    FileError::Line {
        line: line_of(text, error.position()),
        problem: match error.kind() {
            csv::ErrorKind::UnequalLengths { len, .. } => format!("{len} columns instead of {columns}"),
            csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8".to_owned(),
            _ => error.to_string(),
        },
    }
}
