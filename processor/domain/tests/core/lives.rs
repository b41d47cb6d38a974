//! Rules 5.2, 5.3, 8.3, 8.4, 12.2 together, over all histories: status, milestones and the life of a number agree.

use std::collections::BTreeSet;

use courierflow_schemas::records::{Shipment, Status};
use proptest::prelude::*;
use serde_json::Value;

use crate::pushes::*;

const CODES: &[&str] = &[
    "", "0", "1", "103", "101", "1001", "5", "501", "3", "301", "2", "201", "202", "205", "204", "203", "14", "6", "4",
    "401", "x",
];
const TEXTS: &[&str] = &[
    "已签收",
    "正在派件",
    "快件正退回寄件人",
    "已揽收",
    "到达",
    "无",
    "查无结果",
    "您的宝贝到家啦",
    "快件退回网点",
];

/// Lines of June, up to a day before their receipt.
fn history() -> impl Strategy<Value = Vec<Value>> {
    let line = (prop::sample::select(CODES), prop::sample::select(TEXTS), 0..600_usize);
    prop::collection::vec(line, 1..9).prop_map(|lines| {
        let mut hours = BTreeSet::new();
        let distinct = lines.into_iter().filter(|(_, _, hour)| hours.insert(*hour));
        let mut lines: Vec<_> = distinct.collect();
        lines.sort_by_key(|(_, _, hour)| *hour);
        lines
            .iter()
            .map(|(code, text, hour)| item(&hour_text(*hour), code, text))
            .collect()
    })
}

fn push(lines: &[Value], word: &str, state: &str, ischeck: bool) -> Kuaidi100 {
    kuaidi100(lines)
        .set("status", word)
        .set("lastResult.state", state)
        .set("lastResult.ischeck", ischeck)
}

/// As the view `parcel` has it.
fn is_open(shipment: &Shipment) -> bool {
    let milestones = &shipment.milestones;
    milestones.delivered_at.is_none() && milestones.returned_at.is_none() && shipment.status != Status::Cancelled
}

fn check_truth(shipment: &Shipment) -> Result<(), TestCaseError> {
    let milestones = &shipment.milestones;
    match shipment.status {
        Status::Delivered => prop_assert!(milestones.delivered_at.is_some()),
        Status::Returned => prop_assert!(milestones.returned_at.is_some()),
        Status::Cancelled => prop_assert!(milestones.cancelled_at.is_some()),
        _ => {}
    }
    if shipment.status.is_terminal() {
        prop_assert!(!is_open(shipment));
    } else if !is_open(shipment) {
        // An event of another kind behind the delivery, or behind the end of the return.
        let ends = [milestones.delivered_at, milestones.returned_at];
        let end = ends.into_iter().flatten().min().unwrap();
        let behind = shipment.events.iter().filter(|event| event.occurred_at >= end);
        prop_assert!(behind.clone().any(|event| event.status == shipment.status));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn a_terminal_status_has_its_time_and_is_not_open(
        lines in history(),
        word in prop::sample::select(&["polling", "shutdown", "abort", "updateall"][..]),
        state in prop::sample::select(CODES),
        ischeck in any::<bool>(),
    ) {
        check_truth(&shipment(&push(&lines, word, state, ischeck).event()))?;
    }

    /// The last push of the vendor holds everything and a sign-off: whatever came before, in whatever order.
    #[test]
    fn a_correct_final_push_always_ends_the_parcel(
        lines in history(),
        cuts in prop::collection::vec((0..9_usize, prop::sample::select(&["polling", "shutdown", "abort", "updateall"][..]), 0..40_u32), 0..6),
        taken_back in any::<bool>(),
    ) {
        let mut stream = Stream::default();
        for (cut, word, hour) in cuts {
            let mut told = lines[..cut.min(lines.len())].to_vec();
            // A scan that is all that was told is another parcel's history (66f).
            if taken_back && told.iter().any(|line| line["context"] != "查无结果") {
                told.push(item("2025-06-28 08:00:00", "0", "taken back"));
            }
            let received = format!("2025-06-{:02}T{:02}:00:00Z", 28 + hour / 24, hour % 24);
            stream.push(&push(&told, word, "0", false).received(&received).event());
        }
        let mut last = lines;
        last.push(item("2025-06-27 20:00:00", "", "您的宝贝到家啦"));
        stream.push(&push(&last, "shutdown", "3", true).received("2025-06-29T18:00:00Z").event());
        let shipment = stream.shipments.values().next().unwrap();
        prop_assert!(!is_open(shipment) || shipment.tracking_state.as_str() != "ENDED", "{shipment:?}");
        prop_assert_eq!(shipment.tracking_state.as_str(), "ENDED");
        check_truth(shipment)?;
    }

    /// After the end of life derive knows nothing; the tables do.
    #[test]
    fn no_push_after_the_end_of_life_makes_a_row_lose_events_or_a_parcel_count_twice(
        lines in history(),
        opens_empty in any::<bool>(),
        late in prop::collection::vec((any::<bool>(), prop::sample::select(&["polling", "shutdown", "abort", "updateall"][..])), 1..4),
    ) {
        let mut stream = Stream::default();
        if opens_empty {
            stream.accept(&push(&[], "abort", "", false).received("2025-05-20T00:00:00Z").event());
        }
        stream.accept(&push(&lines, "shutdown", "3", true).event());
        let with_events = |stream: &Stream| -> Vec<Vec<i64>> {
            let rows = stream.rows.values().filter(|row| !row.events.is_empty());
            rows.map(|row| row.events.iter().map(|event| event.id).collect()).collect()
        };
        let before = with_events(&stream);
        stream.drop_state();
        for (day, (is_whole, word)) in late.into_iter().enumerate() {
            let told = if is_whole { lines.as_slice() } else { &[] };
            let received = format!("2025-09-{:02}T00:00:00Z", day + 1);
            stream.push(&push(told, word, "3", true).received(&received).event());
            prop_assert_eq!(&with_events(&stream), &before);
        }
    }
}
