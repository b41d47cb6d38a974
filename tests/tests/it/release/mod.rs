//! What a release consists of beside the services' work: which commit it is.

mod revision;
