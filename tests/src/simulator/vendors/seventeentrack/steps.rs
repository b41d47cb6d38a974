//! What 17TRACK calls what happens.

use crate::simulator::steps::Step;

/// `sub_status` of a step. One row a step.
#[expect(clippy::match_same_arms, reason = "a table")]
pub(super) const fn sub_status(step: Step) -> &'static str {
    match step {
        Step::Ordered => "InfoReceived",
        Step::AwaitingPickup => "InfoReceived",
        Step::PickedUp => "InTransit_PickedUp",
        Step::LeftOriginDepot => "InTransit_Other",
        Step::ArrivedHub => "InTransit_Other",
        Step::LeftHub => "InTransit_Other",
        Step::ArrivedDestCity => "InTransit_Other",
        Step::ToDeliveryDepot => "InTransit_Other",
        Step::ArrivedDeliveryDepot => "InTransit_Other",
        Step::Redirected => "InTransit_Other",
        Step::HandedOn => "InTransit_Other",
        Step::OutForDelivery => "OutForDelivery_Other",
        Step::InLocker => "AvailableForPickup_Other",
        Step::Delivered => "Delivered_Other",
        Step::DeliveredToRecipient => "Delivered_Other",
        Step::DeliveredAfterException => "Delivered_Other",
        Step::DeliveredByProxy => "Delivered_Other",
        Step::CollectedFromLocker => "Delivered_Other",
        Step::DeliveryOverdue => "Exception_Delayed",
        Step::Silent => "Exception_Delayed",
        Step::Refused => "DeliveryFailure_Rejected",
        Step::FailedAttempt => "DeliveryFailure_Other",
        Step::LockerOverdue => "Exception_Other",
        Step::Unreachable => "DeliveryFailure_NoBody",
        Step::OutOfArea => "Exception_Other",
        Step::Held => "Exception_Delayed",
        Step::Damaged => "Exception_Damage",
        Step::CancelRequested => "Exception_Other",
        Step::Returning => "Exception_Returning",
        Step::Returned => "Exception_Returned",
        Step::RefusedForGood => "Exception_Rejected",
        Step::Voided => "Exception_Cancel",
        Step::AwaitingCustoms => "InTransit_CustomsProcessing",
        Step::InCustoms => "InTransit_CustomsProcessing",
        Step::ThroughCustoms => "InTransit_CustomsReleased",
        Step::CustomsProblem => "InTransit_CustomsRequiringInformation",
    }
}
