//! The event word of a push. The check of the signature and the reading of the payload must agree on it: a push that stops
//! the tracking may be unsigned, and then nothing else of it may be used.

/// The event of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventWord {
    /// The whole history, after a change.
    Updated,
    /// The vendor no longer tracks the parcel.
    Stopped,
    /// An unknown word.
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
