//! Simulated load in the background of a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use courierflow_tests::simulator::push::{Simulation, SimulationConfig};
use courierflow_tests::simulator::sender::{Progress, SenderConfig, send};

/// Pushes that are being sent to ingest.
#[derive(Debug)]
pub(crate) struct Load {
    seed: u64,
    parcels: u32,
    acked: Arc<AtomicU64>,
    pushes: u64,
    thread: JoinHandle<Progress>,
}

/// The simulated present of all tests: the same pushes each time.
pub(crate) const NOW: i64 = 1_786_248_000;

/// The pushes of the given number of parcels, with many faults; always the same.
pub(crate) fn simulation(seed: u64, parcels: u32) -> Simulation {
    Simulation::new(SimulationConfig {
        mischief: 0.2,
        reuse_numbers: true,
        ..SimulationConfig::local(seed, parcels, NOW)
    })
}

impl Load {
    /// Starts sending the pushes of [`simulation`]; `rate` a second, 0 for as fast as possible.
    pub(crate) fn start(ingest_url: String, seed: u64, parcels: u32, rate: f64) -> Self {
        let simulation = simulation(seed, parcels);
        let pushes = simulation.len() as u64;
        let acked = Arc::new(AtomicU64::new(0));
        let last_look = Arc::clone(&acked);
        let thread = std::thread::spawn(move || {
            let config = SenderConfig {
                ingest_url,
                rate,
                concurrency: 32,
                give_up_after: Duration::from_mins(5),
            };
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let never = Arc::new(AtomicBool::new(false));
            let sending = send(simulation, &config, never, |progress| {
                last_look.store(progress.acked, Ordering::Relaxed);
            });
            runtime.block_on(sending).expect("an HTTP client")
        });
        Self {
            seed,
            parcels,
            acked,
            pushes,
            thread,
        }
    }

    /// The pushes that it sends, all of them.
    pub(crate) fn simulation(&self) -> Simulation {
        simulation(self.seed, self.parcels)
    }

    /// Number of pushes.
    pub(crate) fn pushes(&self) -> u64 {
        self.pushes
    }

    /// Number of pushes acknowledged so far, at most half a second old.
    pub(crate) fn acked(&self) -> u64 {
        self.acked.load(Ordering::Relaxed)
    }

    /// Whether everything was sent.
    pub(crate) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until everything was sent and acknowledged.
    pub(crate) fn finish(self) -> Progress {
        let progress = self.thread.join().expect("the sender does not panic");
        assert_eq!(progress.failed, 0, "{:?}", progress.last_failure);
        assert_eq!(progress.acked, self.pushes);
        progress
    }
}
