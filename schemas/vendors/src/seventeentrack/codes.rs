//! 17TRACK's codes: the sub-statuses of its version 2.2 and later, and the stages that stand for them in version 2.0.

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::Status::{
    self, AvailableForPickup, Cancelled, Customs, Delivered, Exception, InTransit, InfoReceived, OutForDelivery,
    PickedUp, Returned, Returning, Unknown,
};

use crate::codes::{CodeRow, CodeTable};

/// All of them.
pub(super) static CODES: CodeTable = CodeTable::new("17track", ROWS, &[], fallback);

/// The only table.
pub(super) static TABLES: [&CodeTable; 1] = [&CODES];

const fn row(code: &'static str, status: Status, sub_status: SubStatus) -> CodeRow {
    CodeRow::new(code, status, sub_status, "")
}

#[rustfmt::skip]
const ROWS: &[CodeRow] = &[
    row("NotFound_Other", Unknown, SubStatus::NoTrace),
    row("NotFound_InvalidCode", Unknown, SubStatus::NoTrace),
    // Also the name of the stage.
    row("InfoReceived", InfoReceived, SubStatus::OrderCreated),
    row("InTransit_PickedUp", PickedUp, SubStatus::PickedUp),
    row("InTransit_Other", InTransit, SubStatus::InTransit),
    // These concern leaving the exporting country and reaching the port of the importing one; neither is a city of
    // rule 10.5.
    row("InTransit_Departure", InTransit, SubStatus::LeftOriginCountry),
    row("InTransit_Arrival", InTransit, SubStatus::ArrivedDestCountry),
    // Not in the vendor's list, but sent by it.
    row("InTransit_TransportArrived", InTransit, SubStatus::Linehaul),
    row("InTransit_TransportDeparted", InTransit, SubStatus::Linehaul),
    row("InTransit_CustomsProcessing", Customs, SubStatus::InProgress),
    row("InTransit_CustomsReleased", Customs, SubStatus::Cleared),
    row("InTransit_CustomsRequiringInformation", Exception, SubStatus::CustomsException),
    row("Expired_Other", Exception, SubStatus::NoUpdate),
    row("AvailableForPickup_Other", AvailableForPickup, SubStatus::LockerOrStation),
    row("OutForDelivery_Other", OutForDelivery, SubStatus::OutForDelivery),
    row("DeliveryFailure_Other", Exception, SubStatus::DeliveryFailed),
    row("DeliveryFailure_NoBody", Exception, SubStatus::RecipientUnreachable),
    row("DeliveryFailure_Security", Exception, SubStatus::SecurityOrFees),
    row("DeliveryFailure_Rejected", Exception, SubStatus::Refused),
    row("DeliveryFailure_InvalidAddress", Exception, SubStatus::BadAddress),
    row("Delivered_Other", Delivered, SubStatus::Unspecified),
    row("Exception_Other", Exception, SubStatus::Unspecified),
    row("Exception_Returning", Returning, SubStatus::Returning),
    row("Exception_Returned", Returned, SubStatus::ReturnSigned),
    row("Exception_NoBody", Exception, SubStatus::RecipientUnreachable),
    row("Exception_Security", Exception, SubStatus::SecurityOrFees),
    row("Exception_Damage", Exception, SubStatus::Damaged),
    // Not in the vendor's list, but sent by it.
    row("Exception_Damaged", Exception, SubStatus::Damaged),
    row("Exception_Rejected", Exception, SubStatus::Refused),
    row("Exception_Delayed", Exception, SubStatus::Delayed),
    row("Exception_Lost", Exception, SubStatus::Lost),
    row("Exception_Destroyed", Exception, SubStatus::Destroyed),
    row("Exception_Cancel", Cancelled, SubStatus::WaybillVoided),
    // Stages.
    row("PickedUp", PickedUp, SubStatus::PickedUp),
    row("Departure", InTransit, SubStatus::LeftOriginCountry),
    row("Arrival", InTransit, SubStatus::ArrivedDestCountry),
    row("AvailableForPickup", AvailableForPickup, SubStatus::LockerOrStation),
    row("OutForDelivery", OutForDelivery, SubStatus::OutForDelivery),
    row("Delivered", Delivered, SubStatus::Unspecified),
    row("Returning", Returning, SubStatus::Returning),
    row("Returned", Returned, SubStatus::ReturnSigned),
];

/// The row that stands for a whole main status, the part before the `_`.
const OF_MAIN_STATUS: &[(&str, &str)] = &[
    ("NotFound", "NotFound_Other"),
    ("InfoReceived", "InfoReceived"),
    ("InTransit", "InTransit_Other"),
    ("Expired", "Expired_Other"),
    ("AvailableForPickup", "AvailableForPickup_Other"),
    ("OutForDelivery", "OutForDelivery_Other"),
    ("DeliveryFailure", "DeliveryFailure_Other"),
    ("Delivered", "Delivered_Other"),
    ("Exception", "Exception_Other"),
];

fn fallback(unknown_code: &str) -> Option<&str> {
    let main = unknown_code.split_once('_').map_or(unknown_code, |(main, _)| main);
    let mut rows = OF_MAIN_STATUS.iter();
    rows.find(|(name, _)| *name == main).map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_6_3_an_unknown_sub_status_is_one_of_its_main_status() {
        for (unknown, known) in [
            ("InTransit_Sorting", Some("InTransit_Other")),
            ("Exception_Stolen", Some("Exception_Other")),
            ("InfoReceived_Other", Some("InfoReceived")),
            ("NotFound_Later", Some("NotFound_Other")),
            ("InTransit", Some("InTransit_Other")),
            ("InTransit_", Some("InTransit_Other")),
            ("Inbound", None),
            ("intransit_Other", None),
            ("_Other", None),
            ("", None),
        ] {
            assert_eq!(CODES.find_fallback(unknown).map(|row| row.code), known, "{unknown}");
        }
    }

    #[test]
    fn every_main_status_has_its_row() {
        for (name, code) in OF_MAIN_STATUS {
            assert!(CODES.find(code).is_some_and(|row| row.code.starts_with(name)), "{name}");
        }
    }
}
