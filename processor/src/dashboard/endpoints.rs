//! The endpoints of the API and their statements: one row for each endpoint.

use super::answer::Refusal;
use super::database::Statement;
use super::parameters::Parameter::{
    self, Account, Attention, Carrier, Code, Cursor, Dest, Figure, From, Limit, Number, Origin, Party, Reason,
    Reference, Status, Table, To, Vendor,
};

/// A path of the API.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) path: &'static str,
    /// The parameters that it takes; others are refused.
    pub(super) takes: &'static [Parameter],
    /// Pairs of a member of the answer and the statement that gives its rows.
    pub(super) statements: &'static [(&'static str, Statement)],
}

macro_rules! statement {
    ($name:literal) => {
        Statement {
            name: $name,
            sql: include_str!(concat!("sql/", $name, ".sql")),
        }
    };
}

/// Parameters that select parcels by pickup: when, by which carrier, from where and to where.
const COHORT: &[Parameter] = &[From, To, Carrier, Vendor, Origin, Dest];

/// The member with the number of parcels that the other figures are about; it is present even if they have no rows.
pub(super) const COHORT_OF: &str = "cohort";

/// All endpoints, in the order of `openapi.json`.
pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "/api/v1/scorecard",
        takes: COHORT,
        statements: &[("rows", statement!("scorecard"))],
    },
    Endpoint {
        path: "/api/v1/trend",
        takes: COHORT,
        statements: &[("rows", statement!("trend"))],
    },
    Endpoint {
        path: "/api/v1/transit",
        takes: COHORT,
        statements: &[("rows", statement!("transit"))],
    },
    Endpoint {
        path: "/api/v1/exceptions",
        takes: &[From, To, Carrier, Vendor, Origin, Dest, Table],
        statements: &[
            ("codes", statement!("exception_codes")),
            ("days", statement!("exception_days")),
            ("rates", statement!("exception_rates")),
            (COHORT_OF, statement!("exception_cohort")),
        ],
    },
    Endpoint {
        path: "/api/v1/lanes",
        takes: COHORT,
        statements: &[("rows", statement!("lanes"))],
    },
    Endpoint {
        path: "/api/v1/provinces",
        takes: COHORT,
        statements: &[("rows", statement!("provinces"))],
    },
    Endpoint {
        path: "/api/v1/parcels",
        takes: &[
            From, To, Carrier, Vendor, Origin, Dest, Figure, Status, Reason, Code, Party, Limit, Cursor,
        ],
        statements: &[("rows", statement!("parcels"))],
    },
    Endpoint {
        path: "/api/v1/open-exceptions",
        takes: &[Carrier, Vendor, Origin, Dest, Reason, Limit, Table],
        statements: &[
            ("rows", statement!("open_exceptions")),
            ("counts", statement!("open_exception_counts")),
        ],
    },
    Endpoint {
        path: "/api/v1/stalled",
        takes: &[Carrier, Vendor, Origin, Dest, Status, Limit, Table],
        statements: &[
            ("rows", statement!("stalled")),
            ("counts", statement!("stalled_counts")),
        ],
    },
    Endpoint {
        path: "/api/v1/parcel",
        takes: &[Number, Carrier, Table],
        statements: &[
            ("rows", statement!("parcel")),
            ("timeline", statement!("parcel_timeline")),
            ("promises", statement!("parcel_promises")),
            ("route", statement!("parcel_route")),
            ("abroad", statement!("parcel_abroad")),
            ("annotations", statement!("parcel_annotations")),
        ],
    },
    Endpoint {
        path: "/api/v1/annotations",
        takes: &[Carrier, Vendor, Limit],
        statements: &[("rows", statement!("annotations"))],
    },
    Endpoint {
        path: "/api/v1/order",
        takes: &[Reference, Account, Limit, Table],
        statements: &[("rows", statement!("order")), ("parcels", statement!("order_parcels"))],
    },
    Endpoint {
        path: "/api/v1/pushes",
        takes: &[Number, Carrier, Limit],
        statements: &[("rows", statement!("parcel_pushes"))],
    },
    Endpoint {
        path: "/api/v1/pipeline",
        takes: &[Table],
        statements: &[
            ("hours", statement!("pushes_by_hour")),
            ("vendors", statement!("pushes_now")),
        ],
    },
    Endpoint {
        path: "/api/v1/quality",
        takes: &[From, To, Carrier, Vendor],
        statements: &[("rows", statement!("quality"))],
    },
    Endpoint {
        path: "/api/v1/performance-changes",
        takes: &[Carrier, Origin, Dest, Limit, Table],
        statements: &[
            ("rows", statement!("performance_change")),
            ("counts", statement!("performance_change_counts")),
        ],
    },
    Endpoint {
        path: "/api/v1/unknown-wording",
        takes: &[Carrier, Vendor, Limit],
        statements: &[("rows", statement!("unknown_wording"))],
    },
    Endpoint {
        path: "/api/v1/subscriptions",
        takes: &[Carrier, Vendor, Account, Attention, Limit, Table],
        statements: &[
            ("rows", statement!("subscription_attention")),
            ("counts", statement!("subscription_attention_counts")),
            ("states", statement!("subscription_states")),
        ],
    },
    Endpoint {
        path: "/api/v1/subscription",
        takes: &[Number],
        statements: &[("rows", statement!("subscription"))],
    },
    Endpoint {
        path: "/api/v1/vendor-calls",
        takes: &[Number, Limit],
        statements: &[("rows", statement!("vendor_calls"))],
    },
    Endpoint {
        path: "/api/v1/vendor-answers",
        takes: &[From, To, Vendor, Account, Table],
        statements: &[
            ("codes", statement!("vendor_answer_codes")),
            ("days", statement!("vendor_answer_days")),
        ],
    },
    Endpoint {
        path: "/api/v1/coverage",
        takes: &[Vendor, Account, Table],
        statements: &[
            ("accounts", statement!("coverage_accounts")),
            ("days", statement!("coverage_days")),
        ],
    },
    Endpoint {
        path: "/api/v1/quota",
        takes: &[Vendor, Account],
        statements: &[("rows", statement!("quota"))],
    },
    Endpoint {
        path: "/api/v1/cost",
        takes: &[Carrier, Vendor, Account],
        statements: &[("rows", statement!("cost"))],
    },
    Endpoint {
        path: "/api/v1/completeness",
        takes: &[From, To, Carrier, Vendor],
        statements: &[("rows", statement!("completeness"))],
    },
];

impl Endpoint {
    /// Whether its figures are about certain days.
    pub(super) fn is_about_days(&self) -> bool {
        self.takes.contains(&From)
    }

    /// Whether its rows come in pages.
    pub(super) fn is_paged(&self) -> bool {
        self.takes.contains(&Cursor)
    }

    /// The statement of a member of the answer, of the first one when none is named.
    pub(super) fn table(&self, name: Option<&str>) -> Result<(&'static str, Statement), Refusal> {
        let found = self
            .statements
            .iter()
            .find(|(key, _)| name.is_none_or(|name| name == *key));
        found.copied().ok_or_else(|| {
            let names: Vec<&str> = self.statements.iter().map(|(key, _)| *key).collect();
            let reason = format!("is not a part of this answer; there are {}", names.join(", "));
            Refusal::bad_parameter("table", "unknown_table", &reason)
        })
    }

    /// What happened on its days. Only parcels have a lane, and they are counted by their pickup.
    pub(super) fn days(&self) -> &'static str {
        if self.takes.contains(&Origin) {
            "pick-up"
        } else {
            "days"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::FIGURES;
    use super::*;
    use crate::migrate::definitions::Definitions;
    use crate::splices::{COLUMNS, FORMULAS, Splices};

    #[test]
    fn every_formula_of_a_statement_is_there() {
        let formulas = Splices::new(FORMULAS, COLUMNS);
        for (_, statement) in ENDPOINTS.iter().flat_map(|endpoint| endpoint.statements) {
            for figure in &FIGURES {
                let sql = formulas.expand(&figure.fill(statement.sql)).unwrap();
                assert!(
                    !sql.contains("{source}") && !sql.contains("{counts}"),
                    "{}",
                    statement.name
                );
            }
            let sql = formulas.expand(statement.sql).unwrap();
            assert!(!sql.contains("{database}"), "{}", statement.name);
        }
    }

    /// A figure that was computed both here and in a view would become two different figures after the first change.
    #[test]
    fn no_statement_repeats_a_formula() {
        let formulas = Splices::new(FORMULAS, COLUMNS);
        let definitions = Definitions::embedded();
        let views = definitions
            .views
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()));
        let statements = ENDPOINTS.iter().flat_map(|endpoint| endpoint.statements);
        for (name, text) in views.chain(statements.map(|(_, statement)| (statement.name, statement.sql))) {
            let words = words_of(text);
            for formula in formulas.formulas() {
                let entry = words_of(&formulas.expand(&format!("{{formula:{formula}}}")).unwrap());
                let expression = entry.strip_suffix(&format!(" AS {formula}")).unwrap_or(&entry);
                // Shorter expressions are plain SQL rather than formulas.
                if expression.len() > 12 {
                    assert!(!words.contains(expression), "{name} repeats the formula {formula}");
                }
            }
        }
    }

    fn words_of(text: &str) -> String {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
        lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_statement_reads_a_bounded_number_of_rows_and_writes_nothing() {
        let mut names = Vec::new();
        for (_, statement) in ENDPOINTS.iter().flat_map(|endpoint| endpoint.statements) {
            assert!(!names.contains(&statement.name), "{} twice", statement.name);
            names.push(statement.name);
            let code: Vec<&str> = statement.sql.lines().filter(|line| !line.starts_with("--")).collect();
            let code = code.join("\n");
            assert!(
                code.starts_with("SELECT") || code.starts_with("WITH"),
                "{}",
                statement.name
            );
            assert!(
                code.lines().last().unwrap().starts_with("LIMIT "),
                "{} gives any number of rows",
                statement.name
            );
            assert!(
                statement.sql.starts_with("-- "),
                "{} says what it is for",
                statement.name
            );
            // A single statement, without settings of its own.
            assert!(!code.contains(';') && !code.contains("SETTINGS"), "{}", statement.name);
        }
    }
}
