//! Carrier codes and zones, as rules 3.2–3.4 and 4.8 fix them. An own copy on purpose: the mapping file holds more
//! carriers, but must not say anything else about these.

use std::sync::LazyLock;

use courierflow_schemas::records::Vendor;
use regex::Regex;
use unicode_normalization::UnicodeNormalization;

/// Rule 3.2, and what the workload names besides: (vendor's code, canonical code).
const KUAIDI100: &[(&str, &str)] = &[
    ("yuantong", "yto"),
    ("zhongtong", "zto"),
    ("shentong", "sto"),
    ("yunda", "yunda"),
    ("shunfeng", "sf"),
    ("jd", "jd"),
    ("jtexpress", "jt"),
    ("ems", "ems"),
    ("youzhengguonei", "chinapost"),
    // What a vendor is asked by when nobody has said which of its names for the carrier is meant.
    ("chinapost", "chinapost"),
    ("debangwuliu", "deppon"),
    ("japanposten", "japanpost"),
    ("speedpost", "singpost"),
    ("usps", "usps"),
    ("colissimo", "colissimo"),
];

/// The same; the vendor's codes in lower case.
const KDNIAO: &[(&str, &str)] = &[
    ("yto", "yto"),
    ("zto", "zto"),
    ("sto", "sto"),
    ("yd", "yunda"),
    ("sf", "sf"),
    ("jd", "jd"),
    ("jtsd", "jt"),
    ("ems", "ems"),
    ("yzpy", "chinapost"),
    ("dbl", "deppon"),
    ("jp", "japanpost"),
    ("colissimo", "colissimo"),
];

/// 17TRACK's numbers of the carriers that the workload and the samples name.
const SEVENTEENTRACK: &[(&str, &str)] = &[
    ("3011", "chinapost"),
    ("3013", "ems"),
    ("190157", "yto"),
    ("190455", "zto"),
    ("190324", "sto"),
    ("191197", "yunda"),
    ("190442", "jt"),
    ("100012", "sf"),
    ("191121", "jd"),
    ("21051", "usps"),
    ("7041", "dhlpaket"),
    ("10021", "japanpost"),
    ("19131", "singpost"),
    ("6051", "colissimo"),
];

/// Rule 3.4: NFKC, without characters of category Cf, trimmed; a code with `:` counts as missing.
pub(super) fn identifier(text: &str) -> String {
    static FORMAT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\p{Cf}").unwrap());
    let text: String = text.nfkc().collect();
    let text = FORMAT.replace_all(&text, "");
    let text = text.trim();
    if text.contains(':') {
        String::new()
    } else {
        text.to_owned()
    }
}

/// Rule 3.2: normalised, lower-cased, looked up per vendor. Rule 3.3: what is not there passes through, behind the
/// vendor's name if it is somebody's canonical code. Rule 3.1: a missing code is `unknown`.
pub(super) fn canonical(vendor: Vendor, vendor_code: &str) -> String {
    let code = identifier(vendor_code).to_lowercase();
    let table = match vendor {
        Vendor::Kuaidi100 => KUAIDI100,
        Vendor::Kdniao => KDNIAO,
        Vendor::SeventeenTrack => SEVENTEENTRACK,
    };
    if code.is_empty() {
        return "unknown".to_owned();
    }
    match table.iter().find(|(theirs, _)| *theirs == code) {
        Some((_, ours)) => (*ours).to_owned(),
        None if [KUAIDI100, KDNIAO, SEVENTEENTRACK]
            .concat()
            .iter()
            .any(|(_, ours)| *ours == code) =>
        {
            format!("{vendor}.{code}")
        }
        None => code,
    }
}

/// Rule 3.3: whose parcels cross borders, of those that Kdniao's workload names.
pub(super) fn is_international(canonical: &str) -> bool {
    matches!(canonical, "colissimo" | "japanpost")
}

/// Rules 3.3 and 4.7: the IANA zone of an international carrier of Kdniao.
pub(super) fn zone_of_kdniao(canonical: &str) -> Option<&'static str> {
    (canonical == "japanpost").then_some("Asia/Tokyo")
}

/// Rule 4.8: the IANA zone of a destination carrier of Kuaidi100.
pub(super) fn zone(vendor_code: &str) -> Option<&'static str> {
    match identifier(vendor_code).to_lowercase().as_str() {
        "japanposten" => Some("Asia/Tokyo"),
        "speedpost" => Some("Asia/Singapore"),
        _ => None,
    }
}

/// The zone in which a carrier that 17TRACK asks tells a time without an offset.
pub(super) fn zone_of_seventeentrack(number: &str) -> Option<&'static str> {
    match number {
        "7041" => Some("Europe/Berlin"),
        "10021" => Some("Asia/Tokyo"),
        "19131" => Some("Asia/Singapore"),
        _ => None,
    }
}
