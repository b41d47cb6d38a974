//! Figures of routes, worked out by hand. Hours are those after the plan of the hub, ten days ago.

use courierflow_tests::measures::{insert_shipments, shipment_at};
use courierflow_tests::oracle::ShipmentRow;
use courierflow_tests::stack::Stack;
use jiff::Timestamp;
use serde_json::json;

use super::now;
use crate::harness::{tables, with_tables};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// The newest push of every parcel, this long after the plan.
const TOLD: i64 = 100;

/// A telling of a node; times in hours.
#[derive(Clone, Copy)]
struct Told<'t> {
    number: &'t str,
    name: &'t str,
    position: u16,
    /// The push came then.
    at: i64,
    telling: &'t str,
    state: &'t str,
    planned: Option<i64>,
    arrived: Option<i64>,
    departed: Option<i64>,
}

fn first<'t>(number: &'t str, name: &'t str, position: u16, planned: i64) -> Told<'t> {
    Told {
        number,
        name,
        position,
        at: -20,
        telling: "FIRST",
        state: "EXPECTED",
        planned: Some(planned),
        arrived: None,
        departed: None,
    }
}

fn passed<'t>(number: &'t str, name: &'t str, position: u16, arrived: i64, departed: Option<i64>) -> Told<'t> {
    Told {
        at: TOLD,
        telling: "LAST",
        state: "PASSED",
        planned: None,
        arrived: Some(arrived),
        departed,
        ..first(number, name, position, 0)
    }
}

fn insert(stack: &dyn Stack, plan: i64, told: &[Told<'_>]) {
    let time = |hours: i64| plan + hours * HOUR;
    let rows = told.iter().map(|told| {
        let version = time(told.at) * 1_000_000;
        let version = match told.telling {
            "FIRST" => u64::MAX - u64::try_from(version).unwrap(),
            _ => u64::try_from(version).unwrap(),
        };
        json!({
            "vendor": "kuaidi100", "account": "demo", "carrier": "zto", "tracking_number": told.number, "name": told.name, "visit": 1,
            "telling": told.telling, "version": version, "received_at": format!("{}.000000", Timestamp::from_second(time(told.at)).unwrap().strftime("%F %T")), "position": told.position, "city": "东莞市", "kind": "HUB",
            "state": told.state, "planned_arrival_at": told.planned.map(time), "arrived_at": told.arrived.map(time),
            "departed_at": told.departed.map(time),
        })
        .to_string()
    });
    let rows = rows.collect::<Vec<_>>().join("\n");
    tables::execute(
        stack,
        &format!("INSERT INTO courier.route_node FORMAT JSONEachRow\n{rows}"),
    );
}

/// Enough for every query of the page: 40 parcels that were late at a hub, and are late at the next.
pub(super) fn insert_some(stack: &dyn Stack) {
    let numbers: Vec<String> = (0..40).map(|number| format!("PAGE{number}")).collect();
    let told = numbers.iter().flat_map(|number| {
        let next = first(number, "长沙", 2, 10);
        [
            first(number, "虎门", 1, 0),
            passed(number, "虎门", 1, 4, Some(6)),
            next,
            Told {
                at: TOLD,
                telling: "LAST",
                planned: Some(15),
                ..next
            },
        ]
    });
    let told: Vec<_> = told.collect();
    insert(stack, now() - 5 * DAY, &told);
}

/// Of ten parcels that came to one hub, and one that did not.
fn tellings() -> Vec<Told<'static>> {
    let mut told = vec![
        // One hour late, two hours late: on time.
        first("P1", "虎门", 2, 0),
        passed("P1", "虎门", 2, 1, Some(2)),
        first("P2", "虎门", 2, 0),
        passed("P2", "虎门", 2, 2, Some(4)),
        // Late there first.
        first("P3", "虎门", 2, 0),
        passed("P3", "虎门", 2, 3, Some(6)),
        // Late before.
        first("P4", "长安", 1, -10),
        passed("P4", "长安", 1, -5, Some(-4)),
        first("P4", "虎门", 2, 0),
        passed("P4", "虎门", 2, 3, Some(7)),
        // Another way was taken, and nothing is known of it.
        first("P5", "虎门", 2, 0),
        Told {
            telling: "LAST",
            at: -19,
            planned: Some(5),
            ..first("P5", "虎门", 2, 0)
        },
        Told {
            at: -10,
            ..first("P5", "广州", 2, 1)
        },
        Told {
            telling: "LAST",
            at: TOLD,
            ..first("P5", "广州", 2, 1)
        },
        // Still there; gone, and nobody says when.
        Told {
            state: "CURRENT",
            ..passed("P6", "虎门", 2, 0, None)
        },
        passed("P7", "虎门", 2, 0, None),
        // Told by an earlier life of the number, so long ago.
        Told {
            at: -31 * 24,
            ..first("P8", "虎门", 2, -30 * 24)
        },
        passed("P8", "虎门", 2, 0, Some(5)),
        Told {
            at: -31 * 24,
            ..passed("P8", "武汉", 3, -31 * 24, Some(-31 * 24))
        },
    ];
    let others = ["Q1", "Q2", "Q3"];
    told.extend(
        (6..)
            .zip(others)
            .map(|(hours, number)| passed(number, "虎门", 2, 0, Some(hours))),
    );
    told
}

#[test]
fn routes_by_hand() {
    let stack = with_tables("metrics-routes");
    let plan = now() - 10 * DAY;
    insert(&stack, plan, &tellings());
    // A telling that is older, or of a FIRST younger, changes nothing, in whatever order it comes.
    let older = Told {
        at: 0,
        state: "CURRENT",
        ..passed("P1", "虎门", 2, 50, None)
    };
    let younger = Told {
        at: 5,
        ..first("P1", "虎门", 2, 50)
    };
    insert(&stack, plan, &[older, younger]);

    let shipment = |number: &str, attempted: Option<i64>| ShipmentRow {
        edd_first: Some(plan),
        first_attempt_at: attempted,
        ..shipment_at("zto", number, plan - DAY)
    };
    let cancelled = ShipmentRow {
        status: "CANCELLED".to_owned(),
        cancelled_at: Some(plan),
        ..shipment("P3", None)
    };
    let attempted = plan + HOUR + HOUR / 2;
    let shipments = [
        shipment("P1", Some(attempted)),
        shipment("P2", None),
        cancelled,
        shipment("NONE", Some(plan)),
    ];
    tables::execute(&stack, &insert_shipments("courier", &shipments));

    assert_eq!(
        tables::rows(&stack, "SELECT count() AS n FROM courier.parcel_route")[0]["n"],
        json!(13)
    );
    for (number, expected) in [
        (
            "P1",
            json!([{"name": "虎门", "state": "PASSED", "late": 1, "became": false, "next": false, "dwell": 1, "unplanned": false}]),
        ),
        (
            "P4",
            json!([
                {"name": "长安", "state": "PASSED", "late": 5, "became": true, "next": false, "dwell": 1, "unplanned": false},
                {"name": "虎门", "state": "PASSED", "late": 3, "became": false, "next": false, "dwell": 4, "unplanned": false},
            ]),
        ),
        (
            "P5",
            json!([
                {"name": "广州", "state": "EXPECTED", "late": 0, "became": false, "next": true, "dwell": null, "unplanned": false},
                {"name": "虎门", "state": "DROPPED", "late": null, "became": false, "next": false, "dwell": null, "unplanned": false},
            ]),
        ),
        (
            "P8",
            json!([{"name": "虎门", "state": "PASSED", "late": null, "became": false, "next": false, "dwell": 5, "unplanned": true}]),
        ),
    ] {
        let sql = format!(
            "SELECT name, state, late_hours AS late, became_late AS became, is_next AS next, dwell_hours AS dwell, isNull(planned_at)::Bool AS unplanned
             FROM courier.parcel_route WHERE tracking_number = '{number}' ORDER BY position, name"
        );
        assert_eq!(json!(tables::rows(&stack, &sql)), expected, "{number}");
    }

    // A question about one parcel does not read the others.
    let steps = tables::rows(
        &stack,
        "EXPLAIN indexes = 1 SELECT * FROM courier.parcel_route WHERE tracking_number = 'P1'",
    );
    let steps: Vec<_> = steps.iter().map(|step| step["explain"].as_str().unwrap()).collect();
    assert!(
        steps
            .iter()
            .any(|step| step.contains("(tracking_number in ['P1', 'P1'])")),
        "{}",
        steps.join("\n")
    );
    assert_figures(&stack);
}

fn assert_figures(stack: &dyn Stack) {
    // Dwell there: 1, 2, 3, 4 of the planned, 5 of P8, 6, 7, 8 of the others, and one that is still there.
    let hubs = tables::rows(
        stack,
        "SELECT name, arrived, dwell_parcels, dwell_p50_hours, dwell_p90_hours, planned, became_late, became_late_rate
         FROM courier.route_hub_last_30_days WHERE carrier = 'zto'",
    );
    let expected = json!([
        {"name": "虎门", "arrived": 10, "dwell_parcels": 9, "dwell_p50_hours": 5, "dwell_p90_hours": null, "planned": 4, "became_late": 1,
         "became_late_rate": 0.25},
        {"name": "长安", "arrived": 1, "dwell_parcels": 1, "dwell_p50_hours": 1, "dwell_p90_hours": 1, "planned": 1, "became_late": 1,
         "became_late_rate": 1},
    ]);
    assert_eq!(json!(hubs), expected);

    // Hours off the plan: 1, 2, 3, 5, 3, and two that never came.
    let accuracy = tables::rows(
        stack,
        "SELECT of, planned, reached, within_2h, within_6h, within_24h, round(within_6h_rate, 4) AS rate, bias_hours
         FROM courier.route_accuracy_last_30_days",
    );
    let expected = json!([
        {"of": "ATTEMPT", "planned": 2, "reached": 1, "within_2h": 1, "within_6h": 1, "within_24h": 1, "rate": 0.5, "bias_hours": 1.5},
        {"of": "NODE", "planned": 7, "reached": 5, "within_2h": 2, "within_6h": 5, "within_24h": 5, "rate": 0.7143, "bias_hours": 3},
    ]);
    assert_eq!(json!(accuracy), expected);
}
