//! Functions for queries of analysts. They are formulas of `formulas.sql` under a name of the server.
//!
//! A function belongs to the server and not to a database: two databases, of different versions of this program, share it, and so does
//! whoever else uses the server. So its name begins with `courierflow_`, one that exists is left alone, and its formula never changes under
//! its name. No view uses one (`formulas.sql` says why), so that nothing fails where the user of `migrate` may not make functions.

use super::Report;
use super::clickhouse::{Database, MigrateError};
use super::definitions::Definitions;
use crate::config::ClickHouseSettings;
use crate::splices::Splices;

/// The right to make one. It cannot be granted for a single database.
const RIGHT: &str = "CREATE FUNCTION";

/// A function of the server.
pub(super) struct Function {
    pub(super) name: &'static str,
    /// Entry of `formulas.sql`.
    formula: &'static str,
}

/// `(histogram, parcels, percent)` of a column of quarters of an hour (`transit_bins`, `attempt_bins`, `locker_bins`, `resolve_bins`), its
/// denominator and 0 to 100: hours, NULL when so many were not reached.
pub(super) const FUNCTIONS: [Function; 1] = [Function {
    name: "courierflow_percentile_hours",
    formula: "hours_at",
}];

impl Function {
    pub(super) fn create(&self, splices: &Splices) -> Result<String, MigrateError> {
        let (name, formula) = (self.name, self.formula);
        let statement = format!("CREATE FUNCTION IF NOT EXISTS {name} AS {{expression:{formula}}}");
        splices
            .expand(&statement)
            .map_err(|source| MigrateError::FunctionSplice { name, source })
    }
}

/// Makes the functions that are not there. Who may not is told, and goes on.
pub(super) async fn migrate(settings: &ClickHouseSettings, may_change: bool) -> Result<Report, MigrateError> {
    let database = Database::new(settings, may_change);
    let splices = Definitions::embedded().splices();
    let mut report = Report::default();
    for function in FUNCTIONS {
        let name = function.name;
        let is_there = format!("SELECT name FROM system.functions WHERE name = '{name}' AND origin = 'SQLUserDefined'");
        if !database.rows::<String>(&is_there).await?.is_empty() {
            continue;
        }
        if !database.may(RIGHT).await? {
            report.warnings.push(format!(
                "the user {} may not make functions, so analysts do not have {name}; nothing else needs it. \"Functions\" in \
                 docs/analysts.md says how to make it",
                settings.user
            ));
            continue;
        }
        if may_change {
            let created = database.execute(&function.create(&splices)?).await;
            created.map_err(|source| MigrateError::Function { name, source })?;
        }
        report.changes.push(format!("created function {name}"));
    }
    Ok(report)
}
