//! Tests that break nothing and share one stack.

mod contracts;
mod processes;
mod samples;
mod seventeentrack;
