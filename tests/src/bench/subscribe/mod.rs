//! `./dev bench subscribe`: what subscribing costs. Calls per second to a vendor that answers at once, memory and restore of many live
//! subscriptions, and what derive loses while subscribe reads the same pushes.

mod calls;
mod derive;
mod live;
mod vendors;

use std::time::Instant;

/// Sizes of a run; a part with the size 0 is left out.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Calls of each measurement of the first part.
    pub calls: usize,
    /// Calls at the same time.
    pub concurrency: usize,
    /// Live subscriptions of the second part.
    pub subscriptions: usize,
    /// Parcels of each measurement of the third part.
    pub parcels: usize,
    /// How often each variant is measured.
    pub rounds: u8,
}

/// Runs all parts; each prints its own figures.
pub fn run(plan: Plan) -> anyhow::Result<()> {
    let begun = Instant::now();
    if plan.calls > 0 {
        println!("== calls");
        calls::run(&plan)?;
    }
    if plan.subscriptions > 0 {
        println!("\n== live subscriptions");
        live::run(&plan)?;
    }
    if plan.parcels > 0 {
        println!("\n== derive beside subscribe");
        derive::run(&plan)?;
    }
    println!("\nall parts: {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// The one in the middle; of an even number the lower one of the two.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures
        .get(figures.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_one_of_the_figures() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0]) - 1.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }
}
