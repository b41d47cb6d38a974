//! Personal data in the vendors' texts (rule 13.1): names that a word announces, telephone numbers, codes, identity and
//! bank cards, accounts, plates, homes.
//!
//! A text is folded, searched for cues (words and digits), and each cue is looked at where it stands. What is found is
//! replaced in the text as it came. Ids are made before this, so masking may grow without changing them.

use std::borrow::Cow;
use std::ops::Range;

mod addresses;
mod codes;
mod cursor;
mod fold;
mod latin_names;
mod letters;
mod name_places;
mod names;
mod numbers;
mod replace;
mod vocabulary;
mod words;

use crate::memo::{Memo, Remembered};

use self::cursor::Cursor;
use self::fold::Folded;
use self::letters::flag;
use self::names::Trust;
use self::vocabulary::{Cue, Hit, VOCABULARY, Vocabulary};

/// What becomes of the vendors' texts in shipments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Context {
    /// Kept, masked.
    #[default]
    Keep,
    /// Left out: names that nothing announces cannot be recognised.
    Omit,
}

/// How a stretch is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `***`: a name, an address, an account's name, an e-mail address, a plate.
    Word,
    /// `****`: a code, or a number too short to show any of it.
    Code,
    /// All digits but the first three and the last two.
    Number,
}

/// Personal data in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Bytes of the text as it came.
    pub range: Range<usize>,
    /// How it is hidden.
    pub kind: Kind,
}

/// Masks a text of rule 4.9; borrows when there is nothing to mask. `own_number` is the parcel's number, which stays.
/// Masking what is masked already changes nothing.
pub fn mask<'t>(text: &'t str, own_number: Option<&str>) -> Cow<'t, str> {
    let mut masked = Cow::Borrowed(text);
    // A name that is hidden may leave another one bare: until nothing is found that is not hidden. Each round hides
    // letters or ends, so the bound is for the eye of the reader.
    for _ in 0..MOST_ROUNDS {
        let findings = find(&masked, own_number);
        if findings.is_empty() {
            break;
        }
        let next = replace::replaced(&masked, &findings);
        if next == masked {
            break;
        }
        masked = Cow::Owned(next);
    }
    masked
}

const MOST_ROUNDS: usize = 16;

/// What [`mask`] gives without an own number; none if there is nothing to hide.
type Masked = Option<Box<str>>;

impl Remembered for Masked {
    fn heap_bytes(&self) -> usize {
        self.as_ref().map_or(0, |text| text.len())
    }
}

thread_local! {
    static MASKED: Memo<Masked> = Memo::new();
}

/// [`mask`], remembered by the text.
pub fn mask_remembered(text: &str, own_number: Option<&str>) -> String {
    let masked = MASKED.with(|memo| {
        memo.get(text, |text| match mask(text, None) {
            Cow::Borrowed(_) => None,
            Cow::Owned(masked) => Some(masked.into()),
        })
    });
    match masked {
        // The own number only leaves less to hide.
        None => text.to_owned(),
        Some(_) if own_number.is_some_and(|own| may_hold(text, own)) => mask(text, own_number).into_owned(),
        Some(masked) => masked.into(),
    }
}

/// False if the parcel's number is surely not in the text, in any spelling that [`mask`] knows.
fn may_hold(text: &str, own_number: &str) -> bool {
    let own: String = letters_of(own_number.chars()).collect();
    // Marks and what nobody sees are no letters, whether they fold or not.
    let held: String = letters_of(text.chars().map(fold::folded)).collect();
    !own.is_empty() && held.contains(&own)
}

/// Letters and digits, in capitals.
fn letters_of(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    text.filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
}

/// The personal data of a text, from left to right.
pub fn find(text: &str, own_number: Option<&str>) -> Vec<Finding> {
    // Most texts are searched as they came; letters that fold to others, and marks inside of numbers, need a folded copy.
    let mut search = Search::of(text, own_number);
    match search.cues() {
        Content::Plain => return search.found,
        Content::Digits if !fold::folds_in_numbers(text) => {
            search.numbers();
            return search.found;
        }
        Content::Digits | Content::Folds => {}
    }
    let folded = Folded::of(text);
    let mut search = Search::of(&folded.text, own_number);
    // Nothing is left to fold.
    let _ = search.cues();
    search.numbers();
    let mut findings = search.found;
    for finding in &mut findings {
        finding.range = folded.unfolded(&finding.range);
    }
    findings
}

/// What else a text holds beside cues.
enum Content {
    /// Nothing that is searched for.
    Plain,
    /// So many digits that some of them may be a number.
    Digits,
    /// Letters of words or numbers that fold.
    Folds,
}

/// What is found so far in a folded text: no two findings overlap.
struct Search<'t> {
    text: &'t str,
    own_number: Option<&'t str>,
    found: Vec<Finding>,
}

impl<'t> Search<'t> {
    const fn of(text: &'t str, own_number: Option<&'t str>) -> Self {
        Self {
            text,
            own_number,
            found: Vec::new(),
        }
    }

    /// What cues lead to. Stops at a letter that folds, because a folded copy must be searched instead.
    fn cues(&mut self) -> Content {
        let vocabulary = &*VOCABULARY;
        let has_digits = self.text.bytes().any(|byte| byte.is_ascii_digit());
        let mut digits: usize = 0;
        let mut passed = 0;
        // A cue is looked up when its second letter is seen.
        let mut first = (0, words::ALONE);
        let mut first_flags = 0;
        let mut is_inside_word = false;
        for (at, letter) in self.text.char_indices() {
            let flags = vocabulary.flags(letter);
            if first_flags & flag::ALONE != 0 || first_flags & flag::CUE != 0 && flags & flag::SECOND != 0 {
                passed = self.cue(vocabulary, first, letter, passed, has_digits);
            }
            if flags & (flag::DIGIT | flag::FOLDS_IN_WORDS | flag::UNKNOWN) != 0 {
                digits = digits.saturating_add(usize::from(flags & flag::DIGIT != 0));
                if flags & flag::FOLDS_IN_WORDS != 0 || flags == flag::UNKNOWN && fold::is_part_of_words(letter) {
                    return Content::Folds;
                }
            }
            // Latin cues begin with their words.
            let is_latin = letter.is_ascii_alphabetic();
            first = (at, letter);
            first_flags = if is_latin && is_inside_word { 0 } else { flags };
            is_inside_word = is_latin;
        }
        if first_flags & flag::ALONE != 0 {
            self.cue(vocabulary, first, words::ALONE, passed, has_digits);
        }
        if digits < numbers::SHORTEST {
            Content::Plain
        } else {
            Content::Digits
        }
    }

    /// Looks up the cue that begins at a letter; returns how far the cues are passed.
    fn cue(
        &mut self,
        vocabulary: &Vocabulary,
        (at, first): (usize, char),
        second: char,
        passed: usize,
        has_digits: bool,
    ) -> usize {
        if at < passed {
            return passed;
        }
        let Some(hit) = vocabulary.cue_at(Cursor::new(self.text, at), first, second) else {
            return passed;
        };
        if has_digits || !hit.cue.needs_digits() {
            self.add_found(self.behind(hit), hit.cue.kind());
        }
        hit.end
    }

    /// The personal data that a cue leads to.
    fn behind(&self, hit: Hit) -> Option<Range<usize>> {
        let word = Cursor::new(self.text, hit.start);
        let end = Cursor::new(self.text, hit.end);
        match hit.cue {
            Cue::Role => name_places::after_role(end, Trust::Bare),
            Cue::WeakRole => name_places::after_role(end, Trust::Slight),
            Cue::MarkedRole => name_places::after_mark(end),
            Cue::Handover => name_places::after_handover(end),
            Cue::By => name_places::after_by(end),
            Cue::Of => name_places::after_of(end),
            Cue::Office => name_places::after_office(end),
            Cue::LatinRole => addresses::after_latin(word, end).or_else(|| latin_names::after_role(word, end)),
            Cue::Code => codes::after_code_word(end),
            Cue::AnyCode => codes::after_any_code(word, end),
            Cue::Title => name_places::before_title(word, end).or_else(|| name_places::after_role(end, Trust::Bare)),
            Cue::LatinCode => codes::is_word(word, end).then(|| codes::after_code_word(end)).flatten(),
            Cue::Voucher => codes::after_voucher(word, end),
            Cue::Tail => codes::after_tail(end),
            Cue::Account => codes::is_word(word, end).then(|| codes::after_account(end)).flatten(),
            Cue::PlateWord => codes::after_plate_word(end),
            Cue::Plate => codes::plate(word, end),
            Cue::AtSign => codes::mail(word),
            Cue::Home => addresses::after_home(end),
            Cue::Address | Cue::Lead => addresses::after_lead(end),
            Cue::AddressMark => addresses::around_mark(word, end),
            Cue::LatinAddress => addresses::after_latin(word, end),
        }
    }

    fn numbers(&mut self) {
        let text = self.text;
        numbers::find(text, |number| {
            if self.overlaps(&number) || self.is_own(&number) {
                return;
            }
            let before = name_places::before_number(Cursor::new(text, number.start));
            let behind = name_places::behind_number(Cursor::new(text, number.end));
            for name in [before, behind].into_iter().flatten() {
                self.add(name, Kind::Word);
            }
            self.add(number, Kind::Number);
        });
    }

    fn add_found(&mut self, range: Option<Range<usize>>, kind: Kind) {
        if let Some(range) = range {
            self.add(range, kind);
        }
    }

    fn add(&mut self, range: Range<usize>, kind: Kind) {
        if range.is_empty() || self.is_own(&range) {
            return;
        }
        let kind = self.kind_of(&range, kind);
        // What overlaps becomes one, hidden as what was found first: announced things come before mere numbers.
        let mut finding = Finding { range, kind };
        self.found.retain(|other| {
            let overlaps = other.range.start < finding.range.end && finding.range.start < other.range.end;
            if overlaps {
                finding.range = finding.range.start.min(other.range.start)..finding.range.end.max(other.range.end);
                finding.kind = other.kind;
            }
            !overlaps
        });
        let place = self
            .found
            .partition_point(|other| other.range.start < finding.range.start);
        self.found.insert(place, finding);
    }

    /// An account's name that is a long number is shown as numbers are.
    fn kind_of(&self, range: &Range<usize>, kind: Kind) -> Kind {
        let text = self.text.get(range.clone()).unwrap_or_default();
        let digits = text
            .bytes()
            .filter(|byte| byte.is_ascii_digit() || *byte == b'*')
            .count();
        let is_number = text.contains(|letter: char| letter.is_ascii_digit())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b' ' | b'-' | b'+' | b'X'));
        match kind {
            Kind::Word if is_number && digits >= 7 => Kind::Number,
            Kind::Word if is_number => Kind::Code,
            kind => kind,
        }
    }

    fn overlaps(&self, range: &Range<usize>) -> bool {
        self.found
            .iter()
            .any(|other| other.range.start < range.end && range.start < other.range.end)
    }

    fn is_own(&self, range: &Range<usize>) -> bool {
        let Some(own) = self.own_number else { return false };
        let found = self.text.get(range.clone()).unwrap_or_default();
        letters_of(own.chars()).next().is_some() && letters_of(own.chars()).eq(letters_of(found.chars()))
    }
}
