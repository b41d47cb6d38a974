//! Names in both languages, made of the tables that the rest of the program works with.

use courierflow_schemas::carriers;
use courierflow_schemas::records::Vendor;
use serde_json::{Value, json};

use super::provinces::PROVINCES;
use courierflow_vendors::code_names::{self, MEANINGS};
use courierflow_vendors::codes::{CodeRow, KDNIAO, KUAIDI100, Profile, party_of};

/// What the page needs to know before it asks for figures.
pub(super) fn catalog(max_days: u16) -> Value {
    let carriers: Vec<Value> = carriers::each()
        .iter()
        .map(|row| json!({ "code": row.carrier, "zh": row.name, "en": row.name_en }))
        .collect();
    let provinces: Vec<Value> = PROVINCES
        .iter()
        .map(|province| json!({ "code": province.code, "zh": province.zh, "en": province.en }))
        .collect();
    let meanings: Vec<Value> = MEANINGS
        .iter()
        .map(|meaning| {
            json!({
                "status": meaning.status.as_str(),
                "sub_status": meaning.sub_status,
                "zh": meaning.name.zh,
                "en": meaning.name.en,
            })
        })
        .collect();
    let codes: Vec<Value> = [
        (Vendor::Kuaidi100, Profile::Kuaidi100, KUAIDI100),
        (Vendor::Kdniao, Profile::Kdniao, KDNIAO),
    ]
    .into_iter()
    .flat_map(|(vendor, profile, rows)| rows.iter().map(move |row| code(vendor, profile, row)))
    .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "max_days": max_days,
        "carriers": carriers,
        "vendors": [
            { "code": Vendor::Kuaidi100.as_str(), "zh": "快递100", "en": "Kuaidi100" },
            { "code": Vendor::Kdniao.as_str(), "zh": "快递鸟", "en": "Kdniao" },
        ],
        "provinces": provinces,
        "codes": codes,
        "meanings": meanings,
    })
}

fn code(vendor: Vendor, profile: Profile, row: &CodeRow) -> Value {
    let name = code_names::of_code(profile, row);
    json!({
        "vendor": vendor.as_str(),
        "code": row.code.to_string(),
        "status": row.status.as_str(),
        "sub_status": row.sub_status,
        "is_exception": row.is_exception,
        "party": row.is_exception.then(|| party_of(Some(row.sub_status))),
        "zh": name.map(|name| name.zh),
        "en": name.map(|name| name.en),
    })
}

/// Whether the mapping file knows the canonical code. Others pass through from the vendors and may have parcels, too.
pub(super) fn is_known_carrier(code: &str) -> bool {
    carriers::each().iter().any(|row| row.carrier == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_in_both_languages() {
        let catalog = catalog(400);
        for list in ["carriers", "vendors", "provinces", "codes", "meanings"] {
            let rows = catalog[list].as_array().unwrap();
            assert!(!rows.is_empty(), "{list}");
            for row in rows {
                for language in ["zh", "en"] {
                    assert!(row[language].as_str().is_some_and(|name| !name.is_empty()), "{row}");
                }
            }
        }
        assert!(is_known_carrier("sf") && !is_known_carrier("shunfeng"));
    }
}
