//! What vendors get wrong: rewritten and retracted history, impossible times, back-dated scans.

use super::super::clock::{DAY, HOUR};
use super::super::random::Random;
use super::super::snapshot::{Change, Revision};
use super::super::texts;
use super::super::vendors::Detail;
use super::super::world::Parcel;
use super::config::SimulationConfig;

/// What the vendor will get wrong about this parcel. A text that is all there is stays as it is.
pub(super) fn revise(
    config: &SimulationConfig,
    parcel: &mut Parcel,
    detail: Detail,
    random: &mut Random,
) -> Vec<Revision> {
    let mut revisions = Vec::new();
    let Some(last) = parcel.happenings.len().checked_sub(1).filter(|last| *last > 1) else {
        return revisions;
    };
    let any = |random: &mut Random| usize::try_from(random.whole(1, i64::try_from(last).unwrap_or(1))).unwrap_or(last);
    if random.chance(0.05) && detail != Detail::TextsOnly {
        let index = any(random);
        revisions.push(Revision {
            since: 0,
            index,
            change: Change::Decorated(texts::promotion(random)),
        });
    }
    if random.chance(config.mischief) {
        let index = any(random);
        let Some(happening) = parcel.happenings.get(index) else {
            return revisions;
        };
        let since = happening.visible_at + random.whole(6, 48) * HOUR;
        let change = match random.whole(0, 2) {
            0 if index < last => Change::Forgotten,
            1 if detail != Detail::TextsOnly => Change::Reworded(format!("{}（更正）", happening.text)),
            _ => Change::Moved(random.whole(60, 3_000)),
        };
        revisions.push(Revision { since, index, change });
    }
    if random.chance(config.mischief * 0.1) {
        let time = *random.pick(&["0001-01-01 00:00:00", "9999-12-31 23:59:59", "", "昨天 12:30"]);
        revisions.push(Revision {
            since: 0,
            index: any(random),
            change: Change::Misdated(time),
        });
    }
    if random.chance(config.mischief * 0.05) {
        // A scanner with a wrong clock.
        revisions.push(Revision {
            since: 0,
            index: any(random),
            change: Change::Moved(90 * DAY),
        });
    }
    if random.chance(config.mischief) {
        let index = any(random);
        if let Some(happening) = parcel.happenings.get_mut(index) {
            happening.visible_at += random.whole(6, 14) * HOUR;
        }
    }
    revisions
}
