//! Subscriptions that have ended are asked for again. What is needed for it and must not be in the database (a telephone number,
//! places, the ends of an international parcel) is gone: such a parcel has to be asked for anew, with all of it.

use courierflow_schemas::carriers::UNKNOWN_CARRIER;
use courierflow_schemas::records::SubscriptionRequest;
use courierflow_vendors::request::Asker;
use courierflow_vendors::request::error::{Code, ItemError};
use courierflow_vendors::request::item::Item;
use serde_json::json;
use xxhash_rust::xxh3::Xxh3;

use super::table::SubscriptionRow;

/// The request to begin again. Its id is made of the row, so that the same end is requeued once.
pub fn request(row: &SubscriptionRow, asker: &Asker<'_>) -> Result<SubscriptionRequest, ItemError> {
    if row.vendor.is_empty() || row.account.is_empty() {
        return Err(ItemError {
            code: Code::UnknownAccount,
            message: "is not known: the request led to none",
            field: "account".into(),
        });
    }
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    // One that was refused before its first call knows only what was asked for.
    let wanted = || given(&row.carrier).filter(|carrier| carrier != UNKNOWN_CARRIER);
    let carrier = given(&row.vendor_carrier).or_else(wanted);
    let item = json!({
        "tracking_number": row.tracking_number,
        "vendor": row.vendor,
        "account": row.account,
        "auto_carrier": carrier.is_none(),
        "carrier": carrier,
        // A product that only a newer program knows is that of the account.
        "product": given(&row.product).filter(|product| product != "OTHER"),
        "international": row.international.then(|| json!({})),
        "reference": given(&row.reference),
        "force": true,
        "request_id": id(row),
    });
    asker.subscribe(&Item::from(item))
}

/// XXH3-128 of key and version.
fn id(row: &SubscriptionRow) -> String {
    let mut hash = Xxh3::new();
    for part in [&row.vendor, &row.account, &row.tracking_number] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.update(&row.version.to_le_bytes());
    format!("requeue-{:032x}", hash.digest128())
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::carriers::Carriers;
    use courierflow_schemas::records::{International, Product};
    use courierflow_vendors::request::Everything;
    use courierflow_vendors::request::account::SubscribeAccounts;
    use jiff::Timestamp;

    use super::*;

    fn row() -> SubscriptionRow {
        let text = str::to_owned;
        SubscriptionRow {
            vendor: text("kuaidi100"),
            account: text("demo"),
            tracking_number: text("YT0000000000001"),
            carrier: text("yto"),
            vendor_carrier: text("yuantong"),
            state: text("REJECTED"),
            reason: text("UNKNOWN_CARRIER"),
            code: text("700"),
            since: text("2026-11-30 00:00:00.000000"),
            requester: text("oms"),
            reference: text("order-17"),
            product: text("ADVANCED"),
            international: false,
            round: 1,
            attempt: 1,
            version: 17,
        }
    }

    fn requeued(row: &SubscriptionRow) -> Result<SubscriptionRequest, &'static str> {
        let accounts = r#"{"accounts":[{"name":"demo","vendor":"kuaidi100","api":"kuaidi100_enterprise","international":true},
            {"name":"map","vendor":"kuaidi100","api":"kuaidi100_map"}]}"#;
        let accounts: SubscribeAccounts = serde_json::from_str(accounts).unwrap();
        let asker = Asker {
            name: "cli",
            accounts: &accounts.accounts,
            may_use: &Everything,
            carriers: Carriers::built_in(),
            now: Timestamp::UNIX_EPOCH,
        };
        request(row, &asker).map_err(|error| error.code.as_str())
    }

    #[test]
    fn what_is_known_is_asked_for_again_and_by_force() {
        let request = requeued(&row()).unwrap();
        assert!(request.force);
        assert_eq!(
            (request.account.as_deref(), request.carrier.as_deref()),
            (Some("demo"), Some("yuantong"))
        );
        assert_eq!(
            (request.product, request.reference.as_deref()),
            (Some(Product::Advanced), Some("order-17"))
        );
        let detected = SubscriptionRow {
            carrier: "unknown".to_owned(),
            vendor_carrier: String::new(),
            product: "OTHER".to_owned(),
            international: true,
            ..row()
        };
        let request = requeued(&detected).unwrap();
        assert_eq!((request.carrier, request.product), (None, None));
        assert_eq!(request.international, Some(International::default()));
    }

    #[test]
    fn one_end_is_requeued_once() {
        let id = |row: &SubscriptionRow| requeued(row).unwrap().request_id;
        assert_eq!(id(&row()), id(&row()));
        assert!(id(&row()).len() <= 64);
        assert_ne!(id(&SubscriptionRow { version: 18, ..row() }), id(&row()));
    }

    #[test]
    fn one_that_was_refused_at_once_is_asked_for_under_its_carrier() {
        let refused = |carrier: &str| SubscriptionRow {
            carrier: carrier.to_owned(),
            vendor_carrier: String::new(),
            ..row()
        };
        let carrier = |carrier: &str| requeued(&refused(carrier)).map(|request| request.carrier);
        assert_eq!(carrier("yto"), Ok(Some("yto".to_owned())));
        assert_eq!(carrier("shunfeng"), Err("phone_required"));
        assert_eq!(carrier("snail"), Err("unknown_carrier"));
        assert_eq!(carrier(""), Ok(None), "it was to be detected");
    }

    #[test]
    fn a_request_that_led_to_no_account_stays() {
        for (vendor, account) in [("", ""), ("kuaidi100", "")] {
            let (vendor, account) = (vendor.to_owned(), account.to_owned());
            let nobody = SubscriptionRow {
                vendor,
                account,
                ..row()
            };
            assert_eq!(requeued(&nobody).unwrap_err(), "unknown_account");
        }
    }

    #[test]
    fn what_is_forgotten_cannot_be_asked_for() {
        let of = |account: &str, vendor_carrier: &str| {
            requeued(&SubscriptionRow {
                account: account.to_owned(),
                vendor_carrier: vendor_carrier.to_owned(),
                ..row()
            })
        };
        assert_eq!(of("demo", "shunfeng").unwrap_err(), "phone_required");
        assert_eq!(of("map", "yuantong").unwrap_err(), "places_required");
        assert_eq!(of("gone", "yuantong").unwrap_err(), "unknown_account");
    }
}
