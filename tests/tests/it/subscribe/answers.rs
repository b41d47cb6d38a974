//! What vendors answer, and what follows from it.

use std::collections::BTreeMap;

use courierflow_schemas::records::{
    CallClass, PushEvent, Reason, Signature, Subscription, SubscriptionRequest, SubscriptionState,
};
use courierflow_schemas::topics::{DERIVE_DEAD, PUSH, SUBSCRIPTION_REQUEST};
use courierflow_tests::stack::{Service, Stack};
use serde_json::json;

use super::records::{ask, calls, force, newest, numbers, partition_of, push, request, secrets_of, versions, wait_for};
use super::vendors::{Configuration, Vendors, subscribe};
use crate::harness::{PATIENCE, eventually, metric, migrated, ready, readyz, topics};

#[test]
fn a1_a2_a8_a11_a14_a17_what_vendors_answer_is_told_and_nobody_is_asked_twice() {
    let stack = migrated("subscribe");
    let vendors = Vendors::start();
    let launch = Configuration::new()
        .set("first_push_late_ms", &1_000)
        .set("not_recognised_ms", &600_000);
    let launch = launch.launch("subscribe", &stack, &vendors);
    let mut subscribe = ready(&launch, "subscribe", &stack);

    // A1, A2: once active, asked for again and again.
    let number = "YT0000000000001".to_owned();
    ask(&stack, &[request(&number, "r1")]);
    let active = wait_for(&stack, std::slice::from_ref(&number), SubscriptionState::Active);
    let active = &active[&number];
    assert_eq!((active.attempt, active.round, active.duplicate), (1, 1, false));
    assert_eq!(active.calls.iter().map(|month| month.accepted).sum::<u16>(), 1);
    let mut again: Vec<_> = (0..20).map(|_| request(&number, "r1")).collect();
    again.push(request(&number, "r2"));
    ask(&stack, &again);
    let of_outcome = |outcome: &str| format!("courierflow_subscribe_requests_total{{outcome=\"{outcome}\"}}");
    eventually("all requests are counted", || {
        let counted = metric(&subscribe, &of_outcome("repeated"))? + metric(&subscribe, &of_outcome("already"))?;
        if counted >= 21.0 {
            Ok(())
        } else {
            Err(counted.to_string())
        }
    });
    assert_eq!(vendors.counted(&number)["calls"], 1);

    a8(&*stack, &vendors, &subscribe);
    a11_a14(&*stack, &vendors);
    // CODE799 was answered once.
    let unknown = "courierflow_subscribe_unknown_answers_total{api=\"kuaidi100_enterprise\"";
    assert_eq!(metric(&subscribe, unknown), Ok(1.0));
    a17(&*stack, &vendors);
    bad_requests(&*stack);
    subscribe.terminate(PATIENCE).unwrap();
    a14_of_the_gateway(&*stack, &vendors);
    a14_of_the_map(&*stack, &vendors);
}

/// Subscribed already, though never by us, and no push comes.
fn a8(stack: &dyn Stack, vendors: &Vendors, subscribe: &Service) {
    let number = "YT0000000000008";
    vendors.faults(&json!({"forced": [force(number, "501", None)]}));
    ask(stack, &[request(number, "r1")]);
    let found = wait_for(stack, &[number.to_owned()], SubscriptionState::Fallback);
    assert_eq!(found[number].reason, Some(Reason::Foreign));
    let is_followed = |version: &Subscription| version.state == SubscriptionState::Active && version.duplicate;
    let mut of_it = versions(stack)
        .into_iter()
        .filter(|version| version.tracking_number == number);
    assert!(of_it.any(|version| is_followed(&version)), "it was believed at first");
    let foreign = "courierflow_subscribe_foreign_total{account=\"kuaidi100/demo\"}";
    eventually("the alarm is raised", || match metric(subscribe, foreign)? {
        1.0 => Ok(()),
        other => Err(other.to_string()),
    });
    assert_eq!(vendors.counted(number)["calls"], 1);
}

/// Codes of the vendor, one number each: the state and reason that they end in, and the calls that it took.
fn a11_a14(stack: &dyn Stack, vendors: &Vendors) {
    let cases = [
        (
            "CODE700",
            "700",
            None,
            SubscriptionState::Rejected,
            Some(Reason::UnknownCarrier),
            1,
        ),
        (
            "CODE701",
            "701",
            None,
            SubscriptionState::Rejected,
            Some(Reason::BadData),
            1,
        ),
        (
            "CODE400",
            "400",
            None,
            SubscriptionState::Rejected,
            Some(Reason::BadPlace),
            1,
        ),
        (
            "CODE502",
            "502",
            None,
            SubscriptionState::Rejected,
            Some(Reason::Sensitive),
            1,
        ),
        // Others are accepted, so it is not for want of units.
        (
            "CODE702",
            "702",
            None,
            SubscriptionState::Rejected,
            Some(Reason::NotRecognised),
            1,
        ),
        ("CODE799", "799", Some(1), SubscriptionState::Active, None, 2),
        ("CODE500A", "500", Some(6), SubscriptionState::Active, None, 7),
        (
            "CODE500B",
            "500",
            None,
            SubscriptionState::Rejected,
            Some(Reason::VendorError),
            7,
        ),
    ];
    let forced: Vec<_> = cases
        .iter()
        .map(|(number, code, times, ..)| force(number, code, *times))
        .collect();
    vendors.faults(&json!({"forced": forced}));
    let requests: Vec<_> = cases.iter().map(|(number, ..)| request(number, "r1")).collect();
    ask(stack, &requests);
    for (number, code, _, state, reason, made) in cases {
        let found = wait_for(stack, &[number.to_owned()], state);
        assert_eq!((found[number].state, found[number].reason), (state, reason), "{code}");
        assert_eq!(vendors.counted(number)["calls"], made, "{number}");
        let records = calls(stack)
            .into_iter()
            .filter(|call| call.tracking_number == number)
            .count();
        assert_eq!(records, usize::try_from(made).unwrap(), "{number}");
    }
}

/// The gateway of the marketplace refuses calls that come too fast. They are made again, and are no attempts.
fn a14_of_the_gateway(stack: &dyn Stack, vendors: &Vendors) {
    let number = "YT0000000001429";
    vendors.faults(&json!({"forced": [force(number, "429", Some(2))]}));
    let launch = Configuration::new().market().launch("subscribe", stack, vendors);
    let mut subscribe = ready(&launch, "marketplace", stack);
    ask(stack, &[request(number, "r1")]);
    let active = wait_for(stack, &[number.to_owned()], SubscriptionState::Active);
    assert_eq!((active[number].attempt, active[number].reason), (1, None));
    let made = calls(stack).into_iter().filter(|call| call.tracking_number == number);
    let made: Vec<_> = made
        .map(|call| (call.api, call.class, call.http_status, call.code))
        .collect();
    let call = |class, status, code: &str| {
        (
            "kuaidi100_market".to_owned(),
            class,
            Some(status),
            Some(code.to_owned()),
        )
    };
    let refused = call(CallClass::Retry, 429, "APIG.0308");
    assert_eq!(made, [refused.clone(), refused, call(CallClass::Done, 200, "200")]);
    assert_eq!(vendors.counted(number)["calls"], 3);
    subscribe.terminate(PATIENCE).unwrap();
}

/// The vendor does not understand the places that a map needs: the parcel goes to the account that needs none.
fn a14_of_the_map(stack: &dyn Stack, vendors: &Vendors) {
    let number = "YT0000000014400";
    vendors.faults(&json!({"forced": [force(number, "400", Some(1))]}));
    let configuration = Configuration::new().map().others().more("fallback_account = 'open'");
    let mut subscribe = ready(&configuration.launch("subscribe", stack, vendors), "map", stack);
    let request = SubscriptionRequest {
        vendor: Some("kuaidi100".to_owned()),
        account: Some("demo".to_owned()),
        from: Some("广东省深圳市南山区".to_owned()),
        to: Some("北京市朝阳区".to_owned()),
        ..request(number, "r1")
    };
    ask(stack, &[request]);
    eventually("the other account has taken it", || {
        let of_it = versions(stack)
            .into_iter()
            .filter(|version| version.tracking_number == number);
        let last: BTreeMap<_, _> = of_it
            .map(|version| (version.account, (version.state, version.reason)))
            .collect();
        let rejected = Some(&(SubscriptionState::Rejected, Some(Reason::BadPlace)));
        let active = Some(&(SubscriptionState::Active, None));
        if (last.get("demo"), last.get("open")) == (rejected, active) {
            Ok(())
        } else {
            Err(format!("{last:?}"))
        }
    });
    let made = calls(stack).into_iter().filter(|call| call.tracking_number == number);
    let made: Vec<_> = made.map(|call| (call.api, call.code.unwrap_or_default())).collect();
    let call = |api: &str, code: &str| (api.to_owned(), code.to_owned());
    assert_eq!(made, [call("kuaidi100_map", "400"), call("kuaidi100_market", "200")]);
    subscribe.terminate(PATIENCE).unwrap();
}

/// The vendor ends a subscription: only a forced request would begin another, and not so soon.
fn a17(stack: &dyn Stack, vendors: &Vendors) {
    let number = "YT0000000000017";
    ask(stack, &[request(number, "r1")]);
    wait_for(stack, &[number.to_owned()], SubscriptionState::Active);
    let payload = json!({
        "status": "shutdown", "message": "", "autoCheck": "0", "comOld": "", "comNew": "",
        "lastResult": {"message": "ok", "state": "3", "ischeck": "1", "com": "yuantong", "nu": number, "data": [
            {"time": "2026-01-02 10:00:00", "ftime": "2026-01-02 10:00:00", "context": "已签收", "statusCode": "3"},
        ]},
    });
    // Not signed, so anybody may have sent it. The one behind it shows that it was read.
    let unsigned = PushEvent {
        signature: Signature::Unsigned,
        ..topics::push_event(number, payload.to_string())
    };
    let value = topics::encoded(stack, &unsigned);
    topics::produce(stack, PUSH, partition_of(number), number, &[Some(&value)]);
    let mut alive = payload.clone();
    alive["status"] = json!("polling");
    push(stack, number, &alive);
    eventually("the signed push is noted", || {
        let newest = &newest(stack)[number];
        match (newest.state, newest.first_push_at) {
            (SubscriptionState::Active, Some(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    push(stack, number, &payload);
    let ended = wait_for(stack, &[number.to_owned()], SubscriptionState::Ended);
    assert_eq!(ended[number].ended_word.as_deref(), Some("shutdown"));
    assert!(ended[number].first_push_at.is_some());
    let forced = SubscriptionRequest {
        force: true,
        ..request(number, "r3")
    };
    ask(stack, &[request(number, "r1"), request(number, "r2"), forced]);
    // What comes behind them on their partition.
    let behind = topics::numbers_on(partition_of(number), "BEHIND").next().unwrap();
    ask(stack, &[request(&behind, "r1")]);
    wait_for(stack, &[behind], SubscriptionState::Active);
    assert_eq!(newest(stack)[number], ended[number]);
    assert_eq!(vendors.counted(number)["calls"], 1);
    assert_eq!(secrets_of(stack, number), [true, false]);
}

/// Bad content is answered on the topic of subscriptions; what is no request is a dead letter.
fn bad_requests(stack: &dyn Stack) {
    let unknown = SubscriptionRequest {
        account: Some("nobody".to_owned()),
        ..request("BADACCOUNT1", "r1")
    };
    let carrier = SubscriptionRequest {
        carrier: Some("snail".to_owned()),
        ..request("BADCARRIER1", "r1")
    };
    let no_phone = SubscriptionRequest {
        carrier: Some("shunfeng".to_owned()),
        phone: None,
        ..request("SF00000000001", "r1")
    };
    let cases = [
        (unknown, Reason::BadData),
        (carrier, Reason::UnknownCarrier),
        (no_phone, Reason::Phone),
    ];
    for (asked, reason) in cases {
        ask(stack, std::slice::from_ref(&asked));
        let number = asked.tracking_number;
        let found = wait_for(stack, std::slice::from_ref(&number), SubscriptionState::Rejected);
        assert_eq!(found[&number].reason, Some(reason), "{number}");
    }
    strangers(stack);
}

/// More records of one team than a worker of derive would take for the sender's fault: they keep nobody else from asking.
fn strangers(stack: &dyn Stack) {
    const MANY: usize = 150;
    let value = topics::encoded_as(stack, |ids| ids.subscription_request, &request("YT0000000000099", "r1"));
    let keys = numbers("WRONGKEY", MANY);
    let wrong = keys.iter().map(|key| (key.as_str(), Some(value.as_slice())));
    topics::produce_all(stack, SUBSCRIPTION_REQUEST, 3, wrong);
    let keys = numbers("JUNK", MANY);
    let junk = keys.iter().map(|key| (key.as_str(), Some(&b"junk"[..])));
    topics::produce_all(stack, SUBSCRIPTION_REQUEST, 3, junk);
    let behind = topics::numbers_on(3, "STILLASKED").next().unwrap();
    ask(stack, &[request(&behind, "r1")]);
    wait_for(stack, &[behind], SubscriptionState::Active);
    let dead = topics::read(stack, DERIVE_DEAD);
    let of_class = |class: &str| {
        let is_it = |record: &&topics::Record| record.headers.get("error_class").is_some_and(|is| is == class);
        dead.iter().filter(is_it).count()
    };
    assert_eq!((of_class("key_mismatch"), of_class("undecodable")), (MANY, MANY));
}

#[test]
fn a13_a_stopped_account_is_tried_by_one_number_at_a_time_and_nothing_is_rejected() {
    let stack = migrated("subscribe-stopped");
    let vendors = Vendors::start();
    vendors.faults(&json!({"forced": [force("*", "601", None)]}));
    let mut subscribe = ready(&subscribe(&stack, &vendors), "subscribe", &stack);
    let numbers = numbers("YT13", 1_000);
    let requests: Vec<_> = numbers.iter().map(|number| request(number, "r1")).collect();
    ask(&stack, &requests);
    wait_for(&stack, &numbers, SubscriptionState::Waiting);
    eventually("it says that the account is stopped", || {
        let answer = readyz(&subscribe)?;
        let told = &answer["parts"]["subscribe-0"]["degraded"]["kuaidi100/demo"];
        let is_told = told.as_str().is_some_and(|told| told.starts_with("601 "));
        if is_told && answer["ready"] == true {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    assert!(subscribe.is_ready());
    let stopped = "courierflow_subscribe_account_stopped{account=\"kuaidi100/demo\",reason=\"account\"";
    assert_eq!(metric(&subscribe, stopped), Ok(1.0));
    // Those that were in flight when the first answer came, and a few tries.
    let calls = vendors.ledger("?totals")["total"]["calls"].as_u64().unwrap();
    assert!(calls < 100, "{calls}");
    vendors.faults(&json!({"forced": []}));
    wait_for(&stack, &numbers, SubscriptionState::Active);
    assert!(
        versions(&stack)
            .iter()
            .all(|version| version.state != SubscriptionState::Rejected)
    );
    assert_eq!(metric(&subscribe, stopped), Ok(0.0));
    subscribe.terminate(PATIENCE).unwrap();
}
