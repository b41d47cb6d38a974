//! Properties that must hold for any input: for any body of a push at ingest, and for any payload at derive. The fuzz
//! targets search for inputs that violate them; the tests use the vendors' samples and mutations of them.

#![allow(clippy::panic, reason = "a broken promise is to be seen")]

use std::collections::{HashMap, HashSet};

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::identifier;
use courierflow_schemas::records::{Op, Origin, PushEvent, PushId, Signature, TimestampMicros, Vendor};
use courierflow_vendors::account::{Account, Unsigned};
use courierflow_vendors::push::{MAX_PARCELS, Parcel, PushRequest, read};
use courierflow_vendors::reading;

use crate::differential::{Step, derive_all};

/// Microseconds between the receipt of two payloads of a parcel.
const HOUR: i64 = 3_600_000_000;
const RECEIVED_AT: i64 = 1_760_000_000_000_000;
/// Separates the payloads of a parcel; it cannot occur in JSON.
const SEPARATOR: u8 = 0;

/// Reads a body for the accounts of every vendor. What is accepted must be within the limits and readable for derive.
///
/// # Panics
///
/// If it is not.
pub fn body_of_a_push(body: &[u8]) {
    for vendor in Vendor::ALL {
        for unsigned in [Unsigned::Accept, Unsigned::Reject] {
            let account = Account {
                name: "fuzz".to_owned(),
                vendor,
                contract_id: "1".to_owned(),
                unsigned_end: false,
                secrets: Vec::new(),
                unsigned,
            };
            let request = PushRequest { body, signature: None };
            let Ok(push) = read(request, &account) else { continue };
            assert!(push.parcels.len() + push.bad_parcels.len() == usize::from(push.parts));
            assert!(usize::from(push.parts) <= MAX_PARCELS);
            for parcel in push.parcels {
                accepted(vendor, push.push_time.as_deref(), parcel);
            }
        }
    }
}

fn accepted(vendor: Vendor, push_time: Option<&str>, parcel: Parcel) {
    for code in [&parcel.tracking_number, &parcel.vendor_carrier] {
        assert!(identifier::is_identifier(code), "{code:?}");
        assert_eq!(
            identifier::normalised(code),
            *code,
            "what is stored is what is looked for"
        );
    }
    assert!(!parcel.tracking_number.is_empty());
    let event = event(vendor, &parcel.tracking_number, push_time, parcel.payload, RECEIVED_AT);
    if let Err(error) = reading::read(&event, Carriers::built_in()) {
        panic!("ingest takes what derive cannot read: {error}: {}", event.payload);
    }
}

/// Derives the payloads of one parcel, one after the other. They are separated by a zero byte, and each may be any
/// bytes.
///
/// # Panics
///
/// If deriving is not deterministic, a version does not grow, or a transition is retracted that does not exist.
pub fn payloads_of_a_parcel(vendor: Vendor, payloads: &[u8]) {
    let mut events = Vec::new();
    for (payload, number) in payloads.split(|byte| *byte == SEPARATOR).zip(0_i64..) {
        if let Ok(payload) = std::str::from_utf8(payload) {
            let event = event(vendor, "YT1", None, payload.to_owned(), RECEIVED_AT + number * HOUR);
            let _ = reading::push_facts(&event, Carriers::built_in());
            events.push(event);
        }
    }
    let steps = derive_all(&events);
    assert_eq!(steps, derive_all(&events), "the same twice");

    let mut versions = HashMap::new();
    let mut live = HashSet::new();
    for Step { shipment, transitions } in steps {
        let key = format!("{}:{}", shipment.carrier, shipment.tracking_number);
        let before = versions.insert(key.clone(), shipment.version);
        assert!(before.is_none_or(|before| before < shipment.version), "a version grows");
        for transition in transitions {
            let row = (
                key.clone(),
                transition.epoch,
                transition.occurred_at,
                transition.transition_id,
            );
            match transition.op {
                Op::Observed => _ = live.insert(row),
                Op::Retracted => assert!(live.remove(&row), "a transition is taken back that is not there"),
                Op::Other => panic!("nobody writes it"),
            }
        }
    }
}

fn event(vendor: Vendor, number: &str, push_time: Option<&str>, payload: String, received_at: i64) -> PushEvent {
    PushEvent {
        push_id: PushId([0; 16]),
        part: 0,
        parts: 1,
        vendor,
        account: "fuzz".to_owned(),
        received_at: TimestampMicros(received_at),
        signature: Signature::Unsigned,
        vendor_carrier: String::new(),
        tracking_number: number.to_owned(),
        request_type: None,
        query: String::new(),
        content_type: String::new(),
        push_time: push_time.map(str::to_owned),
        business_id: None,
        payload,
        origin: Origin::Push,
        query_reason: None,
        reference: None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::stack::repository;

    /// Mutations of each file of the corpus.
    const MUTATIONS: usize = 2_000;
    /// Byte sequences that often break parsers.
    const PIECES: [&[u8]; 16] = [
        b"{", b"}", b"[", b"]", b"\"", b"\\", b",", b":", b"null", b"1e400", b"-0", b"\\ud800", b"&param=", b"%",
        b"\0", b"\xff",
    ];

    fn corpus(target: &str) -> Vec<Vec<u8>> {
        let folder = repository().join("fuzz/corpus").join(target);
        let mut files: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{}", Path::new(&folder).display());
        files.iter().map(|file| fs::read(file).unwrap()).collect()
    }

    fn mutated(input: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
        let mut input = input.to_vec();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(0..=input.len());
            let to = (at + random.usize(0..40)).min(input.len());
            match random.u8(0..5) {
                0 => drop(input.drain(at..to)),
                1 => drop(input.splice(at..to, PIECES[random.usize(0..PIECES.len())].iter().copied())),
                2 => {
                    let piece = input[at..to].to_vec();
                    let elsewhere = random.usize(0..=input.len());
                    drop(input.splice(elsewhere..elsewhere, piece));
                }
                3 if at < input.len() => input[at] = random.u8(..),
                _ => input.insert(at, b"0123456789{}[]\",:"[random.usize(0..17)]),
            }
        }
        input
    }

    fn play(target: &str, check: impl Fn(&[u8])) {
        let mut random = fastrand::Rng::with_seed(1);
        for input in corpus(target) {
            check(&input);
            for _ in 0..MUTATIONS {
                check(&mutated(&input, &mut random));
            }
        }
    }

    #[test]
    fn bodies() {
        play("body_of_a_push", body_of_a_push);
    }

    #[test]
    fn kuaidi100() {
        play("kuaidi100_payloads", |input| {
            payloads_of_a_parcel(Vendor::Kuaidi100, input);
        });
    }

    #[test]
    fn seventeentrack() {
        play("seventeentrack_payloads", |input| {
            payloads_of_a_parcel(Vendor::SeventeenTrack, input);
        });
    }

    #[test]
    fn kdniao() {
        play("kdniao_payloads", |input| payloads_of_a_parcel(Vendor::Kdniao, input));
    }
}
