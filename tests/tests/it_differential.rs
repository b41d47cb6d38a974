//! The processor's pure core equals the independent recomputation, record by record.
use courierflow_tests::differential::derive_all;
use courierflow_tests::oracle::{ExpectedRecord, expected, record_differences, workload};
use courierflow_schemas::records::PushEvent;

#[test]
fn core_equals_recomputation() {
    let from: u64 = std::env::var("SEED_FROM").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    let n: u64 = std::env::var("SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(10);
    let mut shown = 0;
    for seed in from..from + n {
        let events: Vec<PushEvent> = workload(seed, 300);
        let actual: Vec<ExpectedRecord> = derive_all(&events).iter().flat_map(|s| {
            s.transitions.iter().map(ExpectedRecord::from).chain([ExpectedRecord::from(&s.shipment)])
        }).collect();
        let expected = expected(&events).records;
        for d in record_differences(&expected, &actual).into_iter().take(6) {
            println!("seed {seed}: {d}");
            shown += 1;
        }
        if shown > 60 { break }
    }
    assert_eq!(shown, 0);
}

#[test]
fn dbg_case() {
    let Ok(spec) = std::env::var("CASE") else { return };
    let (seed, at): (u64, i64) = { let (a, b) = spec.split_once(':').unwrap(); (a.parse().unwrap(), b.parse().unwrap()) };
    let events = workload(seed, 300);
    let n = events.iter().find(|e| (e.received_at.0 - at).abs() < 1_000_000).unwrap().tracking_number.clone();
    for e in events.iter().filter(|e| e.tracking_number == n && e.received_at.0 <= at + 1_000_000) { println!("EV {} {:?} {}", e.received_at.0, e.push_time, e.payload); }
    for s in derive_all(&events).iter().filter(|s| s.shipment.tracking_number == n && s.shipment.received_at.0 <= at + 1_000_000) { println!("CORE {} v{}", s.shipment.received_at.0, s.shipment.version); }
}
