//! The zones that Kdniao's traces name (rules 4.5, 4.7).

use jiff::tz::{Offset, TimeZone};

use super::event_time::Zone;
use super::time_grammar::{Scanner, offset};

/// U+2212, which typesetting makes of a hyphen.
const MINUS_SIGN: &str = "\u{2212}";

/// `GMT+8`, `Europe/Paris`, `EST`: an offset, else a name of the zone database. It has no CST, IST or BST, each of which
/// several countries use for a time of their own.
pub(crate) fn parse_zone(text: &str) -> Option<Zone> {
    let text = text.trim();
    if let Some(offset) = parse_offset(text) {
        return Some(Zone::Offset(offset));
    }
    let zone = TimeZone::get(text).ok()?;
    // `Etc/Unknown` and `Factory` are names that say that there is no zone.
    let is_a_zone = !zone.is_unknown() && zone.iana_name() != Some("Factory");
    is_a_zone.then_some(Zone::Rules(zone))
}

/// `+02:00`, `GMT-5`, `UTC+0530`, `Z` (rule 4.7); nothing beyond a day.
fn parse_offset(text: &str) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let mut rest = Scanner(text);
    let _named = rest.literal("GMT") || rest.literal("UTC");
    let sign = rest.sign(&["-", MINUS_SIGN])?;
    let (hours, minutes) = match rest.leading_digits() {
        1 | 2 => {
            let hours = rest.number(1, 2)?;
            let minutes = if rest.literal(":") { rest.number(2, 2)? } else { 0 };
            (hours, minutes)
        }
        3 => (rest.number(1, 1)?, rest.number(2, 2)?),
        4 => (rest.number(2, 2)?, rest.number(2, 2)?),
        _ => return None,
    };
    rest.at_end().then_some(())?;
    offset(sign, hours, minutes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::time_grammar::parse_time;

    #[test]
    fn rules_11_and_70_offsets() {
        for (text, seconds) in [
            ("+02:00", Some(7200)),
            ("-05:00", Some(-18000)),
            ("+2", Some(7200)),
            ("+08", Some(28800)),
            ("+0530", Some(19800)),
            ("+530", Some(19800)),
            ("GMT+8", Some(28800)),
            ("UTC-03:30", Some(-12600)),
            (" +01:00 ", Some(3600)),
            ("Z", Some(0)),
            ("-00:00", Some(0)),
            ("", None),
            ("+", None),
            ("02:00", None),
            ("GMT", None),
            ("\u{2212}05:30", Some(-19800)),
            ("GMT\u{2212}3", Some(-10800)),
            ("GMT +2", None),
            ("+2:0", None),
            ("+02:", None),
            ("+24:00", None),
            ("+02:60", None),
            ("+02:00:00", None),
            ("+12345", None),
        ] {
            assert_eq!(parse_offset(text.trim()).map(Offset::seconds), seconds, "{text}");
        }
    }

    /// Minutes east of UTC on a winter's and a summer's day.
    fn minutes_east(zone: &str) -> Option<(i32, i32)> {
        let zone = parse_zone(zone)?;
        let on = |day| zone.place(parse_time(day)?).map(|time| time.offset.seconds() / 60);
        Some((on("2025-01-15 12:00:00")?, on("2025-07-15 12:00:00")?))
    }

    #[test]
    fn rule_4_5_names_of_zones() {
        for (text, minutes) in [
            ("GMT+8", Some((480, 480))),
            (" Europe/Paris ", Some((60, 120))),
            ("europe/PARIS", Some((60, 120))),
            ("AMERICA/NEW_YORK", Some((-300, -240))),
            ("Asia/Kolkata", Some((330, 330))),
            ("Etc/GMT+8", Some((-480, -480))),
            ("EST", Some((-300, -300))),
            ("est", Some((-300, -300))),
            ("MST", Some((-420, -420))),
            ("HST", Some((-600, -600))),
            ("CET", Some((60, 120))),
            ("EET", Some((120, 180))),
            ("PRC", Some((480, 480))),
            ("GMT", Some((0, 0))),
            ("UTC", Some((0, 0))),
            ("CST", None),
            ("IST", None),
            ("BST", None),
            ("PST", None),
            ("Paris", None),
            ("北京", None),
            ("Mars/Olympus", None),
            ("Etc/Unknown", None),
            ("Factory", None),
            ("local", None),
            ("../../etc/localtime", None),
            ("CET-1CEST", None),
            ("+25:00", None),
            ("8", None),
            (" ", None),
        ] {
            assert_eq!(minutes_east(text), minutes, "{text}");
        }
    }
}
