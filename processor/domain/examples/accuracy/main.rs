//! How well texts are read and personal data is hidden, measured on labelled lines: `./dev accuracy`. With lines as
//! arguments it shows how each of them is read and stored.
#![allow(clippy::print_stdout, reason = "a report for a terminal")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it takes the time and its arguments: the purity of the crate is that of its library"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the lines are part of the repository"
)]
#![allow(
    clippy::cast_precision_loss,
    reason = "shares of a few thousand lines, nanoseconds of a second"
)]

mod classes;
#[path = "../../tests/texts/marked_lines.rs"]
mod marked_lines;
mod masking;

fn main() {
    let lines: Vec<String> = std::env::args().skip(1).collect();
    if lines.is_empty() {
        classes::report();
        masking::report();
    }
    for line in lines {
        println!("{line}\n{}", courierflow_domain::text::explain(&line));
        println!("stored as: {}", courierflow_domain::mask(&line, None));
    }
}
