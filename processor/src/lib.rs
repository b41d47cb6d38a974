//! Under construction.

pub mod domain;
pub mod vendor;
