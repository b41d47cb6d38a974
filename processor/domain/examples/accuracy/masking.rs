//! How well personal data is hidden (rule 13.1), and what it costs.

use std::hint::black_box;
use std::time::{Duration, Instant};

use courierflow_domain::mask;

use crate::marked_lines::{self, MarkedLine, Marks};

/// Prints the marks of the two files of lines, the lines that miss them, and the cost of a line with nothing to hide.
pub(crate) fn report() {
    println!("masking (rule 13.1): at least 99 % of the personal stretches hidden, 98 % of the harmless lines intact");
    for (name, file) in [
        ("pii-train.tsv", marked_lines::TRAINING),
        ("own-pii.tsv", marked_lines::OWN),
    ] {
        let lines = marked_lines::read(file);
        let marks = Marks::of(&lines);
        println!(
            "  {name}: {} of {} stretches hidden ({:.1} %), {} of {} harmless lines intact ({:.1} %), {} lines with more hidden than marked",
            marks.hidden,
            marks.personal,
            marks.hidden_percent(),
            marks.intact,
            marks.harmless,
            marks.intact_percent(),
            marks.hiding_more,
        );
        for fault in &marks.faults {
            println!("    {fault}");
        }
        report_cost(&lines);
    }
}

/// The fastest of many rounds: what else the machine does is no cost of ours.
fn report_cost(lines: &[MarkedLine]) {
    let harmless: Vec<&str> = lines
        .iter()
        .filter(|line| line.personal.is_empty())
        .map(|line| line.text.as_str())
        .collect();
    let round = || {
        let start = Instant::now();
        for line in &harmless {
            black_box(mask(black_box(line), None));
        }
        start.elapsed()
    };
    let fastest = (0..2_000).map(|_| round()).min().unwrap_or(Duration::ZERO);
    let bytes: usize = harmless.iter().map(|line| line.len()).sum();
    println!(
        "    a line without anything to hide: {} ns ({} bytes), {} ns in 60 bytes",
        fastest.as_nanos() / harmless.len() as u128,
        bytes / harmless.len(),
        fastest.as_nanos() * 60 / bytes as u128
    );
}
