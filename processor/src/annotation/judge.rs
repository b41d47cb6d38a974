//! A wish about a parcel: the record that it becomes, or why not. Pure.

use courierflow_domain::mask;
use courierflow_schemas::records::{Annotation, AnnotationKind, EpochDay, TimestampMicros, TimestampMillis};
use jiff::Timestamp;

use super::parcel::Parcel;

/// Longest reason, in characters.
pub const MOST_OF_REASON: usize = 500;
/// Longest name, in characters.
pub const MOST_OF_NAME: usize = 64;

/// The column of the time is a `DateTime`, and the vendors' times are whole seconds.
const MILLIS: i64 = 1_000;

/// What somebody wants to be said of a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What.
    pub kind: AnnotationKind,
    /// When it happened, if that is not now.
    pub at: Option<Timestamp>,
    /// Why.
    pub reason: String,
    /// Who says it.
    pub by: String,
}

/// Why it cannot be said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Without a reason nobody could judge it later.
    #[error("the reason has {0} characters, and must have 1 to {MOST_OF_REASON} and be one line")]
    Reason(usize),
    /// Somebody must answer for it.
    #[error("the name has {0} characters, and must have 1 to {MOST_OF_NAME} and be one line")]
    Name(usize),
    /// It has not happened yet.
    #[error("{0} is in the future")]
    Future(Timestamp),
    /// Nothing can become of a parcel before it was there.
    #[error("{at} is before the pickup, {picked_up_at}")]
    BeforePickup {
        /// When it is said to have happened.
        at: Timestamp,
        /// When the vendor says that it was picked up.
        picked_up_at: Timestamp,
    },
    /// A time says nothing here.
    #[error("{0} has no time of its own")]
    NoTime(AnnotationKind),
    /// A life without events gets another name with the first one, and the correction would be lost.
    #[error("its vendor has told no event of it yet, so it counts in no figure")]
    NoEvent,
    /// Its figures are those of another row.
    #[error("its vendor has moved it to another carrier: name that parcel")]
    Moved,
    /// It says nothing new.
    #[error("{by} has said so already at {at}, for the same reason")]
    Already {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// There is nothing to take back.
    #[error("there is no correction that could be taken back")]
    Nothing,
    /// Only a newer program can say this.
    #[error("{0} cannot be said")]
    Unknown(AnnotationKind),
}

/// Judges a wish.
pub fn judge(parcel: &Parcel, wish: &Wish, now: Timestamp) -> Result<Annotation, Refusal> {
    let reason = one_line(&wish.reason, MOST_OF_REASON).map_err(Refusal::Reason)?;
    let by = one_line(&wish.by, MOST_OF_NAME).map_err(Refusal::Name)?;
    let reason = mask(reason, Some(&parcel.tracking_number)).into_owned();
    let occurred_at = occurred_at(parcel, wish, now)?;
    if parcel.last_event_at.is_none() {
        return Err(Refusal::NoEvent);
    }
    if parcel.is_moved() {
        return Err(Refusal::Moved);
    }
    let mut annotated_at = now.as_microsecond();
    match &parcel.standing {
        None if wish.kind == AnnotationKind::None => return Err(Refusal::Nothing),
        Some(standing) => {
            let same_time = wish.at.is_none() || standing.occurred_at == occurred_at.map(|at| at.0.div_euclid(MILLIS));
            if standing.kind == wish.kind.as_str()
                && same_time
                && (standing.reason.as_str(), standing.by.as_str()) == (reason.as_str(), by)
            {
                return Err(Refusal::Already {
                    by: standing.by.clone(),
                    at: time_of_micros(standing.annotated_at),
                });
            }
            // The newest holds, also if the clock of whoever said the other one is ahead of ours.
            annotated_at = annotated_at.max(standing.annotated_at.saturating_add(1));
        }
        None => {}
    }
    Ok(Annotation {
        vendor: parcel.vendor.clone(),
        account: parcel.account.clone(),
        carrier: parcel.carrier.clone(),
        tracking_number: parcel.tracking_number.clone(),
        epoch: EpochDay(parcel.epoch.into()),
        kind: wish.kind,
        occurred_at,
        reason,
        annotated_by: by.to_owned(),
        annotated_at: TimestampMicros(annotated_at),
        seen_status: parcel.status.clone(),
        seen_event_at: parcel.last_event_at.map(|seconds| TimestampMillis(seconds * MILLIS)),
    })
}

/// When it happened. A delivery has a time always, because transit times are made of it.
fn occurred_at(parcel: &Parcel, wish: &Wish, now: Timestamp) -> Result<Option<TimestampMillis>, Refusal> {
    let at = match wish.kind {
        AnnotationKind::Delivered => Some(wish.at.unwrap_or(now)),
        AnnotationKind::Lost | AnnotationKind::Destroyed => wish.at,
        AnnotationKind::Excluded | AnnotationKind::None if wish.at.is_some() => return Err(Refusal::NoTime(wish.kind)),
        AnnotationKind::Excluded | AnnotationKind::None => None,
        AnnotationKind::Other => return Err(Refusal::Unknown(wish.kind)),
    };
    let Some(at) = at else {
        return Ok(None);
    };
    if at > now {
        return Err(Refusal::Future(at));
    }
    // Without a pickup the first thing that the parcel can be older than is its life.
    let earliest = parcel.picked_up_at.unwrap_or(i64::from(parcel.epoch) * 86_400);
    if at.as_second() < earliest {
        let picked_up_at = Timestamp::from_second(earliest).unwrap_or_default();
        return Err(Refusal::BeforePickup { at, picked_up_at });
    }
    Ok(Some(TimestampMillis(at.as_second() * MILLIS)))
}

/// Trimmed; otherwise its length.
fn one_line(text: &str, most: usize) -> Result<&str, usize> {
    let text = text.trim();
    let length = text.chars().count();
    if (1..=most).contains(&length) && !text.chars().any(char::is_control) {
        Ok(text)
    } else {
        Err(length)
    }
}

/// As people read it.
pub fn time_of_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parcel::Standing;
    use super::*;

    const NOW: &str = "2026-12-01T12:00:00.123456Z";

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn parcel() -> Parcel {
        Parcel {
            vendor: "kuaidi100".to_owned(),
            account: "demo".to_owned(),
            carrier: "yto".to_owned(),
            tracking_number: "YT0001".to_owned(),
            epoch: 20_780,
            status: "IN_TRANSIT".to_owned(),
            tracking_state: "ACTIVE".to_owned(),
            picked_up_at: Some(time("2026-11-28T02:00:00Z").as_second()),
            last_event_at: Some(time("2026-11-29T02:00:00Z").as_second()),
            standing: None,
        }
    }

    fn standing() -> Standing {
        Standing {
            kind: "LOST".to_owned(),
            occurred_at: None,
            reason: "the carrier pays".to_owned(),
            by: "li.wei".to_owned(),
            annotated_at: time("2026-12-01T11:00:00Z").as_microsecond(),
        }
    }

    fn wish(kind: AnnotationKind) -> Wish {
        Wish {
            kind,
            at: None,
            reason: " the carrier pays ".to_owned(),
            by: "li.wei".to_owned(),
        }
    }

    fn judged(parcel: &Parcel, wish: &Wish) -> Result<Annotation, Refusal> {
        judge(parcel, wish, time(NOW))
    }

    #[test]
    fn what_is_said_names_the_parcel_and_what_its_vendor_said() {
        let said = judged(&parcel(), &wish(AnnotationKind::Lost)).unwrap();
        let expected = Annotation {
            vendor: "kuaidi100".to_owned(),
            account: "demo".to_owned(),
            carrier: "yto".to_owned(),
            tracking_number: "YT0001".to_owned(),
            epoch: EpochDay(20_780),
            kind: AnnotationKind::Lost,
            occurred_at: None,
            reason: "the carrier pays".to_owned(),
            annotated_by: "li.wei".to_owned(),
            annotated_at: TimestampMicros(time(NOW).as_microsecond()),
            seen_status: "IN_TRANSIT".to_owned(),
            seen_event_at: Some(TimestampMillis(time("2026-11-29T02:00:00Z").as_millisecond())),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn a_delivery_has_a_time_and_others_may_have_one() {
        use AnnotationKind::{Delivered, Destroyed, Excluded, Lost, None as Undo};
        let at = "2026-11-30T08:00:00Z";
        for (kind, given, expected) in [
            (Delivered, None, Some("2026-12-01T12:00:00Z")),
            (Delivered, Some(at), Some(at)),
            (Lost, None, None),
            (Lost, Some(at), Some(at)),
            (Destroyed, Some(at), Some(at)),
            (Excluded, None, None),
            (Undo, None, None),
        ] {
            let parcel = Parcel {
                standing: Some(standing()),
                ..parcel()
            };
            let wish = Wish {
                at: given.map(time),
                reason: "another".to_owned(),
                ..wish(kind)
            };
            let expected = expected.map(|at| TimestampMillis(time(at).as_millisecond()));
            assert_eq!(
                judged(&parcel, &wish).unwrap().occurred_at,
                expected,
                "{kind} {given:?}"
            );
        }
    }

    type Case = (&'static str, AnnotationKind, fn(&mut Parcel, &mut Wish), &'static str);

    fn assert_refused<const N: usize>(cases: [Case; N]) {
        for (name, kind, change, expected) in cases {
            let (mut parcel, mut wish) = (parcel(), wish(kind));
            change(&mut parcel, &mut wish);
            let refusal = judged(&parcel, &wish).unwrap_err().to_string();
            assert!(refusal.contains(expected), "{name}: {refusal}");
        }
    }

    #[test]
    fn words_and_times_that_cannot_be_are_refused_with_their_reason() {
        use AnnotationKind::{Delivered, Excluded, Lost, None as Undo};
        assert_refused([
            (
                "no reason",
                Lost,
                |_, wish| wish.reason = "  ".to_owned(),
                "the reason has 0 characters",
            ),
            (
                "long reason",
                Lost,
                |_, wish| wish.reason = "好".repeat(501),
                "the reason has 501 characters",
            ),
            (
                "two lines",
                Lost,
                |_, wish| wish.reason = "a\nb".to_owned(),
                "be one line",
            ),
            (
                "no name",
                Lost,
                |_, wish| wish.by = String::new(),
                "the name has 0 characters",
            ),
            (
                "long name",
                Lost,
                |_, wish| wish.by = "b".repeat(65),
                "the name has 65 characters",
            ),
            (
                "future",
                Delivered,
                |_, wish| wish.at = Some(time("2026-12-01T12:00:01Z")),
                "is in the future",
            ),
            (
                "before the pickup",
                Delivered,
                |_, wish| wish.at = Some(time("2026-11-28T01:59:59Z")),
                "2026-11-28T01:59:59Z is before the pickup, 2026-11-28T02:00:00Z",
            ),
            (
                "lost before the pickup",
                Lost,
                |_, wish| wish.at = Some(time("2026-11-28T01:59:59Z")),
                "is before the pickup",
            ),
            (
                "before its life",
                Delivered,
                |parcel, wish| {
                    parcel.picked_up_at = None;
                    wish.at = Some(time("2026-11-20T00:00:00Z"));
                },
                "is before",
            ),
            (
                "a time",
                Excluded,
                |_, wish| wish.at = Some(time("2026-11-30T00:00:00Z")),
                "EXCLUDED has no time",
            ),
            (
                "a time",
                Undo,
                |_, wish| wish.at = Some(time("2026-11-30T00:00:00Z")),
                "NONE has no time",
            ),
        ]);
    }

    #[test]
    fn what_cannot_be_said_of_this_parcel_is_refused_with_its_reason() {
        use AnnotationKind::{Delivered, Excluded, Lost, None as Undo, Other};
        assert_refused([
            (
                "no event",
                Excluded,
                |parcel, _| parcel.last_event_at = None,
                "no event of it yet",
            ),
            (
                "another carrier",
                Lost,
                |parcel, _| parcel.tracking_state = "CARRIER_CORRECTED".to_owned(),
                "moved it to another carrier",
            ),
            (
                "nothing to undo",
                Undo,
                |_, _| {},
                "no correction that could be taken back",
            ),
            (
                "again",
                Lost,
                |parcel, _| parcel.standing = Some(standing()),
                "li.wei has said so already at 2026-12-01T11:00:00Z",
            ),
            (
                "again with its time",
                Delivered,
                |parcel, wish| {
                    let at = time("2026-11-30T00:00:00Z");
                    let kind = "DELIVERED".to_owned();
                    parcel.standing = Some(Standing {
                        kind,
                        occurred_at: Some(at.as_second()),
                        ..standing()
                    });
                    wish.at = Some(at);
                },
                "has said so already",
            ),
            ("of a newer program", Other, |_, _| {}, "OTHER cannot be said"),
        ]);
    }

    #[test]
    fn another_reason_or_name_or_time_is_something_new() {
        let parcel = Parcel {
            standing: Some(standing()),
            ..parcel()
        };
        let changes: [fn(&mut Wish); 4] = [
            |wish| wish.reason = "found".to_owned(),
            |wish| wish.by = "wang".to_owned(),
            |wish| wish.at = Some(time("2026-11-30T00:00:00Z")),
            |wish| wish.kind = AnnotationKind::Destroyed,
        ];
        for change in changes {
            let mut wish = wish(AnnotationKind::Lost);
            change(&mut wish);
            assert!(judged(&parcel, &wish).is_ok(), "{wish:?}");
        }
    }

    #[test]
    fn i8_telephone_numbers_and_announced_names_do_not_leave_the_reason() {
        let wish = Wish {
            reason: "快递员张三13812345678说已丢失 YT0001".to_owned(),
            ..wish(AnnotationKind::Lost)
        };
        let said = judged(&parcel(), &wish).unwrap().reason;
        assert!(!said.contains("13812345678") && !said.contains("张三"), "{said}");
        assert!(said.ends_with("YT0001"), "{said}");
    }

    proptest! {
        /// Whatever the clocks say, what is said later holds.
        #[test]
        fn what_is_said_later_is_newer(standing_at in 0..4_000_000_000_000_000_i64) {
            let standing = Standing { annotated_at: standing_at, ..standing() };
            let parcel = Parcel { standing: Some(standing), ..parcel() };
            let said = judged(&parcel, &wish(AnnotationKind::None)).unwrap();
            prop_assert!(said.annotated_at.0 > standing_at);
            prop_assert!(said.annotated_at.0 >= time(NOW).as_microsecond());
        }

        /// No delivery is in the future or before the pickup, and none of them has parts of a second.
        #[test]
        fn a_time_is_between_the_pickup_and_now(offset in -1_000_000_000..1_000_000_000_i64) {
            let at = Timestamp::from_millisecond(time(NOW).as_millisecond() + offset).unwrap();
            let wish = Wish { at: Some(at), ..wish(AnnotationKind::Delivered) };
            let parcel = parcel();
            match judged(&parcel, &wish) {
                Ok(said) => {
                    let said = said.occurred_at.unwrap().0;
                    prop_assert!(said / 1_000 >= parcel.picked_up_at.unwrap() && said <= time(NOW).as_millisecond());
                    prop_assert_eq!(said % 1_000, 0);
                }
                Err(_) => prop_assert!(at > time(NOW) || at.as_second() < parcel.picked_up_at.unwrap()),
            }
        }
    }
}
