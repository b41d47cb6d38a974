//! What a letter may be the beginning of, in one table: most letters of most texts are passed after one look at it.

/// Flags of letters.
pub(super) mod flag {
    /// The first letter of a cue.
    pub(in crate::masking) const CUE: u8 = 1;
    /// The second letter of a cue.
    pub(in crate::masking) const SECOND: u8 = 2;
    /// A cue by itself.
    pub(in crate::masking) const ALONE: u8 = 4;
    /// The first letter of plates.
    pub(in crate::masking) const PROVINCE: u8 = 8;
    /// Folds to another, or to nothing.
    pub(in crate::masking) const FOLDS: u8 = 16;
    /// Part of words or numbers, and folds.
    pub(in crate::masking) const FOLDS_IN_WORDS: u8 = 32;
    /// A digit, or a star in place of one.
    pub(in crate::masking) const DIGIT: u8 = 64;
    /// Beyond the table.
    pub(in crate::masking) const UNKNOWN: u8 = 128;
}

/// A byte for each letter of the Basic Multilingual Plane: what it may be the beginning of, and whether it folds. Most
/// letters of most texts are passed after one look at it.
pub(super) struct Letters(Vec<u8>);

impl Letters {
    pub(super) fn new() -> Self {
        Self(vec![0; 1 << 16])
    }

    pub(super) fn set(&mut self, letter: char, flag: u8) {
        for letter in [letter.to_ascii_lowercase(), letter.to_ascii_uppercase()] {
            if let Some(flags) = self.0.get_mut(letter as usize) {
                *flags |= flag;
            }
        }
    }

    pub(super) fn of(&self, letter: char) -> u8 {
        self.0.get(letter as usize).copied().unwrap_or(flag::UNKNOWN)
    }
}
