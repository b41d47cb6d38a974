//! The event word of a push. The check of the signature and the reading of the payload must agree on it: a push that stops
//! the tracking may come in unsigned, and must then bring nothing else.

/// What a push is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventWord {
    /// The whole history, after a change.
    Updated,
    /// The vendor does not ask the carrier any longer.
    Stopped,
    /// No word that is known.
    Unknown,
}

impl EventWord {
    pub(super) fn of(event: Option<&str>) -> Self {
        match event.map(str::trim) {
            Some("TRACKING_UPDATED") => Self::Updated,
            Some("TRACKING_STOPPED") => Self::Stopped,
            _ => Self::Unknown,
        }
    }
}
