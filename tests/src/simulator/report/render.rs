//! The report as text for a terminal.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::super::carriers::{CARRIERS, Carrier};
use super::super::world::CROSS_BORDER;
use super::exceptions::EXCEPTIONS;
use super::{CarrierRow, Findings};

impl Findings {
    /// The carrier table and what is remarkable about it, for a terminal.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let columns = [
            "carrier",
            "parcels",
            "picked up",
            "delivered",
            "median h",
            "p90 h",
            "exception",
            "most frequent codes",
        ];
        let mut lines = vec![columns.map(str::to_owned)];
        let mut shown = BTreeSet::new();
        for row in &self.carriers {
            let name = known(&row.carrier).map_or(String::new(), |carrier| format!(" {}", carrier.name));
            let codes = self.top_codes(row);
            shown.extend(codes.iter().map(|(code, _)| *code));
            let codes: Vec<_> = codes.iter().map(|(code, share)| format!("{code} {share}")).collect();
            lines.push([
                format!("{}{name}", row.carrier),
                row.parcels.to_string(),
                row.picked_up.to_string(),
                row.delivered.to_string(),
                quantile(row.median_hours, row.cohort, 10),
                quantile(row.p90_hours, row.cohort, 50),
                percent(row.with_exception, row.picked_up),
                codes.join(", "),
            ]);
        }
        write_table(&mut text, &lines);
        text.push_str(
            "\n  median, p90: hours from pick-up to delivery, over all parcels picked up at least 10 days ago; one that is not\n  \
             delivered counts as infinitely late. exception, codes: share of the parcels picked up. \"-\": too few to tell.\n",
        );
        for exception in EXCEPTIONS
            .iter()
            .filter(|exception| exception.codes.iter().any(|code| shown.contains(code)))
        {
            let codes = exception.codes.join(", ");
            let _ = writeln!(text, "  {codes} {}: {}", exception.name, exception.meaning);
        }
        text.push('\n');
        for finding in self.remarkable() {
            let _ = writeln!(text, "  * {finding}");
        }
        text
    }

    /// The three most frequent exceptions of a carrier, by the code that stands for all vendors', with their shares.
    fn top_codes<'row>(&'row self, carrier: &CarrierRow) -> Vec<(&'row str, String)> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for row in self.codes.iter().filter(|row| row.carrier == carrier.carrier) {
            let exception = EXCEPTIONS
                .iter()
                .find(|exception| exception.codes.contains(&row.code.as_str()));
            let code = exception.and_then(|exception| exception.codes.first().copied());
            *counts.entry(code.unwrap_or(&row.code)).or_default() += row.parcels;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, parcels)| Reverse(*parcels));
        let top = counts.into_iter().take(3);
        top.map(|(code, parcels)| (code, percent(parcels, carrier.picked_up)))
            .collect()
    }

    fn remarkable(&self) -> Vec<String> {
        let mut found = Vec::new();
        let with_median = || {
            self.carriers
                .iter()
                .filter(|row| row.cohort >= 10)
                .filter_map(|row| Some((row, row.median_hours?)))
        };
        let slowest = with_median().max_by(|one, other| one.1.total_cmp(&other.1));
        let fastest = with_median().min_by(|one, other| one.1.total_cmp(&other.1));
        if let Some(((slow, slow_hours), (fast, fast_hours))) =
            slowest.zip(fastest).filter(|(slow, fast)| slow.0 != fast.0)
        {
            found.push(format!(
                "slowest: {}, half of its parcels take more than {slow_hours:.0} h; fastest: {}, {fast_hours:.0} h",
                slow.carrier, fast.carrier
            ));
        }
        let large = || self.carriers.iter().filter(|row| row.picked_up >= 30);
        let share = |part: u64, row: &CarrierRow| part as f64 / row.picked_up.max(1) as f64;
        let most = |part: fn(&CarrierRow) -> u64| {
            large().max_by(|one, other| share(part(one), one).total_cmp(&share(part(other), other)))
        };
        if let Some(row) = most(|row| row.with_exception) {
            found.push(format!(
                "most exceptions: {}, {} of its parcels",
                row.carrier,
                percent(row.with_exception, row.picked_up)
            ));
        }
        if let Some(row) = most(|row| row.returned) {
            let reached = if row.p90_hours.is_none() && row.cohort >= 50 {
                "; its 90th percentile is not reached"
            } else {
                ""
            };
            found.push(format!(
                "most returns: {}, {}{reached}",
                row.carrier,
                percent(row.returned, row.picked_up)
            ));
        }
        if let Some(row) = most(|row| row.in_locker) {
            found.push(format!(
                "lockers and stations: {} leaves {} of its parcels there, which is not a delivery until somebody collects them",
                row.carrier,
                percent(row.in_locker, row.picked_up)
            ));
        }
        let totals = &self.totals;
        if totals.stalled > 0 {
            found.push(format!(
                "{} parcels on their way without a scan for 48 h",
                totals.stalled
            ));
        }
        found.push(format!(
            "{} push events became {} shipments and {} transitions ({} of them anomalies; {} shipments went on under another carrier)",
            totals.push_events, totals.shipments, totals.transitions, totals.anomalies, totals.corrected
        ));
        found
    }
}

fn known(code: &str) -> Option<&'static Carrier> {
    CARRIERS
        .iter()
        .chain([&CROSS_BORDER])
        .find(|carrier| carrier.code == code)
}

/// First column to the left, last one as it comes, numbers to the right.
fn write_table(text: &mut String, lines: &[[String; 8]]) {
    let mut widths = [0; 8];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(columns_of(cell));
        }
    }
    for line in lines {
        for (index, (cell, width)) in line.iter().zip(widths).enumerate() {
            let padding = " ".repeat(width - columns_of(cell));
            let _ = match index {
                0 => write!(text, "  {cell}{padding}"),
                7 => write!(text, "   {cell}"),
                _ => write!(text, "   {padding}{cell}"),
            };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
}

fn quantile(hours: Option<f64>, cohort: u64, least: u64) -> String {
    match hours {
        _ if cohort < least => "-".to_owned(),
        Some(hours) => format!("{hours:.1}"),
        None => "not reached".to_owned(),
    }
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        "-".to_owned()
    } else {
        format!("{:.1} %", 100.0 * part as f64 / whole as f64)
    }
}

/// Columns of a terminal: Han letters take two.
fn columns_of(text: &str) -> usize {
    text.chars()
        .map(|letter| {
            if ('\u{1100}'..='\u{ffdc}').contains(&letter) {
                2
            } else {
                1
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::super::{CodeRow, Totals};
    use super::*;

    #[test]
    fn the_table_says_not_reached_where_it_is_not() {
        let row = |carrier: &str, p90_hours, returned| CarrierRow {
            carrier: carrier.to_owned(),
            parcels: 120,
            picked_up: 100,
            delivered: 85,
            cohort: 80,
            median_hours: Some(if carrier == "sf" { 24.0 } else { 52.25 }),
            p90_hours,
            with_exception: 13,
            returned,
            in_locker: 5,
        };
        let findings = Findings {
            carriers: vec![row("jt", None, 12), row("sf", Some(40.0), 1)],
            codes: vec![CodeRow {
                carrier: "jt".to_owned(),
                code: "404".to_owned(),
                parcels: 9,
            }],
            totals: Totals::default(),
        };
        let text = findings.render();
        for expected in [
            "jt 极兔       120         100          85       52.2   not reached      13.0 %   203 9.0 %",
            "  203, 404 拒收: refused",
            "slowest: jt, half of its parcels take more than 52 h; fastest: sf, 24 h",
            "most returns: jt, 12.0 %; its 90th percentile is not reached",
        ] {
            assert!(text.contains(expected), "{expected:?} is not in\n{text}");
        }
    }
}
