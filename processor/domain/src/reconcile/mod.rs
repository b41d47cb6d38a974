//! Whom to ask: which parcels the vendors are queried about now. Pure: candidates, budgets and the clock are arguments.
//!
//! A query costs money and the vendors lock numbers that are asked too often, so [`plan()`] takes the candidates of all classes in the
//! order of their priority, as far as the limits of each number and the budget of each account allow.
//!
//! | room | what |
//! |---|---|
//! | `class` | the classes, the most urgent first |
//! | `due` | when a candidate of a class is to be asked |
//! | `limits` | what a number may be asked |
//! | `budget` | what an account may spend in a China day, and what of it is kept for audits |
//! | `gap` | whether pushes of an account are missing |
//! | `plan` | the queries to make now, and what the budget left out |

mod budget;
mod class;
mod due;
mod gap;
mod limits;
mod plan;

pub use budget::Budget;
pub use class::Class;
pub use due::{Delays, audit_moment, is_audited};
pub use gap::{Gap, GapTerms, PushCounts, gaps, interval, is_gap};
pub use limits::{Asked, Limits};
pub use plan::{Candidate, Plan, Query, Terms, plan};
