//! What one line means: its code, its name, its text.

pub(crate) mod evidence;
