//! What is asked of the vendors' APIs, what their answers mean, and what a query's answer says of the parcel.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod answers;
mod queries;
mod requests;
mod words;

use courierflow_schemas::records::{Origin, Product, PushEvent, PushId, Signature, TimestampMicros, Vendor};
use courierflow_schemas::settings::Secret;
use courierflow_vendors::api::ApiKind;
use courierflow_vendors::api::order::{ApiAccount, QueryOrder, SubscribeOrder, Waybill};
use courierflow_vendors::api::phone::PhoneDigits;

/// An account that has everything.
fn account(kind: ApiKind) -> ApiAccount {
    let secret = |text: &str| Some(Secret::new(text));
    ApiAccount {
        subscribe_url: "https://vendor.example.com/poll".to_owned(),
        query_url: "https://vendor.example.com/query".to_owned(),
        callback_base: "http://push.example.com".to_owned(),
        key: secret("KEY"),
        customer: Some("CUSTOMER".to_owned()),
        app_code: secret("APPCODE"),
        salt: secret("SALT"),
        business_id: Some("1000000".to_owned()),
        app_key: secret("test-app-key"),
        ..ApiAccount::new("demo", kind)
    }
}

fn waybill(kind: ApiKind) -> Waybill<'static> {
    let (tracking_number, carrier, code) = match kind.vendor() {
        Vendor::Kuaidi100 => ("YT0000000000001", "yto", "yuantong"),
        Vendor::Kdniao => ("EL796371469MO", "coe", "COE"),
        Vendor::SeventeenTrack => ("RR000000000CN", "chinapost", "3011"),
    };
    Waybill {
        tracking_number,
        carrier,
        vendor_carrier: Some(code),
    }
}

fn subscription(kind: ApiKind) -> SubscribeOrder<'static> {
    SubscribeOrder {
        waybill: waybill(kind),
        phone: None,
        from: None,
        to: None,
        product: Product::Plain,
        international: None,
        reference: None,
        round: 1,
    }
}

fn query(kind: ApiKind) -> QueryOrder<'static> {
    QueryOrder {
        waybill: waybill(kind),
        phone: None,
        from: None,
        to: None,
        product: Product::Plain,
    }
}

fn digits(text: &str) -> Option<PhoneDigits<'_>> {
    PhoneDigits::stored(text)
}

fn event(vendor: Vendor, origin: Origin, payload: impl Into<String>) -> PushEvent {
    PushEvent {
        push_id: PushId([7; 16]),
        part: 0,
        parts: 1,
        vendor,
        account: "demo".to_owned(),
        received_at: TimestampMicros(1_780_000_000_000_000),
        signature: Signature::Verified,
        vendor_carrier: String::new(),
        tracking_number: String::new(),
        request_type: None,
        query: String::new(),
        content_type: String::new(),
        push_time: None,
        business_id: None,
        payload: payload.into(),
        origin,
        query_reason: (origin == Origin::Query).then(|| "STALLED".to_owned()),
        reference: None,
    }
}
