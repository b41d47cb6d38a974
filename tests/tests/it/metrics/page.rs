//! The descriptions in `docs/metrics.md` equal those of the DDL, and its queries run.

use courierflow_schemas::meaning::{Party, reasons};
use courierflow_schemas::records::Vendor;
use courierflow_tests::measures::{self, insert_pushes, insert_shipments, insert_transitions};
use courierflow_tests::oracle::ShipmentRow;
use courierflow_tests::stack::repository;
use courierflow_tests::{api_description, metrics_page};
use courierflow_vendors::protocol;
use serde_json::{Value, json};

use super::{analysts, change, grafana, now, routes, subscriptions};
use crate::harness::{tables, with_tables};

/// `UPDATE_GOLDEN=1` rewrites the tables of columns.
#[test]
fn the_page_has_the_columns_of_the_ddl() {
    let page = std::fs::read_to_string(metrics_page::path()).unwrap();
    let written = metrics_page::with_columns(&page).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(metrics_page::path(), &written).unwrap();
        return;
    }
    for (line, (is, should_be)) in page.lines().zip(written.lines()).enumerate() {
        assert_eq!(
            is,
            should_be,
            "docs/metrics.md:{}: UPDATE_GOLDEN=1 writes the tables anew",
            line + 1
        );
    }
    assert_eq!(page, written);
}

/// `UPDATE_GOLDEN=1` rewrites the descriptions.
#[test]
fn the_api_describes_the_columns_of_the_ddl() {
    let description = std::fs::read_to_string(api_description::path()).unwrap();
    let written = api_description::with_comments(&description).unwrap();
    assert_eq!(
        api_description::unknown_members(&description).unwrap(),
        Vec::<String>::new(),
        "these are no columns of the view that x-columns-of names: x-own-words may say so"
    );
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(api_description::path(), &written).unwrap();
        return;
    }
    for (line, (is, should_be)) in description.lines().zip(written.lines()).enumerate() {
        assert_eq!(
            is,
            should_be,
            "openapi.json:{}: UPDATE_GOLDEN=1 writes it anew",
            line + 1
        );
    }
    assert_eq!(description, written);
}

#[test]
fn every_column_has_a_comment_and_every_query_of_page_and_dashboards_has_an_answer() {
    let stack = with_tables("metrics-page");
    let rows = measures::shipments(3, 800, now());
    let (standing, retracted) = measures::transitions_of(&rows);
    tables::execute(&stack, &insert_shipments("courier", &rows));
    let unmapped = measures::shipment_at("neuerkurier", "N1", now());
    tables::execute(&stack, &insert_shipments("courier", &[unmapped]));
    let of_order = |number: &str, delivered_at: Option<i64>| ShipmentRow {
        reference: Some("SO-17".to_owned()),
        delivered_at,
        ..measures::shipment_at("yto", number, now())
    };
    let order = [of_order("O1", Some(now() - 3600)), of_order("O2", None)];
    tables::execute(&stack, &insert_shipments("courier", &order));
    tables::execute(&stack, &insert_transitions("courier", &standing, &retracted));
    tables::execute(&stack, &insert_pushes("courier", &measures::pushes_of(&rows)));
    subscriptions::insert_some(&stack);
    // Somebody has said that a parcel is lost, and its vendor goes on.
    tables::execute(
        &stack,
        "INSERT INTO courier.annotation (vendor, account, carrier, tracking_number, epoch, annotated_at, kind, reason, annotated_by, seen_status)
         SELECT vendor, account, carrier, tracking_number, epoch, now64(6), 'LOST', 'no scan for a week', 'li.wei', 'INFO_RECEIVED'
         FROM courier.shipment FINAL WHERE tracking_number = 'O2'",
    );
    tables::refresh_metrics(&stack);
    change::insert_one(&stack);
    routes::insert_some(&stack);

    let without_comment = tables::rows(
        &stack,
        "SELECT table, name FROM system.columns WHERE database = 'courier' AND comment = '' \
         AND table NOT IN ('annotation_now', 'carrier_count', 'cohort_exception', 'cohort_parcel', 'counted_at', 'exception_count', 'promised_parcel', 'shipment_now') AND table NOT LIKE '%\\_refresh'",
    );
    assert_eq!(without_comment, Vec::<Value>::new());

    let mut queries = Vec::new();
    for page in [metrics_page::path(), repository().join("docs/analysts.md")] {
        queries.extend(metrics_page::queries(&std::fs::read_to_string(page).unwrap()));
    }
    assert!(queries.len() >= 40, "{} queries", queries.len());
    for (heading, query) in queries {
        let rows = tables::try_rows(&stack, &query).unwrap_or_else(|error| panic!("{heading}: {error}"));
        // There are no promises here.
        assert!(
            !rows.is_empty() || heading.ends_with("_promise"),
            "{heading} has no answer:\n{query}"
        );
    }

    grafana::assert_every_query_runs(&stack);
    analysts::assert_they_see_what_is_documented_and_count_no_row_twice(&stack);

    let named = tables::rows(&stack, "SELECT * FROM courier.exception_name");
    let find = |kind: &str, vendor: &str, name: &str| {
        let mut found = named
            .iter()
            .filter(|row| row["kind"] == kind && row["vendor"] == vendor && row["name"] == name);
        let row = found
            .next()
            .unwrap_or_else(|| panic!("{kind} {vendor} {name} has no name"));
        assert!(found.next().is_none(), "{kind} {vendor} {name} has two names");
        row
    };
    let mut count = 0;
    for vendor in Vendor::ALL {
        let table = protocol(vendor).code_tables()[0];
        for code in table.rows.iter().filter(|code| code.is_exception) {
            let row = find("code", vendor.as_str(), code.code);
            assert_eq!(row["reason"], code.sub_status.as_str());
            assert_eq!(row["party"], json!(code.party().map(Party::as_str)));
            assert_eq!(row["name_zh"], code.name().zh);
            count += 1;
        }
    }
    for reason in reasons() {
        let party = reason.party.map(Party::as_str);
        assert_eq!(find("reason", "", reason.sub_status.as_str())["party"], json!(party));
        count += 1;
    }
    let parties = ["carrier", "consignee", "shipper", "customs", "unknown"];
    for party in parties {
        find("party", "", party);
    }
    assert_eq!(named.len(), count + parties.len());
}
