//! What a release consists of beside the services' work: which commit it is, completions of shells, the Debian package.

mod completions;
mod package;
mod revision;
