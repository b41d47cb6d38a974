//! Kdniao's codes (`State`, `StateEx`, `Action`). It sends no names; the words are from its page of codes.

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::Status::{
    self, AvailableForPickup, Cancelled, Customs, Delivered, Exception, InTransit, InfoReceived, OutForDelivery,
    PickedUp, Returned, Returning, Unknown,
};

use crate::codes::{CodeRow, CodeTable, Guard};

/// Within China.
pub(super) static DOMESTIC: CodeTable = CodeTable::new("kdniao", ROWS, &[], fallback);

/// Across borders: the same codes, with guards.
pub(super) static CROSS_BORDER: CodeTable = CodeTable::new("kdniao_cross_border", ROWS, CROSS_BORDER_GUARDS, fallback);

/// All of them.
pub(super) static TABLES: [&CodeTable; 2] = [&DOMESTIC, &CROSS_BORDER];

const fn row(code: &'static str, status: Status, sub_status: SubStatus, word: &'static str) -> CodeRow {
    CodeRow::new(code, status, sub_status, word)
}

#[rustfmt::skip]
const ROWS: &[CodeRow] = &[
    row("0", Unknown, SubStatus::NoTrace, "暂无轨迹"),
    row("1", PickedUp, SubStatus::PickedUp, "已揽收"),
    row("2", InTransit, SubStatus::InTransit, "在途"),
    row("3", Delivered, SubStatus::Unspecified, "已签收"),
    row("4", Exception, SubStatus::Unspecified, "问题件"),
    row("5", InTransit, SubStatus::RedirectedNewAddress, "转寄"),
    row("6", Customs, SubStatus::Unspecified, "清关"),
    row("10", InfoReceived, SubStatus::AwaitingPickup, "待揽件"),
    row("201", InTransit, SubStatus::ArrivedDestCity, "到达派件城市"),
    row("202", OutForDelivery, SubStatus::OutForDelivery, "派件中"),
    row("204", InTransit, SubStatus::ArrivedHub, "到达转运中心"),
    row("205", InTransit, SubStatus::ArrivedDeliveryDepot, "到达派件网点"),
    row("206", InTransit, SubStatus::LeftOriginDepot, "寄件网点发件"),
    row("211", AvailableForPickup, SubStatus::LockerOrStation, "已放入快递柜或驿站"),
    row("301", Delivered, SubStatus::Recipient, "正常签收"),
    row("302", Delivered, SubStatus::AfterException, "异常后最终签收"),
    row("304", Delivered, SubStatus::Proxy, "代收签收"),
    row("311", Delivered, SubStatus::LockerOrStation, "快递柜或驿站签收"),
    row("401", Exception, SubStatus::NoCarrierInfo, "发货无信息"),
    row("402", Exception, SubStatus::DeliveryOverdue, "超时未签收"),
    row("403", Exception, SubStatus::NoUpdate, "超时未更新"),
    // Returning, but also a refusal, which the exception rates count (rule 6.6).
    row("404", Returning, SubStatus::Refused, "拒收(退件)").exception(),
    row("405", Exception, SubStatus::DeliveryFailed, "派件异常"),
    row("406", Returned, SubStatus::ReturnSigned, "退货签收"),
    row("407", Returning, SubStatus::Returning, "退货未签收"),
    row("412", Exception, SubStatus::PickupOverdue, "柜/站超时未取"),
    row("413", Exception, SubStatus::Intercepted, "单号已拦截"),
    row("414", Exception, SubStatus::Damaged, "破损"),
    row("415", Cancelled, SubStatus::CancelledByShipper, "客户取消发货"),
    row("416", Exception, SubStatus::RecipientUnreachable, "无法联系"),
    row("417", Exception, SubStatus::Delayed, "配送延迟"),
    row("418", OutForDelivery, SubStatus::RetrievedFromLocker, "快件取出"),
    row("419", OutForDelivery, SubStatus::Reattempt, "重新派送"),
    row("420", Exception, SubStatus::BadAddress, "地址不详"),
    row("421", Exception, SubStatus::BadPhone, "电话错误"),
    row("422", Exception, SubStatus::Missorted, "错分件"),
    row("423", Exception, SubStatus::OutOfServiceArea, "超区件"),
    row("601", Customs, SubStatus::Awaiting, "待清关"),
    row("602", Customs, SubStatus::InProgress, "清关中"),
    row("603", Customs, SubStatus::Cleared, "已清关"),
    row("604", Exception, SubStatus::CustomsException, "清关异常"),
];

/// The vendor's cross-border example uses 1 for a pre-advice and 211 for a depot (rule 6.4).
const CROSS_BORDER_GUARDS: &[Guard] = &[
    Guard {
        code: "1",
        phrases: &[
            "will soon be handed",
            "label created",
            "information received",
            "pre-advice",
            "being prepared by the sender",
        ],
        applies_if_found: true,
        status: InfoReceived,
        sub_status: SubStatus::OrderCreated,
    },
    Guard {
        code: "211",
        phrases: &[
            "locker",
            "pickup point",
            "pick-up point",
            "parcel shop",
            "collection point",
            "access point",
            "post office",
            "快递柜",
            "驿站",
            "自提",
        ],
        applies_if_found: false,
        status: InTransit,
        sub_status: SubStatus::ArrivedDeliveryDepot,
    },
];

/// An unknown code of three digits falls back to its first digit.
fn fallback(unknown_code: &str) -> Option<&str> {
    let is_number = unknown_code.len() == 3 && unknown_code.bytes().all(|byte| byte.is_ascii_digit());
    unknown_code.get(..1).filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_8_3_the_states_that_sign_off() {
        let sign_offs: Vec<_> = ROWS
            .iter()
            .map(|row| row.code)
            .filter(|code| DOMESTIC.is_sign_off(code))
            .collect();
        assert_eq!(sign_offs, ["3", "301", "302", "304", "311", "406"]);
        assert!(!DOMESTIC.is_sign_off("303"), "not in the table");
    }

    #[test]
    fn rule_6_3_unknown_codes_fall_back() {
        for (unknown, known) in [("1004", None), ("999", None), ("699", Some("6")), ("三", None)] {
            assert_eq!(DOMESTIC.find_fallback(unknown).map(|row| row.code), known, "{unknown}");
        }
    }
}
