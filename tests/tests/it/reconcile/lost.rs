//! What pushes have lost is found, and audits say how much it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use courierflow_schemas::records::{CallReason, Vendor};
use courierflow_tests::stack::{Launch, Service, Stack};
use serde_json::{Value, json};

use super::asked::{AT_ONCE, Configuration, numbers_of, queries, reconcile, reconcile_ends, two_rounds};
use super::parcels::{DAY, ask_to_follow, domestic_without_phone, let_pass, text};
use crate::harness::vendors::Vendors;
use crate::harness::{
    assert_tables_are_right, eventually, migrated, option, processor, ready, tables, wait_as_long_as_it_moves,
};

const MINUTE: i64 = 60;

/// Parcels that the vendors follow, each its share of them.
struct World {
    vendors: Vendors,
    followed: Vec<(Vendor, Value)>,
    _services: [Service; 2],
    // The last field, so that services end before their servers.
    stack: Box<dyn Stack>,
}

impl World {
    fn start(name: &str, parcels: u32) -> Self {
        let stack = migrated(name);
        let ingest = ready(&Launch::ingest(), "ingest", &*stack);
        let callback = format!("{}/v1/push/17track/demo", ingest.url());
        // A day more than is lived through: a push that is answered too late is sent again later.
        let vendors = Vendors::pushing_to(&callback, 13, parcels, 2);
        let configuration = Configuration::new("", "").callback(ingest.url());
        let configuration = configuration.write(&*stack, &vendors, "run.toml");
        let run = ready(&processor("run", &*stack).config(configuration), "run", &*stack);
        let followed = shared_out(domestic_without_phone(&vendors));
        ask_to_follow(&*stack, &followed);
        eventually("all are followed", || {
            match vendors.ledger("?totals")["active"].as_u64() {
                Some(active) if active >= followed.len() as u64 => Ok(()),
                active => Err(format!("{active:?} of {}", followed.len())),
            }
        });
        Self {
            vendors,
            followed,
            _services: [ingest, run],
            stack,
        }
    }

    /// The rest of the twelve days in which everything happens, and until the tables show what of it was told.
    fn live_to_the_end(&self, lived: i64) {
        let_pass(&self.vendors, 12 * DAY - lived - MINUTE);
        wait_as_long_as_it_moves(&*self.stack);
        tables::refresh(&*self.stack, "open_parcel");
    }

    /// Everything that is lost is found by queries at once, and so many of 10,000 parcels are audited.
    fn reconcile(&self, audit_per_10000: u32) -> Service {
        let account = format!("daily_queries = 100000\naudit_per_10000 = {audit_per_10000}");
        let launch = reconcile(&*self.stack, &self.vendors, &account, AT_ONCE);
        let reconcile = ready(&launch, "reconcile", &*self.stack);
        two_rounds(&reconcile);
        reconcile
    }

    /// What the vendors' books say of each number that they follow.
    fn books(&self) -> Vec<Value> {
        let ledger = self.vendors.ledger("");
        let numbers = ledger["numbers"].as_array().unwrap();
        let is_followed = |entry: &&Value| entry["following"]["state"] != "never";
        numbers.iter().filter(is_followed).cloned().collect()
    }

    /// The numbers of which some push was never sent, or not answered in time until the vendor gave up.
    fn losing(&self) -> BTreeSet<String> {
        let books = self.books();
        let is_losing = |entry: &&Value| {
            let mut months = entry["months"].as_object().unwrap().values();
            let has_given_up = months.any(|month| month["pushes_given_up"] != 0);
            has_given_up || !entry["lost"].as_array().unwrap().is_empty()
        };
        let losing = books.iter().filter(is_losing);
        losing.map(|entry| text(entry, "tracking_number").to_owned()).collect()
    }

    /// Of all parcels, the numbers of those whose vendor says that they are over. A refusal for good is the end for Kuaidi100 alone;
    /// the others tell it as trouble.
    fn ended(&self, parcels: &[Value]) -> BTreeSet<String> {
        let vendors: BTreeMap<_, _> = self
            .followed
            .iter()
            .map(|(vendor, of)| (text(of, "tracking_number"), vendor))
            .collect();
        let has_ended = |parcel: &&Value| {
            let is_end = text(parcel, "newest") != "RefusedForGood"
                || *vendors[text(parcel, "tracking_number")] == Vendor::Kuaidi100;
            parcel["is_over"] == true && is_end
        };
        let ended = parcels.iter().filter(has_ended);
        ended.map(|parcel| text(parcel, "tracking_number").to_owned()).collect()
    }

    /// The numbers of which something is told by no push.
    fn missing(&self) -> BTreeSet<String> {
        let books = self.books();
        let missing = books.iter().filter(|entry| {
            let told = entry["told_lines"].as_u64().unwrap();
            let mut lost = entry["lost"].as_array().unwrap().iter();
            lost.any(|push| push["lines"].as_array().unwrap().len() as u64 > told)
        });
        missing.map(|entry| text(entry, "tracking_number").to_owned()).collect()
    }

    /// What the vendors' books and the queries say of a number, for whoever reads why a test failed.
    fn what_is_known_of(&self, number: &str) -> String {
        let books = self.books();
        let entry = books.iter().find(|entry| text(entry, "tracking_number") == number);
        let queries = queries(&*self.stack);
        let queries: Vec<_> = queries.iter().filter(|call| call.tracking_number == number).collect();
        let rows = tables::rows(
            &*self.stack,
            &format!(
                "SELECT status, tracking_state, event.raw_code, event.status, event.context, event.occurred_at, event.origin
                 FROM courier.shipment FINAL WHERE tracking_number = '{number}'"
            ),
        );
        format!("{number}: {entry:?}; queries: {queries:?}; in the tables: {rows:?}")
    }

    fn numbers(&self, sql: &str) -> BTreeSet<String> {
        let rows = tables::rows(&*self.stack, sql);
        rows.iter().map(|row| text(row, "tracking_number").to_owned()).collect()
    }

    /// The numbers of which a query told something first.
    fn told_by_queries(&self) -> BTreeSet<String> {
        self.numbers("SELECT DISTINCT tracking_number FROM courier.shipment FINAL WHERE has(event.origin, 'QUERY')")
    }

    /// Waits until every number of the sample of which a query told something has been audited, and what came of it is in the tables.
    fn wait_for_audits(&self, reconcile: &Service, audit_per_10000: u32) {
        let told = self.told_by_queries();
        two_rounds(reconcile);
        eventually("what was lost is audited", || {
            let queries = queries(&*self.stack);
            let audited = numbers_of(queries.iter().filter(|call| call.reason == CallReason::Audit));
            let is_waited_for = |number: &&String| {
                courierflow_domain::reconcile::is_audited(number, audit_per_10000) && !audited.contains(*number)
            };
            match told.iter().find(is_waited_for) {
                None => Ok(()),
                Some(number) => Err(number.clone()),
            }
        });
        wait_as_long_as_it_moves(&*self.stack);
    }

    fn completeness(&self) -> Completeness {
        let rows = tables::rows(
            &*self.stack,
            "SELECT sum(audited) AS audited, sum(with_missed) AS with_missed FROM courier.push_completeness",
        );
        let count = |name: &str| rows[0][name].as_u64().unwrap();
        Completeness {
            known: self
                .numbers("SELECT DISTINCT tracking_number FROM courier.shipment FINAL")
                .len() as u64,
            missing: self.missing().len() as u64,
            audited: count("audited"),
            with_missed: count("with_missed"),
        }
    }
}

/// Each vendor gets its share of the parcels, as far as it knows their carriers.
fn shared_out(parcels: Vec<Value>) -> Vec<(Vendor, Value)> {
    let shared = parcels.into_iter().zip(Vendor::ALL.into_iter().cycle());
    let known = shared.map(|(parcel, vendor)| {
        let is_known = !text(&parcel, vendor.as_str()).is_empty();
        (if is_known { vendor } else { Vendor::Kuaidi100 }, parcel)
    });
    known.collect()
}

/// What the audits say, and what the vendors' books do.
struct Completeness {
    known: u64,
    /// Of those, by the books.
    missing: u64,
    audited: u64,
    /// Of those, by the audits.
    with_missed: u64,
}

#[expect(clippy::cast_precision_loss, reason = "counts of parcels")]
impl Completeness {
    fn share(&self) -> f64 {
        self.missing as f64 / self.known as f64
    }

    fn found(&self) -> f64 {
        self.with_missed as f64 / self.audited as f64
    }

    /// Four standard deviations: with luck as bad as that once in 16,000 runs.
    fn tolerance(&self) -> f64 {
        4.0 * (self.share() * (1.0 - self.share()) / self.audited as f64).sqrt()
    }

    fn is_right(&self) -> bool {
        (self.found() - self.share()).abs() <= self.tolerance()
    }
}

impl fmt::Display for Completeness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, count: u64| writeln!(out, "{name:<52} {count:>9}");
        line("parcels", self.known)?;
        line("  of which pushes leave something out, by the books", self.missing)?;
        line("parcels that were audited", self.audited)?;
        line("  of which pushes leave something out, by the audits", self.with_missed)?;
        let [share, found, tolerance] = [self.share(), self.found(), self.tolerance()].map(|share| 100.0 * share);
        writeln!(
            out,
            "{found:.2} % by the audits, {share:.2} % ± {tolerance:.2} by the books"
        )
    }
}

#[test]
fn r1_r8_what_pushes_have_lost_is_found_and_nothing_else_and_audits_say_how_much_it_was() {
    let world = World::start("reconcile-lost", 260);
    let_pass(&world.vendors, 3 * DAY);
    world.vendors.faults(&json!({"lost_pushes": 1.0, "lost_parcels": 0.25}));
    world.live_to_the_end(3 * DAY);
    let lost = world.losing();
    assert!(lost.len() > 10, "{}", lost.len());

    let reconcile = world.reconcile(5_000);
    let parcels = domestic_without_phone(&world.vendors);
    let over = world.ended(&parcels);
    eventually("the tables show the world", || {
        tables::refresh(&*world.stack, "open_parcel");
        let ended = world.numbers(
            "SELECT tracking_number FROM courier.shipment FINAL
             WHERE status IN ('DELIVERED', 'RETURNED', 'CANCELLED') AND tracking_state != 'CARRIER_CORRECTED'",
        );
        match over.difference(&ended).next() {
            None => Ok(()),
            Some(number) => Err(world.what_is_known_of(number)),
        }
    });

    // R1: only what was lost was told by a query first. Of a parcel that goes on the vendor may know something that it has not told yet.
    let told = world.told_by_queries();
    let going_on = parcels.iter().filter(|parcel| parcel["is_over"] == false);
    let going_on = going_on.map(|parcel| text(parcel, "tracking_number").to_owned());
    let of_course: BTreeSet<_> = lost.into_iter().chain(going_on).collect();
    assert_eq!(told.difference(&of_course).collect::<Vec<_>>(), Vec::<&String>::new());
    for vendor in Vendor::ALL {
        let mut of_vendor = world.followed.iter().filter(|(follower, _)| *follower == vendor);
        assert!(
            of_vendor.any(|(_, parcel)| told.contains(text(parcel, "tracking_number"))),
            "{vendor}"
        );
    }

    // R8: the audits of a half say how many parcels miss something.
    world.wait_for_audits(&reconcile, 5_000);
    let completeness = world.completeness();
    assert!(completeness.audited > 30 && completeness.is_right(), "{completeness}");
    reconcile_ends(reconcile);
    wait_as_long_as_it_moves(&*world.stack);
    assert_tables_are_right(&*world.stack);
}

/// `./dev test --full`: one parcel in a hundred is audited.
#[test]
#[ignore = "long: ./dev test --full"]
#[expect(clippy::print_stdout, reason = "the report is what the command is for")]
fn r8_at_full_size() {
    let parcels = option("COURIERFLOW_FULL_PARCELS", 22_500);
    let world = World::start("reconcile-audits", u32::try_from(parcels).unwrap());
    world.vendors.faults(&json!({"lost_pushes": 0.03}));
    world.live_to_the_end(0);
    let totals = &world.vendors.ledger("?totals")["total"];
    let reconcile = world.reconcile(100);
    world.wait_for_audits(&reconcile, 100);
    let completeness = world.completeness();
    println!(
        "{} pushes, and {} that were never sent\n{completeness}",
        totals["pushes_answered"], totals["pushes_lost"]
    );
    assert!(completeness.is_right(), "see the report above");
    reconcile_ends(reconcile);
}
