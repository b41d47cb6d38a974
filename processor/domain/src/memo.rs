//! What a function of a text gave, remembered by the text. Most lines come again: with the next push of the same parcel,
//! which repeats its history, and with every parcel that takes the same way.

use std::cell::RefCell;

use quick_cache::unsync::Cache;

/// Bytes that one memo may hold on a thread; the least used texts go first.
const CAPACITY: u64 = 8 * 1024 * 1024;
/// Longer texts are rare, and each would push out many.
const LONGEST: usize = 512;
/// About what an entry takes beside its texts.
const ENTRY_BYTES: usize = 64;

/// The results of one pure function on one thread.
pub(crate) struct Memo<V>(RefCell<Cache<Box<str>, V, Weight>>);

/// A result that may be remembered.
pub(crate) trait Remembered: Clone {
    /// Bytes on the heap.
    fn heap_bytes(&self) -> usize;
}

#[derive(Clone)]
struct Weight;

impl<V: Remembered> quick_cache::Weighter<Box<str>, V> for Weight {
    fn weight(&self, text: &Box<str>, value: &V) -> u64 {
        let bytes = [ENTRY_BYTES, text.len(), value.heap_bytes()];
        bytes
            .into_iter()
            .map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX))
            .fold(0, u64::saturating_add)
    }
}

impl<V: Remembered> Memo<V> {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(Cache::with_weighter(32 * 1024, CAPACITY, Weight)))
    }

    /// What `compute` gives for the text, now or before.
    pub(crate) fn get(&self, text: &str, compute: impl FnOnce(&str) -> V) -> V {
        if text.len() > LONGEST {
            return compute(text);
        }
        if let Some(value) = self.0.borrow().get(text) {
            return value.clone();
        }
        let value = compute(text);
        self.0.borrow_mut().insert(text.into(), value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Remembered for u32 {
        fn heap_bytes(&self) -> usize {
            0
        }
    }

    #[test]
    fn a_text_is_computed_once_while_it_is_remembered() {
        let memo = Memo::new();
        let mut computed = 0;
        for text in ["a", "b", "a", "a", "b"] {
            let value = memo.get(text, |text| {
                computed += 1;
                u32::from(text.as_bytes()[0])
            });
            assert_eq!(value, u32::from(text.as_bytes()[0]));
        }
        assert_eq!(computed, 2);
    }

    #[test]
    fn memory_is_bounded_however_many_texts_come() {
        let memo = Memo::<u32>::new();
        for number in 0..200_000_u32 {
            memo.get(&format!("{number:0100}"), |_| number);
        }
        assert!(memo.0.borrow().weight() <= CAPACITY);
        let long = "x".repeat(LONGEST + 1);
        memo.get(&long, |_| 1);
        assert_eq!(memo.get(&long, |_| 2), 2, "too long to be remembered");
    }
}
