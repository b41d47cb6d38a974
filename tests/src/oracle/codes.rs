//! What an item says by itself: code, else name, else text (rules 6.2–6.5), its rank in the sort (rule 7.2) and the
//! party of an exception (rule 6.7).

use courierflow_schemas::records::{Status, Vendor};

use super::{labels, seventeentrack};

use Status::{
    AvailableForPickup, Cancelled, Customs, Delivered, Exception, InTransit, InfoReceived, OutForDelivery, PickedUp,
    Returned, Returning, Unknown,
};

pub(super) type Code = (&'static str, Status, &'static str);

/// Code, status, sub-status. The status of 14 depends on its place in the history: rule 6.6.
const KUAIDI100: &[Code] = &[
    ("101", InfoReceived, "ORDER_CREATED"),
    ("102", InfoReceived, "AWAITING_PICKUP"),
    ("1", PickedUp, "PICKED_UP"),
    ("103", PickedUp, "PICKED_UP"),
    ("0", InTransit, "IN_TRANSIT"),
    ("1002", InTransit, "LINEHAUL"),
    ("1001", InTransit, "ARRIVED_DEST_CITY"),
    ("1003", InTransit, "REDIRECTED_NEW_ADDRESS"),
    ("7", InTransit, "HANDED_TO_OTHER_CARRIER"),
    ("5", OutForDelivery, "OUT_FOR_DELIVERY"),
    ("501", AvailableForPickup, "LOCKER_OR_STATION"),
    ("3", Delivered, "UNSPECIFIED"),
    ("301", Delivered, "RECIPIENT"),
    ("302", Delivered, "AFTER_EXCEPTION"),
    ("303", Delivered, "PROXY"),
    ("304", Delivered, "LOCKER_OR_STATION"),
    ("2", Exception, "UNSPECIFIED"),
    ("201", Exception, "DELIVERY_OVERDUE"),
    ("202", Exception, "NO_UPDATE"),
    ("208", Exception, "HELD_AT_DEPOT"),
    ("204", Exception, "DELIVERY_FAILED"),
    ("209", Exception, "DAMAGED"),
    ("203", Exception, "REFUSED"),
    ("205", Exception, "PICKUP_OVERDUE"),
    ("206", Exception, "RECIPIENT_UNREACHABLE"),
    ("207", Exception, "OUT_OF_SERVICE_AREA"),
    ("210", Exception, "CANCEL_REQUESTED"),
    ("6", Returning, "RETURNING"),
    ("4", Returned, "RETURN_SIGNED"),
    ("14", Exception, "REFUSED"),
    ("401", Cancelled, "WAYBILL_VOIDED"),
    ("8", Customs, "UNSPECIFIED"),
    ("10", Customs, "AWAITING"),
    ("11", Customs, "IN_PROGRESS"),
    ("12", Customs, "CLEARED"),
    ("13", Exception, "CUSTOMS_EXCEPTION"),
];

const KDNIAO: &[Code] = &[
    ("0", Unknown, "NO_TRACE"),
    ("10", InfoReceived, "AWAITING_PICKUP"),
    ("1", PickedUp, "PICKED_UP"),
    ("2", InTransit, "IN_TRANSIT"),
    ("206", InTransit, "LEFT_ORIGIN_DEPOT"),
    ("204", InTransit, "ARRIVED_HUB"),
    ("201", InTransit, "ARRIVED_DEST_CITY"),
    ("205", InTransit, "ARRIVED_DELIVERY_DEPOT"),
    ("5", InTransit, "REDIRECTED_NEW_ADDRESS"),
    ("202", OutForDelivery, "OUT_FOR_DELIVERY"),
    ("419", OutForDelivery, "REATTEMPT"),
    ("418", OutForDelivery, "RETRIEVED_FROM_LOCKER"),
    ("211", AvailableForPickup, "LOCKER_OR_STATION"),
    ("3", Delivered, "UNSPECIFIED"),
    ("301", Delivered, "RECIPIENT"),
    ("302", Delivered, "AFTER_EXCEPTION"),
    ("304", Delivered, "PROXY"),
    ("311", Delivered, "LOCKER_OR_STATION"),
    ("4", Exception, "UNSPECIFIED"),
    ("401", Exception, "NO_CARRIER_INFO"),
    ("402", Exception, "DELIVERY_OVERDUE"),
    ("403", Exception, "NO_UPDATE"),
    ("417", Exception, "DELAYED"),
    ("405", Exception, "DELIVERY_FAILED"),
    ("414", Exception, "DAMAGED"),
    ("422", Exception, "MISSORTED"),
    ("412", Exception, "PICKUP_OVERDUE"),
    ("416", Exception, "RECIPIENT_UNREACHABLE"),
    ("421", Exception, "BAD_PHONE"),
    ("420", Exception, "BAD_ADDRESS"),
    ("423", Exception, "OUT_OF_SERVICE_AREA"),
    ("413", Exception, "INTERCEPTED"),
    ("404", Returning, "REFUSED"),
    ("407", Returning, "RETURNING"),
    ("406", Returned, "RETURN_SIGNED"),
    ("415", Cancelled, "CANCELLED_BY_SHIPPER"),
    ("6", Customs, "UNSPECIFIED"),
    ("601", Customs, "AWAITING"),
    ("602", Customs, "IN_PROGRESS"),
    ("603", Customs, "CLEARED"),
    ("604", Exception, "CUSTOMS_EXCEPTION"),
];

/// Rule 6.2: names of the vendor's tables and their short forms, with the code that each stands for.
const KUAIDI100_NAMES: &[(&str, &str)] = &[
    ("揽收", "1"),
    ("已下单", "101"),
    ("待揽收", "102"),
    ("已揽收", "103"),
    ("在途", "0"),
    ("到达派件城市", "1001"),
    ("干线", "1002"),
    ("转递", "1003"),
    ("派件", "5"),
    ("投柜或驿站", "501"),
    ("签收", "3"),
    ("本人签收", "301"),
    ("本人", "301"),
    ("派件异常后签收", "302"),
    ("代签", "303"),
    ("投柜或站签收", "304"),
    ("投柜或驿站签收", "304"),
    ("退回", "6"),
    ("退签", "4"),
    ("已销单", "401"),
    ("拒签", "14"),
    ("转投", "7"),
    ("转单", "7"),
    ("疑难", "2"),
    ("超时未签收", "201"),
    ("超时未更新", "202"),
    ("拒收", "203"),
    ("派件异常", "204"),
    ("柜或驿站超时未取", "205"),
    ("柜/站超时未取", "205"),
    ("无法联系", "206"),
    ("超区", "207"),
    ("滞留", "208"),
    ("破损", "209"),
    ("销单", "210"),
    ("清关", "8"),
    ("待清关", "10"),
    ("清关中", "11"),
    ("已清关", "12"),
    ("清关异常", "13"),
];

/// What an item, or the top-level state, says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Saying {
    pub(super) status: Status,
    pub(super) sub_status: Option<&'static str>,
    /// Kuaidi100's code 14, or its name: rule 6.6.
    pub(super) is_code_14: bool,
    /// Kdniao's code 404: rule 6.6.
    pub(super) is_code_404: bool,
}

impl Saying {
    pub(super) const NOTHING: Self = Self {
        status: Unknown,
        sub_status: None,
        is_code_14: false,
        is_code_404: false,
    };

    fn plain(status: Status, sub_status: &'static str) -> Self {
        Self {
            status,
            sub_status: Some(sub_status),
            ..Self::NOTHING
        }
    }
}

fn table(vendor: Vendor) -> &'static [Code] {
    match vendor {
        Vendor::Kuaidi100 => KUAIDI100,
        Vendor::Kdniao => KDNIAO,
        Vendor::SeventeenTrack => seventeentrack::CODES,
    }
}

/// Every code of a vendor's table.
pub(crate) fn all_codes(vendor: Vendor) -> impl Iterator<Item = &'static str> {
    table(vendor).iter().map(|(code, ..)| *code)
}

/// Every status name of Kuaidi100.
pub(crate) fn all_names() -> impl Iterator<Item = &'static str> {
    KUAIDI100_NAMES.iter().map(|(name, _)| *name)
}

/// Rule 10.7, `unknown_code`: the code is not in the table, whatever it falls back to.
pub(super) fn is_unknown(vendor: Vendor, code: &str) -> bool {
    !table(vendor).iter().any(|(known, ..)| *known == code)
}

/// Rule 6.3: the code itself, else the code that it falls back to; `None` when neither is in the table.
fn code_in_table(vendor: Vendor, code: &str) -> Option<Code> {
    let find = |wanted: &str| table(vendor).iter().find(|(known, ..)| *known == wanted).copied();
    if let Some(found) = find(code) {
        return Some(found);
    }
    if vendor == Vendor::SeventeenTrack {
        return find(seventeentrack::of_main_status(code)?);
    }
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match (vendor, code.len()) {
        (Vendor::Kuaidi100, 4) if code.starts_with("100") => find("0"),
        (_, 3) => find(&code[..1]),
        _ => None,
    }
}

/// What a code says, given the text beside it; the guards of rule 6.4 look at that text.
pub(super) fn by_code(vendor: Vendor, cross_border: bool, code: &str, folded_text: &str) -> Option<Saying> {
    let (code, status, sub_status) = code_in_table(vendor, code)?;
    if vendor == Vendor::Kdniao && cross_border {
        if code == "1" && announces_only(folded_text) {
            return Some(Saying::plain(InfoReceived, "ORDER_CREATED"));
        }
        if code == "211" && !names_a_pickup_point(folded_text) {
            return Some(Saying::plain(InTransit, "ARRIVED_DELIVERY_DEPOT"));
        }
    }
    Some(Saying {
        status,
        sub_status: Some(sub_status),
        is_code_14: vendor == Vendor::Kuaidi100 && code == "14",
        is_code_404: vendor == Vendor::Kdniao && code == "404",
    })
}

/// Rule 6.4, code 1.
fn announces_only(text: &str) -> bool {
    let text = text.to_lowercase();
    [
        "will soon be handed",
        "label created",
        "information received",
        "pre-advice",
        "being prepared by the sender",
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// Rule 6.4, code 211.
fn names_a_pickup_point(text: &str) -> bool {
    let text = text.to_lowercase();
    [
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
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// Rule 6.2: trimmed and compared exactly.
fn by_name(name: &str) -> Option<Saying> {
    let (_, code) = KUAIDI100_NAMES.iter().find(|(known, _)| *known == name.trim())?;
    by_code(Vendor::Kuaidi100, false, code, "")
}

/// Rule 8.3b.
pub(super) const RETURN_SIGNED: Saying = Saying {
    status: Returned,
    sub_status: Some("RETURN_SIGNED"),
    ..Saying::NOTHING
};

/// What an item's status was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    CodeOrName,
    Text,
}

/// Code, else name; `None` when neither is usable (rules 6.1 and 6.3: nothing is inherited).
pub(super) fn by_code_or_name(
    vendor: Vendor,
    cross_border: bool,
    code: Option<&str>,
    name: Option<&str>,
    folded_text: &str,
) -> Option<Saying> {
    code.and_then(|code| by_code(vendor, cross_border, code, folded_text))
        .or_else(|| name.and_then(by_name))
}

/// The whole order of evidence: code, name, and at last the text, whose class stands in the labelled lines (rule 6.5).
pub(super) fn of_item(
    vendor: Vendor,
    cross_border: bool,
    code: Option<&str>,
    name: Option<&str>,
    folded_text: &str,
) -> (Saying, Evidence) {
    match by_code_or_name(vendor, cross_border, code, name, folded_text) {
        Some(saying) => (saying, Evidence::CodeOrName),
        None => (by_text(folded_text), Evidence::Text),
    }
}

fn by_text(folded_text: &str) -> Saying {
    match labels::class(folded_text) {
        (Unknown, _) => Saying::NOTHING,
        (status, sub_status) => Saying {
            status,
            sub_status,
            ..Saying::NOTHING
        },
    }
}

/// Rule 8.3c: texts that, without white space and punctuation and in lower case, say that nothing was found.
pub(super) fn says_nothing_was_found(text: &str) -> bool {
    let bare: String = text
        .chars()
        .filter(|glyph| glyph.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    PLACEHOLDERS.contains(&bare.as_str())
}

const PLACEHOLDERS: [&str; 5] = [
    "查无结果",
    "暂无轨迹",
    "暂无物流信息",
    "没有查询到相关信息",
    "notrackinginformationavailable",
];

/// Rule 13.1: what may stand in `raw_code`.
pub(super) fn is_plain(code: &str) -> bool {
    (1..=40).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Rule 7.2.
pub(super) fn rank(own: Saying) -> u8 {
    match own.status {
        Unknown => 0,
        InfoReceived => 10,
        PickedUp => 20,
        InTransit | Customs => 30,
        OutForDelivery => 40,
        Exception => 42, // code 14 too: by itself it is an exception
        AvailableForPickup => 45,
        Delivered => 50,
        Returning => 60,
        Returned => 70,
        Cancelled => 80,
    }
}

/// Rule 6.7, by sub-status.
pub(super) fn party(sub_status: Option<&str>) -> &'static str {
    match sub_status {
        Some(
            "DELIVERY_OVERDUE" | "NO_UPDATE" | "HELD_AT_DEPOT" | "DELIVERY_FAILED" | "DAMAGED" | "DELAYED"
            | "MISSORTED" | "LOST",
        ) => "carrier",
        Some("REFUSED" | "PICKUP_OVERDUE" | "RECIPIENT_UNREACHABLE" | "BAD_PHONE") => "consignee",
        Some("OUT_OF_SERVICE_AREA" | "CANCEL_REQUESTED" | "NO_CARRIER_INFO" | "BAD_ADDRESS" | "INTERCEPTED") => {
            "shipper"
        }
        Some("CUSTOMS_EXCEPTION") => "customs",
        _ => "unknown",
    }
}
