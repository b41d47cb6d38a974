//! Shares an expensive resource between tests, as long as any of them needs it.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// Starts the resource for its first user, and ends it with its last [`Use`].
#[derive(Debug)]
pub(crate) struct Sharing<T>(Mutex<Option<Arc<T>>>);

impl<T> Sharing<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn get(&'static self, start: impl FnOnce() -> T) -> Use<T> {
        // A test that could not start it has failed with the reason; the next one tries again.
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = shared.get_or_insert_with(|| Arc::new(start()));
        Use {
            value: Some(Arc::clone(value)),
            of: self,
        }
    }
}

/// One use of the shared resource.
#[derive(Debug)]
pub(crate) struct Use<T: 'static> {
    value: Option<Arc<T>>,
    of: &'static Sharing<T>,
}

impl<T> Deref for Use<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("taken by drop only")
    }
}

impl<T> Drop for Use<T> {
    fn drop(&mut self) {
        let mut shared = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.value.take());
        // It is ended while the lock is held, so that the next one with that name cannot start before.
        if shared.as_ref().is_some_and(|value| Arc::strong_count(value) == 1) {
            *shared = None;
        }
    }
}
