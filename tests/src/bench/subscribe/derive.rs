//! Derive's rate while subscribe reads the same pushes, of which it follows none, and without it, in turns.

use std::ops::Range;

use super::{Plan, median, vendors};
use crate::bench::{cpu, derive, pushes};
use crate::stack::{Launch, LocalStack, Service};

pub(super) fn run(plan: &Plan) -> anyhow::Result<()> {
    let stack = LocalStack::start("bench-subscribe-derive")?;
    Launch::processor("migrate").run_to_end("migrate", &stack)?;
    let path = vendors::configuration(&stack, "http://127.0.0.1:9", 8)?;
    println!(
        "{} pushes a run, two workers of derive, one of subscribe, broker on the same cores",
        plan.parcels
    );
    let mut derive = Launch::processor("derive").start("derive", &stack)?;
    let mut subscribe = Launch::processor("subscribe").config(path).start("subscribe", &stack)?;
    // The broker's compiler has to see some load; not measured.
    let mut round = Round {
        stack: &stack,
        derive: &mut derive,
        subscribe: &mut subscribe,
    };
    let mut parcels = 0..plan.parcels;
    round.measure(&parcels, true)?;
    let (mut alone, mut beside, mut cost) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..plan.rounds {
        // Derive knows more parcels with every measurement, so neither variant is always the first of the two.
        for with in [number % 2 == 1, number % 2 == 0] {
            parcels = parcels.end..parcels.end + plan.parcels;
            let measured = round.measure(&parcels, with)?;
            if with {
                beside.push(measured.rate);
                cost.push(measured.cpu * 1e6 / plan.parcels as f64);
            } else {
                alone.push(measured.rate);
            }
        }
    }
    let floor = median(alone.clone());
    println!("{:<52} {:>10} {:>8}", "", "events/s", "alone");
    println!("{:<52} {floor:>10.0} {:>8}", "derive alone", 1);
    let rate = median(beside.clone());
    println!("{:<52} {rate:>10.0} {:>8.2}", "derive beside subscribe", rate / floor);
    println!("all runs: alone {alone:.0?}, beside {beside:.0?}");
    println!(
        "processor time of subscribe: {:.1} µs a push that it does not follow",
        median(cost)
    );
    Ok(())
}

struct Round<'a> {
    stack: &'a LocalStack,
    derive: &'a mut Service,
    subscribe: &'a mut Service,
}

struct Measured {
    rate: f64,
    /// Seconds that subscribe has computed.
    cpu: f64,
}

impl Round<'_> {
    /// Both start when the pushes are there, so that each reads all of them.
    fn measure(&mut self, parcels: &Range<usize>, with_subscribe: bool) -> anyhow::Result<Measured> {
        self.derive.kill()?;
        self.subscribe.kill()?;
        let events = derive::preload(self.stack, parcels.clone(), pushes::ITEMS, derive::RECEIVED_AT)?;
        if with_subscribe {
            self.subscribe.restart()?;
        }
        self.derive.restart()?;
        let rate = derive::drain(self.derive, events)?;
        let cpu = if with_subscribe {
            cpu::of(self.subscribe.pid())?.as_secs_f64()
        } else {
            0.0
        };
        Ok(Measured { rate, cpu })
    }
}
