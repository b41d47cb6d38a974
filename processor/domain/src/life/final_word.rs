//! What the vendor's top-level state says about the newest event when the event itself says nothing, or nothing final
//! (rule 8.3). The event takes over the state's meaning, so that status, milestones and transitions agree.

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::Status;
use courierflow_vendors::snapshot::{Snapshot, TraceItem};

use crate::life::history::settle_refusal;
use crate::meaning::evidence::{self, Meaning};

/// The meaning that the state gives to an event.
pub(crate) struct FinalWord {
    /// The new meaning of the event.
    pub(crate) meaning: Meaning,
    /// The state, as the vendor wrote it.
    pub(crate) code: String,
}

/// The state's word on the newest event that is not in the future; `None` where the event's own stands. `is_last` says that it is
/// the newest of all; `before` gives the status of the last event with a known one.
pub(crate) fn on(
    snapshot: &Snapshot<'_>,
    newest: &TraceItem<'_>,
    is_last: bool,
    own: Meaning,
    before: impl FnOnce() -> Option<Status>,
) -> Option<FinalWord> {
    let state = snapshot.state_of(newest.segment);
    let code = state.code.as_deref()?;
    let said = evidence::read_code(snapshot.codes, code, &newest.text)?;
    // Rule 6.6 asks for the newest event of the whole snapshot.
    let said = if is_last {
        settle_refusal(said, snapshot, newest.segment)
    } else {
        said
    };
    let meaning = if own.status == Status::Unknown {
        let is_news = !matches!(said.status, Status::Unknown | Status::Exception) && Some(said.status) != before();
        is_news.then_some(said)?
    } else {
        let signs_off = state.signed_off && snapshot.codes.is_sign_off(code);
        if !(own.by_text && !own.status.is_terminal() && signs_off) {
            return None;
        }
        if own.status == Status::Returning {
            // On the way back, the one who signs is the sender.
            Meaning {
                status: Status::Returned,
                sub_status: Some(SubStatus::ReturnSigned),
                is_exception: false,
                ..said
            }
        } else {
            said
        }
    };
    Some(FinalWord {
        meaning: Meaning {
            unknown_code: own.unknown_code || meaning.unknown_code,
            ..meaning
        },
        code: code.to_owned(),
    })
}
