//! Lines in which personal data is marked: `[[…]]` must be hidden, `<<…>>` (a branch's own line) may be.

use std::ops::Range;

use courierflow_domain::masking::find;

/// The lines that rule 13.1 is measured on.
pub(crate) const TRAINING: &str = include_str!("pii-train.tsv");
/// Lines of the same kinds, written and marked before masking saw them.
pub(crate) const OWN: &str = include_str!("own-pii.tsv");

/// One row of a file of lines.
#[derive(Debug)]
pub(crate) struct MarkedLine {
    /// Its name in the file.
    pub(crate) id: String,
    /// The text without its marks.
    pub(crate) text: String,
    /// Bytes of `text` that must be hidden.
    pub(crate) personal: Vec<Range<usize>>,
    /// Bytes of `text` that may be.
    pub(crate) neutral: Vec<Range<usize>>,
}

/// Reads the rows of a file: id, split, category, `has_personal`, confidence, marked.
pub(crate) fn read(file: &str) -> Vec<MarkedLine> {
    file.lines().skip(1).map(MarkedLine::read).collect()
}

impl MarkedLine {
    fn read(row: &str) -> Self {
        let columns: Vec<&str> = row.split('\t').collect();
        let [id, _, _, has_personal, _, marked] = columns[..] else {
            panic!("six columns: {row}")
        };
        let mut line = Self {
            id: id.to_owned(),
            text: String::new(),
            personal: Vec::new(),
            neutral: Vec::new(),
        };
        let mut rest = marked;
        while let Some(open) = ["[[", "<<"].iter().filter_map(|mark| rest.find(mark)).min() {
            let is_personal = rest[open..].starts_with('[');
            // Of three brackets the first belongs to the text.
            let open = if rest[open..].starts_with("[[[") {
                open + 1
            } else {
                open
            };
            line.text.push_str(&rest[..open]);
            let (inside, behind) = rest[open + 2..]
                .split_once(if is_personal { "]]" } else { ">>" })
                .unwrap();
            let start = line.text.len();
            line.text.push_str(inside);
            let spans = if is_personal {
                &mut line.personal
            } else {
                &mut line.neutral
            };
            spans.push(start..line.text.len());
            rest = behind;
        }
        line.text.push_str(rest);
        assert_eq!(line.personal.is_empty(), has_personal == "no", "{row}");
        line
    }

    /// Judges what masking finds in it.
    pub(crate) fn judge(&self) -> Judgement {
        let found = find(&self.text, None);
        let is_found = |at: usize| found.iter().any(|finding| finding.range.contains(&at));
        let hides = |span: &&Range<usize>| letters(&self.text, span).all(is_found);
        let is_marked = |at: usize| self.personal.iter().chain(&self.neutral).any(|span| span.contains(&at));
        Judgement {
            hidden: self.personal.iter().filter(hides).count(),
            hides_more: found
                .iter()
                .any(|finding| !letters(&self.text, &finding.range).all(is_marked)),
        }
    }
}

/// What masking did with a line.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// So many of the personal stretches are hidden from end to end.
    pub(crate) hidden: usize,
    /// Something is hidden that is neither personal nor neutral.
    pub(crate) hides_more: bool,
}

/// Positions of letters and digits: marks between them tell nothing.
fn letters<'t>(text: &'t str, span: &Range<usize>) -> impl Iterator<Item = usize> + 't {
    let start = span.start;
    let letters = text[span.clone()]
        .char_indices()
        .filter(|(_, letter)| letter.is_alphanumeric());
    letters.map(move |(at, _)| start + at)
}

/// Marks of a file of lines.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Personal stretches, and how many of them are hidden.
    pub(crate) personal: usize,
    pub(crate) hidden: usize,
    /// Lines without any, and how many of them are as they were.
    pub(crate) harmless: usize,
    pub(crate) intact: usize,
    /// Lines with personal data in which more is hidden than that. No mark is set for them.
    pub(crate) hiding_more: usize,
    /// Lines that are not as they should be.
    pub(crate) faults: Vec<String>,
}

impl Marks {
    /// Judges all lines of a file.
    pub(crate) fn of(lines: &[MarkedLine]) -> Self {
        let mut marks = Self::default();
        for line in lines {
            let judgement = line.judge();
            marks.personal += line.personal.len();
            marks.hidden += judgement.hidden;
            if line.personal.is_empty() {
                marks.harmless += 1;
                marks.intact += usize::from(!judgement.hides_more);
            } else {
                marks.hiding_more += usize::from(judgement.hides_more);
            }
            if judgement.hidden < line.personal.len() || line.personal.is_empty() && judgement.hides_more {
                let masked = courierflow_domain::mask(&line.text, None);
                marks.faults.push(format!("{} {} → {masked}", line.id, line.text));
            }
        }
        marks
    }

    /// Share of the personal stretches that are hidden, in percent.
    pub(crate) fn hidden_percent(&self) -> f64 {
        percent(self.hidden, self.personal)
    }

    /// Share of the lines without personal data that are as they were, in percent.
    pub(crate) fn intact_percent(&self) -> f64 {
        percent(self.intact, self.harmless)
    }
}

#[allow(clippy::cast_precision_loss, reason = "some hundreds")]
fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
