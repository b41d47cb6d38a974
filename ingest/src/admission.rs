//! Limits the pushes in flight by number and by bytes, so that neither many small nor a few large pushes exhaust the
//! memory, whatever the broker does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The two limits and their current use.
#[derive(Debug)]
pub struct Admission {
    requests: AtomicUsize,
    bytes: AtomicUsize,
    max_requests: usize,
    max_bytes: usize,
}

/// The error if a limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Admission {
    /// Limits with nothing in flight.
    pub fn new(max_requests: usize, max_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            requests: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            max_requests,
            max_bytes,
        })
    }

    /// Admits a push. Dropping the returned permit ends its admission.
    pub fn enter(self: &Arc<Self>) -> Result<Place, Full> {
        take(&self.requests, 1, self.max_requests)?;
        Ok(Place {
            admission: Arc::clone(self),
            bytes: 0,
        })
    }

    /// Pushes in flight.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Bytes of the bodies of these pushes.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// The permit of one push.
#[derive(Debug)]
pub struct Place {
    admission: Arc<Admission>,
    bytes: usize,
}

impl Place {
    /// Reserves more bytes for the body.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        take(&self.admission.bytes, bytes, self.admission.max_bytes)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admission.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.admission.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

fn take(used: &AtomicUsize, amount: usize, limit: usize) -> Result<(), Full> {
    let before = used.fetch_add(amount, Ordering::Relaxed);
    if before.saturating_add(amount) > limit {
        used.fetch_sub(amount, Ordering::Relaxed);
        return Err(Full);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_hold_and_places_are_given_back() {
        let admission = Admission::new(2, 100);
        let mut first = admission.enter().unwrap();
        let mut second = admission.enter().unwrap();
        assert_eq!(admission.enter().unwrap_err(), Full);
        first.grow(60).unwrap();
        assert_eq!(second.grow(41), Err(Full));
        second.grow(40).unwrap();
        assert_eq!((admission.requests(), admission.bytes()), (2, 100));
        drop(first);
        assert_eq!((admission.requests(), admission.bytes()), (1, 40));
        drop(second);
        assert_eq!((admission.requests(), admission.bytes()), (0, 0));
        admission.enter().unwrap();
    }
}
