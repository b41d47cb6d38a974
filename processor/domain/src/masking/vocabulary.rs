//! The words of masking, read once from `vocabulary.txt`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Kind;
use super::cursor::Cursor;
use super::fold;
use super::letters::{Letters, flag};
use super::words::{Endings, Words};

static FILE: &str = include_str!("vocabulary.txt");

/// What a word in a text lets us expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cue {
    /// A person's part in a parcel's life, a name behind it: 快递员张三.
    Role,
    /// A word that may itself be the signer: 前台. Only a name beyond doubt counts behind it.
    WeakRole,
    /// Announces a name with a mark behind it only: 自提：张三.
    MarkedRole,
    /// 交给张三.
    Handover,
    /// 由张三签收.
    By,
    /// 【网点】的张三已揽收.
    Of,
    /// A depot and a blank, behind which the courier's bare name may stand.
    Office,
    /// [`Cue::Role`] in English.
    LatinRole,
    /// 取件码.
    Code,
    /// Any other 码.
    AnyCode,
    /// 师傅, 先生: a bare surname may stand before it.
    Title,
    /// `pickup code`.
    LatinCode,
    /// 凭 8-2-3006 取件.
    Voucher,
    /// 尾号4821.
    Tail,
    /// Names and numbers of accounts, identity cards and employees.
    Account,
    /// 车牌.
    PlateWord,
    /// A province and a city as a Chinese plate begins with them.
    Plate,
    /// An address that is somebody's home: 收货地址.
    Home,
    /// 地址, which may also be a station's.
    Address,
    /// 送至: a home may come.
    Lead,
    /// 3单元: part of a home's address.
    AddressMark,
    /// `Left at`: an English home may come.
    LatinAddress,
    /// An e-mail address around it.
    AtSign,
}

impl Cue {
    /// What it leads to has a digit in it.
    pub(super) const fn needs_digits(self) -> bool {
        matches!(
            self,
            Self::AnyCode
                | Self::Voucher
                | Self::Tail
                | Self::Plate
                | Self::PlateWord
                | Self::Address
                | Self::Lead
                | Self::LatinAddress
        )
    }

    /// How what stands behind it is hidden.
    pub(in crate::masking) const fn kind(self) -> Kind {
        match self {
            Self::Code | Self::AnyCode | Self::LatinCode | Self::Voucher | Self::Tail => Kind::Code,
            _ => Kind::Word,
        }
    }
}

/// The cues of the file.
const CUES: &[(&str, Cue)] = &[
    ("role", Cue::Role),
    ("any-role", Cue::WeakRole),
    ("title-word", Cue::Title),
    ("any-code", Cue::AnyCode),
    ("weak-role", Cue::WeakRole),
    ("marked-role", Cue::MarkedRole),
    ("handover", Cue::Handover),
    ("by", Cue::By),
    ("of", Cue::Of),
    ("office", Cue::Office),
    ("latin-role", Cue::LatinRole),
    ("code", Cue::Code),
    ("latin-code", Cue::LatinCode),
    ("voucher", Cue::Voucher),
    ("tail", Cue::Tail),
    ("account", Cue::Account),
    ("plate-word", Cue::PlateWord),
    ("home", Cue::Home),
    ("address", Cue::Address),
    ("lead", Cue::Lead),
    ("address-mark", Cue::AddressMark),
    ("latin-address", Cue::LatinAddress),
    ("at-sign", Cue::AtSign),
];

/// Everything that is known of words.
pub(super) struct Vocabulary {
    cues: Words<Cue>,
    letters: Letters,
    stop: Words<()>,
    stop_inside: Words<()>,
    follow: Words<()>,
    follow_weak: Words<()>,
    place: Words<()>,
    compound: Words<()>,
    simplified: HashMap<char, char>,
    surnames: Vec<char>,
    doubtful: Vec<char>,
    not_last: Vec<char>,
    no_code: Vec<char>,
    latin_stop: Words<()>,
    latin_stop_inside: Words<()>,
    latin_titles: Words<()>,
    latin_particles: Words<()>,
    /// Titles of persons.
    pub(super) titles: Words<()>,
    /// 姓名, 信息 behind a role.
    pub(super) name_words: Words<()>,
    title_endings: Endings,
    /// Between a name and its number.
    pub(super) phone_words: Endings,
    /// Numbers behind these are no telephone numbers.
    pub(super) waybill_words: Endings,
    /// `no.` between such a word and its number.
    pub(super) number_words: Endings,
    /// The same, unless the number looks like a mobile one.
    pub(super) parcel_words: Endings,
    /// Numbers before these are measures.
    pub(super) units: Vec<String>,
    /// What a code is good for.
    pub(super) collects: Vec<String>,
    /// Between the word for an account and its number.
    pub(super) account_gaps: Vec<String>,
    /// An address with one of these is no home.
    pub(super) resorts: Vec<String>,
    /// Parts of an address.
    pub(super) home_places: Vec<String>,
    /// 门口 behind an address.
    pub(super) at_door: Vec<String>,
    latin_streets: Words<()>,
    latin_resorts: Words<()>,
}

/// The vocabulary of the file.
pub(super) static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(Vocabulary::read);

/// A cue, and the end of its word in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) cue: Cue,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Vocabulary {
    fn read() -> Self {
        let words = words_by_kind();
        let of = |kind: &str| words.get(kind).cloned().unwrap_or_default();
        let letters = |kind: &str| {
            let mut letters: Vec<char> = of(kind).iter().flat_map(|word| word.chars()).collect();
            letters.sort_unstable();
            letters
        };
        let cues = CUES
            .iter()
            .flat_map(|(kind, cue)| of(kind).into_iter().map(|word| (word, *cue)));
        let simplified: HashMap<char, char> = of("fold").iter().filter_map(|pair| two_letters(pair)).collect();
        let flagged = flagged_letters(
            &simplified,
            &letters("province"),
            CUES.iter().flat_map(|(kind, _)| of(kind)),
        );
        let stops: Vec<String> = [
            "stop",
            "stop-inside",
            "role",
            "weak-role",
            "marked-role",
            "handover",
            "place",
        ]
        .iter()
        .flat_map(|kind| of(kind))
        .collect();
        Self {
            cues: Words::of(cues),
            letters: flagged,
            stop: words_of(stops),
            stop_inside: words_of(of("stop-inside")),
            follow: words_of(of("follow")),
            follow_weak: words_of(of("follow-weak")),
            place: words_of(of("place")),
            compound: words_of(of("compound")),
            simplified,
            surnames: letters("surname"),
            doubtful: letters("doubtful"),
            not_last: letters("not-last"),
            no_code: letters("no-code"),
            latin_stop: words_of(of("latin-stop")),
            latin_stop_inside: words_of(of("latin-stop-inside")),
            latin_titles: words_of(of("latin-title")),
            latin_particles: words_of(of("latin-particle")),
            titles: words_of(of("title")),
            title_endings: Endings::of(of("title")),
            name_words: words_of(of("name-word")),
            phone_words: Endings::of(of("phone")),
            waybill_words: Endings::of(of("waybill")),
            number_words: Endings::of(of("number-word")),
            parcel_words: Endings::of(of("parcel")),
            units: of("unit"),
            collects: of("collects"),
            account_gaps: longest_first(of("account-gap")),
            resorts: of("resort"),
            home_places: of("home-place"),
            at_door: longest_first(of("at-door")),
            latin_streets: words_of(of("latin-street")),
            latin_resorts: words_of(of("latin-resort")),
        }
    }

    /// What a letter may be a part of.
    #[inline]
    pub(super) fn flags(&self, letter: char) -> u8 {
        self.letters.of(letter)
    }

    /// True if a letter or mark is searched as another or not at all.
    pub(super) fn folds(&self, letter: char) -> bool {
        self.letters.of(letter) & flag::FOLDS != 0
    }

    /// The longest cue that begins at a place of a text; the first two letters there are known.
    #[inline]
    pub(super) fn cue_at(&self, cursor: Cursor<'_>, first: char, second: char) -> Option<Hit> {
        let is_plate = second.is_ascii_uppercase() && self.letters.of(first) & flag::PROVINCE != 0 && !first.is_ascii();
        let (length, cue) = if is_plate {
            (first.len_utf8().saturating_add(1), Cue::Plate)
        } else {
            self.cues.prefix_of(cursor.ahead(), first, second)?
        };
        Some(Hit {
            cue,
            start: cursor.at(),
            end: cursor.at().saturating_add(length),
        })
    }

    pub(super) fn simplified(&self, letter: char) -> char {
        if self.letters.of(letter) & flag::FOLDS_IN_WORDS != 0 {
            self.simplified.get(&letter).copied().unwrap_or(letter)
        } else {
            letter
        }
    }

    /// True if a text begins with what is no name.
    pub(super) fn stops(&self, text: &str) -> bool {
        self.stop.prefix(text).is_some()
    }

    /// True if there is something in a text that no name contains.
    pub(super) fn stops_inside(&self, text: &str) -> bool {
        self.stop_inside.is_in(text)
    }

    /// True if a run of letters ends in a title.
    pub(super) fn ends_in_title(&self, run: &str) -> bool {
        self.title_endings.that_may_end(run).any(|title| run.ends_with(title))
    }

    /// True if a text begins with something that follows names and is part of none.
    pub(super) fn follows(&self, text: &str) -> bool {
        self.follow.prefix(text).is_some()
    }

    /// True if a text begins with something that follows names, but may also be a part of one.
    pub(super) fn follows_weakly(&self, text: &str) -> bool {
        self.follow_weak.prefix(text).is_some()
    }

    pub(super) fn begins_with_place(&self, text: &str) -> bool {
        self.place.prefix(text).is_some()
    }

    pub(super) fn begins_with_compound_surname(&self, text: &str) -> bool {
        self.compound.prefix(text).is_some()
    }

    pub(super) fn is_surname(&self, letter: char) -> bool {
        self.surnames.binary_search(&letter).is_ok()
    }

    /// A surname that is an everyday word as well.
    pub(super) fn is_doubtful(&self, letter: char) -> bool {
        self.doubtful.binary_search(&letter).is_ok()
    }

    /// A letter that makes a following 码 no code of a person.
    pub(super) fn makes_no_code(&self, letter: char) -> bool {
        self.no_code.binary_search(&letter).is_ok()
    }

    /// The last letter of places and offices.
    pub(super) fn ends_no_name(&self, letter: char) -> bool {
        self.not_last.binary_search(&letter).is_ok()
    }

    pub(super) fn is_latin_stop(&self, word: &str) -> bool {
        self.latin_stop.has(word) || self.latin_stop_inside.is_in(word)
    }

    pub(super) fn is_latin_title(&self, word: &str) -> bool {
        self.latin_titles.has(word)
    }

    pub(super) fn is_latin_particle(&self, word: &str) -> bool {
        self.latin_particles.has(word)
    }

    pub(super) fn is_latin_street(&self, word: &str) -> bool {
        self.latin_streets.has(word)
    }

    pub(super) fn is_latin_resort(&self, word: &str) -> bool {
        self.latin_resorts.has(word)
    }
}

fn flagged_letters(
    simplified: &HashMap<char, char>,
    provinces: &[char],
    cues: impl Iterator<Item = String>,
) -> Letters {
    let mut flagged = Letters::new();
    for letter in provinces {
        flagged.set(*letter, flag::PROVINCE | flag::CUE);
    }
    for letter in 'A'..='Z' {
        flagged.set(letter, flag::SECOND);
    }
    for digit in "0123456789*".chars() {
        flagged.set(digit, flag::DIGIT);
    }
    for cue in cues {
        let mut letters = cue.chars();
        match (letters.next(), letters.next()) {
            (Some(first), Some(second)) => {
                flagged.set(first, flag::CUE);
                flagged.set(second, flag::SECOND);
            }
            (Some(alone), None) => flagged.set(alone, flag::ALONE),
            _ => {}
        }
    }
    for letter in ('\0'..='\u{FFFF}').filter(|letter| !letter.is_ascii()) {
        let is_traditional = simplified.contains_key(&letter);
        if is_traditional || fold::is_part_of_words(letter) {
            flagged.set(letter, flag::FOLDS_IN_WORDS);
        }
        if is_traditional || fold::is_unseen(letter) || fold::folded_mark(letter) != letter {
            flagged.set(letter, flag::FOLDS);
        }
    }
    flagged
}

fn words_by_kind() -> HashMap<&'static str, Vec<String>> {
    let mut words: HashMap<&str, Vec<String>> = HashMap::new();
    for line in FILE.lines().filter(|line| !line.starts_with('#')) {
        if let Some((kind, list)) = line.split_once(':') {
            let list = list.split([' ', '|']).filter(|word| !word.is_empty());
            words
                .entry(kind)
                .or_default()
                .extend(list.map(|word| word.replace('_', " ")));
        }
    }
    words
}

fn words_of(words: Vec<String>) -> Words<()> {
    Words::of(words.into_iter().map(|word| (word, ())))
}

fn two_letters(pair: &str) -> Option<(char, char)> {
    let mut letters = pair.chars();
    let (from, to) = (letters.next()?, letters.next()?);
    (from != to).then_some((from, to))
}

fn longest_first(mut words: Vec<String>) -> Vec<String> {
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words
}
