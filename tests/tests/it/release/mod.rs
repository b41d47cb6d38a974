//! What a release consists of beside the services' work: which commit it is, completions of shells.

mod completions;
mod revision;
