//! The tables prove themselves: every row has lines that get their class, and only by that row.

use std::collections::HashMap;

use super::decide::{self, Decisions};
use super::normalise::normalise;
use super::sense::Sense;
use super::vocabulary::{Row, VOCABULARY, Vocabulary, rows};
use super::{Class, classify, classify_by, read};

fn class_of(text: &str) -> String {
    named(classify(text))
}

fn named(class: Option<Class>) -> String {
    class.map_or_else(
        || "UNKNOWN".to_owned(),
        |class| format!("{}/{}", class.status.as_str(), class.sub_status.as_str()),
    )
}

/// `STATUS/SUB_STATUS: line`, several with ` || ` between them.
fn proofs(column: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    column.split(" || ").filter_map(|proof| proof.split_once(": "))
}

#[test]
fn every_proving_line_gets_its_class() {
    let rows = rows().map(|row| row.proofs);
    let decisions = decide::lines(decide::TABLE).filter_map(|line| line.split('\t').nth(3));
    let wrong: Vec<_> = rows
        .chain(decisions)
        .flat_map(proofs)
        .filter(|(class, line)| class_of(line) != *class)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_row_of_the_vocabulary_is_needed_by_a_line_beside_it() {
    let all: Vec<Row> = rows().collect();
    let mut idle = Vec::new();
    for (left_out, row) in all.iter().enumerate() {
        assert!(Sense::named(row.sense).is_some(), "no sense is called {}", row.sense);
        let without = all
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != left_out)
            .map(|(_, row)| *row);
        let vocabulary = Vocabulary::of(without);
        let is_needed = proofs(row.proofs).any(|(class, line)| named(classify_by(&vocabulary, line)) != class);
        if !is_needed {
            idle.push(row);
        }
    }
    assert!(idle.is_empty(), "no line beside them needs {idle:#?}");
}

#[test]
fn a_word_has_one_sense() {
    let mut known = HashMap::new();
    for row in rows() {
        for word in row.words() {
            let other = known.insert(normalise(word), row.sense);
            assert!(
                other.is_none_or(|other| other == row.sense),
                "{word}: {} and {other:?}",
                row.sense
            );
        }
    }
}

#[test]
fn every_row_of_the_decisions_is_needed_by_a_line_beside_it() {
    let all: Vec<&str> = decide::lines(decide::TABLE).collect();
    assert!(decide::DECISIONS.conditions() <= 512);
    let mut idle = Vec::new();
    for (left_out, row) in all.iter().enumerate() {
        let without: Vec<&str> = all
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != left_out)
            .map(|(_, row)| *row)
            .collect();
        let decisions = Decisions::of(without.join("\n").leak());
        let proofs = row.split('\t').nth(3).map(proofs).into_iter().flatten();
        let is_needed = proofs
            .into_iter()
            .any(|(class, line)| named(decided(&decisions, line)) != class);
        if !is_needed {
            idle.push(row);
        }
    }
    assert!(idle.is_empty(), "no line beside them needs {idle:#?}");
}

fn decided(decisions: &Decisions, text: &str) -> Option<Class> {
    let (_, occurrences) = read(&VOCABULARY, &normalise(text));
    decisions
        .decide(&occurrences)
        .map(|(status, sub_status)| Class { status, sub_status })
}

#[test]
fn every_condition_is_understood() {
    for row in decide::lines(decide::TABLE) {
        for column in row.split('\t').skip(1).take(2) {
            for name in column.split([' ', '|']).filter(|name| !name.is_empty()) {
                assert!(decide::is_condition(name), "{name} in {row}");
            }
        }
        assert!(row.split('\t').next().and_then(decide::class_named).is_some(), "{row}");
    }
}
