//! Answers that are old, and answers without news.

use courierflow_schemas::records::{CallClass, Product, Vendor};
use courierflow_schemas::settings::Secret;
use courierflow_schemas::topics::SHIPMENT;
use courierflow_vendors::api::ApiKind;
use courierflow_vendors::api::order::{ApiAccount, QueryOrder, Waybill};
use courierflow_vendors::protocol;
use serde_json::{Value, json};

use super::asked::{AT_ONCE, numbers_of, queries, reconcile, reconcile_ends};
use super::parcels::{DAY, HOUR, domestic_without_phone, now, push, tell, text};
use crate::harness::vendors::{CUSTOMER, KEY, Vendors};
use crate::harness::{
    agent, eventually, metric, migrated, processor, ready, tables, topics, wait_until_derived, wait_until_in_tables,
    wait_until_sink_has_read,
};

/// What the vendor answers about a parcel now: the result as it is also in a push.
fn vendors_answer(vendors: &Vendors, parcel: &Value) -> Value {
    let mut account = ApiAccount::new("test", ApiKind::Kuaidi100Enterprise);
    account.query_url = format!("{}/poll/query.do", vendors.url);
    account.key = Some(Secret::new(KEY));
    account.customer = Some(CUSTOMER.to_owned());
    let order = QueryOrder {
        waybill: Waybill {
            tracking_number: text(parcel, "tracking_number"),
            carrier: text(parcel, "carrier"),
            vendor_carrier: Some(text(parcel, "kuaidi100")),
        },
        phone: None,
        from: None,
        to: None,
        product: Product::Advanced,
    };
    let request = protocol(Vendor::Kuaidi100).api().query(&account, &order).unwrap();
    let mut post = agent().post(&request.url);
    for (name, value) in &request.headers {
        post = post.header(*name, value.expose());
    }
    let mut answer = post.send(request.body.expose()).unwrap();
    answer.body_mut().read_json().unwrap()
}

#[test]
fn r2_r3_stale_answers_and_answers_without_news_change_nothing() {
    let stack = migrated("reconcile-stale");
    let vendors = Vendors::since(12, 200, 2);
    let run = ready(&processor("run", &*stack), "run", &*stack);
    vendors.advance(12 * DAY - 3 * HOUR);
    let over: Vec<_> = domestic_without_phone(&vendors)
        .into_iter()
        .filter(|parcel| parcel["is_over"] == true)
        .collect();
    assert!(over.len() > 60, "{}", over.len());
    let pushes: Vec<_> = over
        .iter()
        .map(|parcel| {
            let result = vendors_answer(&vendors, parcel);
            push(
                text(parcel, "tracking_number"),
                text(parcel, "kuaidi100"),
                &result,
                now(),
            )
        })
        .collect();
    tell(&*stack, &pushes);
    wait_until_in_tables(&*stack);
    // Half of the answers are ten days old. The vendor looks again after half an hour at the earliest.
    vendors.advance(HOUR);
    vendors.faults(&json!({"stale_answers": 0.5, "stale_hours": 200}));
    let before = topics::written(&*stack, SHIPMENT);

    let account = "daily_queries = 100000\naudit_per_10000 = 10000";
    let reconcile = ready(&reconcile(&*stack, &vendors, account, AT_ONCE), "reconcile", &*stack);
    eventually("all are audited", || {
        let audited = numbers_of(&queries(&*stack));
        match audited.len() {
            count if count >= over.len() => Ok(()),
            count => Err(format!("{count} of {}", over.len())),
        }
    });
    wait_until_derived(&*stack);
    wait_until_sink_has_read(&*stack);
    assert_eq!(
        topics::written(&*stack, SHIPMENT),
        before,
        "a record on the topic of shipments"
    );
    let made: Vec<_> = queries(&*stack);
    let done = made.iter().filter(|call| call.class == CallClass::Done).count();
    assert!(done > over.len() / 2, "{done}");
    let asked = tables::rows(
        &*stack,
        "SELECT count() AS answers FROM courier.push FINAL WHERE origin = 'QUERY'",
    );
    assert_eq!(asked[0]["answers"], done);
    let confirmed = metric(&run, "courierflow_derive_push_events_total{outcome=\"confirmed\"}").unwrap();
    let duplicate = metric(&run, "courierflow_derive_push_events_total{outcome=\"duplicate\"}").unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let expected = done as f64;
    assert!(
        (confirmed + duplicate - expected).abs() < f64::EPSILON,
        "{confirmed} {duplicate} of {done}"
    );
    reconcile_ends(reconcile);
}
