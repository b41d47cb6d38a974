//! Carrier codes and zones, as rules 36 and 38 fix them. An own copy on purpose: the mapping file may hold more carriers,
//! but not say anything else about these.

use courierflow_schemas::records::Vendor;

/// Rule 38: (vendor's code, canonical code).
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
    ("debangwuliu", "deppon"),
    ("japanposten", "japanpost"),
    ("speedpost", "singpost"),
];

/// Rule 38: (vendor's code in lower case, canonical code).
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
];

/// Rule 38: trimmed, lower-cased, looked up per vendor; what is not there passes through. Rule 37: a missing code is `unknown`.
pub(super) fn canonical(vendor: Vendor, vendor_code: &str) -> String {
    let code = vendor_code.trim().to_lowercase();
    let table = match vendor {
        Vendor::Kuaidi100 => KUAIDI100,
        Vendor::Kdniao => KDNIAO,
    };
    if code.is_empty() {
        return "unknown".to_owned();
    }
    match table.iter().find(|(theirs, _)| *theirs == code) {
        Some((_, ours)) => (*ours).to_owned(),
        None => code,
    }
}

/// Rule 38: only `colissimo` is marked international.
pub(super) fn is_international(canonical: &str) -> bool {
    canonical == "colissimo"
}

/// Rule 36: the IANA zone of a destination carrier of Kuaidi100.
pub(super) fn zone(vendor_code: &str) -> Option<&'static str> {
    match vendor_code.trim().to_lowercase().as_str() {
        "japanposten" => Some("Asia/Tokyo"),
        "speedpost" => Some("Asia/Singapore"),
        _ => None,
    }
}
