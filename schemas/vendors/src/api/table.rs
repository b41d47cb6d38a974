//! Tables of answers: one row a code. Documentation and tests are made from them.

use std::time::Duration;

use courierflow_schemas::records::{CallClass, Reason};

/// What a vendor answers to one kind of call.
#[derive(Debug)]
pub struct AnswerTable {
    /// What it is the answer to, for people.
    pub name: &'static str,
    /// How a row is found.
    pub matching: Matching,
    /// The first row that matches counts.
    pub rows: &'static [AnswerRow],
}

/// How a row is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    /// The code is that of the row.
    Code,
    /// The code is that of the row, or the vendor's words contain it, whatever the case: the vendor has no codes. No words make a
    /// success of a refusal.
    Words,
}

/// One answer.
#[derive(Clone, Copy, Debug)]
pub struct AnswerRow {
    /// The vendor's code, or words of its text.
    pub told: &'static str,
    /// What it means for the caller.
    pub class: CallClass,
    /// Why.
    pub reason: Option<Reason>,
    /// The vendor's words, or what the words stand for.
    pub meaning: &'static str,
    /// Earliest time of a repetition, where the vendor's rules say one.
    pub retry_after: Option<Duration>,
    /// The vendor has too much to do.
    pub slow_down: bool,
}

impl AnswerRow {
    pub(crate) const fn new(told: &'static str, class: CallClass, meaning: &'static str) -> Self {
        Self {
            told,
            class,
            reason: None,
            meaning,
            retry_after: None,
            slow_down: false,
        }
    }

    pub(crate) const fn rejected(told: &'static str, reason: Reason, meaning: &'static str) -> Self {
        Self {
            reason: Some(reason),
            ..Self::new(told, CallClass::Rejected, meaning)
        }
    }

    pub(crate) const fn account(told: &'static str, meaning: &'static str) -> Self {
        Self {
            reason: Some(Reason::AccountStopped),
            ..Self::new(told, CallClass::Account, meaning)
        }
    }

    pub(crate) const fn after(self, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..self
        }
    }

    pub(crate) const fn slowly(self) -> Self {
        Self {
            slow_down: true,
            ..self
        }
    }
}

impl AnswerTable {
    /// The row of an answer; `None` if the table has none.
    pub fn find(&self, code: &str, message: Option<&str>) -> Option<&'static AnswerRow> {
        let words = message.unwrap_or_default().to_lowercase();
        let is_told = |row: &&AnswerRow| match self.matching {
            Matching::Code => row.told == code,
            Matching::Words => {
                let is_in_words = || words.contains(&row.told.to_lowercase());
                row.told == code || (row.class != CallClass::Done && is_in_words())
            }
        };
        self.rows.iter().find(is_told)
    }
}
