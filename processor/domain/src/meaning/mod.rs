//! The meaning of one line: from its code, its name and its text.

pub(crate) mod evidence;
