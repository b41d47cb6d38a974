//! Statuses of labelled lines against those that the classifier tells.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use courierflow_domain::text::classify;
use labelled::{Labelled, lines, told};

#[path = "../../tests/texts/labelled.rs"]
mod labelled;

const FILES: [(&str, &str); 2] = [
    ("train.tsv", include_str!("../../tests/texts/train.tsv")),
    ("own.tsv", include_str!("../../tests/texts/own.tsv")),
];

/// Prints accuracy, precision and recall a status, confusions, wrong lines and time a line of each file.
pub(crate) fn report() {
    for (name, file) in FILES {
        let lines = lines(file);
        println!("# {name}: {} lines\n", lines.len());
        accuracy(&lines);
        statuses(&lines);
        confusions(&lines);
        wrong_lines(&lines);
        time(&lines);
    }
}

fn accuracy(lines: &[Labelled]) {
    for (name, is_sure) in [("sure", true), ("arguable", false)] {
        let group: Vec<_> = lines.iter().filter(|line| line.is_sure == is_sure).collect();
        let right = |test: &dyn Fn(&Labelled, (&str, &str)) -> bool| {
            share(
                group.iter().filter(|line| test(line, told(line.text))).count(),
                group.len(),
            )
        };
        let by_status = right(&Labelled::has_status);
        let by_class = right(&Labelled::has_class);
        println!(
            "{name:8} {:4} lines: status {by_status}, with sub-status {by_class}",
            group.len()
        );
    }
    let false_ends = lines.iter().filter(|line| line.is_false_end(told(line.text))).count();
    println!("false deliveries, returns, ends and cancellations: {false_ends}\n");
}

fn share(part: usize, whole: usize) -> String {
    format!("{part} of {whole} ({:.1} %)", 100.0 * part as f64 / whole.max(1) as f64)
}

/// Precision: of the lines that are said to be this, how many are; recall: of those that are, how many are said to be.
/// An accepted other answer counts as right for both.
fn statuses(lines: &[Labelled]) {
    #[derive(Default)]
    struct Count {
        labelled: usize,
        found: usize,
        said: usize,
        right: usize,
    }
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    for line in lines {
        let class = told(line.text);
        let is_right = line.has_status(class);
        let labelled = counts.entry(line.status).or_default();
        labelled.labelled += 1;
        labelled.found += usize::from(is_right);
        let said = counts.entry(class.0).or_default();
        said.said += 1;
        said.right += usize::from(is_right);
    }
    println!("{:22}{:>24}{:>24}", "", "precision", "recall");
    for (status, count) in counts {
        let precision = share(count.right, count.said);
        let recall = share(count.found, count.labelled);
        println!("{status:22}{precision:>24}{recall:>24}");
    }
    println!();
}

fn confusions(lines: &[Labelled]) {
    let mut confused: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in lines {
        let class = told(line.text);
        if !line.has_status(class) {
            *confused.entry((line.status, class.0)).or_default() += 1;
        }
    }
    for ((labelled, said), count) in confused {
        println!("{count:4} × {labelled} read as {said}");
    }
    println!();
}

fn wrong_lines(lines: &[Labelled]) {
    for line in lines.iter().filter(|line| !line.has_class(told(line.text))) {
        let (status, sub_status) = told(line.text);
        let doubt = if line.is_sure { "" } else { " (arguable)" };
        println!(
            "{} {}\n     is {}/{}{doubt}, read as {status}/{sub_status}",
            line.id, line.text, line.status, line.sub_status
        );
    }
    println!();
}

/// The fastest of many rounds: what the work costs when nothing else runs.
fn time(lines: &[Labelled]) {
    let bytes: usize = lines.iter().map(|line| line.text.len()).sum();
    let round = || {
        let start = Instant::now();
        for line in lines {
            black_box(classify(black_box(line.text)));
        }
        start.elapsed()
    };
    let best = (0..200).map(|_| round()).min().unwrap_or(Duration::ZERO).as_nanos() as f64;
    println!(
        "{:.0} ns a line of {} bytes on average, {:.0} ns for 60 bytes\n",
        best / lines.len().max(1) as f64,
        bytes / lines.len().max(1),
        best * 60.0 / bytes.max(1) as f64,
    );
}
