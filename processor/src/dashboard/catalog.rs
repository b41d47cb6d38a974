//! Names in both languages, from the tables that the rest of the program uses, and what the configuration says of the contracts.

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::meaning::{MEANINGS, Party};
use courierflow_schemas::provinces::PROVINCES;
use courierflow_schemas::records::Vendor;
use courierflow_vendors::codes::CodeRow;
use courierflow_vendors::protocol;
use serde_json::{Value, json};

use crate::config::SubscribeAccountSettings;

/// What the page needs to know before it asks for figures.
pub(super) fn catalog(carriers: &Carriers, accounts: &[SubscribeAccountSettings], max_days: u16) -> Value {
    let carriers: Vec<Value> = carriers
        .companies()
        .iter()
        .map(|company| json!({ "code": company.code, "zh": company.name, "en": company.name_en }))
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
                "sub_status": meaning.sub_status.as_str(),
                "zh": meaning.name.zh,
                "en": meaning.name.en,
            })
        })
        .collect();
    let codes: Vec<Value> = Vendor::ALL
        .into_iter()
        .flat_map(|vendor| codes(vendor).map(move |row| code(vendor, row)))
        .collect();
    let vendors: Vec<Value> = Vendor::ALL
        .into_iter()
        .map(|vendor| {
            let name = protocol(vendor).name();
            json!({ "code": vendor.as_str(), "zh": name.zh, "en": name.en })
        })
        .collect();
    let accounts: Vec<Value> = accounts.iter().map(account).collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "max_days": max_days,
        "carriers": carriers,
        "vendors": vendors,
        "accounts": accounts,
        "provinces": provinces,
        "codes": codes,
        "meanings": meanings,
    })
}

/// A contract, and what one of its units costs; null where the configuration does not say.
fn account(account: &SubscribeAccountSettings) -> Value {
    let price = (account.price > 0.0).then_some(account.price);
    json!({ "vendor": account.vendor.as_str(), "account": account.name, "price": price })
}

/// Every code of a vendor.
fn codes(vendor: Vendor) -> impl Iterator<Item = &'static CodeRow> {
    protocol(vendor)
        .code_tables()
        .first()
        .into_iter()
        .flat_map(|table| table.rows)
}

fn code(vendor: Vendor, row: &CodeRow) -> Value {
    let name = row.name();
    json!({
        "vendor": vendor.as_str(),
        "code": row.code,
        "status": row.status.as_str(),
        "sub_status": row.sub_status.as_str(),
        "is_exception": row.is_exception,
        "party": row.party().map(Party::as_str),
        "zh": name.zh,
        "en": name.en,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_in_both_languages() {
        let catalog = catalog(Carriers::built_in(), &[], 400);
        for list in ["carriers", "vendors", "provinces", "codes", "meanings"] {
            let rows = catalog[list].as_array().unwrap();
            assert!(!rows.is_empty(), "{list}");
            for row in rows {
                for language in ["zh", "en"] {
                    assert!(row[language].as_str().is_some_and(|name| !name.is_empty()), "{row}");
                }
            }
        }
    }
}
