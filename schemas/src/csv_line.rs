//! Where in a CSV file something is: the number of a line as an editor shows it.

/// Number of the line, from 1, at which a record of `text` begins. The reader's own position is before the empty lines that it
/// skips.
pub fn line_of(text: &[u8], position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 1 };
    let start = usize::try_from(position.byte())
        .ok()
        .and_then(|start| text.get(start..));
    let skipped = start
        .unwrap_or_default()
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace());
    skipped
        .filter(|byte| **byte == b'\n')
        .fold(position.line(), |line, _| line.saturating_add(1))
}
