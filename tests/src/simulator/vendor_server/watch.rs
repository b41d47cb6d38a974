//! How a vendor follows a number: when it looks, and what it tells of what it sees. Functions of what is seen; the draws
//! come from a stream that is an argument.

use crate::simulator::clock::{DAY, HOUR, Seconds};
use crate::simulator::push::followed::next_look;
use crate::simulator::random::Random;
use crate::simulator::snapshot::Snapshot;
use crate::simulator::vendors::{Detail, kdniao, kuaidi100, seventeentrack};

use super::ledger::Key;

/// From the subscription to the first look.
const FIRST_LOOK: Seconds = 15 * 60;

/// What was subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sold {
    /// A product of Kuaidi100. Some were bought as a map.
    Kuaidi100 { product: kuaidi100::Product, is_map: bool },
    /// A product of Kdniao.
    Kdniao(kdniao::Product),
    /// 17TRACK has only one.
    SeventeenTrack,
}

impl Sold {
    pub(crate) const fn detail(self) -> Detail {
        match self {
            Self::Kuaidi100 {
                product: kuaidi100::Product::Plain,
                ..
            }
            | Self::Kdniao(kdniao::Product::Basic) => Detail::TextsOnly,
            Self::Kuaidi100 { .. } | Self::Kdniao(_) | Self::SeventeenTrack => Detail::Statuses,
        }
    }

    /// The times of the lines that it tells.
    pub(crate) fn lines(self, snapshot: &Snapshot<'_>) -> impl Iterator<Item = Seconds> {
        let abroad = snapshot.abroad.iter().filter(move |_| self.goes_abroad());
        let own = snapshot.happenings.iter().map(|happening| happening.at);
        own.chain(abroad.map(|happening| happening.at))
    }

    /// Whether the history of a second carrier belongs to it.
    const fn goes_abroad(self) -> bool {
        matches!(
            self,
            Self::SeventeenTrack
                | Self::Kuaidi100 {
                    product: kuaidi100::Product::International,
                    ..
                }
        )
    }
}

/// That a number goes on under another carrier than the subscriber's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Correction {
    /// The subscriber's carrier.
    pub(crate) old: String,
    /// Whether pushes still carry it in `lastResult.com`, as one of the documents shows.
    pub(crate) keeps_old_company: bool,
}

/// A subscription that is followed.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) key: Key,
    pub(crate) sold: Sold,
    /// Where pushes go.
    pub(crate) callback: String,
    /// What Kuaidi100 signs pushes with.
    pub(crate) salt: Option<String>,
    /// The subscriber's own number, which Kdniao repeats.
    pub(crate) order_code: String,
    pub(crate) correction: Option<Correction>,
    pub(crate) progress: Progress,
}

/// What has been told of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// When it was subscribed to.
    since: Seconds,
    /// How many lines were told.
    lines: usize,
    /// When the last of them was seen.
    changed_at: Seconds,
    /// Whether Kdniao has said that there is nothing yet.
    told_nothing_yet: bool,
}

/// Why a vendor tells, in its own terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Kuaidi100(kuaidi100::Reason),
    Kdniao(kdniao::Reason),
    SeventeenTrack(seventeentrack::Reason),
}

impl Reason {
    /// The vendor's word if the subscription ends with it. Kdniao has none for a parcel that was signed for.
    pub(crate) const fn end(self, is_over: bool) -> Option<&'static str> {
        match self {
            Self::Kuaidi100(kuaidi100::Reason::Shutdown) => Some("shutdown"),
            Self::Kuaidi100(
                kuaidi100::Reason::AbortNoRecord | kuaidi100::Reason::AbortStale | kuaidi100::Reason::AbortCorrected,
            ) => Some("abort"),
            Self::Kdniao(kdniao::Reason::NoRecord) => Some("三天无轨迹"),
            Self::Kdniao(kdniao::Reason::Stale) => Some("七天内无轨迹变化"),
            Self::Kdniao(kdniao::Reason::Followed) if is_over => Some("signed"),
            Self::SeventeenTrack(seventeentrack::Reason::Stopped) => Some("stopped"),
            Self::Kuaidi100(_) | Self::Kdniao(_) | Self::SeventeenTrack(_) => None,
        }
    }

    /// Whether the number goes on under another carrier.
    pub(crate) const fn corrects(self) -> bool {
        matches!(self, Self::Kuaidi100(kuaidi100::Reason::AbortCorrected))
    }
}

impl Progress {
    pub(crate) const fn new(since: Seconds) -> Self {
        Self {
            since,
            lines: 0,
            changed_at: since,
            told_nothing_yet: false,
        }
    }

    /// When the vendor looks first.
    pub(crate) fn first_look(&self, sold: Sold) -> Seconds {
        on_the_hour(self.since + FIRST_LOOK, sold)
    }

    /// What the vendor tells at this look, if anything. `wrong_carrier` says that another carrier has the number.
    pub(crate) fn look(
        &mut self,
        sold: Sold,
        snapshot: &Snapshot<'_>,
        wrong_carrier: bool,
        random: &mut Random,
    ) -> Option<Reason> {
        let seen = Seen {
            at: snapshot.taken_at,
            lines: sold.lines(snapshot).count(),
            is_over: snapshot.is_over(),
            // A vendor that is asked late counts from the parcel's last line, not from its own first look.
            silent_since: snapshot.newest().map_or(self.changed_at, |newest| newest.at),
        };
        let changed = seen.lines > 0 && seen.lines != self.lines;
        let reason = match sold {
            Sold::Kuaidi100 { .. } => self
                .kuaidi100(seen, changed, wrong_carrier, random)
                .map(Reason::Kuaidi100),
            Sold::Kdniao(_) => self.kdniao(seen, changed).map(Reason::Kdniao),
            Sold::SeventeenTrack => self.seventeentrack(seen, changed).map(Reason::SeventeenTrack),
        };
        if changed {
            (self.lines, self.changed_at) = (seen.lines, seen.at);
        }
        reason
    }

    fn kuaidi100(
        &self,
        seen: Seen,
        changed: bool,
        wrong_carrier: bool,
        random: &mut Random,
    ) -> Option<kuaidi100::Reason> {
        use kuaidi100::Reason::{AbortCorrected, AbortNoRecord, AbortStale, Polling, Shutdown};
        if seen.is_over {
            // Some sign-offs come first with an ordinary push, and the end of the subscription later.
            let ends_now = !changed || random.chance(0.8);
            return Some(if ends_now { Shutdown } else { Polling });
        }
        if seen.lines == 0 {
            let is_given_up = seen.at - self.since > 3 * DAY;
            let reason = if wrong_carrier { AbortCorrected } else { AbortNoRecord };
            return is_given_up.then_some(reason);
        }
        if changed {
            return Some(Polling);
        }
        (seen.at - seen.silent_since > 60 * DAY).then_some(AbortStale)
    }

    fn kdniao(&mut self, seen: Seen, changed: bool) -> Option<kdniao::Reason> {
        use kdniao::Reason::{Followed, NoRecord, NotYet, Stale};
        if changed {
            return Some(Followed);
        }
        if seen.lines > 0 {
            return (seen.at - seen.silent_since.max(self.since) > 7 * DAY).then_some(Stale);
        }
        if seen.at - self.since > 3 * DAY {
            return Some(NoRecord);
        }
        // Once at the end of the first day without a record; normal.
        let says_so = !self.told_nothing_yet && seen.at - self.since > DAY;
        self.told_nothing_yet |= says_so;
        says_so.then_some(NotYet)
    }

    fn seventeentrack(&self, seen: Seen, changed: bool) -> Option<seventeentrack::Reason> {
        use seventeentrack::Reason::{Stopped, Updated};
        if changed {
            return Some(Updated);
        }
        let patience = if seen.is_over { 15 * DAY } else { 30 * DAY };
        (seen.at - self.changed_at > patience).then_some(Stopped)
    }
}

/// What one look shows.
#[derive(Clone, Copy)]
struct Seen {
    at: Seconds,
    lines: usize,
    is_over: bool,
    silent_since: Seconds,
}

/// When the vendor looks again.
pub(crate) fn look_again(sold: Sold, snapshot: &Snapshot<'_>, random: &mut Random) -> Seconds {
    let at = snapshot.taken_at;
    match sold {
        Sold::Kdniao(_) => on_the_hour(next_look(at, snapshot, random).max(at + HOUR), sold),
        Sold::Kuaidi100 { .. } | Sold::SeventeenTrack => next_look(at, snapshot, random),
    }
}

/// Kdniao looks at the full hour.
fn on_the_hour(at: Seconds, sold: Sold) -> Seconds {
    match sold {
        Sold::Kdniao(_) => kdniao::next_full_hour(at),
        Sold::Kuaidi100 { .. } | Sold::SeventeenTrack => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::vendor_server::parcels::{Parcels, World};
    use crate::simulator::world::{Course, Parcel};

    const FROM: Seconds = 1_786_248_000;
    const KUAIDI100: Sold = Sold::Kuaidi100 {
        product: kuaidi100::Product::Advanced,
        is_map: false,
    };

    /// Everything that is told of a parcel from a subscription on, with the day on which it is.
    fn told(parcel: &Parcel, sold: Sold, since: Seconds, wrong_carrier: bool) -> Vec<(i64, Reason)> {
        let mut random = Random::new(1, 2, 3);
        let mut progress = Progress::new(since);
        let mut at = progress.first_look(sold);
        let mut told = Vec::new();
        while at < since + 120 * DAY {
            let snapshot = Snapshot::taken(parcel, &[], at);
            if let Some(reason) = progress.look(sold, &snapshot, wrong_carrier, &mut random) {
                told.push(((at - since) / DAY, reason));
                if reason.end(snapshot.is_over()).is_some() {
                    break;
                }
            }
            at = look_again(sold, &snapshot, &mut random);
        }
        told
    }

    fn parcels() -> Parcels {
        Parcels::live(&World {
            seed: 7,
            parcels: 400,
            from: FROM,
            order_days: 7,
        })
    }

    fn of(parcels: &Parcels, wanted: impl Fn(&Parcel) -> bool) -> &Parcel {
        parcels.iter().find(|parcel| wanted(parcel)).expect("one of 400")
    }

    #[test]
    fn a_number_that_nobody_knows_is_given_up_after_three_days() {
        let parcels = parcels();
        let parcel = of(&parcels, |parcel| parcel.course == Course::NeverFound);
        let no_record = Reason::Kuaidi100(kuaidi100::Reason::AbortNoRecord);
        let corrected = Reason::Kuaidi100(kuaidi100::Reason::AbortCorrected);
        assert_eq!(told(parcel, KUAIDI100, FROM, false), [(3, no_record)]);
        assert_eq!(told(parcel, KUAIDI100, FROM, true), [(3, corrected)]);
        let kdniao = told(parcel, Sold::Kdniao(kdniao::Product::CrossBorder), FROM, false);
        let reasons = [
            (1, Reason::Kdniao(kdniao::Reason::NotYet)),
            (3, Reason::Kdniao(kdniao::Reason::NoRecord)),
        ];
        assert_eq!(kdniao, reasons);
    }

    #[test]
    fn a_silent_parcel_is_given_up_after_sixty_or_seven_days() {
        let parcels = parcels();
        let parcel = of(&parcels, |parcel| parcel.course == Course::Stale);
        let last = parcel.happenings.last().expect("it was picked up").at;
        let reasons = told(parcel, KUAIDI100, last + DAY, false);
        assert_eq!(reasons.len(), 2, "{reasons:?}");
        assert_eq!(reasons[1], (59, Reason::Kuaidi100(kuaidi100::Reason::AbortStale)));
        let reasons = told(parcel, Sold::Kdniao(kdniao::Product::ValueAdded), last + DAY, false);
        assert_eq!(reasons[1].1, Reason::Kdniao(kdniao::Reason::Stale), "{reasons:?}");
    }

    #[test]
    fn a_delivered_parcel_is_told_line_by_line_and_ended_by_shutdown() {
        let parcels = parcels();
        let mut ended = 0;
        for parcel in parcels.iter().filter(|parcel| parcel.course == Course::Domestic) {
            if !crate::simulator::world::is_over(&parcel.happenings) {
                continue;
            }
            let reasons = told(parcel, KUAIDI100, parcel.ordered_at, false);
            let (end, before) = reasons.split_last().expect("something was told");
            assert_eq!(
                end.1,
                Reason::Kuaidi100(kuaidi100::Reason::Shutdown),
                "{}",
                parcel.tracking_number
            );
            for (_, reason) in before {
                assert_eq!(*reason, Reason::Kuaidi100(kuaidi100::Reason::Polling));
            }
            ended += 1;
        }
        assert!(ended > 250, "{ended}");
    }

    #[test]
    fn the_first_look_is_after_a_quarter_of_an_hour_the_next_after_about_four() {
        let parcels = parcels();
        let parcel = of(&parcels, |parcel| parcel.course == Course::NeverFound);
        assert_eq!(Progress::new(FROM).first_look(KUAIDI100), FROM + 900);
        let snapshot = Snapshot::taken(parcel, &[], FROM);
        let pause = look_again(KUAIDI100, &snapshot, &mut Random::new(1, 1, 1)) - FROM;
        assert!((4 * HOUR - 900..=4 * HOUR + 1_800).contains(&pause), "{pause}");
        assert_eq!(
            look_again(
                Sold::Kdniao(kdniao::Product::Basic),
                &snapshot,
                &mut Random::new(1, 1, 1)
            ) % HOUR,
            0
        );
    }
}
