//! Requests, as the vendors' documents show them.

use std::collections::BTreeMap;

use courierflow_schemas::records::{International, Product, Reason, Vendor};
use courierflow_vendors::api::order::{ApiAccount, OrderError, QueryOrder, SubscribeOrder, Transport, Waybill};
use courierflow_vendors::api::request::CallRequest;
use courierflow_vendors::api::{ApiKind, callback};
use courierflow_vendors::protocol;
use serde_json::{Value, json};

use crate::{account, digits, query, subscription, waybill};

fn subscribe(account: &ApiAccount, order: &SubscribeOrder<'_>) -> Result<CallRequest, OrderError> {
    protocol(account.kind.vendor()).api().subscribe(account, order)
}

fn ask(account: &ApiAccount, order: &QueryOrder<'_>) -> Result<CallRequest, OrderError> {
    protocol(account.kind.vendor()).api().query(account, order)
}

fn form(request: &CallRequest) -> BTreeMap<String, String> {
    assert_eq!(
        header(request, "Content-Type").unwrap(),
        "application/x-www-form-urlencoded; charset=UTF-8"
    );
    form_urlencoded::parse(request.body.expose().as_bytes())
        .into_owned()
        .collect()
}

fn body(request: &CallRequest) -> Value {
    assert_eq!(
        header(request, "Content-Type").unwrap(),
        "application/json; charset=UTF-8"
    );
    serde_json::from_str(request.body.expose()).unwrap()
}

fn header<'r>(request: &'r CallRequest, name: &str) -> Option<&'r str> {
    let found = request.headers.iter().find(|(found, _)| *found == name);
    found.map(|(_, value)| value.expose())
}

fn callback_url(kind: ApiKind) -> String {
    callback::url(
        "http://push.example.com",
        kind.vendor(),
        "demo",
        waybill(kind).tracking_number,
    )
    .unwrap()
}

fn ends() -> International {
    International {
        departure_country: Some("CN".to_owned()),
        departure_carrier: Some("ems".to_owned()),
        destination_country: Some("JP".to_owned()),
        destination_carrier: Some("japanposten".to_owned()),
    }
}

/// S2, 1.3 and 1.4.
#[test]
fn kuaidi100_enterprise_takes_a_form_with_the_key_in_its_param() {
    let kind = ApiKind::Kuaidi100Enterprise;
    let ends = ends();
    let order = SubscribeOrder {
        phone: digits("8888"),
        from: Some("广东省深圳市南山区"),
        to: Some("北京市朝阳区"),
        product: Product::Area,
        international: Some(&ends),
        ..subscription(kind)
    };
    let request = subscribe(&account(kind), &order).unwrap();
    assert_eq!(
        (request.method, request.url.as_str()),
        ("POST", "https://vendor.example.com/poll")
    );
    let mut form = form(&request);
    let param: Value = serde_json::from_str(&form.remove("param").unwrap()).unwrap();
    assert_eq!(form, BTreeMap::from([("schema".to_owned(), "json".to_owned())]));
    let expected = json!({
        "company": "yuantong",
        "number": "YT0000000000001",
        "from": "广东省深圳市南山区",
        "to": "北京市朝阳区",
        "key": "KEY",
        "parameters": {
            "callbackurl": callback_url(kind),
            "salt": "SALT",
            "phone": "8888",
            "resultv2": "1",
            "interCom": "1",
            "departureCountry": "CN",
            "departureCom": "ems",
            "destinationCountry": "JP",
            "destinationCom": "japanposten",
        }
    });
    assert_eq!(param, expected);
}

/// S1: the key travels in a header. The example 1.3 is the JSON text alone, the table 1.2 has it in a field `param`.
#[test]
fn kuaidi100_market_is_called_in_two_ways() {
    let kind = ApiKind::Kuaidi100Market;
    let order = SubscribeOrder {
        to: Some("湖南省,长沙市,天心区"),
        product: Product::Forecast,
        ..subscription(kind)
    };
    let request = subscribe(&account(kind), &order).unwrap();
    assert_eq!(header(&request, "X-Apig-AppCode"), Some("APPCODE"));
    let expected = json!({
        "company": "yuantong",
        "number": "YT0000000000001",
        "to": "湖南省,长沙市,天心区",
        "parameters": {"callbackurl": callback_url(kind), "salt": "SALT", "resultv2": "8"},
    });
    assert_eq!(body(&request), expected);
    let account = ApiAccount {
        transport: Transport::Form,
        ..account(kind)
    };
    let request = subscribe(&account, &order).unwrap();
    assert_eq!(header(&request, "X-Apig-AppCode"), Some("APPCODE"));
    let form = form(&request);
    let param: Value = serde_json::from_str(&form["param"]).unwrap();
    assert_eq!((form.len(), param), (1, expected));
}

/// S3 shows JSON with a header, the vendor's own page a form with the key; both have the map's own levels.
#[test]
fn kuaidi100_map_is_called_in_two_ways() {
    let kind = ApiKind::Kuaidi100Map;
    let order = SubscribeOrder {
        from: Some("广东省深圳市南山区"),
        to: Some("北京市朝阳区"),
        product: Product::Advanced,
        ..subscription(kind)
    };
    let mut account = account(kind);
    account.map_config_key = Some("template".to_owned());
    let as_form = subscribe(&account, &order).unwrap();
    let param: Value = serde_json::from_str(&form(&as_form)["param"]).unwrap();
    account.transport = Transport::Json;
    let as_json = subscribe(&account, &order).unwrap();
    assert_eq!(header(&as_json, "X-Apig-AppCode"), Some("APPCODE"));
    let mut told = body(&as_json);
    assert_eq!(told["parameters"]["resultv2"], "5");
    assert_eq!(told["parameters"]["mapConfigKey"], "template");
    told["key"] = json!("KEY");
    assert_eq!(told, param);
}

#[test]
fn an_unknown_carrier_is_detected_or_refused() {
    let unknown = |kind| SubscribeOrder {
        waybill: Waybill {
            carrier: "unknown",
            vendor_carrier: None,
            ..waybill(kind)
        },
        from: Some("北京市"),
        to: Some("北京市"),
        ..subscription(kind)
    };
    let kind = ApiKind::Kuaidi100Market;
    let told = body(&subscribe(&account(kind), &unknown(kind)).unwrap());
    assert_eq!(
        (&told["company"], &told["parameters"]["autoCom"]),
        (&json!(""), &json!("1"))
    );
    for kind in [ApiKind::Kuaidi100Map, ApiKind::KdniaoCrossBorder] {
        let refused = subscribe(&account(kind), &unknown(kind)).map(drop);
        assert_eq!(refused, Err(OrderError::CarrierNeeded), "{kind:?}");
    }
    let kind = ApiKind::SeventeenTrack;
    let told = body(&subscribe(&account(kind), &unknown(kind)).unwrap());
    assert_eq!(told, json!([{"number": "RR000000000CN", "auto_detection": true}]));
    let kind = ApiKind::Kuaidi100Enterprise;
    let order = QueryOrder {
        waybill: unknown(kind).waybill,
        ..query(kind)
    };
    assert_eq!(ask(&account(kind), &order).map(drop), Err(OrderError::CarrierNeeded));
}

#[test]
fn each_vendor_takes_numbers_of_its_own_lengths() {
    for (kind, lengths) in [
        (ApiKind::Kuaidi100Enterprise, 6..=32),
        (ApiKind::Kuaidi100Market, 6..=32),
        (ApiKind::Kuaidi100Map, 6..=32),
        (ApiKind::KdniaoCrossBorder, 5..=30),
        (ApiKind::KdniaoDomestic, 5..=30),
        (ApiKind::SeventeenTrack, 5..=50),
    ] {
        for length in 1..=60 {
            let tracking_number = &"1".repeat(length);
            let waybill = Waybill {
                tracking_number,
                ..waybill(kind)
            };
            let order = SubscribeOrder {
                waybill,
                from: Some("广东省深圳市南山区"),
                to: Some("北京市朝阳区"),
                ..subscription(kind)
            };
            let expected = if lengths.contains(&length) {
                Ok(())
            } else {
                Err(OrderError::BadNumber)
            };
            assert_eq!(
                subscribe(&account(kind), &order).map(drop),
                expected,
                "{kind:?} {length}"
            );
            let order = QueryOrder { waybill, ..query(kind) };
            assert_eq!(ask(&account(kind), &order).map(drop), expected, "{kind:?} {length}");
        }
    }
}

#[test]
fn what_cannot_be_asked_is_refused_with_a_reason() {
    let kind = ApiKind::Kuaidi100Enterprise;
    let number = |tracking_number| SubscribeOrder {
        waybill: Waybill {
            tracking_number,
            ..waybill(kind)
        },
        ..subscription(kind)
    };
    let sf = Waybill {
        carrier: "sf",
        vendor_carrier: Some("shunfeng"),
        ..waybill(kind)
    };
    let without_phone = SubscribeOrder {
        waybill: sf,
        ..subscription(kind)
    };
    let forecast = SubscribeOrder {
        product: Product::Forecast,
        ..subscription(kind)
    };
    for (order, error, reason) in [
        (number("YT 00001"), OrderError::BadNumber, Reason::BadData),
        (without_phone, OrderError::PhoneNeeded, Reason::Phone),
        (forecast, OrderError::PlacesNeeded, Reason::BadPlace),
    ] {
        let refused = subscribe(&account(kind), &order).map(drop);
        assert_eq!(refused, Err(error));
        assert_eq!(error.reason(), reason);
    }
    let with_phone = SubscribeOrder {
        phone: digits("1234"),
        ..without_phone
    };
    assert!(subscribe(&account(kind), &with_phone).is_ok());
    let map = ApiKind::Kuaidi100Map;
    let without_places = SubscribeOrder {
        to: Some("北京市"),
        ..subscription(map)
    };
    assert_eq!(
        subscribe(&account(map), &without_places).map(drop),
        Err(OrderError::PlacesNeeded)
    );
    let word = Waybill {
        vendor_carrier: Some("chinapost"),
        ..waybill(ApiKind::SeventeenTrack)
    };
    let order = SubscribeOrder {
        waybill: word,
        ..subscription(ApiKind::SeventeenTrack)
    };
    assert_eq!(
        subscribe(&account(ApiKind::SeventeenTrack), &order).map(drop),
        Err(OrderError::BadCarrier)
    );
}

/// S0, 1.3 and 1.4. The signature is of exactly the text that is sent; its formula is pinned beside it.
#[test]
fn kuaidi100_query_is_a_signed_form() {
    let kind = ApiKind::Kuaidi100Enterprise;
    let order = QueryOrder {
        phone: digits("8888"),
        from: Some("广东深圳"),
        to: Some("北京朝阳"),
        product: Product::Advanced,
        ..query(kind)
    };
    let request = ask(&account(kind), &order).unwrap();
    assert_eq!(request.url, "https://vendor.example.com/query");
    let form = form(&request);
    assert_eq!(
        form["param"],
        r#"{"com":"yuantong","num":"YT0000000000001","phone":"8888","from":"广东深圳","to":"北京朝阳","resultv2":"4","show":"0","order":"desc"}"#
    );
    assert_eq!(form["customer"], "CUSTOMER");
    assert_eq!(form["sign"].len(), 32);
    assert!(
        form["sign"]
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
    );
    // The documents say 4 and 6 for the same thing.
    let mut account = account(kind);
    account.query_result_levels.insert(Product::Advanced, "6".to_owned());
    let request = ask(&account, &order).unwrap();
    assert!(self::form(&request)["param"].contains(r#""resultv2":"6""#));
    let subscription = SubscribeOrder {
        product: Product::Advanced,
        ..subscription(kind)
    };
    for (own, expected) in [(None, "4"), (Some("6"), "6")] {
        let own = own.map(|level| (Product::Advanced, level.to_owned()));
        account.result_levels.extend(own);
        let request = subscribe(&account, &subscription).unwrap();
        let param: Value = serde_json::from_str(&self::form(&request)["param"]).unwrap();
        assert_eq!(param["parameters"]["resultv2"], expected);
    }
}

/// S4: the request of the document, with the signature of the specification.
#[test]
fn kdniao_query_is_the_form_of_the_document() {
    let kind = ApiKind::KdniaoCrossBorder;
    let request = ask(&account(kind), &query(kind)).unwrap();
    let expected = [
        ("RequestData", r#"{"ShipperCode":"COE","LogisticCode":"EL796371469MO"}"#),
        ("EBusinessID", "1000000"),
        ("RequestType", "7101"),
        ("DataSign", "Y2JlZDZmZmMyNDliNWMxZGVlOTdiZTRmZTRkM2RiMDQ="),
        ("DataType", "2"),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(form(&request), expected);
}

#[test]
fn kdniao_subscription_has_reference_address_and_where_needed_the_phone() {
    let kind = ApiKind::KdniaoCrossBorder;
    let data = |order: &SubscribeOrder<'_>| -> Value {
        let form = form(&subscribe(&account(kind), order).unwrap());
        assert_eq!(form["RequestType"], "7108");
        serde_json::from_str(&form["RequestData"]).unwrap()
    };
    let order = SubscribeOrder {
        reference: Some("order-1"),
        phone: digits("13488888888"),
        ..subscription(kind)
    };
    let told = data(&order);
    assert_eq!(told["OrderCode"], "order-1");
    assert_eq!(told["CallbackUrl"], callback_url(kind));
    assert_eq!(told["CustomerName"], Value::Null, "only where the carrier needs it");
    let sf = SubscribeOrder {
        waybill: Waybill {
            carrier: "sf",
            vendor_carrier: Some("SF"),
            ..waybill(kind)
        },
        ..order
    };
    assert_eq!(data(&sf)["CustomerName"], "8888");
    let long = "r".repeat(31);
    let long = SubscribeOrder {
        reference: Some(&long),
        ..order
    };
    assert_eq!(data(&long)["OrderCode"], Value::Null);
}

#[test]
fn seventeentrack_registers_once_and_retracks_then() {
    let kind = ApiKind::SeventeenTrack;
    let ends = International {
        destination_carrier: Some("21051".to_owned()),
        destination_country: Some("US".to_owned()),
        ..International::default()
    };
    let first = SubscribeOrder {
        reference: Some("order-1"),
        phone: digits("13488888888"),
        international: Some(&ends),
        ..subscription(kind)
    };
    let request = subscribe(&account(kind), &first).unwrap();
    assert_eq!(request.url, "https://vendor.example.com/poll/register");
    assert_eq!(header(&request, "17token"), Some("KEY"));
    let expected = json!([{
        "number": "RR000000000CN", "carrier": 3011, "final_carrier": 21051, "auto_detection": false,
        "tag": "order-1", "destination_country": "US", "phone_number_last_4": "8888",
    }]);
    assert_eq!(body(&request), expected);
    let parcel = json!([{"number": "RR000000000CN", "carrier": 3011}]);
    let again = SubscribeOrder { round: 2, ..first };
    let request = subscribe(&account(kind), &again).unwrap();
    assert_eq!(request.url, "https://vendor.example.com/poll/retrack");
    assert_eq!(body(&request), parcel);
    let request = ask(&account(kind), &query(kind)).unwrap();
    assert_eq!(request.url, "https://vendor.example.com/query/gettrackinfo");
    assert_eq!(body(&request), parcel);
}

#[test]
fn i8_no_request_can_be_printed() {
    for kind in ApiKind::ALL {
        let order = SubscribeOrder {
            phone: digits("8642"),
            from: Some("广东省深圳市南山区"),
            to: Some("北京市朝阳区"),
            ..subscription(kind)
        };
        let printed = format!(
            "{:?} {order:?} {:?}",
            subscribe(&account(kind), &order).unwrap(),
            account(kind)
        );
        for secret in ["KEY", "APPCODE", "SALT", "test-app-key", "8642"] {
            assert!(!printed.contains(secret), "{kind:?}: {secret} in {printed}");
        }
        let request = format!("{:?}", subscribe(&account(kind), &order).unwrap());
        assert!(!request.contains("南山区"), "{request}");
    }
}

#[test]
fn every_kind_has_a_name_and_a_vendor() {
    for kind in ApiKind::ALL {
        assert_eq!(ApiKind::named(kind.as_str()), Some(kind));
    }
    for vendor in Vendor::ALL {
        assert!(ApiKind::ALL.iter().any(|kind| kind.vendor() == vendor), "{vendor}");
        assert!(!protocol(vendor).api().answer_tables().is_empty(), "{vendor}");
    }
    assert_eq!(ApiKind::named("other"), None);
}
