//! Groups of digits that stand together, and what stands between them.

use super::super::cursor::Cursor;
use super::SHORTEST;

/// A stretch of digits and of stars that stand for digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Group {
    pub(super) const fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }
}

/// Groups that stand together, and the text that they are in.
pub(super) struct Run<'t> {
    pub(super) text: &'t str,
    pub(super) groups: Vec<Group>,
}

pub(super) const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'*'
}

/// What may stand between two groups of one number, three of them at most.
pub(super) const fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'(' | b')')
}

/// What digits and stars in a row are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    /// Digits, with stars for some of them if somebody hid them: 138****1234.
    Group,
    /// Stars in place of a whole group: 138-****-1234.
    Stars,
    /// Stars that masking itself may have left beside digits.
    Masked,
}

impl Row {
    fn of(row: &str) -> Self {
        let stars = row.bytes().filter(|byte| *byte == b'*').count();
        let is_one_stretch = row.trim_matches(|letter: char| letter.is_ascii_digit()).len() == stars;
        match stars {
            0 => Self::Group,
            4.. if stars == row.len() => Self::Stars,
            4.. if is_one_stretch && !row.starts_with('*') => Self::Group,
            _ => Self::Masked,
        }
    }
}

impl<'t> Run<'t> {
    /// The groups from a digit on, and where to look for the next ones.
    pub(super) fn read(text: &'t str, start: usize) -> (Self, usize) {
        let mut groups = Vec::new();
        // Stars alone are a group only if digits follow: else they are what masking put in place of something.
        let mut known = 0;
        let mut row_start = start;
        let mut end = start;
        loop {
            let row_end = row_start.saturating_add(leading(text, row_start, is_digit));
            if row_end == row_start {
                break;
            }
            end = row_end;
            match Row::of(text.get(row_start..row_end).unwrap_or_default()) {
                Row::Masked => break,
                Row::Stars => groups.push(Group {
                    start: row_start,
                    end: row_end,
                }),
                Row::Group => {
                    groups.push(Group {
                        start: row_start,
                        end: row_end,
                    });
                    known = groups.len();
                }
            }
            let separators = leading(text, row_end, is_separator);
            if !(1..=3).contains(&separators) {
                break;
            }
            row_start = row_end.saturating_add(separators);
        }
        groups.truncate(known);
        (Self { text, groups }, end)
    }

    pub(super) fn cursor_behind(&self, last: usize) -> Cursor<'t> {
        Cursor::new(
            self.text,
            self.groups.get(last).map_or(self.text.len(), |group| group.end),
        )
    }

    pub(super) fn digits(&self, group: Group) -> &'t str {
        self.text.get(group.start..group.end).unwrap_or_default()
    }

    pub(super) fn separator(&self, before: usize) -> &'t str {
        let (left, right) = (self.groups.get(before.saturating_sub(1)), self.groups.get(before));
        match (left, right) {
            (Some(left), Some(right)) => self.text.get(left.end..right.start).unwrap_or_default(),
            _ => "",
        }
    }

    /// Digits of so many groups.
    pub(super) fn total(&self, first: usize, groups: usize) -> usize {
        self.groups
            .iter()
            .skip(first)
            .take(groups)
            .map(|group| group.len())
            .sum()
    }

    pub(super) fn value(&self, at: usize) -> Option<u32> {
        self.groups.get(at).and_then(|group| self.digits(*group).parse().ok())
    }

    /// True if a group belongs to the one before it.
    pub(super) fn ties(&self, at: usize) -> bool {
        let (Some(left), Some(right)) = (self.groups.get(at.saturating_sub(1)), self.groups.get(at)) else {
            return false;
        };
        if right.len() >= SHORTEST {
            // A number of its own.
            return false;
        }
        match self.separator(at) {
            " " => left.len() < SHORTEST && right.len() >= 2 || left.len() == SHORTEST && right.len() == 4,
            "-" | "." | "--" | ")" | ") " | "- " | " -" | " - " | ")-" => true,
            _ => false,
        }
    }
}

/// Length of the bytes of a kind from a place on.
pub(super) fn leading(text: &str, start: usize, kind: impl Fn(u8) -> bool) -> usize {
    text.bytes().skip(start).take_while(|byte| kind(*byte)).count()
}
