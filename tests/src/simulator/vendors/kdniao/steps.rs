//! What Kdniao calls what happens: `StateEx` of its documents.

use crate::simulator::steps::Step;

/// The codes of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Codes {
    /// `StateEx` and `Action`.
    pub(super) state_ex: &'static str,
    /// `State` of a basic subscription.
    pub(super) state: &'static str,
}

/// The vendor's codes of a step. One row a step.
#[expect(clippy::match_same_arms, reason = "a table")]
pub(super) const fn codes(step: Step) -> Codes {
    let (state_ex, state) = match step {
        Step::Ordered => ("10", "1"),
        Step::AwaitingPickup => ("10", "1"),
        Step::PickedUp => ("1", "1"),
        Step::LeftOriginDepot => ("206", "2"),
        Step::ArrivedHub => ("204", "2"),
        Step::LeftHub => ("2", "2"),
        Step::ArrivedDestCity => ("201", "2"),
        Step::ToDeliveryDepot => ("2", "2"),
        Step::ArrivedDeliveryDepot => ("205", "2"),
        Step::Redirected => ("5", "5"),
        Step::HandedOn => ("2", "2"),
        Step::OutForDelivery => ("202", "2"),
        Step::InLocker => ("211", "2"),
        Step::Delivered => ("3", "3"),
        Step::DeliveredToRecipient => ("301", "3"),
        Step::DeliveredAfterException => ("302", "3"),
        Step::DeliveredByProxy => ("304", "3"),
        Step::CollectedFromLocker => ("311", "3"),
        Step::DeliveryOverdue => ("402", "4"),
        Step::Silent => ("403", "4"),
        Step::Refused => ("404", "4"),
        Step::FailedAttempt => ("405", "4"),
        Step::LockerOverdue => ("412", "4"),
        Step::Unreachable => ("416", "4"),
        Step::OutOfArea => ("423", "4"),
        Step::Held => ("417", "4"),
        Step::Damaged => ("414", "4"),
        Step::CancelRequested => ("413", "4"),
        Step::Returning => ("407", "4"),
        Step::Returned => ("406", "3"),
        Step::RefusedForGood => ("404", "4"),
        Step::Voided => ("415", "4"),
        Step::AwaitingCustoms => ("601", "6"),
        Step::InCustoms => ("602", "6"),
        Step::ThroughCustoms => ("603", "6"),
        Step::CustomsProblem => ("604", "6"),
    };
    Codes { state_ex, state }
}
