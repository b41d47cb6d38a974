//! The views without parameters show what the views with parameters show for the same days.

use courierflow_tests::stack::Stack;
use serde_json::Value;

use crate::harness::tables;

/// What the views without parameters answer: all vendors, all places.
const EVERYWHERE: &str = "vendor = '', origin = '', dest = ''";

/// A view, the first and the last day of each of its periods as SQL, and the view with parameters to ask for the days between.
const VIEWS: [(&str, &str, &str, &str); 8] = [
    (
        "carrier_by_day",
        "cohort_date",
        "cohort_date",
        "carrier_scorecard({days})",
    ),
    (
        "carrier_by_week",
        "cohort_week",
        "cohort_week + 6",
        "carrier_scorecard({days})",
    ),
    (
        "carrier_by_month",
        "cohort_month",
        "toLastDayOfMonth(cohort_month)",
        "carrier_scorecard({days})",
    ),
    (
        "lane_by_month",
        "cohort_month",
        "toLastDayOfMonth(cohort_month)",
        "lane_transit({days}, carrier = '', lane_level = 'province')",
    ),
    (
        "exception_by_day",
        "cohort_date",
        "cohort_date",
        "exception_rate({days})",
    ),
    (
        "exception_by_week",
        "cohort_week",
        "cohort_week + 6",
        "exception_rate({days})",
    ),
    (
        "exception_by_month",
        "cohort_month",
        "toLastDayOfMonth(cohort_month)",
        "exception_rate({days})",
    ),
    (
        "transit_distribution_last_30_days",
        "from_date",
        "to_date",
        "transit_distribution({days})",
    ),
];

const LAST_30_DAYS: [(&str, &str); 3] = [
    ("carrier_last_30_days", "carrier_scorecard({days})"),
    (
        "lane_last_30_days",
        "lane_transit({days}, carrier = '', lane_level = 'province')",
    ),
    ("exception_last_30_days", "exception_rate({days})"),
];

pub(super) fn assert_they_show_what_the_others_show(stack: &dyn Stack) {
    // A refresh between two questions would change the answer.
    tables::execute(stack, "SYSTEM STOP VIEWS");
    for (view, first, last, asked) in VIEWS {
        assert_same(stack, view, first, last, asked);
    }
    for (view, asked) in LAST_30_DAYS {
        assert_same(stack, view, "from_date", "to_date", asked);
    }
    assert_lanes_of_a_carrier(stack);
    assert_thirty_mature_days(stack);
    tables::execute(stack, "SYSTEM START VIEWS");
}

/// Compares every period of a view; at least one must have rows.
fn assert_same(stack: &dyn Stack, view: &str, first: &str, last: &str, asked: &str) {
    let periods = tables::rows(
        stack,
        &format!(
            "SELECT DISTINCT toString({first}) AS first, toString({last}) AS last FROM courier.{view} ORDER BY ALL DESC LIMIT 6"
        ),
    );
    assert!(!periods.is_empty(), "{view} is empty");
    for period in periods {
        let (from, to) = (text(&period["first"]), text(&period["last"]));
        let days = format!("from_date = '{from}', to_date = '{to}', {EVERYWHERE}");
        let shown = tables::rows(
            stack,
            &format!(
                "SELECT * EXCEPT ('^(cohort_(date|week|month)|from_date|to_date)$') FROM courier.{view} WHERE {first} = '{from}' ORDER BY ALL"
            ),
        );
        let expected = tables::rows(
            stack,
            &format!("SELECT * FROM courier.{} ORDER BY ALL", asked.replace("{days}", &days)),
        );
        assert_eq!(shown, expected, "{view} from {from} to {to}");
    }
}

/// Of lanes with enough parcels: the scorecard, asked for the lane.
fn assert_lanes_of_a_carrier(stack: &dyn Stack) {
    let lanes = tables::rows(
        stack,
        "SELECT toString(from_date) AS from, toString(to_date) AS to, origin, dest FROM courier.carrier_lane_last_30_days
        WHERE length(origin) = 4 AND length(dest) = 4 GROUP BY ALL ORDER BY sum(parcels) DESC, origin, dest LIMIT 5",
    );
    assert_eq!(lanes.len(), 5, "{lanes:?}");
    for lane in lanes {
        let (from, to, origin, dest) = (
            text(&lane["from"]),
            text(&lane["to"]),
            text(&lane["origin"]),
            text(&lane["dest"]),
        );
        let shown = tables::rows(
            stack,
            &format!(
                "SELECT * EXCEPT (from_date, to_date, origin, dest) FROM courier.carrier_lane_last_30_days
                WHERE origin = '{origin}' AND dest = '{dest}' ORDER BY ALL"
            ),
        );
        let expected = tables::rows(
            stack,
            &format!(
                "SELECT * FROM courier.carrier_scorecard(from_date = '{from}', to_date = '{to}', vendor = '', origin = '{origin}',
                dest = '{dest}') ORDER BY ALL"
            ),
        );
        assert_eq!(shown, expected, "{origin} to {dest}");
    }
}

fn assert_thirty_mature_days(stack: &dyn Stack) {
    let days = tables::rows(
        stack,
        "SELECT DISTINCT to_date - from_date + 1 AS days, toDate(now('Asia/Shanghai')) - to_date AS ago FROM courier.carrier_last_30_days",
    );
    assert_eq!(days.len(), 1, "{days:?}");
    assert_eq!(days[0]["days"], 30, "{days:?}");
    assert!([4, 5].map(Value::from).contains(&days[0]["ago"]), "{days:?}");
    let young = tables::rows(
        stack,
        "SELECT carrier, maturity FROM courier.carrier_last_30_days WHERE maturity != 1",
    );
    assert!(young.is_empty(), "{young:?}");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
