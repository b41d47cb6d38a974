//! Kuaidi100's codes (`state`, `statusCode`), every product. Names: base and advanced names of the vendor's documents and their
//! short forms.

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::Status::{
    self, AvailableForPickup, Cancelled, Customs, Delivered, Exception, InTransit, InfoReceived, OutForDelivery,
    PickedUp, Returned, Returning,
};

use crate::codes::{CodeRow, CodeTable};

/// Every product.
pub(super) static CODES: CodeTable = CodeTable::new("kuaidi100", ROWS, &[], fallback);

/// All of them.
pub(super) static TABLES: [&CodeTable; 1] = [&CODES];

const fn row(code: &'static str, status: Status, sub_status: SubStatus, word: &'static str) -> CodeRow {
    CodeRow::new(code, status, sub_status, word)
}

#[rustfmt::skip]
const ROWS: &[CodeRow] = &[
    row("0", InTransit, SubStatus::InTransit, "在途").named(&["在途"]),
    row("1", PickedUp, SubStatus::PickedUp, "揽收").named(&["揽收"]),
    row("2", Exception, SubStatus::Unspecified, "疑难").named(&["疑难"]),
    row("3", Delivered, SubStatus::Unspecified, "签收").named(&["签收"]),
    row("4", Returned, SubStatus::ReturnSigned, "退签").named(&["退签"]),
    row("5", OutForDelivery, SubStatus::OutForDelivery, "派件").named(&["派件"]),
    row("6", Returning, SubStatus::Returning, "退回").named(&["退回"]),
    row("7", InTransit, SubStatus::HandedToOtherCarrier, "转投").named(&["转投", "转单"]),
    row("8", Customs, SubStatus::Unspecified, "清关").named(&["清关"]),
    row("10", Customs, SubStatus::Awaiting, "待清关").named(&["待清关"]),
    row("11", Customs, SubStatus::InProgress, "清关中").named(&["清关中"]),
    row("12", Customs, SubStatus::Cleared, "已清关").named(&["已清关"]),
    row("13", Exception, SubStatus::CustomsException, "清关异常").named(&["清关异常"]),
    row("14", Exception, SubStatus::Refused, "拒签").named(&["拒签"]).in_doubt(),
    row("101", InfoReceived, SubStatus::OrderCreated, "已下单").named(&["已下单"]),
    row("102", InfoReceived, SubStatus::AwaitingPickup, "待揽收").named(&["待揽收"]),
    row("103", PickedUp, SubStatus::PickedUp, "已揽收").named(&["已揽收"]),
    row("201", Exception, SubStatus::DeliveryOverdue, "超时未签收").named(&["超时未签收"]),
    row("202", Exception, SubStatus::NoUpdate, "超时未更新").named(&["超时未更新"]),
    row("203", Exception, SubStatus::Refused, "拒收").named(&["拒收"]),
    row("204", Exception, SubStatus::DeliveryFailed, "派件异常").named(&["派件异常"]),
    row("205", Exception, SubStatus::PickupOverdue, "柜或驿站超时未取").named(&["柜或驿站超时未取", "柜/站超时未取"]),
    row("206", Exception, SubStatus::RecipientUnreachable, "无法联系").named(&["无法联系"]),
    row("207", Exception, SubStatus::OutOfServiceArea, "超区").named(&["超区"]),
    row("208", Exception, SubStatus::HeldAtDepot, "滞留").named(&["滞留"]),
    row("209", Exception, SubStatus::Damaged, "破损").named(&["破损"]),
    row("210", Exception, SubStatus::CancelRequested, "销单").named(&["销单"]),
    row("301", Delivered, SubStatus::Recipient, "本人签收").named(&["本人签收", "本人"]),
    row("302", Delivered, SubStatus::AfterException, "派件异常后签收").named(&["派件异常后签收"]),
    row("303", Delivered, SubStatus::Proxy, "代签").named(&["代签"]),
    row("304", Delivered, SubStatus::LockerOrStation, "投柜或驿站签收").named(&["投柜或驿站签收", "投柜或站签收"]),
    row("401", Cancelled, SubStatus::WaybillVoided, "已销单").named(&["已销单"]),
    row("501", AvailableForPickup, SubStatus::LockerOrStation, "投柜或驿站").named(&["投柜或驿站"]),
    row("1001", InTransit, SubStatus::ArrivedDestCity, "到达派件城市").named(&["到达派件城市"]),
    row("1002", InTransit, SubStatus::Linehaul, "干线").named(&["干线"]),
    row("1003", InTransit, SubStatus::RedirectedNewAddress, "转递").named(&["转递"]),
];

/// 100x falls back to 0; another unknown code of three digits to its first digit.
fn fallback(unknown_code: &str) -> Option<&str> {
    if !unknown_code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match unknown_code.len() {
        4 if unknown_code.starts_with("100") => Some("0"),
        3 => unknown_code.get(..1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_8_3_the_states_that_sign_off() {
        let sign_offs: Vec<_> = ROWS
            .iter()
            .map(|row| row.code)
            .filter(|code| CODES.is_sign_off(code))
            .collect();
        assert_eq!(sign_offs, ["3", "4", "14", "301", "302", "303", "304"]);
        assert!(!CODES.is_sign_off("305"), "not in the table");
    }

    #[test]
    fn rule_6_3_unknown_codes_fall_back() {
        for (unknown, known) in [
            ("1004", Some("0")),
            ("1014", None),
            ("299", Some("2")),
            ("999", None),
            ("15", None),
            ("三", None),
        ] {
            assert_eq!(CODES.find_fallback(unknown).map(|row| row.code), known, "{unknown}");
        }
    }

    #[test]
    fn a_code_is_found_only_as_the_vendor_writes_it() {
        assert!(CODES.find("0").is_some());
        for code in ["", "00", "03", "+3", "3.0", "65539", "３", "99999999999999999999"] {
            assert_eq!(CODES.find(code), None, "{code}");
        }
    }
}
