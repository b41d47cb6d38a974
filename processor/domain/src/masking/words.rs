//! A list of words, and whether one of them begins at a place of a text. Most places are passed after one look at their
//! first two letters: an automaton over bytes costs more, because its table does not fit into the nearest cache.

/// Words by their first two letters, Latin ones in any case. `T` is what a word means.
pub(super) struct Words<T> {
    /// A bit for each bucket that holds a word.
    used: Vec<u64>,
    /// Where the words of each bucket begin in `listed`.
    starts: Vec<u16>,
    /// By bucket, and in it the longest first.
    listed: Vec<Word<T>>,
    /// Letters that are words by themselves, in order.
    letters: Vec<(char, T)>,
    /// A bit for each bucket of such a letter alone.
    used_alone: Vec<u64>,
}

/// A word, and what its bytes behind the first two letters look like, to tell most others apart at once.
struct Word<T> {
    text: String,
    meaning: T,
    behind: Behind,
    mask: u64,
}

/// Eight bytes behind the first two letters, in which both cases of a letter are one.
type Behind = u64;

const BUCKETS: usize = 1 << 13;

impl<T: Copy> Words<T> {
    pub(super) fn of(words: impl IntoIterator<Item = (String, T)>) -> Self {
        let mut letters = Vec::new();
        let mut longer = Vec::new();
        let (mut used, mut used_alone) = (vec![0; BUCKETS / 64], vec![0; BUCKETS / 64]);
        for (word, meaning) in words {
            let mut first_two = word.chars();
            match (first_two.next(), first_two.next()) {
                (Some(first), Some(second)) => longer.push((bucket_of(first, second), word, meaning)),
                (Some(first), None) => letters.push((first, meaning)),
                _ => {}
            }
        }
        letters.sort_unstable_by_key(|(letter, _)| *letter);
        longer.sort_by_key(|(bucket, word, _)| (*bucket, std::cmp::Reverse(word.len())));
        for (letter, _) in &letters {
            set(&mut used_alone, bucket_of(*letter, ALONE));
        }
        for (bucket, ..) in &longer {
            set(&mut used, *bucket);
        }
        let start_of = |bucket| longer.partition_point(|(other, ..)| *other < bucket);
        let starts = (0..=BUCKETS)
            .map(|bucket| u16::try_from(start_of(bucket)).unwrap_or(u16::MAX))
            .collect();
        let listed = longer
            .into_iter()
            .map(|(_, text, meaning)| Word::of(text, meaning))
            .collect();
        Self {
            used,
            starts,
            listed,
            letters,
            used_alone,
        }
    }

    /// The longest word that a text begins with: its length and meaning.
    pub(super) fn prefix(&self, text: &str) -> Option<(usize, T)> {
        let mut letters = text.chars();
        let first = letters.next()?;
        self.prefix_of(text, first, letters.next().unwrap_or(ALONE))
    }

    /// [`Words::prefix`] of a text whose first two letters are known: most are passed by a look at two bits.
    #[inline]
    pub(super) fn prefix_of(&self, text: &str, first: char, second: char) -> Option<(usize, T)> {
        let bucket = bucket_of(first, second);
        if !is_set(&self.used, bucket) && !is_set(&self.used_alone, bucket_of(first, ALONE)) {
            return None;
        }
        let first_two = first.len_utf8().saturating_add(second.len_utf8());
        self.word(bucket, text, first_two).or_else(|| self.letter(first))
    }

    fn word(&self, bucket: usize, text: &str, first_two: usize) -> Option<(usize, T)> {
        let start = usize::from(*self.starts.get(bucket)?);
        let end = usize::from(*self.starts.get(bucket.saturating_add(1))?);
        let behind = behind(text, first_two);
        let words = self.listed.get(start..end)?;
        let found = words
            .iter()
            .find(|word| behind & word.mask == word.behind && begins(text, &word.text))?;
        Some((found.text.len(), found.meaning))
    }

    fn letter(&self, first: char) -> Option<(usize, T)> {
        let first = first.to_ascii_lowercase();
        let place = self.letters.binary_search_by_key(&first, |(letter, _)| *letter).ok()?;
        self.letters
            .get(place)
            .map(|(letter, meaning)| (letter.len_utf8(), *meaning))
    }

    /// True if a text is one of the words.
    pub(super) fn has(&self, text: &str) -> bool {
        self.prefix(text).is_some_and(|(length, _)| length == text.len())
    }

    /// True if one of the words stands anywhere in a text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        text.char_indices()
            .any(|(at, _)| self.prefix(text.get(at..).unwrap_or_default()).is_some())
    }
}

impl<T> Word<T> {
    fn of(text: String, meaning: T) -> Self {
        let first_two = text.chars().take(2).map(char::len_utf8).sum();
        let length = text.len().saturating_sub(first_two).min(8);
        let mask = u64::MAX
            .checked_shr(64_u32.saturating_sub(u32::try_from(length).unwrap_or(8).saturating_mul(8)))
            .unwrap_or(0);
        Self {
            behind: behind(&text, first_two) & mask,
            text,
            meaning,
            mask,
        }
    }
}

fn behind(text: &str, first_two: usize) -> Behind {
    let mut bytes = [0; 8];
    let rest = text.as_bytes().get(first_two..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(eight) => bytes = *eight,
        None => bytes.iter_mut().zip(rest).for_each(|(byte, letter)| *byte = *letter),
    }
    u64::from_le_bytes(bytes) | 0x2020_2020_2020_2020
}

fn begins(text: &str, word: &str) -> bool {
    let Some(start) = text.as_bytes().get(..word.len()) else {
        return false;
    };
    start == word.as_bytes() || start.first().is_some_and(u8::is_ascii) && start.eq_ignore_ascii_case(word.as_bytes())
}

/// In place of a second letter where there is none.
pub(super) const ALONE: char = '\0';

fn set(bits: &mut [u64], place: usize) {
    if let Some(bits) = bits.get_mut(place / 64) {
        *bits |= 1 << (place % 64);
    }
}

fn is_set(bits: &[u64], place: usize) -> bool {
    bits.get(place / 64).is_some_and(|bits| bits >> (place % 64) & 1 == 1)
}

const fn bucket_of(first: char, second: char) -> usize {
    let mixed = (first.to_ascii_lowercase() as u32)
        .wrapping_mul(0x9E37)
        .wrapping_add(second.to_ascii_lowercase() as u32);
    (mixed.wrapping_mul(0x85EB_CA6B) >> 19) as usize
}

/// Words by their last letter, Latin ones in any case: to look back from a place.
pub(super) struct Endings(Vec<(char, String)>);

impl Endings {
    pub(super) fn of(words: Vec<String>) -> Self {
        let last = |word: &String| word.chars().next_back().unwrap_or(ALONE).to_ascii_lowercase();
        let mut listed: Vec<_> = words.into_iter().map(|word| (last(&word), word)).collect();
        listed.sort_by_key(|(last, word)| (*last, std::cmp::Reverse(word.len())));
        Self(listed)
    }

    /// The longest words first that a text may end with.
    pub(super) fn that_may_end(&self, text: &str) -> impl Iterator<Item = &str> {
        let last = text.chars().next_back().unwrap_or(ALONE).to_ascii_lowercase();
        let start = self.0.partition_point(|(other, _)| *other < last);
        let words = self.0.get(start..).unwrap_or_default().iter();
        words
            .take_while(move |(other, _)| *other == last)
            .map(|(_, word)| word.as_str())
    }
}
