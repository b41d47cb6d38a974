//! `./dev bench NAME`
use courierflow_tests::bench::derive;
fn main() -> anyhow::Result<()> {
    derive::run(derive::Plan {
        parcels: std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000),
    })
}
