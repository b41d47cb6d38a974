//! The text with its findings hidden.

use super::fold::folded;
use super::{Finding, Kind};

const WORD_MASK: &str = "***";
const CODE_MASK: &str = "****";
/// Digits of a number that stay at its beginning and at its end.
const SHOWN: (usize, usize) = (3, 2);

/// Replaces the findings, which are in order and do not overlap.
pub(super) fn replaced(text: &str, findings: &[Finding]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for Finding { range, kind } in findings {
        masked.push_str(text.get(done..range.start).unwrap_or_default());
        match kind {
            Kind::Word => masked.push_str(WORD_MASK),
            Kind::Code => masked.push_str(CODE_MASK),
            Kind::Number => push_number(text.get(range.clone()).unwrap_or_default(), &mut masked),
        }
        done = range.end;
    }
    masked.push_str(text.get(done..).unwrap_or_default());
    masked
}

/// Every digit but the first and the last ones becomes `*`; separators stay as they are.
fn push_number(number: &str, masked: &mut String) {
    let is_digit = |letter: char| matches!(folded(letter), '0'..='9' | '*' | 'X' | 'x');
    let digits = number.chars().filter(|letter| is_digit(*letter)).count();
    let mut seen: usize = 0;
    for letter in number.chars() {
        if is_digit(letter) {
            seen = seen.saturating_add(1);
            let is_shown = seen <= SHOWN.0 || seen > digits.saturating_sub(SHOWN.1);
            masked.push(if is_shown { letter } else { '*' });
        } else {
            masked.push(letter);
        }
    }
}
