//! What a line means by its words alone (rule 6.5), in any spelling of Chinese and in English.
//!
//! A line is normalised; its telling words are found; what only may happen, what is asked for and what is courtesy is
//! left out; each word that remains gets a modality and its neighbours; an ordered table decides. The words are rows of
//! `vocabulary.tsv` and the table is `decisions.tsv`, both with lines that prove their rows.

mod clauses;
mod decide;
mod normalise;
mod occurrences;
mod pieces;
mod sense;
mod vocabulary;

#[cfg(test)]
mod tests;

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::Status;

use crate::memo::{Memo, Remembered};
use occurrences::Occurrence;
use vocabulary::{Token, VOCABULARY, Vocabulary};

/// What a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Canonical status.
    pub status: Status,
    /// Its refinement.
    pub sub_status: SubStatus,
}

/// The class of a line, or none if its words do not tell one: a line that could be either is none rather than wrong.
pub fn classify(text: &str) -> Option<Class> {
    classify_by(&VOCABULARY, text)
}

impl Remembered for Option<Class> {
    fn heap_bytes(&self) -> usize {
        0
    }
}

thread_local! {
    static CLASSES: Memo<Option<Class>> = Memo::new();
}

/// [`classify`], remembered by the text.
pub(crate) fn classify_remembered(text: &str) -> Option<Class> {
    CLASSES.with(|memo| memo.get(text, classify))
}

fn classify_by(vocabulary: &Vocabulary, text: &str) -> Option<Class> {
    let (_, occurrences) = read(vocabulary, &normalise::normalise(text));
    let (status, sub_status) = decide::DECISIONS.decide(&occurrences)?;
    Some(Class { status, sub_status })
}

fn read(vocabulary: &Vocabulary, line: &str) -> (Vec<Vec<Token>>, Vec<Occurrence>) {
    let tokens = vocabulary.find(line);
    let clauses = clauses::clauses(line, tokens);
    let mut occurrences = occurrences::occurrences(&clauses);
    if pieces::some_are_missing(line) {
        occurrences.push(Occurrence::PARTIAL);
    }
    (clauses, occurrences)
}

/// How a line is read, for whoever asks why it got its class: spelling, telling words by clause, class.
pub fn explain(text: &str) -> String {
    let line = normalise::normalise(text);
    let (clauses, occurrences) = read(&VOCABULARY, &line);
    let clauses: Vec<_> = clauses
        .iter()
        .map(|clause| clause.iter().map(|token| token.sense).collect::<Vec<_>>())
        .collect();
    let modes: Vec<_> = occurrences.iter().map(|found| (found.sense, found.mode)).collect();
    format!("  {line}\n  {clauses:?}\n  {modes:?}\n  {:?}", classify(text))
}
