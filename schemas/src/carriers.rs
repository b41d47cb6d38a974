//! Which carrier a vendor's code means: the mapping file `carriers.csv` and the look-up in it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::records::Vendor;

/// The mapping file itself: one row per vendor and code, for those who want to show or check it.
pub const CARRIERS_CSV: &str = include_str!("../carriers.csv");

/// Canonical code of a parcel whose carrier the vendor did not name.
pub const UNKNOWN_CARRIER: &str = "unknown";

/// One row of the mapping file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Carrier {
    /// The vendor whose code it is.
    pub vendor: Vendor,
    /// The vendor's code, lower case.
    pub code: String,
    /// Our canonical code, lower case; several codes of a vendor may mean one carrier.
    pub carrier: String,
    /// The name that users know.
    pub name: String,
    /// The same in English.
    pub name_en: String,
    /// Whether all of its parcels cross borders, even if a push names no time zone.
    #[serde(deserialize_with = "empty_is_false")]
    pub international: bool,
    /// IANA zone of its local times, if a single zone is certain.
    pub zone: Option<String>,
}

fn empty_is_false<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<bool>::deserialize(deserializer)?.unwrap_or(false))
}

/// By vendor, then by the vendor's code.
type Mapping = HashMap<Vendor, HashMap<String, Carrier>>;

// A row that cannot be read is left out, so that a bad file cannot stop a service; the tests refuse such a file.
fn read() -> Vec<Carrier> {
    let mut reader = csv::Reader::from_reader(CARRIERS_CSV.as_bytes());
    reader.deserialize().flatten().collect()
}

static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
    let mut mapping = Mapping::new();
    for row in read() {
        mapping.entry(row.vendor).or_default().insert(row.code.clone(), row);
    }
    mapping
});

static EACH: LazyLock<Vec<Carrier>> = LazyLock::new(|| {
    let mut carriers: Vec<Carrier> = Vec::new();
    for row in read() {
        if carriers.iter().all(|known| known.carrier != row.carrier) {
            carriers.push(row);
        }
    }
    carriers
});

/// The carriers of the file, one row each: the first, whose name is the usual one.
pub fn each() -> &'static [Carrier] {
    &EACH
}

/// The row of a vendor's code (blanks and case do not matter), if the file has one.
pub fn find(vendor: Vendor, code: &str) -> Option<&'static Carrier> {
    MAPPING.get(&vendor)?.get(lower_case(code).as_ref())
}

/// Canonical code of a vendor's code: that of the file, else the vendor's own in lower case, else `unknown` when blank.
pub fn canonical(vendor: Vendor, code: &str) -> Cow<'_, str> {
    if let Some(row) = find(vendor, code) {
        return Cow::Borrowed(row.carrier.as_str());
    }
    match lower_case(code) {
        blank if blank.is_empty() => Cow::Borrowed(UNKNOWN_CARRIER),
        code => code,
    }
}

fn lower_case(code: &str) -> Cow<'_, str> {
    let code = code.trim();
    if code
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    {
        Cow::Borrowed(code)
    } else {
        Cow::Owned(code.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Carrier> {
        csv::Reader::from_reader(CARRIERS_CSV.as_bytes())
            .deserialize()
            .map(Result::unwrap)
            .collect()
    }

    #[test]
    fn every_row_of_the_file_can_be_read_and_is_found() {
        let rows = rows();
        assert!(rows.len() > 40);
        for row in &rows {
            assert_eq!(
                find(row.vendor, &row.code),
                Some(row),
                "a duplicate or a row that is lost"
            );
            for code in [&row.code, &row.carrier] {
                assert!(
                    !code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
                    "{code}"
                );
            }
            assert_eq!(row.name.trim(), row.name);
            assert!(!row.name.is_empty() && !row.name_en.is_empty());
            assert!(row.name_en.is_ascii(), "{}", row.name_en);
            for other in &rows {
                assert!(other.carrier != row.carrier || other.name_en == row.name_en, "{row:?}");
            }
            if let Some(zone) = &row.zone {
                assert!(jiff::tz::TimeZone::get(zone).is_ok(), "{zone} is no IANA zone");
            }
        }
    }

    #[test]
    fn rule_38_the_fixed_codes() {
        let kuaidi100 = [
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
        let kdniao = [
            ("YTO", "yto"),
            ("ZTO", "zto"),
            ("STO", "sto"),
            ("YD", "yunda"),
            ("SF", "sf"),
            ("JD", "jd"),
            ("JTSD", "jt"),
            ("EMS", "ems"),
            ("YZPY", "chinapost"),
            ("DBL", "deppon"),
        ];
        for (code, carrier) in kuaidi100 {
            assert_eq!(canonical(Vendor::Kuaidi100, code), carrier);
        }
        for (code, carrier) in kdniao {
            assert_eq!(canonical(Vendor::Kdniao, code), carrier);
        }
    }

    #[test]
    fn rule_38_codes_are_trimmed_and_lower_cased_and_unknown_ones_pass_through() {
        assert_eq!(canonical(Vendor::Kuaidi100, " YuanTong "), "yto");
        assert_eq!(canonical(Vendor::Kuaidi100, " NeuerKurier "), "neuerkurier");
        assert_eq!(
            canonical(Vendor::Kuaidi100, "yto"),
            "yto",
            "another vendor's code is no code of this one"
        );
        assert_eq!(canonical(Vendor::Kdniao, "yuantong"), "yuantong");
    }

    #[test]
    fn rule_37_a_missing_carrier_is_unknown() {
        assert_eq!(canonical(Vendor::Kuaidi100, " "), UNKNOWN_CARRIER);
    }

    #[test]
    fn rule_38_only_colissimo_is_international() {
        let international: Vec<_> = rows()
            .into_iter()
            .filter(|row| row.international)
            .map(|row| row.carrier)
            .collect();
        assert_eq!(international, ["colissimo"]);
    }

    #[test]
    fn rule_36_zones_of_destination_carriers() {
        let zone = |code| find(Vendor::Kuaidi100, code).and_then(|row| row.zone.as_deref());
        assert_eq!(zone("japanposten"), Some("Asia/Tokyo"));
        assert_eq!(zone("speedpost"), Some("Asia/Singapore"));
        assert_eq!(zone("yuantong"), None);
    }
}
