//! The figures whose parcels can be listed: where each is counted, and which parcels it counts. One row a figure.

/// A figure of the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Figure {
    /// Its name in a URL.
    pub(super) name: &'static str,
    /// The view with its parcels. Promises take a join over all lanes, so only figures that are judged by them read them.
    source: &'static str,
    /// Which of them it counts: names that the source gives to the conditions that `carrier_count` counts.
    counts: &'static str,
}

const fn figure(name: &'static str, source: &'static str, counts: &'static str) -> Figure {
    Figure { name, source, counts }
}

const COHORT: &str = "cohort_parcel";
const PROMISED: &str = "promised_parcel";

/// All of them. Of a share that is good when it is high, the parcels that it lacks are listed:
/// nobody looks for those that arrived in time.
pub(super) static FIGURES: [Figure; 11] = [
    figure("parcels", COHORT, "is_in_cohort"),
    figure("delivered", COHORT, "is_in_cohort AND is_delivered"),
    figure("open", COHORT, "is_in_cohort AND is_open"),
    figure("late_48h", COHORT, "is_due_48h AND NOT is_within_48h"),
    figure("late_72h", COHORT, "is_due_72h AND NOT is_within_72h"),
    figure("not_on_time", PROMISED, "is_sla_due AND NOT is_sla_attempted"),
    figure(
        "not_first_attempt",
        COHORT,
        "is_attempted_early AND NOT is_first_attempt_early",
    ),
    figure("exception", COHORT, "is_exception_early"),
    figure("returned", COHORT, "is_returned_early"),
    figure("eta_missed", COHORT, "is_eta_due AND NOT is_eta_hit"),
    figure("lost_presumed", PROMISED, "is_in_cohort AND is_lost_presumed"),
];

impl Figure {
    /// What is listed when none is named: every parcel.
    pub(super) fn every_parcel() -> &'static Self {
        let [first, ..] = &FIGURES;
        first
    }

    /// The statement with the names of this figure in it.
    pub(super) fn fill(&self, statement: &str) -> String {
        statement
            .replace("{source}", self.source)
            .replace("{counts}", self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_a_name_of_its_own_and_fills_the_statement() {
        for (place, figure) in FIGURES.iter().enumerate() {
            assert!(
                FIGURES[..place].iter().all(|other| other.name != figure.name),
                "{}",
                figure.name
            );
            let filled = figure.fill("FROM {source}(from_date = {from:Date}) WHERE {counts}");
            assert_eq!(
                filled,
                format!(
                    "FROM {}(from_date = {{from:Date}}) WHERE {}",
                    figure.source, figure.counts
                )
            );
        }
    }
}
