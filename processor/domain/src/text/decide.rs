//! The ordered table from what a line asserts to its class.

use std::sync::LazyLock;

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::Status;

use super::occurrences::{Mode, Modes, Occurrence};
use super::sense::Sense;

/// Rows of class, conditions that must hold, conditions that must not, lines that prove the row. The first row wins.
pub(super) const TABLE: &str = include_str!("decisions.tsv");

/// A bit for each condition of the table.
type Conditions = [u64; WORDS];

/// Enough for 512 conditions; a test counts them.
const WORDS: usize = 8;

/// One word in one sense, mode and relation, as the table writes it: `sign+<sender~again`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    sense: Sense,
    modes: Modes,
    /// `<`: stands before it.
    before: u128,
    /// `>`: it goes there.
    towards: u128,
    /// `~`: in the same clause.
    around: u128,
}

/// A row of the table in conditions' bits.
#[derive(Clone, Debug)]
struct Row {
    status: Status,
    sub_status: SubStatus,
    /// Of each group one must hold.
    needs: Vec<Conditions>,
    unless: Conditions,
}

/// The table, ready to be asked.
pub(super) struct Decisions {
    /// By sense: its conditions with their bits.
    by_sense: Vec<Vec<(Condition, usize)>>,
    rows: Vec<Row>,
}

pub(super) static DECISIONS: LazyLock<Decisions> = LazyLock::new(|| Decisions::of(TABLE));

/// Lines of the table that hold a row.
pub(super) fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

impl Decisions {
    pub(super) fn of(table: &'static str) -> Self {
        let mut known: Vec<Condition> = Vec::new();
        let mut rows = Vec::new();
        for line in lines(table) {
            let mut columns = line.split('\t');
            let mut next = || columns.next().unwrap_or_default();
            let Some((status, sub_status)) = class_named(next()) else {
                continue;
            };
            let needs = next().split(' ').filter(|group| !group.is_empty());
            let needs = needs.map(|group| set_of(group.split('|'), &mut known)).collect();
            let unless = set_of(next().split([' ', '|']).filter(|name| !name.is_empty()), &mut known);
            rows.push(Row {
                status,
                sub_status,
                needs,
                unless,
            });
        }
        let mut by_sense = vec![Vec::new(); 128];
        for (bit, condition) in known.into_iter().enumerate() {
            if let Some(conditions) = by_sense.get_mut(condition.sense as usize) {
                conditions.push((condition, bit));
            }
        }
        Self { by_sense, rows }
    }

    #[cfg(test)]
    pub(super) fn conditions(&self) -> usize {
        self.by_sense.iter().map(Vec::len).sum()
    }

    /// Status and sub-status of the first row that holds.
    pub(super) fn decide(&self, occurrences: &[Occurrence]) -> Option<(Status, SubStatus)> {
        let mut held: Conditions = [0; WORDS];
        for found in occurrences {
            for (condition, bit) in self.by_sense.get(found.sense as usize).into_iter().flatten() {
                if condition.holds(found) {
                    add(&mut held, *bit);
                }
            }
        }
        if held == [0; WORDS] {
            return None;
        }
        let row = self
            .rows
            .iter()
            .find(|row| row.needs.iter().all(|group| meet(group, &held)) && !meet(&row.unless, &held));
        row.map(|row| (row.status, row.sub_status))
    }
}

#[cfg(test)]
pub(super) fn is_condition(name: &str) -> bool {
    Condition::named(name).is_some()
}

/// `STATUS/SUB_STATUS`.
pub(super) fn class_named(class: &str) -> Option<(Status, SubStatus)> {
    let (status, sub_status) = class.split_once('/')?;
    let status = Status::ALL.iter().find(|known| known.as_str() == status)?;
    let sub_status = SubStatus::ALL.iter().find(|known| known.as_str() == sub_status)?;
    Some((*status, *sub_status))
}

fn set_of<'a>(names: impl Iterator<Item = &'a str>, known: &mut Vec<Condition>) -> Conditions {
    let mut set = [0; WORDS];
    for condition in names.filter_map(Condition::named) {
        let bit = known.iter().position(|other| *other == condition).unwrap_or_else(|| {
            let next = known.len();
            known.push(condition);
            next
        });
        add(&mut set, bit);
    }
    set
}

fn add(set: &mut Conditions, bit: usize) {
    if let Some(word) = set.get_mut(bit / 64) {
        *word |= 1 << (bit % 64);
    }
}

fn meet(one: &Conditions, other: &Conditions) -> bool {
    // Without a branch a word.
    one.iter()
        .zip(other)
        .fold(0, |common, (one, other)| common | one & other)
        != 0
}

impl Condition {
    /// `sense[mode][<sense][>sense][~sense]`. Modes: none asserted, `+` asserted as done, `++` as succeeded, `-` denied,
    /// `?` expected, `^` overtaken, `*` any.
    fn named(text: &str) -> Option<Self> {
        let end = text.find(['<', '>', '~']).unwrap_or(text.len());
        let (head, mut relations) = text.split_at_checked(end)?;
        let sense = head.trim_end_matches(['+', '-', '?', '^', '*']);
        let modes = match head.get(sense.len()..)? {
            "" => Mode::Plain as Modes | Mode::Already as Modes | Mode::Success as Modes,
            "+" => Mode::Already as Modes | Mode::Success as Modes,
            "++" => Mode::Success as Modes,
            "-" => Mode::Negated as Modes,
            "?" => Mode::Future as Modes,
            "^" => Mode::Past as Modes,
            "*" => Modes::MAX,
            _ => return None,
        };
        let mut condition = Self {
            sense: Sense::named(sense)?,
            modes,
            before: 0,
            towards: 0,
            around: 0,
        };
        while let Some(relation) = relations.chars().next() {
            let rest = relations.get(1..)?;
            let end = rest.find(['<', '>', '~']).unwrap_or(rest.len());
            let (name, further) = rest.split_at_checked(end)?;
            let bit = Sense::named(name)?.bit();
            match relation {
                '<' => condition.before |= bit,
                '>' => condition.towards |= bit,
                _ => condition.around |= bit,
            }
            relations = further;
        }
        Some(condition)
    }

    fn holds(&self, found: &Occurrence) -> bool {
        self.modes & found.mode as Modes != 0
            && found.before & self.before == self.before
            && found.towards & self.towards == self.towards
            && found.around & self.around == self.around
    }
}
