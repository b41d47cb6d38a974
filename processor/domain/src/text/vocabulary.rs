//! The words that tell something, found in one pass: the longest word at a place counts, so that 签收短信 hides 签收.

use std::collections::hash_map::{Entry, HashMap};
use std::sync::LazyLock;

use daachorse::{CharwiseDoubleArrayAhoCorasick, CharwiseDoubleArrayAhoCorasickBuilder, MatchKind};

use super::normalise::normalise;
use super::sense::Sense;

/// One row a sense or a family of words of a sense: sense, words, lines that prove them.
pub(super) const TABLE: &str = include_str!("vocabulary.tsv");

/// A word of the vocabulary in a normalised line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) sense: Sense,
    /// Bytes of the normalised line.
    pub(super) start: u32,
    pub(super) end: u32,
    /// Written in ideographs, where distance is counted in characters of three bytes.
    pub(super) is_chinese: bool,
    /// Ideographs that the vocabulary does not know stand right before or behind it.
    pub(super) touches_unknown: bool,
    /// 了 stands right behind it: it happened.
    pub(super) is_perfect: bool,
}

/// A row of [`TABLE`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) sense: &'static str,
    pub(super) words: &'static str,
    /// `STATUS/SUB_STATUS: line`, several with ` || ` between them.
    #[cfg(test)]
    pub(super) proofs: &'static str,
}

impl Row {
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.words.split('|').map(str::trim)
    }
}

/// All rows, without comments.
pub(super) fn rows() -> impl Iterator<Item = Row> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let mut columns = line.split('\t');
        let mut next = || columns.next().unwrap_or_default();
        Row {
            sense: next(),
            words: next(),
            #[cfg(test)]
            proofs: next(),
        }
    })
}

/// Finds the words of the vocabulary in normalised lines.
pub(super) struct Vocabulary {
    automaton: Option<CharwiseDoubleArrayAhoCorasick<u32>>,
    senses: Vec<(Sense, bool)>,
}

pub(super) static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::of(rows()));

impl Vocabulary {
    pub(super) fn of(rows: impl Iterator<Item = Row>) -> Self {
        let mut senses = Vec::new();
        let mut patterns = HashMap::new();
        let words = rows.filter_map(|row| Some((row, Sense::named(row.sense)?)));
        let words =
            words.flat_map(|(row, sense)| row.words().map(move |word| (normalise(word), sense, !word.is_ascii())));
        let marks = Sense::MARKS
            .iter()
            .map(|(mark, sense)| (mark.to_string(), *sense, true));
        for (pattern, sense, is_chinese) in words.chain(marks) {
            let Ok(id) = u32::try_from(senses.len()) else { break };
            if let Entry::Vacant(entry) = patterns.entry(pattern) {
                entry.insert(id);
                senses.push((sense, is_chinese));
            }
        }
        let automaton = CharwiseDoubleArrayAhoCorasickBuilder::new()
            .match_kind(MatchKind::LeftmostLongest)
            .build_with_values(patterns)
            .ok();
        Self { automaton, senses }
    }

    /// The words of a normalised line in their order.
    pub(super) fn find(&self, line: &str) -> Vec<Token> {
        let Some(automaton) = &self.automaton else {
            return Vec::new();
        };
        let mut tokens: Vec<Token> = Vec::with_capacity(32);
        let mut before = 0;
        for found in automaton.leftmost_find_iter(line) {
            let Some(&(sense, is_chinese)) = self.senses.get(found.value() as usize) else {
                continue;
            };
            let (Ok(start), Ok(end)) = (u32::try_from(found.start()), u32::try_from(found.end())) else {
                break;
            };
            let gap = line.get(before..found.start()).unwrap_or_default();
            if let Some(last) = tokens.last_mut() {
                last.touches_unknown |= begins_unknown(gap);
                last.is_perfect = gap.starts_with('了');
            }
            before = found.end();
            tokens.push(Token {
                sense,
                start,
                end,
                is_chinese,
                touches_unknown: !gap.is_ascii(),
                is_perfect: false,
            });
        }
        if let Some(last) = tokens.last_mut() {
            let rest = line.get(before..).unwrap_or_default();
            last.touches_unknown |= begins_unknown(rest);
            last.is_perfect = rest.starts_with('了');
        }
        tokens
    }
}

/// True if a gap between words begins with an ideograph that may be a part of the word before it. Particles are none.
fn begins_unknown(gap: &str) -> bool {
    let first = gap.chars().next();
    first.is_some_and(|letter| {
        !letter.is_ascii() && !matches!(letter, '至' | '到' | '往' | '于' | '给' | '了' | '啦' | '在' | '吧')
    })
}
