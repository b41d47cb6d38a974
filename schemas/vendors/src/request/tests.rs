use courierflow_schemas::records::International;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::account::SubscribeAccounts;
use super::*;

/// One account of each API, and one that keeps all digits and takes only SF.
fn accounts() -> Vec<SubscribeAccount> {
    let accounts: SubscribeAccounts = serde_json::from_value(json!({"accounts": [
        {"name": "demo", "vendor": "kuaidi100", "api": "kuaidi100_enterprise"},
        {"name": "map", "vendor": "kuaidi100", "api": "kuaidi100_map", "takes": ["yto"]},
        {"name": "world", "vendor": "kuaidi100", "api": "kuaidi100_market", "international": true, "takes": ["EMS"]},
        {"name": "sf", "vendor": "kuaidi100", "api": "kuaidi100_enterprise", "phone": "full", "takes": ["shunfeng"]},
        {"name": "demo", "vendor": "kdniao", "api": "kdniao_domestic"},
        {"name": "others", "vendor": "kdniao", "api": "kdniao_cross_border"},
    ]}))
    .unwrap();
    accounts.validate(Carriers::built_in()).unwrap();
    accounts.accounts
}

/// May use everything but the account `others`.
#[derive(Debug)]
struct NotOthers;

impl MayUse for NotOthers {
    fn may_use(&self, _: Vendor, account: &str) -> bool {
        account != "others"
    }
}

fn now() -> Timestamp {
    "2026-11-30T08:00:00Z".parse().unwrap()
}

fn with_asker<T>(read: impl FnOnce(&Asker<'_>) -> T) -> T {
    read(&Asker {
        name: "oms",
        accounts: &accounts(),
        may_use: &NotOthers,
        carriers: Carriers::built_in(),
        now: now(),
    })
}

/// A good item with some members replaced; null takes one away.
fn item(changes: &Value) -> Value {
    let mut item = json!({"tracking_number": "YT0000000000001", "carrier": "yto", "request_id": "r1"});
    let members = item.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    item
}

fn read(item: Value) -> Result<SubscriptionRequest, ItemError> {
    with_asker(|asker| asker.subscribe(&Item::from(item)))
}

fn good(changes: &Value) -> SubscriptionRequest {
    read(item(changes)).unwrap()
}

#[test]
fn the_shortest_request_names_the_first_account() {
    let expected = SubscriptionRequest {
        request_id: "r1".to_owned(),
        requester: "oms".to_owned(),
        action: RequestAction::Subscribe,
        requested_at: TimestampMicros(now().as_microsecond()),
        vendor: Some("kuaidi100".to_owned()),
        account: Some("demo".to_owned()),
        carrier: Some("yto".to_owned()),
        tracking_number: "YT0000000000001".to_owned(),
        phone: None,
        from: None,
        to: None,
        product: None,
        international: None,
        reference: None,
        not_before: None,
        force: false,
    };
    assert_eq!(good(&json!({})), expected);
}

#[test]
fn every_member_arrives() {
    let request = good(&json!({
        "tracking_number": " ｙｔ-0000000001 ", "carrier": "EMS", "vendor": "kuaidi100", "account": "world",
        "phone": "13488888888", "from": "广东省,深圳市,南山区", "to": "北京市朝阳区", "product": "FORECAST",
        "international": {"departure_country": "CN", "departure_carrier": "ems", "destination_country": "JP",
            "destination_carrier": "japanposten"},
        "reference": "order-17", "not_before": "2026-11-30T18:00:00+08:00", "force": true, "auto_carrier": false,
    }));
    assert_eq!(request.tracking_number, "YT-0000000001");
    assert_eq!(
        (request.account.as_deref(), request.carrier.as_deref()),
        (Some("world"), Some("ems"))
    );
    assert_eq!(request.phone.as_deref(), Some("8888"));
    assert_eq!(request.from.as_deref(), Some("广东省,深圳市,南山区"));
    assert_eq!(request.to.as_deref(), Some("北京市朝阳区"));
    assert_eq!(request.product, Some(Product::Forecast));
    let text = |code: &str| Some(code.to_owned());
    let international = International {
        departure_country: text("CN"),
        departure_carrier: text("ems"),
        destination_country: text("JP"),
        destination_carrier: text("japanposten"),
    };
    assert_eq!(request.international, Some(international));
    assert_eq!(request.reference.as_deref(), Some("order-17"));
    assert_eq!(request.not_before, Some(TimestampMillis(1_796_032_800_000)));
    assert!(request.force);
}

#[test]
fn who_is_asked() {
    // Members, vendor, account.
    for (changes, vendor, account) in [
        (json!({"vendor": "kdniao"}), "kdniao", "demo"),
        (
            json!({"vendor": "kuaidi100", "account": "map", "from": "北京市朝阳区", "to": "北京市朝阳区"}),
            "kuaidi100",
            "map",
        ),
        (
            json!({"account": "sf", "carrier": "sf", "phone": "8888"}),
            "kuaidi100",
            "sf",
        ),
        (json!({"carrier": "yuantong"}), "kuaidi100", "demo"),
        // Kdniao's own code, which Kuaidi100 does not have.
        (json!({"carrier": "YZPY"}), "kdniao", "demo"),
        (json!({"carrier": "ems", "international": {}}), "kuaidi100", "world"),
        (json!({"carrier": null, "auto_carrier": true}), "kuaidi100", "demo"),
    ] {
        let request = good(&changes);
        let asked = (request.vendor.as_deref(), request.account.as_deref());
        assert_eq!(asked, (Some(vendor), Some(account)), "{changes}");
    }
}

#[test]
fn an_accounts_policy_decides_what_is_kept_of_a_telephone_number() {
    for (account, phone, kept) in [
        ("demo", "13488888888", "8888"),
        ("demo", "0755-12345678转801", "5678"),
        ("demo", "18412345678-1234", "1234"),
        ("sf", "134 8888 8888", "13488888888"),
        ("sf", "18412345678-1234", "1234"),
    ] {
        let changes = json!({"vendor": "kuaidi100", "account": account, "carrier": "sf", "phone": phone});
        assert_eq!(good(&changes).phone.as_deref(), Some(kept), "{account} {phone}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn every_code_has_its_cases() {
    let map = |changes: Value| {
        let mut item = json!({"vendor": "kuaidi100", "account": "map", "from": "北京市朝阳区", "to": "北京市朝阳区"});
        item.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        item
    };
    // Changes, code, field.
    let cases = [
        (json!({"colour": "red"}), "unknown_field", "colour"),
        (json!({"tracking_number": null}), "bad_number", "tracking_number"),
        (json!({"tracking_number": "YT001"}), "bad_number", "tracking_number"),
        (
            json!({"tracking_number": "Y".repeat(33)}),
            "bad_number",
            "tracking_number",
        ),
        (
            json!({"tracking_number": "Y".repeat(31), "vendor": "kdniao"}),
            "bad_number",
            "tracking_number",
        ),
        (
            json!({"tracking_number": "YT 0000001"}),
            "bad_number",
            "tracking_number",
        ),
        (
            json!({"tracking_number": "圆通0000001"}),
            "bad_number",
            "tracking_number",
        ),
        (json!({"tracking_number": 1_234_567}), "bad_number", "tracking_number"),
        (json!({"request_id": null}), "bad_request_id", "request_id"),
        (json!({"request_id": "r".repeat(65)}), "bad_request_id", "request_id"),
        (json!({"request_id": "r 1"}), "bad_request_id", "request_id"),
        (json!({"request_id": "订单"}), "bad_request_id", "request_id"),
        (
            json!({"request_id": "tel-134-8888-8888", "phone": "+86 134 8888 8888"}),
            "bad_request_id",
            "request_id",
        ),
        (json!({"vendor": "fedex"}), "unknown_vendor", "vendor"),
        (json!({"vendor": "17track"}), "unknown_vendor", "vendor"),
        (json!({"account": "nobody"}), "unknown_account", "account"),
        (json!({"account": "demo"}), "unknown_account", "account"),
        (
            json!({"vendor": "kdniao", "account": "others"}),
            "foreign_account",
            "account",
        ),
        (json!({"carrier": null}), "unknown_carrier", "carrier"),
        (json!({"carrier": "snail"}), "unknown_carrier", "carrier"),
        (
            json!({"carrier": "sf", "vendor": "kuaidi100", "account": "map"}),
            "unknown_carrier",
            "carrier",
        ),
        (
            json!({"carrier": "chinapost", "vendor": "kdniao"}),
            "unknown_carrier",
            "carrier",
        ),
        (
            json!({"carrier": null, "auto_carrier": true, "vendor": "kdniao"}),
            "unknown_carrier",
            "carrier",
        ),
        (
            json!({"carrier": null, "auto_carrier": true, "account": "sf"}),
            "unknown_carrier",
            "carrier",
        ),
        (json!({"auto_carrier": true}), "carrier_and_auto", "carrier"),
        (json!({"auto_carrier": "yes"}), "bad_flag", "auto_carrier"),
        (json!({"force": 1}), "bad_flag", "force"),
        (json!({"carrier": "sf"}), "phone_required", "phone"),
        (json!({"carrier": "shunfengkuaiyun"}), "phone_required", "phone"),
        (json!({"carrier": "fengwang"}), "phone_required", "phone"),
        (json!({"carrier": "zto", "phone": " "}), "phone_required", "phone"),
        (json!({"phone": "888"}), "bad_phone", "phone"),
        (json!({"phone": "13488888888 13499999999"}), "bad_phone", "phone"),
        (json!({"phone": 13_488_888_888_u64}), "bad_phone", "phone"),
        (map(json!({"from": null})), "places_required", "from"),
        (map(json!({"to": ""})), "places_required", "to"),
        (json!({"product": "FORECAST"}), "places_required", "to"),
        (json!({"to": "南山区"}), "bad_place", "to"),
        (json!({"from": "广东省深圳市南山区科技园路1号"}), "bad_place", "from"),
        (json!({"product": "OTHER"}), "bad_product", "product"),
        (json!({"product": "advanced"}), "bad_product", "product"),
        (json!({"international": {}}), "bad_international", "international"),
        (json!({"international": "CN"}), "bad_international", "international"),
        (
            json!({"international": {"colour": "red"}}),
            "bad_international",
            "colour",
        ),
        (
            json!({"international": {"departure_country": "China"}}),
            "bad_international",
            "departure_country",
        ),
        (
            json!({"international": {"departure_carrier": "a b"}}),
            "bad_international",
            "departure_carrier",
        ),
        (json!({"reference": "order 17"}), "bad_reference", "reference"),
        (json!({"reference": "r".repeat(65)}), "bad_reference", "reference"),
        (
            json!({"reference": "tel-13488888888", "phone": "13488888888"}),
            "bad_reference",
            "reference",
        ),
        (
            json!({"reference": "13488888888", "phone": "+86 134 8888 8888"}),
            "bad_reference",
            "reference",
        ),
        (
            json!({"reference": "18412345678", "phone": "18412345678-1234"}),
            "bad_reference",
            "reference",
        ),
        (json!({"not_before": "tomorrow"}), "bad_not_before", "not_before"),
        (
            json!({"not_before": "2026-11-30T18:00:00"}),
            "bad_not_before",
            "not_before",
        ),
        (
            json!({"not_before": "2062-11-30T18:00:00Z"}),
            "bad_not_before",
            "not_before",
        ),
        (
            json!({"not_before": 1_796_032_800_000_u64}),
            "bad_not_before",
            "not_before",
        ),
    ];
    for (changes, code, field) in &cases {
        let error = read(item(changes)).unwrap_err();
        assert_eq!((error.code.as_str(), &*error.field), (*code, *field), "{changes}");
    }
    let error = read(json!("YT0000000000001")).unwrap_err();
    assert_eq!(error.code, Code::NotAnObject);
    let proved = |code: &Code| *code == Code::NotAnObject || cases.iter().any(|(_, name, _)| *name == code.as_str());
    assert!(Code::ALL.iter().all(proved));
}

#[test]
fn a_cancellation_is_meant_for_the_accounts_that_one_may_use() {
    let cancel = |item: Value| with_asker(|asker| asker.cancel(&Item::from(item)));
    let all = cancel(json!({"tracking_number": "yt0000000000001", "request_id": "c1"})).unwrap();
    let asked: Vec<_> = all
        .iter()
        .map(|request| (request.vendor.as_deref(), request.account.as_deref()))
        .collect();
    let (kuaidi100, kdniao) = (Some("kuaidi100"), Some("kdniao"));
    assert_eq!(
        asked,
        [
            (kuaidi100, Some("demo")),
            (kuaidi100, Some("map")),
            (kuaidi100, Some("world")),
            (kuaidi100, Some("sf")),
            (kdniao, Some("demo")),
        ]
    );
    for request in &all {
        assert_eq!(request.action, RequestAction::Cancel);
        assert_eq!(
            (request.tracking_number.as_str(), request.request_id.as_str()),
            ("YT0000000000001", "c1")
        );
    }
    let one = json!({"tracking_number": "YT0000000000001", "request_id": "c1", "vendor": "kdniao", "account": "demo"});
    assert_eq!(cancel(one).unwrap().len(), 1);
    for (changes, code) in [
        (json!({"carrier": "yto"}), Code::UnknownField),
        (
            json!({"carrier": null, "vendor": "kdniao", "account": "others"}),
            Code::UnknownField,
        ),
        (json!({"tracking_number": "1"}), Code::BadNumber),
        (json!({"request_id": null}), Code::BadRequestId),
        (json!({"vendor": "17track"}), Code::UnknownVendor),
        (json!({"account": "nobody"}), Code::UnknownAccount),
        (json!({"account": "others"}), Code::ForeignAccount),
    ] {
        let mut item = json!({"tracking_number": "YT0000000000001", "request_id": "c1"});
        item.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        assert_eq!(cancel(item).unwrap_err().code, code, "{changes}");
    }
}

#[test]
fn a_line_of_a_file_is_read_like_an_object() {
    let line = [
        ("tracking_number", "yt0000000000001"),
        ("carrier", " ems "),
        ("account", "world"),
        ("auto_carrier", "false"),
        ("force", "true"),
        ("destination_country", "JP"),
        ("reference", ""),
    ];
    let mut item = Item::from_line(line);
    item.default_request_id("id-of-the-line");
    item.default_request_id("another");
    let request = with_asker(|asker| asker.subscribe(&item)).unwrap();
    assert_eq!(request.request_id, "id-of-the-line");
    assert!(request.force);
    assert_eq!(
        request.international.unwrap().destination_country.as_deref(),
        Some("JP")
    );
    let error = with_asker(|asker| {
        asker.subscribe(&Item::from_line([
            line[0],
            line[1],
            ("request_id", "r1"),
            ("force", "yes"),
        ]))
    })
    .unwrap_err();
    assert_eq!(error.code, Code::BadFlag);
    assert_eq!(item::columns().count(), 17);
}

#[test]
fn no_error_and_no_debug_text_tells_a_value() {
    let phone = "13488888888";
    for field in [
        "tracking_number",
        "carrier",
        "vendor",
        "account",
        "phone",
        "to",
        "reference",
        "not_before",
        "product",
    ] {
        let value = format!("{phone}张三 {phone}");
        let item = Item::from(item(&json!({field: value})));
        let error = with_asker(|asker| asker.subscribe(&item)).unwrap_err();
        assert!(!format!("{error} {error:?} {item:?}").contains(phone), "{field}");
    }
}

proptest! {
    /// Whatever is written, and wherever: no more than the end of a telephone number goes on.
    #[test]
    fn no_more_than_four_digits_of_a_telephone_number_are_kept(
        phone in "(\\+?86 ?)?1[3-9][0-9]{9}(-[0-9]{1,4}|转[0-9]{1,5})?|0[0-9]{2,3}-[2-8][0-9]{6,7}(-[0-9]{1,4})?",
        reference in "[A-Za-z-]{1,20}",
        carrier in prop::sample::select(vec!["sf", "zto", "yto"]),
    ) {
        let request = read(item(&json!({"carrier": carrier, "phone": phone, "reference": reference}))).unwrap();
        let kept = request.phone.clone().unwrap();
        prop_assert_eq!(kept.len(), 4);
        let requested_at = TimestampMicros(0);
        let record = SubscriptionRequest { tracking_number: String::new(), requested_at, ..request };
        let record = serde_json::to_string(&record).unwrap();
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        for start in 0..=digits.len() - 5 {
            prop_assert!(!record.contains(&digits[start..start + 5]), "{} in {}", &digits[start..start + 5], record);
        }
    }

    #[test]
    fn nothing_makes_it_panic(members in prop::collection::hash_map("[a-z_]{1,16}", ".{0,40}", 0..6), number in ".{0,40}") {
        let mut item = json!({"tracking_number": number, "request_id": "r1"});
        item.as_object_mut().unwrap().extend(members.into_iter().map(|(name, text)| (name, Value::from(text))));
        let item = Item::from(item);
        with_asker(|asker| drop((asker.subscribe(&item), asker.cancel(&item))));
    }
}
