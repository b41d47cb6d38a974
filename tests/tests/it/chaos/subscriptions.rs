//! Parcels are asked for all along a run; at the end the subscriptions are compared with the vendors' books.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use courierflow_schemas::records::{CallClass, CallKind, CallReason, Subscription, SubscriptionState, VendorCall};
use courierflow_tests::stack::{Launch, Stack};
use serde_json::{Value, json};

use super::vendors::Vendors;
use super::what_remains;
use crate::harness::{agent, eventually, tables};
use crate::subscribe::records::{calls, newest, versions};

const TOKEN: &str = "chaos-token-0123456789abcdef0123456789abcdef";
/// Parcels of one request, one of them a number that no carrier knows.
const BATCH: usize = 5;
/// Between two requests.
const PAUSE: Duration = Duration::from_millis(500);

/// Requests over HTTP, in the background of a run.
pub(super) struct Asking {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<String>>,
}

impl Asking {
    /// Begins to ask for the parcels at that address, each until it is acknowledged.
    pub(super) fn begin(subscriptions_url: String, vendors: &Vendors) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        let mut parcels = vendors.parcels().into_iter();
        let thread = std::thread::spawn(move || {
            let mut asked = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let unknown = [format!("YT77{:09}", asked.len()), "yto".to_owned(), "0000".to_owned()];
                let batch: Vec<_> = parcels.by_ref().take(BATCH - 1).chain([unknown]).collect();
                ask_until_acknowledged(&subscriptions_url, &batch);
                asked.extend(batch.into_iter().map(|[number, ..]| number));
                std::thread::sleep(PAUSE);
            }
            asked
        });
        Self { stop, thread }
    }

    /// Stops; returns the numbers that were asked for.
    pub(super) fn finish(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("asking does not panic")
    }
}

/// The settings that let an ingest take requests at that port.
pub(super) fn taking_requests(ingest: Launch, stack: &dyn Stack, port: u16) -> Launch {
    let token = stack.dir().join("chaos.token");
    std::fs::write(&token, TOKEN).unwrap();
    let tokens = format!(
        "[{{name=\"chaos\",token_file=\"{}\",accounts=[\"kuaidi100/demo\"],rate_per_minute=100000}}]",
        token.display()
    );
    ingest
        .env(
            "COURIERFLOW__INGEST__SUBSCRIPTIONS__LISTEN",
            format!("127.0.0.1:{port}"),
        )
        .env("COURIERFLOW__INGEST__SUBSCRIPTIONS__TOKENS", tokens)
}

fn ask_until_acknowledged(url: &str, batch: &[[String; 3]]) {
    let items = batch.iter().map(|[number, carrier, phone]| {
        json!({"tracking_number": number, "carrier": carrier, "phone": phone, "request_id": format!("chaos-{number}")})
    });
    let body: Value = items.collect();
    eventually("the request is acknowledged", || {
        let request = agent().post(format!("{url}/v1/subscriptions"));
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        let mut answer = request.send_json(&body).map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        assert!(matches!(status, 202 | 408 | 503), "{status} {text}");
        assert!(status != 202 || text.contains("\"refused\":0"), "{text}");
        (status == 202).then_some(()).ok_or(text)
    });
}

/// What a run has shown about subscriptions.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) asked: usize,
    /// Those that are followed, were, or are refused for a reason.
    pub(super) settled: usize,
    pub(super) lost: Vec<String>,
    pub(super) vendor_calls: u64,
    pub(super) accepted: u64,
    /// More than one accepted subscription of a number in a round, or another number of them than we know of.
    pub(super) differing: Vec<String>,
    pub(super) records: usize,
    pub(super) doubled: Vec<String>,
    pub(super) without_intent: Vec<String>,
    /// Rows of the table that differ from the topic.
    pub(super) rows_differing: Vec<String>,
}

impl Compared {
    pub(super) fn is_clean(&self) -> bool {
        self.settled == self.asked
            && [
                &self.lost,
                &self.differing,
                &self.doubled,
                &self.without_intent,
                &self.rows_differing,
            ]
            .iter()
            .all(|found| found.is_empty())
    }
}

/// Compares. The vendors' clock stands, and nobody calls them any more.
pub(super) fn compare(stack: &dyn Stack, vendors: &Vendors, asked: &[String]) -> Compared {
    let newest = newest(stack);
    let versions = versions(stack);
    let ledger = vendors.ledger("");
    let mut intents = HashSet::new();
    let mut intended = HashSet::new();
    let mut seen = HashSet::new();
    let mut doubled = Vec::new();
    for version in &versions {
        intents.extend(version.call_id);
        if version.state == SubscriptionState::Calling {
            intended.insert(version.tracking_number.as_str());
        }
        if !seen.insert((&version.tracking_number, version.version)) {
            doubled.push(format!("{} version {}", version.tracking_number, version.version));
        }
    }
    let calls = calls(stack);
    let subscribing = calls.iter().filter(|call| call.kind == CallKind::Subscribe);
    let unintended = subscribing.filter(|call| !intents.contains(&call.call_id));
    let mut without_intent: Vec<_> = unintended.map(|call| format!("{call:?}")).collect();
    let books = booked(&ledger);
    without_intent.extend(
        books
            .keys()
            .filter(|number| !intended.contains(number.as_str()))
            .cloned(),
    );
    let has_settled = |number: &&String| newest.get(*number).is_some_and(is_settled);
    let lost = asked.iter().filter(|number| !has_settled(number));
    Compared {
        asked: asked.len(),
        settled: asked.iter().filter(has_settled).count(),
        lost: lost
            .map(|number| format!("{number}: {:?}", newest.get(number)))
            .collect(),
        vendor_calls: ledger["total"]["calls"].as_u64().unwrap(),
        accepted: ledger["total"]["accepted"].as_u64().unwrap(),
        differing: asked
            .iter()
            .filter_map(|number| difference(newest.get(number)?, &books, in_doubt(&calls, number)))
            .collect(),
        records: versions.len(),
        doubled,
        without_intent,
        rows_differing: rows_differing(stack, &newest),
    }
}

/// Waits until no number is on its way to the vendor.
pub(super) fn wait_until_settled(stack: &dyn Stack, asked: &[String]) {
    eventually("all subscriptions have settled", || {
        let newest = newest(stack);
        let mut open = asked
            .iter()
            .filter(|number| !newest.get(*number).is_some_and(is_settled));
        match open.next() {
            None => Ok(()),
            Some(number) => Err(format!("{number} and {} more: {:?}", open.count(), newest.get(number))),
        }
    });
}

/// The vendor follows it, has done so, or has refused it for a reason.
fn is_settled(subscription: &Subscription) -> bool {
    match subscription.state {
        SubscriptionState::Active
        | SubscriptionState::Ended
        | SubscriptionState::Fallback
        | SubscriptionState::Quota
        | SubscriptionState::Expired => true,
        SubscriptionState::Rejected => subscription.reason.is_some(),
        // The vendors' clock stands still, so that for them the last subscription has just ended for ever.
        SubscriptionState::Waiting => subscription.round > 1 && subscription.code.as_deref() == Some("501"),
        _ => false,
    }
}

/// Subscriptions in the vendors' books, of each number that they were asked to follow: those that were accepted, and those that a vendor
/// began by itself under another carrier.
fn booked(ledger: &Value) -> HashMap<String, (u64, u64)> {
    let mut booked: HashMap<String, (u64, u64)> = HashMap::new();
    for number in ledger["numbers"].as_array().unwrap() {
        let name = number["tracking_number"].as_str().unwrap();
        for month in number["months"].as_object().unwrap().values() {
            let count = |name: &str| month[name].as_u64().unwrap();
            let (accepted, corrected) = (count("accepted"), count("corrected"));
            // Of the others it was only asked what there is to tell.
            if count("calls") + accepted + corrected > 0 {
                let of_number = booked.entry(name.to_owned()).or_default();
                *of_number = (of_number.0 + accepted, of_number.1 + corrected);
            }
        }
    }
    booked
}

/// Calls whose answer never came, and those that a successor has repeated.
fn in_doubt(calls: &[VendorCall], number: &str) -> u64 {
    let is_one = |call: &&VendorCall| {
        let doubts = call.class == CallClass::Unknown || call.reason == CallReason::InDoubt;
        call.kind == CallKind::Subscribe && call.tracking_number == number && doubts
    };
    calls.iter().filter(is_one).count() as u64
}

/// Says what is wrong if a number has two accepted subscriptions in a round, none, or not as many as we know of. Of a correction we know
/// only if its push came. Of a subscription whose answer never came we do not know if the vendor has followed the parcel to its end
/// before the push about that could arrive: the repeated call is a new subscription then.
fn difference(subscription: &Subscription, books: &HashMap<String, (u64, u64)>, in_doubt: u64) -> Option<String> {
    let number = &subscription.tracking_number;
    let (accepted, corrected) = books.get(number).copied().unwrap_or_default();
    let ours: u64 = subscription.calls.iter().map(|month| u64::from(month.accepted)).sum();
    let rounds = u64::from(subscription.round);
    let is_right = (accepted.saturating_sub(in_doubt)..=accepted + corrected).contains(&ours)
        && accepted <= rounds + in_doubt
        && (accepted > 0 || subscription.state == SubscriptionState::Rejected);
    (!is_right).then(|| {
        format!(
            "{number}: {accepted} accepted and {corrected} begun by the vendor in {rounds} rounds, we know of {ours}, {in_doubt} in doubt: \
             {subscription:?}"
        )
    })
}

fn rows_differing(stack: &dyn Stack, newest: &BTreeMap<String, Subscription>) -> Vec<String> {
    let wanted: BTreeSet<_> = newest
        .values()
        .map(|subscription| {
            format!(
                "{} {} {}",
                subscription.tracking_number, subscription.state, subscription.version
            )
        })
        .collect();
    what_remains(|| {
        let sql =
            "SELECT concat(tracking_number, ' ', state, ' ', toString(version)) AS row FROM courier.subscription FINAL";
        let rows = tables::rows(stack, sql);
        let rows: BTreeSet<_> = rows.iter().map(|row| row["row"].as_str().unwrap().to_owned()).collect();
        rows.symmetric_difference(&wanted).cloned().collect()
    })
}
