//! Which pushes may be on the way at the same time: a vendor never has two calls about one parcel in flight, and
//! sends them in order.

use std::collections::{HashMap, VecDeque};

/// Numbers a push while it is in a [`Window`].
pub type Ticket = u64;

/// Pushes that have been taken from the stream and are not answered yet. A push is ready when it is the oldest one
/// of each of its parcels.
#[derive(Debug)]
pub struct Window<Push> {
    waiting: HashMap<Ticket, Waiting<Push>>,
    /// For each tracking number the tickets of its pushes, oldest first; the first may be in flight.
    queues: HashMap<String, VecDeque<Ticket>>,
    ready: VecDeque<Ticket>,
    next: Ticket,
    in_flight: usize,
}

#[derive(Debug)]
struct Waiting<Push> {
    /// Taken out while in flight.
    push: Option<Push>,
    tracking_numbers: Vec<String>,
    /// In how many queues it is not the first.
    behind: usize,
}

impl<Push> Default for Window<Push> {
    fn default() -> Self {
        Self {
            waiting: HashMap::new(),
            queues: HashMap::new(),
            ready: VecDeque::new(),
            next: 0,
            in_flight: 0,
        }
    }
}

impl<Push> Window<Push> {
    /// Puts the next push of the stream in.
    pub fn add(&mut self, push: Push, mut tracking_numbers: Vec<String>) {
        let ticket = self.next;
        self.next += 1;
        // A push may carry a parcel twice; it need not wait for itself.
        tracking_numbers.sort();
        tracking_numbers.dedup();
        let mut behind = 0;
        for number in &tracking_numbers {
            let queue = self.queues.entry(number.clone()).or_default();
            behind += usize::from(!queue.is_empty());
            queue.push_back(ticket);
        }
        if behind == 0 {
            self.ready.push_back(ticket);
        }
        self.waiting.insert(
            ticket,
            Waiting {
                push: Some(push),
                tracking_numbers,
                behind,
            },
        );
    }

    /// Takes the oldest push that may be sent now.
    pub fn start(&mut self) -> Option<(Ticket, Push)> {
        let ticket = self.ready.pop_front()?;
        let push = self.waiting.get_mut(&ticket)?.push.take()?;
        self.in_flight += 1;
        Some((ticket, push))
    }

    /// The push was answered: those behind it move up.
    pub fn finish(&mut self, ticket: Ticket) {
        let Some(done) = self.waiting.remove(&ticket) else {
            return;
        };
        self.in_flight -= 1;
        for number in done.tracking_numbers {
            let Some(queue) = self.queues.get_mut(&number) else {
                continue;
            };
            queue.pop_front();
            match queue.front() {
                None => {
                    self.queues.remove(&number);
                }
                Some(first) => {
                    if let Some(waiting) = self.waiting.get_mut(first) {
                        waiting.behind -= 1;
                        if waiting.behind == 0 {
                            self.ready.push_back(*first);
                        }
                    }
                }
            }
        }
    }

    /// How many pushes are inside, in flight or not.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether every push was answered.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many are in flight.
    pub const fn in_flight(&self) -> usize {
        self.in_flight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn one_parcel_at_a_time_and_in_order() {
        let mut window = Window::default();
        for (push, parcels) in [("a1", "A"), ("ab", "A B"), ("b1", "B"), ("c1", "C"), ("cc", "C C")] {
            window.add(push, numbers(parcels));
        }
        let (a1, first) = window.start().expect("A is free");
        let (c1, second) = window.start().expect("C is free");
        assert_eq!((first, second), ("a1", "c1"));
        assert!(window.start().is_none(), "the others wait for A or C");
        window.finish(c1);
        let (cc, third) = window.start().expect("C is free again");
        assert_eq!(third, "cc");
        window.finish(cc);
        window.finish(a1);
        let (ab, fourth) = window.start().expect("A and B are free");
        assert_eq!(fourth, "ab");
        assert!(window.start().is_none(), "b1 waits for ab");
        window.finish(ab);
        assert_eq!(window.start().map(|(_, push)| push), Some("b1"));
        assert_eq!((window.len(), window.in_flight()), (1, 1));
    }
}
