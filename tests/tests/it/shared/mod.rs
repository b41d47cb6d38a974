//! Tests that break nothing and share one stack.

mod contracts;
mod samples;
mod seventeentrack;
