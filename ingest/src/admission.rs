//! How much may be in memory: a number of pushes and a number of bytes, so that neither many small nor a few large pushes
//! exhaust it, whatever the broker does and whoever sends.
//!
//! A push first *arrives*: its body takes bytes, but no place. With the whole body there it takes a place, and is *in flight*
//! until its answer. A stranger can have bodies that arrive as slowly as they like; what they hold is taken from them when
//! somebody else needs it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// For so long an arriving body need not give way: an honest one is there by then.
const UNDISTURBED: Duration = Duration::from_secs(1);

/// The two limits and their current use.
#[derive(Debug)]
pub struct Admission {
    used: Mutex<Used>,
    max_requests: usize,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct Used {
    requests: usize,
    /// Of bodies that arrive and of those in flight.
    bytes: usize,
    /// By their order of arrival.
    arriving: BTreeMap<u64, Arriving>,
    next: u64,
}

/// A body of which something is there.
#[derive(Debug)]
struct Arriving {
    peer: Option<IpAddr>,
    bytes: usize,
    since: Instant,
    gives_way: Arc<Notify>,
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Admission {
    /// Limits with nothing in flight.
    pub fn new(max_requests: usize, max_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            used: Mutex::default(),
            max_requests,
            max_bytes,
        })
    }

    /// A body begins to arrive from `peer`; it is forgotten when the arrival is dropped.
    pub fn arrive(self: &Arc<Self>, peer: Option<IpAddr>) -> Arrival {
        let gives_way = Arc::new(Notify::new());
        let mut used = self.lock();
        let id = used.next;
        used.next += 1;
        let arriving = Arriving {
            peer,
            bytes: 0,
            since: Instant::now(),
            gives_way: Arc::clone(&gives_way),
        };
        used.arriving.insert(id, arriving);
        drop(used);
        Arrival {
            admission: Arc::clone(self),
            id,
            gives_way,
        }
    }

    /// Pushes in flight.
    pub fn requests(&self) -> usize {
        self.lock().requests
    }

    /// Bodies that arrive.
    pub fn arriving(&self) -> usize {
        self.lock().arriving.len()
    }

    /// Bytes of the bodies of both.
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        // Each change is a few additions: a panic elsewhere leaves nothing half-done.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A push whose body arrives.
#[derive(Debug)]
pub struct Arrival {
    admission: Arc<Admission>,
    id: u64,
    gives_way: Arc<Notify>,
}

impl Arrival {
    /// Room for more bytes of the body; if need be, slower ones give way.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let mut used = self.admission.lock();
        used.make_room(bytes, self.admission.max_bytes, self.id)?;
        // Missing if it has given way itself.
        used.arriving.get_mut(&self.id).ok_or(Full)?.bytes += bytes;
        used.bytes += bytes;
        Ok(())
    }

    /// Ready when the body has to give way to others.
    pub async fn gives_way(&self) {
        self.gives_way.notified().await;
    }

    /// All of the body is there: the push takes a place, which it leaves when the place is dropped.
    pub fn enter(self) -> Result<Place, Full> {
        let mut used = self.admission.lock();
        if used.requests >= self.admission.max_requests {
            return Err(Full);
        }
        let bytes = used.arriving.remove(&self.id).ok_or(Full)?.bytes;
        used.requests += 1;
        drop(used);
        Ok(Place {
            admission: Arc::clone(&self.admission),
            bytes,
        })
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut used = self.admission.lock();
        used.forget(self.id);
    }
}

impl Used {
    /// Lets bodies that have been arriving for long give way until there is room, those of the peer with the most bytes first.
    fn make_room(&mut self, bytes: usize, max_bytes: usize, asking: u64) -> Result<(), Full> {
        while self.bytes.saturating_add(bytes) > max_bytes {
            let id = self.next_to_give_way(asking).ok_or(Full)?;
            if let Some(arriving) = self.forget(id) {
                arriving.gives_way.notify_one();
            }
        }
        Ok(())
    }

    /// Of the peer with the most arriving bytes, the oldest body.
    fn next_to_give_way(&self, asking: u64) -> Option<u64> {
        let mut shares: HashMap<Option<IpAddr>, usize> = HashMap::new();
        for arriving in self.arriving.values() {
            *shares.entry(arriving.peer).or_default() += arriving.bytes;
        }
        let candidates = self
            .arriving
            .iter()
            .filter(|(id, arriving)| **id != asking && arriving.bytes > 0 && arriving.since.elapsed() >= UNDISTURBED);
        candidates
            .max_by_key(|(id, arriving)| (shares.get(&arriving.peer).copied(), std::cmp::Reverse(**id)))
            .map(|(id, _)| *id)
    }

    fn forget(&mut self, id: u64) -> Option<Arriving> {
        let arriving = self.arriving.remove(&id)?;
        self.bytes -= arriving.bytes;
        Some(arriving)
    }
}

/// The place of one push in flight.
#[derive(Debug)]
pub struct Place {
    admission: Arc<Admission>,
    bytes: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut used = self.admission.lock();
        used.bytes -= self.bytes;
        used.requests -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(admission: &Arc<Admission>, peer: u8, bytes: usize) -> Result<Arrival, Full> {
        let mut arrival = admission.arrive(Some(IpAddr::from([192, 0, 2, peer])));
        arrival.grow(bytes).map(|()| arrival)
    }

    /// As if all bodies that arrive had begun long ago.
    fn age(admission: &Admission) {
        for arriving in admission.lock().arriving.values_mut() {
            arriving.since -= UNDISTURBED;
        }
    }

    fn has_given_way(arrival: &mut Arrival) -> bool {
        arrival.grow(0) == Err(Full)
    }

    #[test]
    fn both_limits_hold_and_places_are_given_back() {
        let admission = Admission::new(2, 100);
        let first = arrived(&admission, 1, 60).unwrap().enter().unwrap();
        let mut second = admission.arrive(None);
        assert_eq!(second.grow(41), Err(Full));
        second.grow(20).unwrap();
        second.grow(20).unwrap();
        let second = second.enter().unwrap();
        assert_eq!((admission.requests(), admission.bytes()), (2, 100));
        assert_eq!(admission.arrive(None).enter().unwrap_err(), Full);
        drop(first);
        assert_eq!((admission.requests(), admission.bytes()), (1, 40));
        drop(second);
        assert_eq!((admission.requests(), admission.bytes()), (0, 0));
        admission.arrive(None).enter().unwrap();
        assert_eq!(admission.arriving(), 0);
    }

    #[test]
    fn bodies_that_arrive_take_no_places() {
        let admission = Admission::new(1, 100);
        let slow: Vec<_> = (0..50).map(|_| arrived(&admission, 1, 1).unwrap()).collect();
        assert_eq!(
            (admission.arriving(), admission.requests(), admission.bytes()),
            (50, 0, 50)
        );
        arrived(&admission, 2, 50).unwrap().enter().unwrap();
        drop(slow);
        assert_eq!((admission.arriving(), admission.bytes()), (0, 0));
    }

    #[test]
    fn slow_bodies_give_way_the_largest_peer_first() {
        let admission = Admission::new(10, 100);
        let mut small = arrived(&admission, 1, 30).unwrap();
        let mut older = arrived(&admission, 2, 35).unwrap();
        let mut newer = arrived(&admission, 2, 35).unwrap();
        // All are young: it is the newcomer who finds no room.
        assert!(arrived(&admission, 3, 10).is_err());
        age(&admission);
        let newcomer = arrived(&admission, 3, 10).unwrap();
        assert!(has_given_way(&mut older));
        assert!(!has_given_way(&mut small) && !has_given_way(&mut newer));
        assert_eq!(admission.bytes(), 75);
        assert!(older.enter().is_err(), "what gave way is not stored");
        newcomer.enter().unwrap();
    }

    #[test]
    fn what_is_in_flight_gives_way_to_nobody() {
        let admission = Admission::new(10, 100);
        let place = arrived(&admission, 1, 100).unwrap().enter().unwrap();
        age(&admission);
        assert!(arrived(&admission, 2, 1).is_err());
        drop(place);
        assert!(arrived(&admission, 2, 1).is_ok());
    }

    #[tokio::test]
    async fn who_gives_way_is_told() {
        let admission = Admission::new(10, 100);
        let slow = arrived(&admission, 1, 100).unwrap();
        age(&admission);
        let _next = arrived(&admission, 2, 1).unwrap();
        slow.gives_way().await;
    }
}
