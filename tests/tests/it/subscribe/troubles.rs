//! Vendors that are slow or mad, a registry that is away, an account that is gone: nobody else waits for them, and nothing is lost.

use courierflow_schemas::records::{CallClass, RequestAction, Subscription, SubscriptionRequest, SubscriptionState};
use courierflow_schemas::topics::SUBSCRIPTION_REQUEST;
use courierflow_tests::stack::{Server, Stack};
use serde_json::json;

use super::records::{ask, calls, newest, numbers, request, secrets_of, versions, wait_for};
use super::vendors::{Configuration, Vendors, subscribe};
use crate::harness::{
    PATIENCE, SUBSCRIBE_GROUP, eventually, metric, migrated, processor, ready, readyz, told_metric, topics,
    wait_until_read,
};

#[test]
fn a12_a_slow_hanging_or_mad_vendor_is_asked_again_and_nothing_else_waits() {
    let stack = migrated("subscribe-slow");
    let vendors = Vendors::start();
    let hung = it_reads_while_its_calls_hang(&*stack, &vendors);
    let retries = [200; 1_000];
    let launch = Configuration::new().set("retry_ms", &format!("{retries:?}"));
    let mut subscribe = ready(&launch.launch("subscribe", &stack, &vendors), "subscribe", &stack);
    wait_for(&stack, &hung, SubscriptionState::Active);
    for (index, fault) in ["slow", "hang", "html", "drop_after_accept"].into_iter().enumerate() {
        vendors.faults(&json!({fault: 1.0, "slow_ms": 3_000}));
        let numbers = numbers(&format!("YT12{index}"), 5);
        let requests: Vec<_> = numbers.iter().map(|number| request(number, "r1")).collect();
        ask(&stack, &requests);
        eventually(&format!("{fault}: no answer of any is understood"), || {
            let unknown = calls(&stack)
                .into_iter()
                .filter(|call| call.class == CallClass::Unknown);
            let unknown: Vec<_> = unknown.map(|call| call.tracking_number).collect();
            match numbers.iter().find(|number| !unknown.contains(number)) {
                None => Ok(()),
                Some(number) => Err(number.clone()),
            }
        });
        // Meanwhile requests are read: this one can be answered without a call.
        let refused = format!("BADCARRIER{index}");
        let unknown_carrier = Some("snail".to_owned());
        ask(
            &stack,
            &[SubscriptionRequest {
                carrier: unknown_carrier,
                ..request(&refused, "r1")
            }],
        );
        wait_for(&stack, &[refused], SubscriptionState::Rejected);
        vendors.faults(&json!({fault: 0.0}));
        wait_for(&stack, &numbers, SubscriptionState::Active);
        for number in &numbers {
            assert_eq!(vendors.counted(number)["accepted"], 1, "{fault}: {number}");
        }
    }
    subscribe.terminate(PATIENCE).unwrap();
    let unreached = nobody_can_be_reached(&stack);
    let mut subscribe = ready(&launch.launch("subscribe", &stack, &vendors), "subscribe", &stack);
    wait_for(&stack, &unreached, SubscriptionState::Active);
    assert_eq!(metric(&subscribe, UNSENT), Ok(0.0), "it is reached again");
    let is_rejected = |version: &Subscription| version.state == SubscriptionState::Rejected;
    let mut rejected = versions(&stack).into_iter().filter(is_rejected);
    assert!(rejected.all(|version| version.tracking_number.starts_with("BADCARRIER")));
    subscribe.terminate(PATIENCE).unwrap();
}

/// How long no call of the account has reached its vendor.
const UNSENT: &str = "courierflow_subscribe_unsent_seconds{account=\"kuaidi100/demo\"";

/// Nobody listens at the address of the vendors: the subscription waits, and the alarm's metric says since when. Returns the number.
fn nobody_can_be_reached(stack: &dyn Stack) -> Vec<String> {
    let unreached = vec!["YT0000000001299".to_owned()];
    let file = Configuration::new().write(stack, "http://127.0.0.1:9");
    let mut subscribe = ready(&processor("subscribe", stack).config(file), "unreached", stack);
    ask(stack, &[request(&unreached[0], "r1")]);
    eventually("it is told that no call arrives", || {
        match metric(&subscribe, UNSENT)? {
            0.0 => Err(format!("{:?}", newest(stack).get(&unreached[0]))),
            _ => Ok(()),
        }
    });
    subscribe.terminate(PATIENCE).unwrap();
    unreached
}

/// More calls than may be made at once, and those that are made hang for a minute: all requests are read nevertheless, and the worker has no
/// lag. Then it is killed. Returns the numbers.
fn it_reads_while_its_calls_hang(stack: &dyn Stack, vendors: &Vendors) -> Vec<String> {
    vendors.faults(&json!({"hang": 1.0}));
    let numbers = numbers("YT129", 40);
    let requests: Vec<_> = numbers.iter().map(|number| request(number, "r1")).collect();
    ask(stack, &requests);
    let launch = Configuration::new().set("call_timeout_ms", &60_000);
    let mut reading = ready(&launch.launch("subscribe", stack, vendors), "reading", stack);
    wait_until_read(stack, SUBSCRIBE_GROUP, SUBSCRIPTION_REQUEST);
    let in_flight = || metric(&reading, "courierflow_subscribe_in_flight");
    eventually("calls hang, and nothing waits to be read", || {
        match (
            in_flight()?,
            told_metric(&reading, "courierflow_subscribe_lag_records")?,
        ) {
            (calls, 0.0) if calls >= 16.0 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    assert!(calls(stack).is_empty(), "a call has ended");
    reading.kill().unwrap();
    vendors.faults(&json!({"hang": 0.0}));
    numbers
}

/// A record of which only the registry can tell whether it is one waits for the registry, and alone.
#[test]
fn answers_do_not_wait_for_a_registry_that_is_away() {
    let stack = migrated("subscribe-without-registry");
    let vendors = Vendors::start();
    let mut subscribe = ready(&subscribe(&stack, &vendors), "subscribe", &stack);
    let unknown = topics::numbers_on(3, "STUCK").next().unwrap();
    let behind = topics::numbers_on(4, "ELSEWHERE").next().unwrap();
    let asked = topics::encoded_as(&stack, |ids| ids.subscription_request, &request(&behind, "r1"));
    let counted = || metric(&subscribe, "courierflow_subscribe_calls_total");
    stack.stop(Server::Registry).unwrap();
    // In the wire format, with the id of a schema that nobody has seen yet.
    topics::produce(
        &stack,
        SUBSCRIPTION_REQUEST,
        3,
        &unknown,
        &[Some(&[0, 0, 0, 0x7f, 0xff, 1, 2, 3])],
    );
    eventually("it says that it waits", || {
        let log = subscribe.log().map_err(|error| error.to_string())?;
        if log.contains("waiting for the registry") {
            Ok(())
        } else {
            Err(log)
        }
    });
    topics::produce(&stack, SUBSCRIPTION_REQUEST, 4, &behind, &[Some(&asked)]);
    eventually(
        "the other one is asked for, and its answer committed",
        || match counted()? {
            1.0 => Ok(()),
            other => Err(other.to_string()),
        },
    );
    stack.start_server(Server::Registry).unwrap();
    wait_for(&stack, &[behind], SubscriptionState::Active);
    eventually("the unknown one is dead-lettered", || {
        match metric(&subscribe, "courierflow_subscribe_dead_letters_total")? {
            1.0 => Ok(()),
            other => Err(other.to_string()),
        }
    });
    subscribe.terminate(PATIENCE).unwrap();
}

/// Somebody takes an account out of the configuration, and its subscriptions stay behind.
#[test]
fn an_account_that_is_gone_is_told_and_its_subscriptions_can_be_cancelled() {
    let stack = migrated("subscribe-without-account");
    let vendors = Vendors::start();
    let numbers = numbers("YT20", 3);
    let requests: Vec<_> = numbers.iter().map(|number| request(number, "r1")).collect();
    let mut before = ready(&subscribe(&stack, &vendors), "before", &stack);
    ask(&stack, &requests);
    wait_for(&stack, &numbers, SubscriptionState::Active);
    before.terminate(PATIENCE).unwrap();

    let launch = Configuration::new().account("open");
    let mut after = ready(&launch.launch("subscribe", &stack, &vendors), "after", &stack);
    let told = || {
        let answer = readyz(&after)?;
        let told = &answer["parts"]["subscribe-0"]["degraded"]["kuaidi100/demo"];
        Ok::<_, String>((answer["ready"] == true, told.as_str().map(str::to_owned)))
    };
    let gauge = "courierflow_subscribe_without_account{account=\"kuaidi100/demo\"";
    eventually("it is told", || match told()? {
        (true, Some(told)) if told.starts_with("not in the configuration") => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(metric(&after, gauge), Ok(3.0));
    assert!(
        after
            .log()
            .unwrap()
            .contains("an account is not in the configuration any more")
    );

    let cancels: Vec<_> = requests.into_iter().map(cancelled).collect();
    ask(&stack, &cancels);
    wait_for(&stack, &numbers, SubscriptionState::Cancelled);
    for number in &numbers {
        assert_eq!(secrets_of(&stack, number), [true, false], "{number}");
    }
    eventually("nothing is left to be told", || {
        match (told()?, metric(&after, gauge)?) {
            ((true, None), 0.0) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    assert_eq!(newest(&stack).len(), 3);
    after.terminate(PATIENCE).unwrap();
}

fn cancelled(asked: SubscriptionRequest) -> SubscriptionRequest {
    SubscriptionRequest {
        action: RequestAction::Cancel,
        request_id: "r2".to_owned(),
        vendor: Some("kuaidi100".to_owned()),
        account: Some("demo".to_owned()),
        ..asked
    }
}
