//! One spelling for every way to write a line: NFKC, simplified characters, small letters, words between blanks.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Pairs of a traditional and a simplified character.
const TRADITIONAL: &str = include_str!("traditional.txt");

/// Variants that carriers of Hong Kong and Taiwan write and the dictionary leaves alone.
const VARIANTS: [(char, char); 6] = [
    ('著', '着'),
    ('祇', '只'),
    ('妳', '你'),
    ('衹', '只'),
    ('迴', '回'),
    ('檯', '台'),
];

/// Characters of a text that are read: ten times a long line. Reading a clause costs its length squared.
const LONGEST: usize = 1_000;

/// What a character does to the line around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A letter or digit of a script that parts words by blanks.
    Word,
    Ideograph,
    Blank,
    /// No trace of it is left, nor of a gap.
    Dropped,
    /// May part clauses.
    Mark,
    Other,
    /// A combining mark, or a character that becomes several: the text is decomposed and composed first.
    Sequence,
}

/// What each character of the basic plane becomes by itself.
static FOLDING: LazyLock<Box<[(char, Kind)]>> = LazyLock::new(|| {
    let one = |code| char::from_u32(code).map_or(('\u{fffd}', Kind::Other), fold_one);
    let mut folding: Vec<(char, Kind)> = (0..=0xffff).map(one).collect();
    let lines = TRADITIONAL.lines().filter(|line| !line.starts_with('#'));
    let dictionary = lines.flat_map(|line| line.chars().zip(line.chars().skip(1)).step_by(2));
    for (traditional, simplified) in dictionary.chain(VARIANTS) {
        if let Some((folded, _)) = folding.get_mut(traditional as usize) {
            *folded = simplified;
        }
    }
    folding.into_boxed_slice()
});

fn fold_one(letter: char) -> (char, Kind) {
    if canonical_combining_class(letter) != 0 {
        return (letter, Kind::Sequence);
    }
    let mut compatible = std::iter::once(letter).nfkc();
    let folded = match (compatible.next(), compatible.next()) {
        (Some(one), None) => one,
        _ if letter == '…' => letter,
        _ => return (letter, Kind::Sequence),
    };
    let mut lower = folded.to_lowercase();
    let folded = match (lower.next(), lower.next()) {
        (Some(lower), None) => lower,
        _ => folded,
    };
    (folded, kind(folded))
}

fn kind(letter: char) -> Kind {
    match letter {
        'a'..='z' | '0'..='9' => Kind::Word,
        '\u{2e80}'..='\u{2fff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => {
            Kind::Ideograph
        }
        // "wasn't" is one word, and so is "wasnt".
        '\'' | '’' | '‘' | '`' => Kind::Dropped,
        '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}' | '\u{202a}'..='\u{202e}' => {
            Kind::Dropped
        }
        '。' | '.' | '!' | '\n' | '…' | ',' | '|' | ';' | '?' | ':' | '(' | ')' | '/' | '[' | '【' | '〔' | '〖'
        | ']' | '】' | '〕' | '〗' | '-' | '–' | '—' => Kind::Mark,
        _ if letter.is_whitespace() => Kind::Blank,
        _ if letter.is_alphanumeric() => Kind::Word,
        _ => Kind::Other,
    }
}

fn fold(letter: char) -> (char, Kind) {
    FOLDING
        .get(letter as usize)
        .copied()
        .unwrap_or_else(|| (letter, kind(letter)))
}

/// The line in one spelling. Chinese runs on without blanks; every word or number of another script stands between
/// two blanks of its own, so that searching for ` in ` cannot find the end of another word. Marks that part clauses
/// are kept as one of `。 ? ; , : ( ) 【 】`, and `/` between numbers; other marks and blanks are gone.
/// Only the beginning of an overlong text is read.
pub(super) fn normalise(text: &str) -> String {
    let text = if text.len() <= LONGEST {
        text
    } else {
        let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
        text.get(..end).unwrap_or_default()
    };
    let composed = || text.nfkc().collect::<String>();
    spell(text, false)
        .or_else(|| spell(&composed(), true))
        .unwrap_or_default()
}

/// None if the text has to be composed first; in a composed text a mark that nothing composes with is left out.
fn spell(text: &str, is_composed: bool) -> Option<String> {
    let mut letters = text.chars();
    let mut out = String::with_capacity(text.len().saturating_mul(2));
    let mut in_word = false;
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let (letter, kind) = fold(letter);
        match kind {
            Kind::Dropped => continue,
            Kind::Word if in_word => out.push(letter),
            Kind::Word => {
                out.push(' ');
                out.push(letter);
                in_word = true;
            }
            Kind::Sequence if !is_composed => return None,
            _ => {
                if in_word {
                    out.push(' ');
                    in_word = false;
                }
                match kind {
                    Kind::Ideograph => out.push(letter),
                    Kind::Mark => {
                        let next = letters.clone().next().map_or(' ', |next| fold(next).0);
                        out.extend(kept_mark(letter, before, next));
                    }
                    Kind::Other if !letter.is_ascii() => out.push(letter),
                    _ => {}
                }
            }
        }
        before = letter;
    }
    if in_word {
        out.push(' ');
    }
    Some(out)
}

/// A mark as the rest of the module knows it. Inside of a number, a time or a compound it parts nothing.
fn kept_mark(letter: char, before: char, next: char) -> Option<char> {
    let in_number = before.is_ascii_digit() && next.is_ascii_digit();
    match letter {
        '/' => in_number.then_some('/'),
        '.' if before.is_ascii_alphanumeric() && next.is_ascii_alphanumeric() => None,
        ':' | ',' if in_number => None,
        '。' | '.' | '!' | '\n' | '…' => Some('。'),
        ',' | '|' => Some(','),
        '[' | '【' | '〔' | '〖' => Some('【'),
        ']' | '】' | '〕' | '〗' => Some('】'),
        '-' | '–' | '—' if before.is_whitespace() || next.is_whitespace() => Some(','),
        '-' | '–' | '—' if kind(before) == Kind::Ideograph && kind(next) == Kind::Ideograph => Some(','),
        '-' | '–' | '—' => None,
        other => Some(other),
    }
}
