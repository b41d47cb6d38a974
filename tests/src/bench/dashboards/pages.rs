//! What the pages of the dashboard ask, through the dashboard.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// The questions of a page, which a browser asks at once, and the page.
const PAGES: &[(&str, &[&str])] = &[
    ("carriers", &["scorecard", "trend"]),
    ("transit times", &["transit", "trend", "scorecard"]),
    ("exceptions", &["exceptions"]),
    ("lanes", &["lanes"]),
    (
        "one lane",
        &["scorecard?origin=CN44&dest=CN31", "transit?origin=CN44&dest=CN31"],
    ),
    ("to act on", &["open-exceptions?limit=200", "stalled?limit=200"]),
    (
        "subscriptions",
        &[
            "coverage",
            "subscriptions?limit=200",
            "quota",
            "cost",
            "vendor-answers",
            "completeness",
        ],
    ),
    (
        "parcel",
        &[
            "parcel?number=ZTO0000000000001",
            "subscription?number=ZTO0000000000001",
            "vendor-calls?number=ZTO0000000000001",
        ],
    ),
    ("pipeline", &["pipeline", "process", "quality"]),
];

/// Prints how long each question takes when nobody else asks.
pub(super) fn measure(url: &str, rounds: usize) -> anyhow::Result<()> {
    println!(
        "  {:<14} {:<34} {:>9} {:>9} {:>9}",
        "page", "asks /api/v1/", "p50 ms", "p95 ms", "kB"
    );
    for (page, questions) in PAGES {
        for question in *questions {
            // The first one reads from disk.
            let bytes = ask(url, question).with_context(|| (*question).to_owned())?;
            let mut times = Vec::with_capacity(rounds);
            for _ in 0..rounds {
                let begun = Instant::now();
                ask(url, question)?;
                times.push(begun.elapsed());
            }
            times.sort_unstable();
            let at = |percent: usize| {
                let position = (times.len() * percent).div_ceil(100).saturating_sub(1);
                times.get(position).copied().unwrap_or(Duration::ZERO).as_secs_f64() * 1000.0
            };
            println!(
                "  {page:<14} {question:<34} {:>9.1} {:>9.1} {:>9}",
                at(50),
                at(95),
                bytes / 1000
            );
        }
    }
    Ok(())
}

fn ask(url: &str, question: &str) -> anyhow::Result<usize> {
    let mut answer = ureq::get(format!("{url}/api/v1/{question}"))
        .config()
        .http_status_as_error(false)
        .build()
        .call()?;
    let text = answer.body_mut().with_config().limit(u64::MAX).read_to_string()?;
    ensure!(answer.status() == 200, "{text}");
    Ok(text.len())
}
