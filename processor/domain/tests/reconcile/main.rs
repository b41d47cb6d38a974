//! The planner of queries: priorities, limits of numbers, budgets of accounts, and what is due when.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should say where"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use courierflow_domain::reconcile::{
    Asked, Budget, Candidate, Class, Delays, Gap, GapTerms, Plan, PushCounts, Terms, audit_moment, gaps, interval,
    is_audited, is_gap, plan,
};
use courierflow_domain::subscription::months;
use courierflow_schemas::records::{TimestampMicros, Vendor};
use proptest::prelude::*;

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 2026-11-10, 08:00 in China.
const NOW: i64 = 1_794_268_800_000_000;

fn candidate(number: &str, class: Class, since: i64) -> Candidate {
    Candidate {
        vendor: Vendor::Kuaidi100,
        account: "demo".to_owned(),
        tracking_number: number.to_owned(),
        vendor_carrier: "yuantong".to_owned(),
        lacks_phone: false,
        class,
        since: TimestampMicros(since),
        asked_for_this: 0,
        asked: Asked::default(),
    }
}

fn budgets(daily: u32, share: f64) -> BTreeMap<(Vendor, String), Budget> {
    let budget = Budget::of_day(daily, share);
    BTreeMap::from([((Vendor::Kuaidi100, "demo".to_owned()), budget)])
}

fn planned(candidates: &[Candidate], now: i64) -> Plan {
    plan(
        candidates,
        &mut budgets(1_000, 0.2),
        TimestampMicros(now),
        &Terms::default(),
    )
}

fn is_planned(candidate: &Candidate, now: i64) -> bool {
    !planned(std::slice::from_ref(candidate), now).queries.is_empty()
}

#[test]
fn each_class_is_asked_at_its_times() {
    let hours = |list: &[i64]| list.iter().map(|hour| hour * HOUR).collect::<Vec<_>>();
    for (class, times) in [
        (Class::EndedOpen, hours(&[6, 30])),
        (Class::FirstPushLate, hours(&[24, 48, 72])),
        (Class::Stalled, hours(&[0, 24, 72])),
        (Class::Audit, hours(&[0])),
    ] {
        for (asked, time) in times.iter().enumerate() {
            let mut of_class = candidate("YT1", class, NOW);
            of_class.asked_for_this = u32::try_from(asked).unwrap();
            assert!(!is_planned(&of_class, NOW + time - 1), "{class:?} {asked}");
            assert!(is_planned(&of_class, NOW + time), "{class:?} {asked}");
        }
        let mut enough = candidate("YT1", class, NOW);
        enough.asked_for_this = u32::try_from(times.len()).unwrap();
        assert!(!is_planned(&enough, NOW + 1_000 * DAY), "{class:?}");
    }
}

#[test]
fn what_the_vendor_does_not_follow_is_asked_daily() {
    let mut fallback = candidate("YT1", Class::Fallback, NOW);
    assert!(is_planned(&fallback, NOW));
    fallback.asked_for_this = 1;
    fallback.asked.last_at = Some(TimestampMicros(NOW));
    assert!(!is_planned(&fallback, NOW + DAY - 1));
    assert!(is_planned(&fallback, NOW + DAY));
}

#[test]
fn a_gap_is_closed_within_two_hours_and_not_at_once() {
    let all: Vec<_> = (0..600)
        .map(|number| candidate(&format!("YT{number}"), Class::Gap, NOW))
        .collect();
    let after = |micros| planned(&all, NOW + micros).queries.len();
    assert!(after(0) < 5);
    assert!((250..350).contains(&after(HOUR)));
    assert_eq!(after(2 * HOUR), 600);
    let mut once = all[0].clone();
    once.asked_for_this = 1;
    assert!(!is_planned(&once, NOW + 100 * HOUR));
}

#[test]
fn a_number_is_never_asked_too_often_or_in_vain() {
    let last_at = |ago| Some(TimestampMicros(NOW - ago));
    let asked = |asked: Asked| Candidate {
        asked,
        ..candidate("YT1", Class::Stalled, NOW - DAY)
    };
    let base = Asked::default();
    for (name, is_asked, of) in [
        (
            "an hour apart",
            true,
            asked(Asked {
                last_at: last_at(HOUR),
                ..base
            }),
        ),
        (
            "less",
            false,
            asked(Asked {
                last_at: last_at(HOUR - 1),
                ..base
            }),
        ),
        ("once today", true, asked(Asked { today: 1, ..base })),
        ("twice today", false, asked(Asked { today: 2, ..base })),
        ("nineteen times", true, asked(Asked { in_all: 19, ..base })),
        ("twenty times", false, asked(Asked { in_all: 20, ..base })),
        (
            "refused for good",
            false,
            asked(Asked {
                is_rejected: true,
                ..base
            }),
        ),
        (
            "unknown twice",
            true,
            asked(Asked {
                no_results: 2,
                last_at: last_at(2 * HOUR),
                ..base
            }),
        ),
        (
            "unknown three times",
            false,
            asked(Asked {
                no_results: 3,
                last_at: last_at(DAY - 1),
                ..base
            }),
        ),
        (
            "and a day later",
            true,
            asked(Asked {
                no_results: 3,
                last_at: last_at(DAY),
                ..base
            }),
        ),
        (
            "without carrier",
            false,
            Candidate {
                vendor_carrier: String::new(),
                ..asked(base)
            },
        ),
        (
            "without telephone",
            false,
            Candidate {
                lacks_phone: true,
                ..asked(base)
            },
        ),
        (
            "of an account without budget",
            false,
            Candidate {
                account: "other".to_owned(),
                ..asked(base)
            },
        ),
    ] {
        assert_eq!(is_planned(&of, NOW), is_asked, "{name}");
    }
}

#[test]
fn one_query_serves_all_classes_of_a_number() {
    let both = [
        candidate("YT1", Class::Audit, NOW),
        candidate("YT1", Class::Stalled, NOW),
    ];
    let plan = planned(&both, NOW);
    assert_eq!((plan.queries.len(), plan.queries[0].class), (1, Class::Stalled));
    assert!(plan.unserved.is_empty());
}

#[test]
fn a_hundred_queries_a_day_are_eighty_stalled_and_twenty_audits() {
    let mut all: Vec<_> = (0..1_000)
        .map(|number| candidate(&format!("S{number}"), Class::Stalled, NOW))
        .collect();
    all.extend((0..50).map(|number| candidate(&format!("A{number}"), Class::Audit, NOW)));
    let mut budgets = budgets(100, 0.2);
    let plan = plan(&all, &mut budgets, TimestampMicros(NOW), &Terms::default());
    let of = |class| plan.queries.iter().filter(|query| query.class == class).count();
    assert_eq!((of(Class::Stalled), of(Class::Audit)), (80, 20));
    assert_eq!(
        plan.unserved,
        BTreeMap::from([(Class::Stalled, 920), (Class::Audit, 30)])
    );
    assert_eq!(budgets.values().map(Budget::queries).sum::<u32>(), 0);
    // The reserve is kept for audits that come later in the day.
    assert_eq!(Budget::of_day(100, 0.2).after(80, 0).queries(), 20);
    assert_eq!(Budget::of_day(0, 0.2).queries(), 0);
}

#[test]
fn the_sample_is_one_percent_always_the_same_and_audited_at_any_hour() {
    let sample: Vec<_> = (0..100_000)
        .map(|n| format!("YT{n:013}"))
        .filter(|n| is_audited(n, 100))
        .collect();
    assert!((900..1_100).contains(&sample.len()), "{}", sample.len());
    assert!(!sample.iter().any(|number| is_audited(number, 0)));
    assert!(is_audited("any", 10_000));
    let delays = Delays::default();
    let hours: BTreeSet<_> = sample
        .iter()
        .map(|number| (audit_moment(number, TimestampMicros(NOW), &delays).0 - NOW) / HOUR)
        .collect();
    assert_eq!(hours, (4..72).collect());
}

#[test]
fn silence_is_a_gap_only_where_much_is_usual() {
    let terms = GapTerms {
        patience: Duration::from_mins(90),
        usual_per_hour: 20.0,
    };
    let minutes = |count: u64| Duration::from_mins(count);
    for (name, silence, before, expected) in [
        ("usual", minutes(120), &[40, 40, 40, 40, 40, 40, 40][..], true),
        (
            "too little is usual",
            minutes(120),
            &[39, 40, 40, 40, 40, 40, 40],
            false,
        ),
        ("the vendor still repeats", minutes(90), &[400; 7], false),
        ("nothing is known", minutes(600), &[], false),
    ] {
        assert_eq!(is_gap(silence, before, &terms), expected, "{name}");
    }
}

/// Five pushes in every interval of eight days before `NOW`, but for those from so many minutes before `NOW` to less than so many.
fn counts_without(silent: &[(i64, i64)], terms: &GapTerms) -> PushCounts {
    let length = i64::try_from(interval(terms.patience).as_micros()).unwrap();
    let present = NOW / length;
    let ago = |interval: i64| (NOW - interval * length) / MINUTE;
    let is_silent = |interval: &i64| silent.iter().any(|(from, to)| (*from..*to).contains(&ago(*interval)));
    let intervals = present - 8 * DAY / length..=present;
    PushCounts {
        by_interval: intervals
            .filter(|interval| !is_silent(interval))
            .map(|interval| (interval, 5))
            .collect(),
    }
}

#[test]
fn gaps_of_the_last_day_are_found_with_their_ends() {
    let terms = GapTerms {
        patience: Duration::from_mins(90),
        usual_per_hour: 20.0,
    };
    let found = |silent: &[(i64, i64)]| gaps(&counts_without(silent, &terms), TimestampMicros(NOW), &terms);
    let at = |minutes_ago: i64| TimestampMicros(NOW - minutes_ago * MINUTE);
    assert!(found(&[]).is_empty());
    assert!(found(&[(200, 290)]).is_empty(), "the vendor still repeats");
    let ended = Gap {
        begun: at(320),
        ended: Some(at(200)),
    };
    assert_eq!(found(&[(201, 321)]), [ended]);
    assert!(found(&[(1_441, 1_800)]).is_empty(), "longer than a day ago");
    // It goes on, with what is of the present interval.
    let open = Gap {
        begun: at(150),
        ended: None,
    };
    assert_eq!(found(&[(0, 151)]), [open]);
    let before = Gap {
        begun: at(820),
        ended: Some(at(700)),
    };
    assert_eq!(found(&[(0, 151), (701, 821)]), [before, open]);
    // An account that is always silent at that time of day.
    let nights: Vec<_> = (0..8).map(|day| (day * 1_440 + 201, day * 1_440 + 321)).collect();
    assert!(found(&nights).is_empty());
    assert!(gaps(&PushCounts::default(), TimestampMicros(NOW), &terms).is_empty());

    let longest = Duration::from_hours(6);
    assert_eq!(ended.asked_from(longest), at(200));
    assert_eq!(open.asked_from(longest), TimestampMicros(NOW - 150 * MINUTE + 6 * HOUR));
}

#[test]
fn the_parts_of_all_partitions_are_the_whole_whoever_has_which() {
    for (daily, all) in [(100, 8), (1, 8), (7, 24), (0, 3), (u32::MAX, 24)] {
        let budget = Budget::of_day(daily, 0.2);
        let partitions: Vec<_> = (0..i32::try_from(all).unwrap()).collect();
        assert_eq!(budget.part(&partitions, all), budget, "{daily}");
        let (odd, even): (Vec<_>, Vec<_>) = partitions.iter().copied().partition(|partition| partition % 2 == 1);
        let parts = [odd, even].map(|owned| u64::from(budget.part(&owned, all).queries()));
        assert_eq!(parts.iter().sum::<u64>(), u64::from(budget.queries()), "{daily}");
    }
    assert_eq!(Budget::of_day(100, 0.2).part(&[], 8), Budget::default());
    let [most, least] = [Budget::of_day(100, 0.2), Budget::of_day(90, 0.5)];
    // 80 and 20, 45 and 45.
    assert_eq!(most.at_most(least).queries(), 45 + 20);
}

#[test]
fn a_day_begins_at_midnight_in_china() {
    assert_eq!(months::begin_of_day(TimestampMicros(NOW)).0, NOW - 8 * HOUR);
    assert_eq!(
        months::begin_of_day(TimestampMicros(NOW + 16 * HOUR - 1)).0,
        NOW - 8 * HOUR
    );
    assert_eq!(
        months::begin_of_day(TimestampMicros(NOW + 16 * HOUR)).0,
        NOW + 16 * HOUR
    );
}

fn class() -> impl Strategy<Value = Class> {
    prop::sample::select(Class::ALL.to_vec())
}

/// A world of a few days in which the planner runs every five minutes, and every query is made and remembered.
#[derive(Clone, Debug)]
struct Life {
    candidates: Vec<(u8, Class, i64)>,
    daily: u32,
    share: f64,
    minutes: i64,
}

fn life() -> impl Strategy<Value = Life> {
    let candidates = prop::collection::vec((0..12_u8, class(), 0..3 * DAY), 1..60);
    (
        candidates,
        0..30_u32,
        0.0..1.0_f64,
        prop::sample::select(vec![5_i64, 37, 61]),
    )
        .prop_map(|(candidates, daily, share, minutes)| Life {
            candidates,
            daily,
            share,
            minutes,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_limit_is_ever_exceeded(life in life()) {
        let mut made: Vec<(String, Class, i64)> = Vec::new();
        let mut now = NOW;
        while now < NOW + 6 * DAY {
            let today = months::begin_of_day(TimestampMicros(now)).0;
            let rows: Vec<_> = life.candidates.iter().map(|(number, class, since)| {
                let number = format!("YT{number}");
                let since = NOW + since;
                let of_number: Vec<_> = made.iter().filter(|(other, ..)| *other == number).collect();
                let count = |wanted: &dyn Fn(&&&(String, Class, i64)) -> bool| {
                    u32::try_from(of_number.iter().filter(wanted).count()).unwrap()
                };
                let asked = Asked {
                    last_at: of_number.iter().map(|(.., at)| TimestampMicros(*at)).max(),
                    today: count(&|(.., at)| *at >= today),
                    in_all: count(&|_| true),
                    ..Asked::default()
                };
                Candidate {
                    asked_for_this: count(&|(_, other, at)| other == class && *at >= since),
                    asked,
                    ..candidate(&number, *class, since)
                }
            }).collect();
            let today_made: Vec<_> = made.iter().filter(|(.., at)| *at >= today).collect();
            let audits = today_made.iter().filter(|(_, class, _)| *class == Class::Audit).count();
            let left = Budget::of_day(life.daily, life.share)
                .after(u32::try_from(today_made.len()).unwrap(), u32::try_from(audits).unwrap());
            let mut budgets = BTreeMap::from([((Vendor::Kuaidi100, "demo".to_owned()), left)]);
            let plan = plan(&rows, &mut budgets, TimestampMicros(now), &Terms::default());

            let classes: Vec<_> = plan.queries.iter().map(|query| query.class).collect();
            prop_assert!(classes.is_sorted(), "the most urgent first");
            let worst_served = classes.iter().filter(|class| **class != Class::Audit).max();
            let best_unserved = plan.unserved.keys().find(|class| **class != Class::Audit);
            if let (Some(served), Some(unserved)) = (worst_served, best_unserved) {
                prop_assert!(served <= unserved, "a less urgent class was served first");
            }
            made.extend(plan.queries.into_iter().map(|query| (query.tracking_number, query.class, now)));
            now += life.minutes * MINUTE;
        }

        let mut by_number: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        let mut by_day: BTreeMap<i64, (u32, u32)> = BTreeMap::new();
        for (number, class, at) in &made {
            by_number.entry(number).or_default().push(*at);
            let (urgent, audits) = by_day.entry(months::begin_of_day(TimestampMicros(*at)).0).or_default();
            *(if *class == Class::Audit { audits } else { urgent }) += 1;
        }
        for (number, times) in by_number {
            prop_assert!(times.len() <= 20, "{number}");
            prop_assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= HOUR), "{number}: too close");
            for time in &times {
                let day = months::begin_of_day(TimestampMicros(*time)).0;
                let same_day = times.iter().filter(|other| months::begin_of_day(TimestampMicros(**other)).0 == day);
                prop_assert!(same_day.count() <= 2, "{number}: too often a day");
            }
        }
        for (day, (urgent, audits)) in by_day {
            prop_assert!(urgent + audits <= life.daily, "{day}");
            let kept = (f64::from(life.daily) * life.share).floor();
            prop_assert!(f64::from(urgent) <= f64::from(life.daily) - kept, "{day}: the reserve was touched");
        }
    }
}
