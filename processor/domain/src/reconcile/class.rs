//! Why a parcel is asked about.

use courierflow_schemas::records::CallReason;

/// Classes of candidates, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Pushes of the account may have been lost while they could not be received.
    Gap,
    /// The vendor ended the subscription, but the parcel is not at its end.
    EndedOpen,
    /// The subscription has not led to a push.
    FirstPushLate,
    /// The vendor does not follow the parcel.
    Fallback,
    /// No event for longer than such parcels usually take.
    Stalled,
    /// A parcel of the sample that measures what pushes miss.
    Audit,
}

impl Class {
    /// Every class, the most urgent first.
    pub const ALL: [Self; 6] = [
        Self::Gap,
        Self::EndedOpen,
        Self::FirstPushLate,
        Self::Fallback,
        Self::Stalled,
        Self::Audit,
    ];

    /// Its name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "GAP",
            Self::EndedOpen => "ENDED_OPEN",
            Self::FirstPushLate => "FIRST_PUSH_LATE",
            Self::Fallback => "FALLBACK",
            Self::Stalled => "STALLED",
            Self::Audit => "AUDIT",
        }
    }

    /// The class whose calls have this reason.
    pub fn of_reason(reason: CallReason) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.reason() == reason)
    }

    /// The reason of its calls, in records and metrics.
    pub const fn reason(self) -> CallReason {
        match self {
            Self::Gap => CallReason::Gap,
            Self::EndedOpen => CallReason::EndedOpen,
            Self::FirstPushLate => CallReason::FirstPushLate,
            Self::Fallback => CallReason::Aborted,
            Self::Stalled => CallReason::Stalled,
            Self::Audit => CallReason::Audit,
        }
    }
}
