//! Tools of the end-to-end tests.

pub mod oracle;
