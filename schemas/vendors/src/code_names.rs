//! What people call a code: the vendor's own word in Chinese, and one English phrase for what it means.

use courierflow_schemas::records::Status::{
    self, AvailableForPickup, Cancelled, Customs, Delivered, Exception, InTransit, InfoReceived, OutForDelivery,
    PickedUp, Returned, Returning, Unknown,
};

use crate::codes::{CodeRow, KDNIAO, Profile};

/// A name in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// What a status and its refinement mean, whoever reports it.
#[derive(Debug)]
pub struct Meaning {
    /// Canonical status.
    pub status: Status,
    /// Canonical refinement.
    pub sub_status: &'static str,
    /// What to call it.
    pub name: Name,
}

const fn meaning(status: Status, sub_status: &'static str, zh: &'static str, en: &'static str) -> Meaning {
    Meaning {
        status,
        sub_status,
        name: Name { zh, en },
    }
}

/// Every meaning of the code tables and their guards.
pub const MEANINGS: &[Meaning] = &[
    meaning(Unknown, "NO_TRACE", "暂无轨迹", "No trace yet"),
    meaning(InfoReceived, "ORDER_CREATED", "已下单", "Order created"),
    meaning(InfoReceived, "AWAITING_PICKUP", "待揽收", "Awaiting pick-up"),
    meaning(PickedUp, "PICKED_UP", "已揽收", "Picked up"),
    meaning(InTransit, "IN_TRANSIT", "在途", "In transit"),
    meaning(InTransit, "LINEHAUL", "干线", "Line haul"),
    meaning(InTransit, "LEFT_ORIGIN_DEPOT", "寄件网点发件", "Left origin depot"),
    meaning(InTransit, "ARRIVED_HUB", "到达转运中心", "Arrived at hub"),
    meaning(
        InTransit,
        "ARRIVED_DEST_CITY",
        "到达派件城市",
        "Arrived in destination city",
    ),
    meaning(
        InTransit,
        "ARRIVED_DELIVERY_DEPOT",
        "到达派件网点",
        "Arrived at delivery depot",
    ),
    meaning(
        InTransit,
        "REDIRECTED_NEW_ADDRESS",
        "转寄",
        "Redirected to another address",
    ),
    meaning(
        InTransit,
        "HANDED_TO_OTHER_CARRIER",
        "转投",
        "Handed to another carrier",
    ),
    meaning(Customs, "UNSPECIFIED", "清关", "Customs"),
    meaning(Customs, "AWAITING", "待清关", "Awaiting customs"),
    meaning(Customs, "IN_PROGRESS", "清关中", "In customs"),
    meaning(Customs, "CLEARED", "已清关", "Customs cleared"),
    meaning(OutForDelivery, "OUT_FOR_DELIVERY", "派件中", "Out for delivery"),
    meaning(OutForDelivery, "REATTEMPT", "重新派送", "Delivery tried again"),
    meaning(
        OutForDelivery,
        "RETRIEVED_FROM_LOCKER",
        "快件取出",
        "Taken out of the locker",
    ),
    meaning(
        AvailableForPickup,
        "LOCKER_OR_STATION",
        "投柜或驿站",
        "In a locker or station",
    ),
    meaning(Delivered, "UNSPECIFIED", "签收", "Delivered"),
    meaning(Delivered, "RECIPIENT", "本人签收", "Delivered to recipient"),
    meaning(
        Delivered,
        "AFTER_EXCEPTION",
        "派件异常后签收",
        "Delivered after an exception",
    ),
    meaning(Delivered, "PROXY", "代签", "Delivered to somebody else"),
    meaning(
        Delivered,
        "LOCKER_OR_STATION",
        "投柜或驿站签收",
        "Collected from a locker or station",
    ),
    meaning(Exception, "UNSPECIFIED", "疑难", "Problem"),
    meaning(Exception, "DELIVERY_OVERDUE", "超时未签收", "Not signed for in time"),
    meaning(Exception, "NO_UPDATE", "超时未更新", "No update in time"),
    meaning(Exception, "REFUSED", "拒收", "Refused by the recipient"),
    meaning(Exception, "DELIVERY_FAILED", "派件异常", "Delivery failed"),
    meaning(
        Exception,
        "PICKUP_OVERDUE",
        "柜或驿站超时未取",
        "Not collected from locker or station in time",
    ),
    meaning(Exception, "RECIPIENT_UNREACHABLE", "无法联系", "Recipient unreachable"),
    meaning(Exception, "OUT_OF_SERVICE_AREA", "超区", "Outside the service area"),
    meaning(Exception, "HELD_AT_DEPOT", "滞留", "Held at the depot"),
    meaning(Exception, "DAMAGED", "破损", "Damaged"),
    meaning(Exception, "CANCEL_REQUESTED", "销单", "Cancellation requested"),
    meaning(Exception, "CUSTOMS_EXCEPTION", "清关异常", "Customs exception"),
    meaning(Exception, "NO_CARRIER_INFO", "发货无信息", "Shipped, no information"),
    meaning(Exception, "INTERCEPTED", "已拦截", "Intercepted"),
    meaning(Exception, "DELAYED", "配送延迟", "Delivery delayed"),
    meaning(Exception, "BAD_ADDRESS", "地址不详", "Incomplete address"),
    meaning(Exception, "BAD_PHONE", "电话错误", "Wrong phone number"),
    meaning(Exception, "MISSORTED", "错分件", "Missorted"),
    meaning(Returning, "RETURNING", "退回", "On its way back"),
    meaning(Returning, "REFUSED", "拒收退件", "Refused, going back"),
    meaning(Returned, "RETURN_SIGNED", "退签", "Returned to the sender"),
    meaning(Returned, "REFUSED", "拒签", "Refused and returned"),
    meaning(Cancelled, "WAYBILL_VOIDED", "已销单", "Waybill voided"),
    meaning(
        Cancelled,
        "CANCELLED_BY_SHIPPER",
        "客户取消发货",
        "Cancelled by the shipper",
    ),
];

/// Kdniao sends no names: the words of its code page, for the rows of [`KDNIAO`] in their order.
const KDNIAO_WORDS: &[&str] = &[
    "暂无轨迹",
    "已揽收",
    "在途",
    "已签收",
    "问题件",
    "转寄",
    "清关",
    "待揽件",
    "到达派件城市",
    "派件中",
    "到达转运中心",
    "到达派件网点",
    "寄件网点发件",
    "已放入快递柜或驿站",
    "正常签收",
    "异常后最终签收",
    "代收签收",
    "快递柜或驿站签收",
    "发货无信息",
    "超时未签收",
    "超时未更新",
    "拒收(退件)",
    "派件异常",
    "退货签收",
    "退货未签收",
    "柜/站超时未取",
    "单号已拦截",
    "破损",
    "客户取消发货",
    "无法联系",
    "配送延迟",
    "快件取出",
    "重新派送",
    "地址不详",
    "电话错误",
    "错分件",
    "超区件",
    "待清关",
    "清关中",
    "已清关",
    "清关异常",
];

/// The name of a meaning.
pub fn of_meaning(status: Status, sub_status: &str) -> Option<Name> {
    MEANINGS
        .iter()
        .find(|meaning| meaning.status == status && meaning.sub_status == sub_status)
        .map(|meaning| meaning.name)
}

/// The name of a vendor's code: its own word, and in English what it means here.
pub fn of_code(profile: Profile, row: &CodeRow) -> Option<Name> {
    let word = match profile {
        Profile::Kuaidi100 => row.names.first(),
        Profile::Kdniao | Profile::KdniaoCrossBorder => KDNIAO
            .iter()
            .position(|known| known.code == row.code)
            .and_then(|position| KDNIAO_WORDS.get(position)),
    };
    let meaning = of_meaning(row.status, row.sub_status)?;
    Some(Name {
        zh: word.copied().unwrap_or(meaning.zh),
        en: meaning.en,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{CROSS_BORDER_GUARDS, KUAIDI100};

    #[test]
    fn every_code_has_a_name_in_both_languages() {
        assert_eq!(KDNIAO_WORDS.len(), KDNIAO.len());
        for (profile, rows) in [(Profile::Kuaidi100, KUAIDI100), (Profile::Kdniao, KDNIAO)] {
            for row in rows {
                assert!(of_code(profile, row).is_some(), "{profile:?} {row:?}");
            }
        }
        for guard in CROSS_BORDER_GUARDS {
            assert!(of_meaning(guard.status, guard.sub_status).is_some(), "{guard:?}");
        }
    }

    #[test]
    fn words_are_those_of_their_vendor() {
        let zh = |profile: Profile, code| of_code(profile, profile.find(code).unwrap()).unwrap().zh;
        assert_eq!(zh(Profile::Kuaidi100, "205"), "柜或驿站超时未取");
        assert_eq!(zh(Profile::Kdniao, "412"), "柜/站超时未取");
        assert_eq!(zh(Profile::Kdniao, "604"), "清关异常");
        assert_eq!(zh(Profile::Kdniao, "401"), "发货无信息");
    }

    /// View `exception_name` repeats what is needed in SQL.
    #[test]
    fn the_reasons_in_the_database_have_these_names() {
        let view = include_str!("../../../deploy/clickhouse/008_exception.sql");
        let mut reasons = 0;
        for line in view.lines().filter(|line| line.trim().starts_with("('reason', ''")) {
            let cells: Vec<&str> = line.split('\'').skip(1).step_by(2).collect();
            let &["reason", _, _, reason, _, zh, en] = cells.as_slice() else {
                panic!("{line}");
            };
            assert_eq!(of_meaning(Exception, reason), Some(Name { zh, en }), "{line}");
            reasons += 1;
        }
        assert!(reasons > 15);
    }

    #[test]
    fn no_meaning_is_there_twice() {
        for (position, meaning) in MEANINGS.iter().enumerate() {
            let earlier = MEANINGS.iter().take(position);
            for other in earlier {
                assert!(
                    (other.status, other.sub_status) != (meaning.status, meaning.sub_status),
                    "{meaning:?}"
                );
            }
        }
    }
}
