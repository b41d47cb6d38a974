//! Quota belongs to the calendar month in China. The clock of the role is moved to the last turn of a month.

use courierflow_schemas::records::{MonthOfCalls, Reason, SubscriptionState};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::records::{ask, force, push, request, wait_for};
use super::vendors::{Configuration, Vendors};
use crate::harness::{PATIENCE, eventually, migrated, ready};

/// 00:00 in China of the first day of a month, some hours ago at least.
fn turn() -> Timestamp {
    let china = TimeZone::fixed(jiff::tz::offset(8));
    let day = (Timestamp::now() - SignedDuration::from_hours(2)).to_zoned(china);
    let first = day.first_of_month().unwrap().start_of_day().unwrap();
    first.timestamp()
}

/// Year and month in China, as a number.
fn month(at: Timestamp) -> i32 {
    let day = at.to_zoned(TimeZone::fixed(jiff::tz::offset(8)));
    i32::from(day.year()) * 100 + i32::from(day.month())
}

#[test]
fn a9_a10_four_subscriptions_of_a_month_in_china_and_the_fifth_in_the_next() {
    let stack = migrated("subscribe-calendar");
    let vendors = Vendors::start();
    let turn = turn();
    let (before, after) = (month(turn - SignedDuration::from_secs(1)), month(turn));
    let at = |moment: Timestamp| {
        let offset = moment.as_millisecond() - Timestamp::now().as_millisecond();
        Configuration::new()
            .set("clock_offset_ms", &offset)
            .set("no_record_rounds", &10)
            .set("resubscribe_after_ms", &0)
            .set("resubscribe_jitter_ms", &0)
            .set("quota_wake_jitter_ms", &0)
            .launch("subscribe", &stack, &vendors)
    };
    let number = "YT0000000000009";
    // The vendor of the simulator would follow the first one still.
    vendors.faults(&json!({"forced": [force("*", "200", None)]}));

    // Half an hour before the turn it is the same day in UTC, as half an hour after it.
    let mut subscribe = ready(&at(turn - SignedDuration::from_mins(30)), "before", &stack);
    ask(&stack, &[request(number, "r1")]);
    for round in 1..=4 {
        eventually(&format!("round {round} is followed"), || {
            let found = wait_for(&stack, &[number.to_owned()], SubscriptionState::Active);
            if found[number].round == round {
                Ok(())
            } else {
                Err(format!("{:?}", found[number]))
            }
        });
        push(
            &stack,
            number,
            &json!({"status": "abort", "message": "3天查询无记录", "comOld": "", "comNew": ""}),
        );
    }
    let used_up = wait_for(&stack, &[number.to_owned()], SubscriptionState::Quota);
    let used_up = &used_up[number];
    assert_eq!(used_up.reason, Some(Reason::Quota));
    let wakes_at = used_up.not_before.map(|millis| millis.0);
    assert_eq!(wakes_at, Some((turn + SignedDuration::from_mins(10)).as_millisecond()));
    let accepted = |calls: &[MonthOfCalls]| -> Vec<_> {
        calls
            .iter()
            .map(|of_month| (of_month.month, of_month.accepted))
            .collect()
    };
    assert_eq!(accepted(&used_up.calls), [(before, 4)]);
    assert_eq!(vendors.counted(number)["calls"], 4);
    subscribe.terminate(PATIENCE).unwrap();

    let mut subscribe = ready(&at(turn + SignedDuration::from_secs(599)), "after", &stack);
    let active = wait_for(&stack, &[number.to_owned()], SubscriptionState::Active);
    assert_eq!(accepted(&active[number].calls), [(before, 4), (after, 1)]);
    assert_eq!(vendors.counted(number)["calls"], 5);
    let other = "YT0000000000010";
    ask(&stack, &[request(other, "r1")]);
    let active = wait_for(&stack, &[other.to_owned()], SubscriptionState::Active);
    assert_eq!(accepted(&active[other].calls), [(after, 1)]);
    subscribe.terminate(PATIENCE).unwrap();
}
