//! Which build of courierflow this is.

/// The version of the workspace.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that was checked out when it was built, or "unknown" (`build.rs`).
pub const REVISION: &str = env!("COURIERFLOW_REVISION");

/// Both, for `--version`.
pub const VERSION_AND_REVISION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("COURIERFLOW_REVISION"), ")");
