//! What is counted of requests for subscriptions: items, and requests that were refused as a whole, by who asked.

use std::collections::{BTreeMap, HashMap};

use courierflow_vendors::request::error::Code;
use metrics::{Counter, counter, describe_counter};

use super::answer::Refusal;
use super::settings::NOBODY;
use super::tokens::Tokens;

const NAME: &str = "courierflow_ingest_subscription_requests_total";
const ACCEPTED: &str = "accepted";

/// The counters of everybody who may ask, and of nobody.
pub struct RequestMetrics {
    by_requester: HashMap<String, BTreeMap<&'static str, Counter>>,
}

impl RequestMetrics {
    /// Registers them; to be called with the recorder of the service.
    pub(crate) fn new(tokens: &Tokens) -> Self {
        if tokens.is_empty() {
            return Self {
                by_requester: HashMap::new(),
            };
        }
        describe_counter!(
            NAME,
            "Requested subscriptions and cancellations by outcome: accepted, the code of an item that cannot be used, or the refusal of \
             a whole request."
        );
        let counters = |requester: &str| {
            let counter = |outcome: &'static str| {
                let counter = counter!(NAME, "requester" => requester.to_owned(), "outcome" => outcome);
                (outcome, counter)
            };
            let codes = Code::ALL.map(Code::as_str);
            let refusals = Refusal::ALL.map(|refusal| refusal.row().name);
            [ACCEPTED]
                .into_iter()
                .chain(codes)
                .chain(refusals)
                .map(counter)
                .collect()
        };
        let requesters = tokens.names().chain([NOBODY]);
        Self {
            by_requester: requesters.map(|name| (name.to_owned(), counters(name))).collect(),
        }
    }

    /// Counts accepted items.
    pub fn accepted(&self, requester: &str, items: u64) {
        self.add(requester, ACCEPTED, items);
    }

    /// Counts an item that cannot be used.
    pub fn item(&self, requester: &str, code: Code) {
        self.add(requester, code.as_str(), 1);
    }

    /// Counts a request that was refused as a whole; `None` without a valid token.
    pub fn refused(&self, requester: Option<&str>, refusal: Refusal) {
        self.add(requester.unwrap_or(NOBODY), refusal.row().name, 1);
    }

    fn add(&self, requester: &str, outcome: &str, count: u64) {
        if let Some(counter) = self
            .by_requester
            .get(requester)
            .and_then(|counters| counters.get(outcome))
        {
            counter.increment(count);
        }
    }
}
