//! How well texts are read, measured on labelled lines: `./dev accuracy`. With lines as arguments it shows how each of
//! them is read.
#![allow(clippy::print_stdout, reason = "a report for a terminal")]
#![allow(
    clippy::cast_precision_loss,
    reason = "shares of a few thousand lines, nanoseconds of a second"
)]

mod classes;

fn main() {
    let lines: Vec<String> = std::env::args().skip(1).collect();
    if lines.is_empty() {
        classes::report();
    }
    for line in lines {
        println!("{line}\n{}", courierflow_domain::text::explain(&line));
    }
}
