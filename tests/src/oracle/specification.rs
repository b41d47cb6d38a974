//! Examples worked by hand from the rules. The number of the rule is in the name of the test.

#![allow(clippy::too_many_lines, reason = "the samples of the vendor documents are long")]

use courierflow_schemas::records::{Origin, PushEvent, PushId, Signature, TimestampMicros, Vendor};
use serde_json::{Value, json};

use super::rows::{EventRow, Expected, ExpectedRecord, ShipmentRow, TransitionRow};
use super::{differences, expected, record_differences};

mod pushes;
mod reading;
mod sayings;

/// A text that says nothing.
const MUTE: &str = "保价服务已生效";

const NUMBER: &str = "YT0000000000001";

/// Seconds since 1970 of a time with an offset.
fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_second()
}

/// China time.
fn china(text: &str) -> i64 {
    at(&format!("{}+08:00", text.replace(' ', "T")))
}

fn push_event(vendor: Vendor, received_at: &str, carrier: &str, payload: &Value) -> PushEvent {
    let payload = payload.to_string();
    let mut push_id = [0; 16];
    push_id[..8].copy_from_slice(&(payload.len() as u64).to_be_bytes());
    PushEvent {
        push_id: PushId(push_id),
        part: 0,
        parts: 1,
        vendor,
        account: "demo".to_owned(),
        received_at: TimestampMicros(china(received_at) * 1_000_000),
        signature: Signature::Verified,
        vendor_carrier: carrier.to_owned(),
        tracking_number: NUMBER.to_owned(),
        request_type: None,
        query: String::new(),
        content_type: String::new(),
        push_time: None,
        business_id: None,
        payload,
        origin: Origin::Push,
        query_reason: None,
        reference: None,
    }
}

/// A push of Kuaidi100; `payload` holds what differs from an ordinary one of `yuantong`. Received at a China time.
fn k100(received_at: &str, payload: Value) -> PushEvent {
    let mut whole = json!({"status": "polling", "lastResult": {"nu": NUMBER, "com": "yuantong"}});
    merge(&mut whole, payload);
    let carrier = whole["lastResult"]["com"].as_str().unwrap_or_default().to_owned();
    push_event(Vendor::Kuaidi100, received_at, &carrier, &whole)
}

/// A push of Kuaidi100 with these items, newest first, and nothing special.
fn k100_items(received_at: &str, items: &[Value]) -> PushEvent {
    k100(received_at, json!({"lastResult": {"data": items}}))
}

/// A push of Kdniao.
fn kdn(received_at: &str, push_time: Option<&str>, parcel: Value) -> PushEvent {
    let mut whole = json!({"ShipperCode": "YTO", "LogisticCode": NUMBER, "Success": true});
    merge(&mut whole, parcel);
    let carrier = whole["ShipperCode"].as_str().unwrap_or_default().to_owned();
    let mut event = push_event(Vendor::Kdniao, received_at, &carrier, &whole);
    event.push_time = push_time.map(str::to_owned);
    event
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// An item of Kuaidi100.
fn item(time: &str, code: &str, text: &str) -> Value {
    json!({"ftime": time, "time": time, "statusCode": code, "context": text})
}

fn item_in(time: &str, code: &str, area_code: &str, area_name: &str) -> Value {
    json!({"ftime": time, "statusCode": code, "context": format!("{time} {code}"), "areaCode": area_code, "areaName": area_name})
}

/// A trace of Kdniao.
fn trace(time: &str, action: &str, text: &str) -> Value {
    json!({"AcceptTime": time, "Action": action, "AcceptStation": text})
}

fn only(tables: &Expected) -> &ShipmentRow {
    assert_eq!(tables.shipment.len(), 1, "{:#?}", tables.shipment);
    &tables.shipment[0]
}

fn statuses(shipment: &ShipmentRow) -> Vec<String> {
    shipment
        .event
        .iter()
        .map(|event| named(&event.status, event.sub_status.as_deref()))
        .collect()
}

fn named(status: &str, sub_status: Option<&str>) -> String {
    format!("{status}/{}", sub_status.unwrap_or("-"))
}

/// `FROM/SUB>TO/SUB dwell verdict`
fn changes(tables: &Expected) -> Vec<String> {
    tables.transition.iter().map(change).collect()
}

fn change(row: &TransitionRow) -> String {
    let dwell = row
        .dwell_seconds
        .map_or_else(|| "-".to_owned(), |dwell| dwell.to_string());
    format!(
        "{}>{} {dwell} {}",
        row.from_status,
        named(&row.to_status, row.to_sub_status.as_deref()),
        row.verdict
    )
}

/// `op version>status` of every transition record.
fn ops(tables: &Expected) -> Vec<String> {
    tables
        .records
        .iter()
        .filter_map(|record| match record {
            ExpectedRecord::Shipment(_) | ExpectedRecord::Retired(_) => None,
            ExpectedRecord::Transition(op, row) => Some(format!("{op} {}", row.to_status)),
        })
        .collect()
}

fn versions(tables: &Expected) -> usize {
    tables
        .records
        .iter()
        .filter(|record| matches!(record, ExpectedRecord::Shipment(_)))
        .count()
}

fn context(text: &str) -> String {
    let tables = expected(&[k100_items(
        "2025-06-17 00:00:00",
        &[item("2025-06-16 00:00:00", "0", text)],
    )]);
    only(&tables).event[0].context.clone()
}

/// Status of one event that has nothing but a text.
fn text_status(text: &str) -> String {
    let tables = expected(&[k100_items(
        "2025-06-17 00:00:00",
        &[item("2025-06-16 00:00:00", "", text)],
    )]);
    statuses(only(&tables)).remove(0)
}

/// Status of one event of Kuaidi100 with this code and no text.
fn code_status(code: &str) -> String {
    let tables = expected(&[k100_items(
        "2025-06-17 00:00:00",
        &[item("2025-06-16 00:00:00", code, "")],
    )]);
    statuses(only(&tables)).remove(0)
}

fn chain(codes: &[&str]) -> Expected {
    let items: Vec<Value> = codes
        .iter()
        .enumerate()
        .map(|(hour, code)| {
            let text = if code.is_empty() { MUTE } else { &format!("line {hour}") };
            item(&format!("2025-06-16 {hour:02}:00:00"), code, text)
        })
        .rev()
        .collect();
    expected(&[k100_items("2025-06-18 00:00:00", &items)])
}

// ---- samples of the vendor documents -------------------------------------------------------------------------------

#[test]
fn kuaidi100_realtime_query_sample() {
    let time = |text: &str| format!("2022-03-29 {text}");
    let shenzhen = |time: &str, code: &str, text: &str, area: &str| json!({"time": time, "ftime": time, "context": text, "statusCode": code, "areaCode": area, "areaName": "广东,深圳市", "location": ""});
    let courier = "您的快件正在派送中, 请您准备签收 (快递员: 黄想成, 联系电话: 18675534564)。";
    let data = json!([
        item(
            &time("18:19:56"),
            "301",
            "您的快件已由本人签收, 感谢您使用京东物流, 期待再次为您服务"
        ),
        item(&time("17:02:01"), "5", courier),
        item(
            &time("12:41:33"),
            "2",
            "您的快件派送不成功, 原因【暂未联系上客户】, 预计下次派送时间 2022-03-31 23:00"
        ),
        item(&time("10:19:34"), "5", courier),
        shenzhen(
            &time("07:30:08"),
            "0",
            "您的快件已到达【深圳碧湾营业部】",
            "CN440300000000"
        ),
        shenzhen(
            &time("07:30:07"),
            "0",
            "您的快件在【深圳碧湾营业部】收货完成",
            "CN440300000000"
        ),
        item(&time("06:10:51"), "0", "您的快件已发车"),
        shenzhen(
            &time("05:40:41"),
            "1002",
            "您的快件由【深圳燕罗分拣中心】准备发往【深圳碧湾营业部】",
            "CN440306025000"
        ),
        shenzhen(
            &time("04:43:28"),
            "1002",
            "您的快件已到达【深圳燕罗分拣中心】",
            "CN440306025000"
        ),
        shenzhen(
            &time("04:41:00"),
            "1002",
            "您的快件在【深圳燕罗分拣中心】分拣完成",
            "CN440306025000"
        ),
        item(&time("02:47:49"), "0", "您的快件已发车"),
        shenzhen(
            &time("01:28:12"),
            "1002",
            "您的快件由【深圳福永分拣中心】准备发往【深圳燕罗分拣中心】",
            "CN440306020000"
        ),
        shenzhen(
            &time("00:45:00"),
            "1002",
            "您的快件在【深圳福永分拣中心】分拣完成",
            "CN440306020000"
        ),
        item("2022-03-28 22:19:17", "0", "您的快件已发车"),
        item("2022-03-28 22:19:12", "0", "快递司机收箱"),
        shenzhen(
            "2022-03-28 20:44:05",
            "0",
            "您的快件已到达【深圳桂庙营业部】",
            "CN440300000000"
        ),
        item("2022-03-28 20:44:05", "1", "您的快件已由【深圳桂庙营业部】揽收完成"),
        item("2022-03-28 20:44:04", "1", "京东快递 已收取快件"),
        item("2022-03-28 17:23:10", "102", "揽收任务已分配给周建永"),
    ]);
    let city = json!({"number": "CN440300000000", "name": "广东,深圳市"});
    let tables = expected(&[k100(
        "2022-03-29 18:30:00",
        json!({"status": "shutdown", "lastResult": {
            "com": "jd", "state": "301", "ischeck": "1", "data": data, "isLoop": false,
            "routeInfo": {"from": city, "cur": city, "to": city}}}),
    )]);
    let shipment = only(&tables);
    assert_eq!(shipment.carrier, "jd");
    assert_eq!(shipment.epoch, "2022-03-28");
    assert_eq!(shipment.tracking_state, "ENDED");
    assert_eq!(
        (
            &*shipment.status,
            shipment.sub_status.as_deref(),
            shipment.raw_code.as_deref()
        ),
        ("DELIVERED", Some("RECIPIENT"), Some("301"))
    );
    assert_eq!(shipment.created_at, Some(china("2022-03-28 17:23:10")));
    assert_eq!(shipment.picked_up_at, Some(china("2022-03-28 20:44:04")));
    assert_eq!(shipment.out_for_delivery_at, Some(china("2022-03-29 10:19:34")));
    assert_eq!(shipment.first_attempt_at, Some(china("2022-03-29 18:19:56")));
    assert_eq!(shipment.delivered_at, shipment.first_attempt_at);
    assert_eq!(
        (shipment.left_origin_at, shipment.arrived_dest_at),
        (None, None),
        "one city"
    );
    assert_eq!(shipment.attempts, 2);
    assert_eq!(shipment.exception_codes, ["2"]);
    assert_eq!(shipment.exception_reasons, ["UNSPECIFIED"]);
    assert!(shipment.flags.is_empty());
    assert_eq!(
        changes(&tables),
        [
            "UNKNOWN>INFO_RECEIVED/AWAITING_PICKUP - EXPECTED",
            "INFO_RECEIVED>PICKED_UP/PICKED_UP 12054 EXPECTED",
            "PICKED_UP>IN_TRANSIT/IN_TRANSIT 1 EXPECTED",
            "IN_TRANSIT>IN_TRANSIT/LINEHAUL 14455 EXPECTED",
            "IN_TRANSIT>IN_TRANSIT/IN_TRANSIT 7369 EXPECTED",
            "IN_TRANSIT>IN_TRANSIT/LINEHAUL 6791 EXPECTED",
            "IN_TRANSIT>IN_TRANSIT/IN_TRANSIT 5391 EXPECTED",
            "IN_TRANSIT>OUT_FOR_DELIVERY/OUT_FOR_DELIVERY 14923 EXPECTED",
            "OUT_FOR_DELIVERY>EXCEPTION/UNSPECIFIED 8519 EXPECTED",
            "EXCEPTION>OUT_FOR_DELIVERY/OUT_FOR_DELIVERY 15628 EXPECTED",
            "OUT_FOR_DELIVERY>DELIVERED/RECIPIENT 4675 EXPECTED",
        ]
    );
    let contexts: Vec<&str> = shipment.event.iter().map(|event| &*event.context).collect();
    assert_eq!(contexts[0], "揽收任务已分配给***");
    assert_eq!(
        contexts[2], "您的快件已由【深圳桂庙营业部】揽收完成",
        "rank decides within a second"
    );
    assert_eq!(
        contexts[15],
        "您的快件正在派送中, 请您准备签收 (快递员: ***, 联系电话: 186******64)。"
    );
    assert_eq!(
        shipment.event[3].location.as_deref(),
        Some("广东,深圳市"),
        "rule 4.10: areaName for a blank location"
    );
}

#[test]
fn kuaidi100_push_sample() {
    let hotline = "（物流问题无需找商家或平台，请联系专属电话 0769-81846477、0769-81846479为您解决）";
    let tables = expected(&[k100(
        "2025-06-16 08:00:00",
        json!({"billstatus": "got", "message": "寄件", "lastResult": {"com": "zhongtong", "state": "0", "condition": "00",
            "data": [
                item_in("2025-06-16 07:34:28", "0", "CN441900121000", "广东,东莞市,虎门镇"),
                item_in("2025-06-16 06:45:58", "0", "CN441900121000", "广东,东莞市,虎门镇"),
                {"ftime": "2025-06-16 01:22:09", "statusCode": "0", "context": format!("【东莞市】 快件已发往 东莞转运中心{hotline}"),
                 "areaCode": "CN441900003000", "location": "广东省 东莞市 东莞长安"},
                item_in("2025-06-15 20:37:18", "1", "CN441900119000", "广东,东莞市,长安镇")],
            "routeInfo": {"from": {"number": "CN441900119000", "name": "广东,东莞市,长安镇"},
                          "to": {"number": "CN430102016000", "name": "湖南,长沙市,芙蓉区,马坡岭"}},
            "arrivalTime": "2025-06-17 10", "predictedRoute": [{"arriveTime": "2025-06-17 05:22:28"}]}}),
    )]);
    let shipment = only(&tables);
    assert_eq!(
        (&*shipment.carrier, &*shipment.status, &*shipment.leg),
        ("zto", "IN_TRANSIT", "FORWARD")
    );
    assert_eq!(shipment.origin_code.as_deref(), Some("CN441900119000"));
    assert_eq!(shipment.dest.as_deref(), Some("湖南,长沙市,芙蓉区,马坡岭"));
    assert_eq!(
        (shipment.edd_first, shipment.edd_last),
        (Some(china("2025-06-17 10:00:00")), Some(china("2025-06-17 10:00:00")))
    );
    assert_eq!((shipment.left_origin_at, shipment.arrived_dest_at), (None, None));
    assert_eq!(shipment.event.len(), 4, "predicted nodes are no events");
    assert_eq!(
        shipment.event[1].context,
        "【东莞市】 快件已发往 东莞转运中心（物流问题无需找商家或平台，请联系专属电话 076*-******77、076*-******79为您解决）"
    );
    assert_eq!(tables.push[0].items, 4);
}

#[test]
fn kuaidi100_enterprise_sample() {
    let scan = |time: &str, text: &str| json!({"context": text, "time": time, "ftime": time, "status": "在途", "areaCode": "310000000000", "areaName": "上海市"});
    let mut push = k100(
        "2016-05-24 15:00:00",
        json!({"autoCheck": "1", "comOld": "yuantong", "comNew": "ems", "message": "",
            "lastResult": {"data": [scan("2012-08-28 16:33:19", "上海分拨中心/装件入车扫描 "), scan("2012-08-27 23:22:42", "上海分拨中心/下车扫描 ")]},
            "destResult": {"state": "0", "ischeck": "0", "com": "speedpost", "nu": "EX015142583SG", "data": [
                {"context": "[01000]Final delivery Delivered to: SLOVESNOV", "time": "2016-05-24 14:00:00",
                 "ftime": "2016-05-24 14:00:00", "status": "签收", "areaCode": null, "areaName": null}]}}),
    );
    push.tracking_number = "V030344422".to_owned();
    let tables = expected(&[push]);
    let shipment = only(&tables);
    assert_eq!((&*shipment.carrier, &*shipment.tracking_number), ("ems", "V030344422"));
    assert_eq!((&*shipment.status, shipment.raw_code.as_deref()), ("DELIVERED", None));
    assert_eq!(shipment.delivered_at, Some(at("2016-05-24T14:00:00+08:00")));
    assert_eq!(shipment.event[2].segment, "DESTINATION");
    assert_eq!(shipment.event[2].context, "[01000]Final delivery Delivered to: ***");
    assert_eq!(shipment.event[0].context, "上海分拨中心/下车扫描");
    assert_eq!(shipment.event[0].area_code.as_deref(), Some("CN310000000000"));
    assert_eq!(
        (shipment.origin.as_deref(), shipment.dest.as_deref()),
        (Some("上海市"), Some("上海市"))
    );
    assert_eq!(shipment.flags, ["cross_border", "lane_inferred", "pickup_imputed"]);
    assert_eq!(
        changes(&tables),
        [
            "UNKNOWN>IN_TRANSIT/IN_TRANSIT - EXPECTED",
            "IN_TRANSIT>DELIVERED/UNSPECIFIED 117988638 TOLERATED"
        ]
    );
    assert_eq!(tables.push[0].carrier, "ems");
    assert_eq!(tables.push[0].items, 3);
}

#[test]
fn kuaidi100_map_sample() {
    let tables = expected(&[k100(
        "2025-06-16 11:00:00",
        json!({"lastResult": {"state": "1002", "isLoop": false, "arrivalTime": "2025-06-19 10",
            "data": [item_in("2025-06-16 10:41:33", "1002", "CN610626000000", "陕西,延安市,吴起县"),
                     item_in("2025-06-16 09:09:03", "1", "CN610626001000", "陕西,延安市,吴起县,吴起")],
            "routeInfo": {"from": {"number": "CN410300000000", "name": "河南,洛阳市"},
                          "to": {"number": "CN330700000000", "name": "浙江,金华市"}}}}),
    )]);
    let shipment = only(&tables);
    assert_eq!(
        named(&shipment.status, shipment.sub_status.as_deref()),
        "IN_TRANSIT/LINEHAUL"
    );
    assert_eq!(
        shipment.left_origin_at, None,
        "rule 10.5: no event in the origin city before the first elsewhere"
    );
    assert_eq!(shipment.arrived_dest_at, None);
    assert_eq!(shipment.edd_first, Some(china("2025-06-19 10:00:00")));
}

#[test]
fn kdniao_cross_border_sample() {
    let trace = |time: &str, action: &str, text: &str| json!({"AcceptStation": text, "AcceptTime": time, "Action": action, "Location": "", "Remark": "", "Timezone": "+02:00"});
    let mut push = kdn(
        "2024-06-27 21:07:05",
        Some("2024-06-27 21:07:00"),
        json!({"EBusinessID": "1000001", "Location": "", "LogisticCode": "6A37856075760", "ShipperCode": "COLISSIMO",
            "State": "3", "StateEx": "301", "Traces": [
                trace("2024-05-30 10:06:18", "301", "Your parcel has been delivered in your letter box."),
                trace("2024-05-30 07:36:42", "211", "Your parcel is at the delivery site that serves your address. We are preparing it for delivery."),
                trace("2024-05-29 13:00:05", "2", "Your parcel is transiting through our logistics platforms."),
                trace("2024-05-27 18:11:11", "1", "Your parcel will soon be handed over to us! It is being prepared by the sender.")]}),
    );
    push.tracking_number = "6A37856075760".to_owned();
    let tables = expected(&[push]);
    let shipment = only(&tables);
    assert_eq!(
        (&*shipment.vendor, &*shipment.carrier, &*shipment.epoch),
        ("kdniao", "colissimo", "2024-05-27")
    );
    assert_eq!(
        statuses(shipment),
        [
            "INFO_RECEIVED/ORDER_CREATED",
            "IN_TRANSIT/IN_TRANSIT",
            "IN_TRANSIT/ARRIVED_DELIVERY_DEPOT",
            "DELIVERED/RECIPIENT"
        ]
    );
    assert_eq!(shipment.created_at, Some(at("2024-05-27T16:11:11Z")));
    assert_eq!(shipment.picked_up_at, Some(at("2024-05-29T11:00:05Z")));
    assert_eq!(shipment.delivered_at, Some(at("2024-05-30T08:06:18Z")));
    assert_eq!(shipment.event[0].local_time, "2024-05-27 18:11:11");
    assert_eq!(
        (shipment.event[0].location.as_deref(), shipment.origin_code.as_deref()),
        (None, None)
    );
    assert_eq!(shipment.flags, ["cross_border", "pickup_imputed"]);
    assert_eq!(shipment.attempts, 1, "rule 10.4: an attempt without a round");
    assert_eq!(
        changes(&tables),
        [
            "UNKNOWN>INFO_RECEIVED/ORDER_CREATED - EXPECTED",
            "INFO_RECEIVED>IN_TRANSIT/IN_TRANSIT 154134 TOLERATED",
            "IN_TRANSIT>IN_TRANSIT/ARRIVED_DELIVERY_DEPOT 66997 EXPECTED",
            "IN_TRANSIT>DELIVERED/RECIPIENT 8976 TOLERATED",
        ]
    );
    assert_eq!((tables.push[0].tracking_status.as_str(), tables.push[0].items), ("", 4));
}

// ---- which pushes count ----------------------------------------------------------------------------------------------

#[test]
fn rule_5_4_duplicates_and_stale_pushes_leave_no_trace() {
    let old = item("2025-06-16 01:00:00", "1", "a");
    let new = item("2025-06-16 02:00:00", "0", "b");
    let first = k100_items("2025-06-16 03:00:00", &[new.clone(), old.clone()]);
    let duplicate = k100_items("2025-06-16 03:30:00", &[new.clone(), old.clone()]);
    let stale = k100_items("2025-06-16 04:00:00", &[old]);
    let tables = expected(&[first.clone(), duplicate, stale]);
    assert_eq!(versions(&tables), 1);
    assert_eq!(only(&tables).received_at, first.received_at.0);
    assert_eq!(tables.push.len(), 3, "rule 14.4");
}

#[test]
fn rule_5_4_the_accepted_content_is_a_duplicate_for_ever_and_the_others_for_six_hours() {
    let a = || item("2025-06-16 01:00:00", "0", "a");
    let b = || item("2025-06-16 02:00:00", "0", "b");
    let at = |time: &str, items: &[Value]| k100_items(&format!("2025-06-{time}"), items);
    // a, then a and b; the snapshot of a alone comes back within 6 h (duplicate), after 6 h (a rewrite), and again (equal to the accepted one).
    let told = [
        at("16 03:00:00", &[a()]),
        at("16 04:00:00", &[b(), a()]),
        at("16 09:00:00", &[a()]),
    ];
    assert_eq!(versions(&expected(&told)), 2);
    let told = [
        at("16 03:00:00", &[a()]),
        at("16 04:00:00", &[b(), a()]),
        at("16 10:00:01", &[a()]),
        at("26 10:00:00", &[a()]),
    ];
    assert_eq!(versions(&expected(&told)), 3);
    assert_eq!(only(&expected(&told)).event.len(), 1);
}

#[test]
fn rule_5_4_only_eight_accepted_pushes_are_remembered() {
    let push = |minute: usize| {
        let items: Vec<Value> = (0..=minute.min(9))
            .map(|index| item(&format!("2025-06-16 01:{index:02}:00"), "0", "x"))
            .rev()
            .collect();
        k100_items(&format!("2025-06-16 02:{minute:02}:00"), &items)
    };
    // Ten snapshots; the first one again, in other words: not remembered any more, but its newest item is older: stale.
    let mut told: Vec<PushEvent> = (0..10).map(push).collect();
    told.push(k100(
        "2025-06-16 03:00:00",
        json!({"status": "updateall", "lastResult": {"data": [item("2025-06-16 01:00:00", "0", "x")]}}),
    ));
    let tables = expected(&told);
    assert_eq!(versions(&tables), 11, "updateall is accepted though older");
    assert_eq!(only(&tables).event.len(), 1);
}

#[test]
fn rule_5_4_a_push_without_items_changes_the_tracking_state_only() {
    let told = [
        k100_items("2025-06-16 03:00:00", &[item("2025-06-16 01:00:00", "501", "a")]),
        k100(
            "2025-06-20 03:00:00",
            json!({"status": "abort", "message": "60天无变化", "lastResult": {"state": "3", "data": []}}),
        ),
    ];
    let shipment = only(&expected(&told)).clone();
    assert_eq!(
        (&*shipment.tracking_state, &*shipment.status),
        ("ABORTED_STALE", "AVAILABLE_FOR_PICKUP")
    );
    assert_eq!(shipment.event.len(), 1);
    assert_eq!(shipment.version, china("2025-06-20 03:00:00") * 1_000_000);
    assert_eq!(shipment.first_received_at, china("2025-06-16 03:00:00") * 1_000_000);
}

#[test]
fn rule_5_5_what_is_not_read_makes_no_new_content() {
    let push = |time: &str, extra: Value| {
        let mut payload = json!({"lastResult": {"data": [item("2025-06-16 01:00:00", "0", "a  b")]}});
        merge(&mut payload, extra);
        k100(time, payload)
    };
    let unread = json!({"message": "变化", "billstatus": "change", "lastResult": {"condition": "F00", "predictedRoute": [1], "data": [
        {"time": "x", "ftime": "2025/6/16 1:00", "statusCode": " 0 ", "context": " a\u{3000}b ", "new": 1, "areaName": null}]}});
    assert_eq!(
        versions(&expected(&[
            push("2025-06-16 03:00:00", json!({})),
            push("2025-06-16 04:00:00", unread)
        ])),
        1
    );
    for read in [
        json!({"status": "shutdown"}),
        json!({"lastResult": {"state": "3"}}),
        json!({"lastResult": {"ischeck": 1}}),
        json!({"lastResult": {"isLoop": true}}),
        json!({"lastResult": {"arrivalTime": "2025-06-17 10"}}),
        json!({"lastResult": {"routeInfo": {"to": {"name": "x"}}}}),
        json!({"lastResult": {"data": [{"ftime": "2025-06-16 01:00:00", "statusCode": "0", "context": "a b", "location": "x"}]}}),
    ] {
        assert_eq!(
            versions(&expected(&[
                push("2025-06-16 03:00:00", json!({})),
                push("2025-06-16 04:00:00", read)
            ])),
            2
        );
    }
}

#[test]
fn rule_5_7_push_times_decide_if_both_are_there() {
    let old = trace("2025-06-16 01:00:00", "1", "a");
    let new = trace("2025-06-16 02:00:00", "2", "b");
    let newest = json!({"Traces": [old.clone(), new]});
    let older = json!({"Traces": [old]});
    let told = |first: Option<&str>, second: Option<&str>| {
        let pushes = [
            kdn("2025-06-16 03:00:00", first, newest.clone()),
            kdn("2025-06-16 04:00:00", second, older.clone()),
        ];
        versions(&expected(&pushes))
    };
    assert_eq!(
        told(Some("2025-06-16 02:59:00"), Some("2025-06-16 02:58:59")),
        1,
        "older"
    );
    assert_eq!(
        told(Some("2025-06-16 02:59:00"), Some("2025-06-16 02:59:00")),
        2,
        "equal is not stale"
    );
    assert_eq!(told(None, Some("2025-06-16 03:59:00")), 1, "newest item");
    assert_eq!(told(Some("2025-06-16 02:59:00"), Some("soon")), 1, "newest item");
}

#[test]
fn rule_5_7_six_hours_inclusive_and_items_strictly() {
    let push =
        |time: &str, newest: &str| k100_items(time, &[item(newest, "0", "b"), item("2025-06-16 01:00:00", "0", "a")]);
    let first = push("2025-06-16 03:00:00", "2025-06-16 02:00:00");
    let told = |second: PushEvent| versions(&expected(&[first.clone(), second]));
    assert_eq!(told(push("2025-06-16 09:00:00", "2025-06-16 01:59:59")), 1);
    assert_eq!(told(push("2025-06-16 09:00:01", "2025-06-16 01:59:59")), 2);
    let rewritten = k100_items("2025-06-16 04:00:00", &[item("2025-06-16 02:00:00", "0", "other")]);
    assert_eq!(told(rewritten), 2, "as new as the newest: a rewrite");
}

#[test]
fn rule_5_6_pushes_without_items_are_never_older() {
    let told = [
        k100_items("2025-06-16 03:00:00", &[item("2025-06-16 01:00:00", "0", "a")]),
        k100("2025-06-16 04:00:00", json!({"lastResult": {"data": null}})),
        k100(
            "2025-06-16 05:00:00",
            json!({"status": "shutdown", "lastResult": {"data": null}}),
        ),
    ];
    let tables = expected(&told);
    assert_eq!(versions(&tables), 3);
    assert_eq!(
        (&*only(&tables).tracking_state, only(&tables).event.len()),
        ("ENDED", 1)
    );
}

#[test]
fn a_version_grows_even_if_the_clock_does_not() {
    let push = |text: &str| k100_items("2025-06-16 03:00:00", &[item("2025-06-16 01:00:00", "0", text)]);
    assert_eq!(
        only(&expected(&[push("a"), push("b"), push("c")])).version,
        china("2025-06-16 03:00:00") * 1_000_000 + 2
    );
}

// ---- epochs and carriers ---------------------------------------------------------------------------------------------

#[test]
fn rule_12_1_a_new_epoch_after_thirty_days_and_not_before() {
    let first = k100_items("2025-01-01 12:00:00", &[item("2025-01-01 07:00:00", "2", "a")]);
    let later = |time: &str| k100_items("2025-02-10 00:00:00", &[item(time, "1", "b")]);
    let tables = expected(&[first.clone(), later("2025-01-31 07:00:00")]);
    assert_eq!((tables.shipment.len(), &*only(&tables).epoch), (1, "2024-12-31"));
    let tables = expected(&[first.clone(), later("2025-01-31 07:00:01")]);
    assert_eq!(tables.shipment.len(), 2);
    assert_eq!(
        (&*tables.shipment[0].epoch, &*tables.shipment[1].epoch),
        ("2024-12-31", "2025-01-30")
    );
    assert_eq!(&*tables.shipment[0].status, "EXCEPTION", "the old one stays as it was");
    assert_eq!(tables.transition.len(), 2);
    let shared = k100_items(
        "2025-02-10 00:00:00",
        &[
            item("2025-02-05 00:00:00", "1", "b"),
            item("2025-01-01 07:00:00", "0", "a"),
        ],
    );
    assert_eq!(expected(&[first, shared]).shipment.len(), 1, "shares an event");
}

#[test]
fn rule_12_1_no_life_has_the_name_of_the_one_before_it() {
    let begun = || item("2025-06-12 08:00:00", "0", "a");
    let earlier = |code| item("2025-06-01 00:00:00", code, "b");
    let told = [
        k100_items("2025-06-12 09:00:00", &[begun()]),
        k100_items("2025-06-12 10:00:00", &[begun(), earlier("0")]),
        k100_items("2025-06-12 11:00:00", &[earlier("3")]),
        k100_items("2025-06-12 12:00:00", &[begun()]),
    ];
    let tables = expected(&told);
    assert_eq!(
        (&*only(&tables).epoch, &*only(&tables).status),
        ("2025-06-12", "IN_TRANSIT")
    );
    assert_eq!(tables.transition.len(), 1, "what was retracted is gone");
}

#[test]
fn rule_11_2_a_correction_marks_the_old_shipment() {
    let scan = || item("2025-06-16 01:00:00", "0", "a");
    let told = [
        k100_items("2025-06-16 03:00:00", &[scan()]),
        k100(
            "2025-06-16 04:00:00",
            json!({"status": "abort", "autoCheck": "0", "comOld": "yuantong", "comNew": "ems", "lastResult": {"data": [item("2025-06-16 02:00:00", "3", "ignored")]}}),
        ),
        k100_items("2025-06-16 05:00:00", &[item("2025-06-16 02:00:00", "5", "b"), scan()]),
        k100(
            "2025-06-16 06:00:00",
            json!({"comOld": "yuantong", "comNew": "ems", "lastResult": {"data": [scan()]}}),
        ),
    ];
    let tables = expected(&told);
    let states: Vec<(&str, &str, &str)> = tables
        .shipment
        .iter()
        .map(|row| (&*row.carrier, &*row.tracking_state, &*row.status))
        .collect();
    assert_eq!(
        states,
        [
            ("ems", "ACTIVE", "IN_TRANSIT"),
            ("yto", "CARRIER_CORRECTED", "OUT_FOR_DELIVERY")
        ]
    );
    assert_eq!(tables.push[1].carrier, "ems", "rule 14.4");
}

#[test]
fn rule_11_2_who_is_addressed() {
    let abort = |old: &str, new: &str, com: Value| {
        let payload = json!({"status": "abort", "comOld": old, "comNew": new, "lastResult": {"com": com}});
        let tables = expected(&[k100("2025-06-16 03:00:00", payload)]);
        tables
            .shipment
            .iter()
            .map(|row| format!("{} {}", row.carrier, row.tracking_state))
            .collect::<Vec<_>>()
    };
    assert_eq!(abort("", "ems", json!("yuantong")), ["yto CARRIER_CORRECTED"]);
    assert_eq!(abort("zhongtong", "ems", json!("yuantong")), ["zto CARRIER_CORRECTED"]);
    assert!(abort("ems", "EMS ", json!("yuantong")).is_empty(), "the same carrier");
    assert!(abort("", "ems", json!("")).is_empty(), "nobody");
    assert_eq!(abort("yuantong", "", json!("yunda")), ["yunda ABORTED_NO_RECORD"]);
}

#[test]
fn rule_11_1_tracking_states() {
    let kuaidi100 = |extra: Value| {
        only(&expected(&[k100("2025-06-16 03:00:00", extra)]))
            .tracking_state
            .clone()
    };
    assert_eq!(kuaidi100(json!({"status": " ShutDown "})), "ENDED");
    assert_eq!(
        kuaidi100(json!({"status": "abort", "message": "60天 无 变化时"})),
        "ABORTED_STALE"
    );
    assert_eq!(
        kuaidi100(json!({"status": "abort", "message": ""})),
        "ABORTED_NO_RECORD"
    );
    assert_eq!(kuaidi100(json!({"status": "updateall"})), "ACTIVE");
    assert_eq!(kuaidi100(json!({"status": "something"})), "ACTIVE");
    let kdniao = |extra: Value| {
        only(&expected(&[kdn("2025-06-16 03:00:00", None, extra)]))
            .tracking_state
            .clone()
    };
    assert_eq!(
        kdniao(json!({"Success": false, "Reason": "三天无轨迹"})),
        "ABORTED_NO_RECORD"
    );
    assert_eq!(
        kdniao(json!({"Success": "False", "Reason": "七天内无 轨迹变化"})),
        "ABORTED_STALE"
    );
    assert_eq!(kdniao(json!({"Success": false, "Reason": "", "State": "0"})), "ACTIVE");
    assert_eq!(kdniao(json!({"Success": null, "Reason": "三天无轨迹"})), "ACTIVE");
}

#[test]
fn rule_11_1_updateall_and_a_nameless_failure_leave_the_state() {
    let told = [
        k100(
            "2025-06-16 03:00:00",
            json!({"status": "shutdown", "lastResult": {"data": [item("2025-06-16 01:00:00", "3", "a")]}}),
        ),
        k100(
            "2025-06-16 04:00:00",
            json!({"status": "updateall", "lastResult": {"data": [item("2025-06-16 01:00:00", "3", "b")]}}),
        ),
    ];
    assert_eq!(only(&expected(&told)).tracking_state, "ENDED");
    let told = [
        kdn(
            "2025-06-16 03:00:00",
            None,
            json!({"Success": false, "Reason": "三天无轨迹"}),
        ),
        kdn("2025-06-17 03:00:00", None, json!({"Success": false, "Reason": "?"})),
    ];
    assert_eq!(only(&expected(&told)).tracking_state, "ABORTED_NO_RECORD");
}

#[test]
fn rule_3_1_and_rule_3_2_carriers() {
    let carrier = |com: Value| {
        only(&expected(&[k100(
            "2025-06-16 03:00:00",
            json!({"lastResult": {"com": com}}),
        )]))
        .carrier
        .clone()
    };
    assert_eq!(carrier(json!(" YuanTong ")), "yto");
    assert_eq!(carrier(json!("NoSuchExpress")), "nosuchexpress");
    assert_eq!(carrier(json!(null)), "unknown");
    let kdniao = |code: &str| {
        only(&expected(&[kdn(
            "2025-06-16 03:00:00",
            None,
            json!({"ShipperCode": code}),
        )]))
        .carrier
        .clone()
    };
    assert_eq!(kdniao("YD"), "yunda");
    assert_eq!(kdniao("yuantong"), "yuantong", "looked up per vendor");
}

#[test]
fn rule_3_5_payments_are_no_parcels() {
    let mut push = kdn(
        "2025-06-16 03:00:00",
        None,
        json!({"Traces": [trace("2025-06-16 01:00:00", "1", "a")]}),
    );
    push.request_type = Some("107".to_owned());
    let tables = expected(&[push]);
    assert_eq!((tables.push.len(), tables.shipment.len()), (1, 0));
}

#[test]
fn a_payload_that_cannot_be_read_makes_a_push_row_only() {
    for payload in ["", "{", "[]", "null", r#"{"status":"polling","lastResult":null}"#] {
        let mut push = k100("2025-06-16 03:00:00", json!({}));
        push.payload = payload.to_owned();
        let tables = expected(&[push]);
        assert_eq!((tables.push.len(), tables.records.len()), (1, 0), "{payload}");
        assert_eq!(tables.push[0].bytes as usize, payload.len());
    }
}

// ---- what an event says ----------------------------------------------------------------------------------------------

#[test]
fn rule_6_2_names_and_rule_6_1_nothing_inherited() {
    let status = |name: &str| {
        let named = json!({"ftime": "2025-06-16 01:00:00", "status": name, "statusCode": "", "context": "已签收"});
        let tables = expected(&[k100_items("2025-06-17 00:00:00", &[named])]);
        assert_eq!(only(&tables).event[0].raw_code, None);
        statuses(only(&tables)).remove(0)
    };
    assert_eq!(status(" 柜/站超时未取 "), "EXCEPTION/PICKUP_OVERDUE");
    assert_eq!(status("投柜或驿站签收"), "DELIVERED/LOCKER_OR_STATION");
    assert_eq!(status("拒签"), "EXCEPTION/REFUSED");
    assert_eq!(status("销单"), "EXCEPTION/CANCEL_REQUESTED");
    assert_eq!(status("转单"), "IN_TRANSIT/HANDED_TO_OTHER_CARRIER");
    assert_eq!(status("no name"), "DELIVERED/UNSPECIFIED", "the text decides");
    let tables = expected(&[k100_items(
        "2025-06-17 00:00:00",
        &[
            item("2025-06-16 02:00:00", "", MUTE),
            item("2025-06-16 01:00:00", "3", "y"),
        ],
    )]);
    assert_eq!(statuses(only(&tables)), ["DELIVERED/UNSPECIFIED", "UNKNOWN/-"]);
}

#[test]
fn rule_6_3_unknown_codes_fall_back() {
    assert_eq!(code_status("1004"), "IN_TRANSIT/IN_TRANSIT");
    assert_eq!(code_status("1104"), "UNKNOWN/-");
    assert_eq!(code_status("299"), "EXCEPTION/UNSPECIFIED");
    assert_eq!(code_status("999"), "UNKNOWN/-");
    assert_eq!(code_status("02"), "UNKNOWN/-");
    let tables = expected(&[k100_items(
        "2025-06-17 00:00:00",
        &[item("2025-06-16 01:00:00", "399", "x")],
    )]);
    assert_eq!(only(&tables).raw_code.as_deref(), Some("399"));
    assert!(only(&tables).flags.contains(&"unknown_code".to_owned()));
    let integer = json!({"ftime": "2025-06-16 01:00:00", "statusCode": 301, "context": ""});
    assert_eq!(
        statuses(only(&expected(&[k100_items("2025-06-17 00:00:00", &[integer])]))),
        ["DELIVERED/RECIPIENT"]
    );
}

#[test]
fn rule_4_7_and_rule_6_4_cross_border() {
    let parcel = |zone: Value, action: &str, text: &str| {
        let traces = json!([{"AcceptTime": "2025-06-16T01:00:00", "Action": action, "AcceptStation": text, "Timezone": zone},
                            trace("2025-06-16 00:00:00", "2", "x")]);
        let tables = expected(&[kdn("2025-06-17 00:00:00", None, json!({"Traces": traces}))]);
        let shipment = only(&tables).clone();
        let event = shipment
            .event
            .iter()
            .find(|event| event.local_time.ends_with("01:00:00"))
            .unwrap()
            .clone();
        (
            named(&event.status, event.sub_status.as_deref()),
            event.occurred_at,
            shipment.flags.contains(&"tz_assumed".to_owned()),
        )
    };
    let utc = at("2025-06-16T01:00:00Z");
    assert_eq!(
        parcel(json!("-05:00"), "1", "Label created"),
        ("INFO_RECEIVED/ORDER_CREATED".to_owned(), utc + 5 * 3600, true)
    );
    assert_eq!(
        parcel(json!("GMT+1"), "211", "in a LOCKER"),
        ("AVAILABLE_FOR_PICKUP/LOCKER_OR_STATION".to_owned(), utc - 3600, true)
    );
    assert_eq!(
        parcel(json!("+0530"), "211", "depot").0,
        "IN_TRANSIT/ARRIVED_DELIVERY_DEPOT"
    );
    assert_eq!(parcel(json!("+0530"), "211", "depot").1, utc - 5 * 3600 - 1800);
    assert_eq!(parcel(json!("Z"), "1", "picked").1, utc);
    // Domestic: no guards, China time; a flag for a zone that cannot be read (rule 4.5).
    assert_eq!(
        parcel(json!("Paris"), "1", "Label created"),
        ("PICKED_UP/PICKED_UP".to_owned(), utc - 8 * 3600, true)
    );
    assert_eq!(
        parcel(json!(null), "211", "depot").0,
        "AVAILABLE_FOR_PICKUP/LOCKER_OR_STATION"
    );
}

#[test]
fn rule_6_6_code_14_is_a_return_only_at_the_end() {
    let told = |items: &[Value], extra: Value| {
        let mut payload = json!({"lastResult": {"data": items}});
        merge(&mut payload, extra);
        let tables = expected(&[k100("2025-06-17 00:00:00", payload)]);
        (
            statuses(only(&tables)),
            only(&tables).leg.clone(),
            only(&tables).exception_codes.clone(),
        )
    };
    let refused = item("2025-06-16 01:00:00", "14", "a");
    let last = || vec!["14".to_owned()];
    assert_eq!(
        told(std::slice::from_ref(&refused), json!({})),
        (vec!["EXCEPTION/REFUSED".to_owned()], "FORWARD".to_owned(), last())
    );
    for over in [
        json!({"status": "shutdown"}),
        json!({"lastResult": {"ischeck": "1"}}),
        json!({"lastResult": {"ischeck": true}}),
    ] {
        let (statuses, leg, codes) = told(std::slice::from_ref(&refused), over);
        assert_eq!(
            (statuses, leg, codes),
            (vec!["RETURNED/REFUSED".to_owned()], "RETURN".to_owned(), last())
        );
    }
    let delivered = item("2025-06-16 02:00:00", "3", "b");
    assert_eq!(
        told(&[delivered, refused], json!({"status": "shutdown"})).0,
        ["EXCEPTION/REFUSED", "DELIVERED/UNSPECIFIED"]
    );
}

#[test]
fn rule_6_6_kdniao_404_is_a_refusal_and_a_return() {
    let traces = json!([
        trace("2025-06-16 01:00:00", "202", "a"),
        trace("2025-06-16 02:00:00", "404", "b"),
        trace("2025-06-16 03:00:00", "3", "c")
    ]);
    let tables = expected(&[kdn("2025-06-17 00:00:00", None, json!({"Traces": traces}))]);
    let shipment = only(&tables);
    assert_eq!(
        statuses(shipment),
        [
            "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY",
            "RETURNING/REFUSED",
            "RETURNED/RETURN_SIGNED"
        ]
    );
    assert_eq!(
        shipment.first_attempt_at,
        Some(china("2025-06-16 02:00:00")),
        "rule 10.3"
    );
    assert_eq!(
        (shipment.delivered_at, shipment.returned_at),
        (None, Some(china("2025-06-16 03:00:00")))
    );
    assert_eq!(
        (shipment.exception_codes.join(","), shipment.exception_reasons.join(",")),
        ("404".to_owned(), "REFUSED".to_owned())
    );
    assert_eq!(shipment.flags, ["return_signed"]);
    let parties: Vec<_> = tables
        .transition
        .iter()
        .map(|row| row.party.as_deref().unwrap_or("-"))
        .collect();
    assert_eq!(parties, ["-", "consignee", "-"]);
    assert_eq!(
        changes(&tables)[1..],
        [
            "OUT_FOR_DELIVERY>RETURNING/REFUSED 3600 TOLERATED",
            "RETURNING>RETURNED/RETURN_SIGNED 3600 ANOMALY"
        ]
    );
}

#[test]
fn rule_8_1_the_leg_never_turns_back() {
    let tables = chain(&["1", "6", "0", "5", "3"]);
    let legs: Vec<_> = tables.transition.iter().map(|row| &*row.leg).collect();
    assert_eq!(legs, ["FORWARD", "RETURN", "RETURN", "RETURN", "RETURN"]);
    let shipment = only(&tables);
    assert_eq!(
        (&*shipment.status, shipment.raw_code.as_deref()),
        ("RETURNED", Some("3"))
    );
    assert_eq!(
        (shipment.delivered_at, shipment.out_for_delivery_at, shipment.attempts),
        (None, None, 0)
    );
    assert_eq!(
        chain(&["5", "203", "3"]).shipment[0].leg,
        "FORWARD",
        "a refusal is no return"
    );
}

// ---- order and identity ----------------------------------------------------------------------------------------------

#[test]
fn rule_7_1_lists_are_ordered_by_their_own_direction() {
    let texts = |items: Value| {
        let tables = expected(&[k100("2025-06-17 00:00:00", json!({"lastResult": {"data": items}}))]);
        only(&tables)
            .event
            .iter()
            .map(|event| event.context.clone())
            .collect::<String>()
    };
    let one = |text: &str| item("2025-06-16 01:00:00", "0", text);
    let two = |text: &str| item("2025-06-16 02:00:00", "0", text);
    assert_eq!(texts(json!([two("c"), one("b"), one("a")])), "abc", "descending");
    assert_eq!(texts(json!([one("a"), one("b"), two("c")])), "abc", "ascending");
    assert_eq!(texts(json!([one("b"), one("a")])), "ab", "equal ends are descending");
    assert_eq!(
        texts(json!([one("b"), two("c"), one("a")])),
        "abc",
        "equal ends are descending"
    );
    let delivered = item("2025-06-16 01:00:00", "3", "z");
    assert_eq!(texts(json!([one("b"), delivered, one("a")])), "abz", "rule 7.2");
    let bad = item("never", "0", "bad");
    assert_eq!(
        texts(json!([bad.clone(), one("a"), one("b"), two("c"), bad])),
        "abc",
        "the first and the last usable item"
    );
}

#[test]
fn rule_4_8_two_segments_in_one_list() {
    let told = |com: &str| {
        let payload = json!({
            "lastResult": {"state": "0", "data": [item("2025-06-16 09:00:00", "0", "o2"), item("2025-06-16 08:00:00", "0", "o1")]},
            "destResult": {"com": com, "state": "3", "data": [item("2025-06-16 09:00:00", "", MUTE)]}});
        only(&expected(&[k100("2025-06-17 00:00:00", payload)])).clone()
    };
    let texts = |shipment: &ShipmentRow| {
        shipment
            .event
            .iter()
            .map(|event| event.context.replace(MUTE, "d1"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let tokyo = told("JapanPosten");
    assert_eq!(
        texts(&tokyo),
        "d1 o1 o2",
        "09:00 in Tokyo is 08:00 in China, and UNKNOWN ranks lowest"
    );
    assert!(!tokyo.flags.contains(&"tz_assumed".to_owned()));
    let assumed = told("nosuchpost");
    assert_eq!(texts(&assumed), "o1 d1 o2");
    assert!(assumed.flags.contains(&"tz_assumed".to_owned()));
    assert_eq!(assumed.event[1].segment, "DESTINATION");
}

#[test]
fn rule_7_5_identical_rows_are_separate_events() {
    let twin = || item("2025-06-16 01:00:00", "0", "x");
    let tables = expected(&[k100_items("2025-06-17 00:00:00", &[twin(), twin()])]);
    let ids: Vec<&str> = only(&tables).event.iter().map(|event| &*event.id).collect();
    assert_eq!(
        ids,
        ["ORIGIN|2025-06-16 01:00:00|x|0", "ORIGIN|2025-06-16 01:00:00|x|1"]
    );
}

#[test]
fn rule_4_4_times() {
    let event = |ftime: Value, time: Value| {
        let items = [
            json!({"ftime": ftime, "time": time, "statusCode": "0", "context": "a"}),
            item("2025-06-16 00:00:00", "0", "b"),
        ];
        let tables = expected(&[k100_items("2026-08-10 00:00:00", &items)]);
        only(&tables).event.get(1).map(|event| event.local_time.clone())
    };
    let time = Some("2026-08-09 07:05:00".to_owned());
    for text in [
        "2026/8/9 7:05",
        "2026-08-09 07:05:00",
        " 2026-8-09T7:05:00.123 ",
        "2026-08-09   07:05",
    ] {
        assert_eq!(event(json!(text), json!(null)), time, "{text}");
    }
    assert_eq!(event(json!("soon"), json!("2026/8/9 7:05")), time);
    assert_eq!(event(json!(null), json!("2026/8/9 7:05")), time);
    for text in [
        "2026-02-30 07:05",
        "26-08-09 07:05",
        "2026-08-09",
        "2026-08-09 24:00",
        "2026-08-09 07:05 PM",
        "0001-01-01 00:00:00",
        "1999-12-31 23:59:59",
        "2100-01-01 00:00:00",
    ] {
        assert_eq!(event(json!(text), json!(text)), None, "{text}");
    }
}

#[test]
fn rule_4_6_bad_and_future_times() {
    let told = [k100_items(
        "2025-06-16 03:00:00",
        &[
            item("2025-06-16 03:10:01", "3", "future"),
            item("2025-06-16 03:10:00", "5", "now"),
            item("0001-01-01 00:00:00", "1", "bad"),
            item("2025-06-16 01:00:00", "1", "a"),
        ],
    )];
    let tables = expected(&told);
    let shipment = only(&tables);
    assert_eq!(
        (&*shipment.status, shipment.event.len(), tables.push[0].items),
        ("DELIVERED", 3, 4)
    );
    assert_eq!(
        (shipment.delivered_at, shipment.last_event_at),
        (None, Some(china("2025-06-16 03:10:00")))
    );
    assert_eq!(shipment.flags, ["bad_time", "future_time"]);
    assert_eq!(tables.transition.len(), 3);
}

#[test]
fn rewrites_retract_and_observe() {
    let items = |second: Value| {
        [
            item("2025-06-16 03:00:00", "5", "c"),
            second,
            item("2025-06-16 01:00:00", "1", "a"),
        ]
    };
    let told = [
        k100_items("2025-06-16 04:00:00", &items(item("2025-06-16 02:00:00", "0", "b"))),
        k100_items(
            "2025-06-16 05:00:00",
            &items(item("2025-06-16 02:00:00", "0", "edited")),
        ),
    ];
    let tables = expected(&told);
    assert_eq!(
        ops(&tables),
        [
            "OBSERVED PICKED_UP",
            "OBSERVED IN_TRANSIT",
            "OBSERVED OUT_FOR_DELIVERY",
            "RETRACTED IN_TRANSIT",
            "OBSERVED IN_TRANSIT"
        ]
    );
    assert_eq!(tables.transition.len(), 3);
    let untouched = &tables.transition[0];
    assert_eq!(untouched.version, china("2025-06-16 04:00:00") * 1_000_000);
}

#[test]
fn a_moved_event_is_retracted_at_its_old_time_and_observed_at_its_new_one() {
    let parcel = |zone: Value| json!({"Traces": [{"AcceptTime": "2025-06-16 01:00:00", "Action": "2", "AcceptStation": "a", "Timezone": zone}]});
    let told = [
        kdn("2025-06-16 12:00:00", None, parcel(json!(null))),
        kdn("2025-06-16 13:00:00", None, parcel(json!("+02:00"))),
    ];
    let tables = expected(&told);
    assert_eq!(
        ops(&tables),
        ["OBSERVED IN_TRANSIT", "RETRACTED IN_TRANSIT", "OBSERVED IN_TRANSIT"]
    );
    assert_eq!(tables.transition.len(), 1);
    assert_eq!(tables.transition[0].occurred_at, at("2025-06-16T01:00:00+02:00"));
}

// ---- status and transitions ------------------------------------------------------------------------------------------

#[test]
fn rule_8_2_status_of_the_shipment() {
    let status = |newest: Value| {
        let tables = expected(&[k100_items(
            "2025-06-17 00:00:00",
            &[newest, item("2025-06-16 01:00:00", "5", "a")],
        )]);
        let shipment = only(&tables);
        format!(
            "{} {}",
            named(&shipment.status, shipment.sub_status.as_deref()),
            shipment.raw_code.as_deref().unwrap_or("-")
        )
    };
    assert_eq!(
        status(item("2025-06-16 02:00:00", "0", "")),
        "IN_TRANSIT/IN_TRANSIT 0",
        "the newest event"
    );
    assert_eq!(
        status(item("2025-06-16 02:00:00", "", MUTE)),
        "OUT_FOR_DELIVERY/OUT_FOR_DELIVERY 5",
        "the last known event"
    );
    let lonely = json!({"lastResult": {"state": "3", "data": []}});
    let tables = expected(&[k100("2025-06-17 00:00:00", lonely)]);
    assert_eq!(
        (&*only(&tables).status, &only(&tables).raw_code),
        ("UNKNOWN", &None),
        "a parcel without events"
    );
}

#[test]
fn rule_9_1_unknown_events_neither_cause_nor_interrupt() {
    assert_eq!(
        changes(&chain(&["0", "", "0", "5", "5"])),
        [
            "UNKNOWN>IN_TRANSIT/IN_TRANSIT - EXPECTED",
            "IN_TRANSIT>OUT_FOR_DELIVERY/OUT_FOR_DELIVERY 10800 EXPECTED"
        ]
    );
}

#[test]
fn rule_9_5_verdicts() {
    for (codes, verdicts) in [
        ("102 1 0 8 13 5 501 205 5 3", "E E E E E E E E E E"),
        ("102 3", "E A"),
        ("102 0", "E T"),
        ("1 101", "E A"),
        ("1 401 1 2", "E E T T"),
        ("0 401 0", "E A A"),
        ("0 501 3 6 4", "E T E T E"),
        ("5 0", "E A"),
        ("204 5 0", "E E T"),
        ("501 0", "E A"),
        ("501 204 205 302", "E T T E"),
        ("204 301", "E T"),
        ("6 0 5", "E T E"),
        ("3 301 2", "E E A"),
        ("4 6", "E A"),
        ("8 4", "E T"),
    ] {
        let codes: Vec<&str> = codes.split(' ').collect();
        let letters: Vec<&str> = chain(&codes)
            .transition
            .iter()
            .map(|row| &row.verdict[..1])
            .collect::<Vec<_>>()
            .into_iter()
            .map(|letter| match letter {
                "E" => "E",
                "T" => "T",
                _ => "A",
            })
            .collect();
        assert_eq!(letters.join(" "), verdicts, "{codes:?}");
    }
}

#[test]
fn rule_9_5_a_return_long_after_delivery_is_an_anomaly() {
    let told = |returned: &str| {
        let items = [item(returned, "6", "b"), item("2025-06-01 00:00:00", "3", "a")];
        expected(&[k100_items("2025-08-01 00:00:00", &items)]).transition[1]
            .verdict
            .clone()
    };
    assert_eq!(told("2025-07-01 00:00:00"), "TOLERATED");
    assert_eq!(told("2025-07-01 00:00:01"), "ANOMALY");
}

// ---- figures ---------------------------------------------------------------------------------------------------------

#[test]
fn rule_10_4_attempts() {
    assert_eq!(only(&chain(&["5", "5"])).attempts, 1, "the same round");
    assert_eq!(only(&chain(&["5", "204", "5"])).attempts, 2);
    assert_eq!(only(&chain(&["5", "501", "5", "3"])).attempts, 2);
    assert_eq!(only(&chain(&["204", "5"])).attempts, 1);
    assert_eq!(only(&chain(&["0", "3"])).attempts, 1, "an attempt without a round");
    assert_eq!(only(&chain(&["0"])).attempts, 0);
    let rounds = |second: &str| {
        let items = [item(second, "5", "b"), item("2025-06-16 01:00:00", "5", "a")];
        only(&expected(&[k100_items("2025-06-20 00:00:00", &items)])).attempts
    };
    assert_eq!((rounds("2025-06-17 00:59:59"), rounds("2025-06-17 01:00:00")), (1, 2));
}

#[test]
fn rule_10_5_cities() {
    use super::milestones::city;
    assert_eq!(city("CN440306025000").as_deref(), Some("CN4403"));
    assert_eq!(city("CN440000000000"), None, "a province");
    assert_eq!(city("CN310000000000"), city("CN310115000000"));
    assert_eq!(city("CN500000000000").as_deref(), Some("CN50"));
}

#[test]
fn rule_10_5_lane_from_the_route_and_from_events() {
    let data = json!([
        item_in("2025-06-16 07:00:00", "3", "CN430102000000", "长沙"),
        item_in("2025-06-16 06:00:00", "0", "430100000000", "长沙市"),
        item_in("2025-06-16 05:00:00", "0", "CN430000000000", "湖南"),
        item_in("2025-06-16 03:00:00", "0", "CN441900121000", "虎门"),
        item_in("2025-06-16 02:00:00", "0", "", ""),
        item_in("2025-06-16 01:00:00", "1", "CN441900119000", "长安"),
    ]);
    let told = |route: Value| {
        only(&expected(&[k100(
            "2025-06-17 00:00:00",
            json!({"lastResult": {"data": data, "routeInfo": route}}),
        )]))
        .clone()
    };
    let inferred = told(json!({"from": null, "to": null}));
    assert_eq!(
        (inferred.origin_code.as_deref(), inferred.origin.as_deref()),
        (Some("CN441900119000"), Some("长安"))
    );
    assert_eq!(
        (inferred.dest_code.as_deref(), inferred.dest.as_deref()),
        (Some("CN430102000000"), Some("长沙"))
    );
    assert_eq!(
        inferred.left_origin_at,
        Some(china("2025-06-16 03:00:00")),
        "Hunan is no city"
    );
    assert_eq!(inferred.arrived_dest_at, Some(china("2025-06-16 06:00:00")));
    assert_eq!(inferred.flags, ["lane_inferred"]);
    let routed = told(
        json!({"from": {"number": "CN441900000000", "name": "东莞"}, "to": {"number": "430100000000", "name": "长沙市"}}),
    );
    assert_eq!(
        (routed.dest_code.as_deref(), routed.dest.as_deref()),
        (Some("CN430100000000"), Some("长沙市"))
    );
    assert_eq!(routed.arrived_dest_at, inferred.arrived_dest_at);
    assert!(routed.flags.is_empty());
}

#[test]
fn rule_10_5_the_route_keeps_its_last_non_empty_values() {
    let push = |time: &str, text: &str, route: Value| {
        k100(
            time,
            json!({"lastResult": {"data": [item("2025-06-16 01:00:00", "0", text)], "routeInfo": route}}),
        )
    };
    let told = [
        push(
            "2025-06-16 02:00:00",
            "a",
            json!({"from": {"number": "CN441900000000", "name": "东莞"}, "to": {"number": "CN430100000000", "name": "长沙"}}),
        ),
        push(
            "2025-06-16 03:00:00",
            "b",
            json!({"from": {"number": "", "name": "东莞市"}, "to": null}),
        ),
    ];
    let shipment = only(&expected(&told)).clone();
    assert_eq!(
        (shipment.origin_code.as_deref(), shipment.origin.as_deref()),
        (Some("CN441900000000"), Some("东莞市"))
    );
    assert_eq!(
        (shipment.dest_code.as_deref(), shipment.dest.as_deref()),
        (Some("CN430100000000"), Some("长沙"))
    );
}

#[test]
fn rule_10_2_revoked_sign_offs() {
    let delivered = |codes: &[&str]| {
        let tables = chain(codes);
        let shipment = only(&tables);
        let hour = shipment
            .delivered_at
            .map(|time| (time - china("2025-06-16 00:00:00")) / 3600);
        (
            hour,
            shipment
                .flags
                .iter()
                .filter(|flag| flag.starts_with("delivery") || flag.starts_with("post"))
                .cloned()
                .collect::<Vec<_>>()
                .join(" "),
        )
    };
    assert_eq!(delivered(&["1", "3"]), (Some(1), String::new()));
    assert_eq!(delivered(&["1", "3", "5"]), (Some(1), "post_terminal_scan".to_owned()));
    assert_eq!(
        delivered(&["1", "3", "5", "3"]),
        (Some(3), "delivery_revoked post_terminal_scan".to_owned())
    );
    assert_eq!(
        delivered(&["1", "3", "0", "3"]),
        (Some(1), "post_terminal_scan".to_owned())
    );
    assert_eq!(
        delivered(&["1", "3", "6", "5", "3"]),
        (Some(1), String::new()),
        "the second sign-off is the sender's"
    );
}

#[test]
fn rule_10_1_milestones() {
    let tables = chain(&["101", "0", "501", "6", "401", "4"]);
    let shipment = only(&tables);
    let hour = |time: Option<i64>| time.map(|time| (time - china("2025-06-16 00:00:00")) / 3600);
    assert_eq!(
        (hour(shipment.created_at), hour(shipment.picked_up_at)),
        (Some(0), Some(1))
    );
    assert_eq!(
        (hour(shipment.available_at), hour(shipment.returning_at)),
        (Some(2), Some(3))
    );
    assert_eq!(
        (hour(shipment.cancelled_at), hour(shipment.returned_at)),
        (Some(4), Some(5))
    );
    assert_eq!(shipment.flags, ["pickup_imputed", "post_terminal_scan"]);
}

#[test]
fn rule_10_3_first_attempt() {
    let first = |codes: &[&str]| {
        only(&chain(codes))
            .first_attempt_at
            .map(|time| (time - china("2025-06-16 00:00:00")) / 3600)
    };
    assert_eq!(
        first(&["204", "5", "3"]),
        Some(2),
        "a failure before any round does not count"
    );
    assert_eq!(first(&["5", "204", "3"]), Some(1));
    assert_eq!(first(&["5", "209", "501", "3"]), Some(2), "damage is no attempt");
    assert_eq!(first(&["5", "6", "204"]), None, "on the way back");
    assert_eq!(first(&["5", "3", "5", "3"]), Some(1), "also if later revoked");
}

#[test]
fn rule_10_6_exceptions() {
    let tables = chain(&["204", "2", "204", "203", "6", "209"]);
    let shipment = only(&tables);
    assert_eq!(shipment.exception_codes, ["204", "2", "203", "209"]);
    assert_eq!(
        shipment.exception_reasons,
        ["DELIVERY_FAILED", "UNSPECIFIED", "REFUSED", "DAMAGED"]
    );
}

#[test]
fn rule_4_11_estimates() {
    let edd = |text: &str| {
        let payload = json!({"Traces": [trace("2025-06-16 01:00:00", "2", "a")], "EstimatedDeliveryTime": text});
        only(&expected(&[kdn("2025-06-17 00:00:00", None, payload)])).edd_first
    };
    assert_eq!(edd("2025-06-17"), Some(china("2025-06-17 23:59:59")));
    assert_eq!(edd("2025-06-17 10"), Some(china("2025-06-17 10:00:00")));
    assert_eq!(edd("2025/6/17 10:30"), Some(china("2025-06-17 10:30:00")));
    assert_eq!(edd("tomorrow"), None);
    let push = |time: &str, edd: &str| {
        k100(
            time,
            json!({"lastResult": {"data": [item("2025-06-16 01:00:00", "0", edd)], "arrivalTime": edd}}),
        )
    };
    let told = [
        push("2025-06-16 02:00:00", "2025-06-17 10"),
        push("2025-06-16 03:00:00", "2025-06-18 10"),
        push("2025-06-16 04:00:00", ""),
    ];
    let shipment = only(&expected(&told)).clone();
    assert_eq!(
        (shipment.edd_first, shipment.edd_last),
        (Some(china("2025-06-17 10:00:00")), Some(china("2025-06-18 10:00:00")))
    );
}

// ---- texts -----------------------------------------------------------------------------------------------------------

#[test]
fn rule_13_1_masking() {
    for (text, masked) in [
        ("电话13800138000。", "电话138******00。"),
        ("虚拟号13800138000-1234", "虚拟号138********-**34"),
        ("A13800138000", "A13800138000"),
        ("138001380001", "138001380001"),
        ("座机0571-88889999", "座机057*-******99"),
        ("客服95311、4008111111", "客服95311、4008111111"),
        ("快递员：张三丰 已揽收", "快递员：*** 已揽收"),
        ("派件员【阿·里木】", "派件员【***】"),
        ("SIGNED BY: John Smith.", "SIGNED BY: ***."),
        ("Signed for by : Ann", "Signed for by : ***"),
        ("快递员张三13800138000派送", "快递员***138******00派送"),
        ("业务员 李小龙，电话：13800138000", "业务员 ***，电话：138******00"),
        ("快递员张三正在派送", "快递员***正在派送"),
        ("快递员正在派送", "快递员正在派送"),
        ("签收人：本人", "签收人：本人"),
        ("取件码：12-3-4567，请取", "取件码：****，请取"),
        ("取货码为 8888 存入", "取货码为 **** 存入"),
        ("提货码A1", "提货码****"),
        ("请凭取件码领取", "请凭取件码领取"),
        ("任务分配给周建永", "任务分配给***"),
        ("任务分配给网点工作人员处理", "任务分配给网点工作人员处理"),
        ("分配给 Li Lei", "分配给 ***"),
    ] {
        assert_eq!(context(text), masked, "{text}");
    }
}

#[test]
fn rule_4_9_white_space_is_folded() {
    assert_eq!(context(" a\u{3000}\u{a0}b\n\tc "), "a b c");
}

#[test]
fn rule_4_1_odd_elements() {
    let tables = expected(&[k100(
        "2025-06-17 00:00:00",
        json!({"lastResult": {"data": [1, null, "x", {"ftime": "2025-06-16 00:00:00", "context": null}]}}),
    )]);
    let EventRow { context, status, .. } = &only(&tables).event[0];
    assert_eq!((&**context, &**status, tables.push[0].items), ("", "UNKNOWN", 4));
}

// ---- the comparison --------------------------------------------------------------------------------------------------

#[test]
fn the_comparison_ignores_the_value_of_ids_but_not_their_structure() {
    let told = [
        k100_items(
            "2025-06-16 04:00:00",
            &[
                item("2025-06-16 02:00:00", "0", "b"),
                item("2025-06-16 01:00:00", "1", "a"),
            ],
        ),
        k100_items(
            "2025-06-16 05:00:00",
            &[
                item("2025-06-16 02:00:00", "0", "c"),
                item("2025-06-16 01:00:00", "1", "a"),
            ],
        ),
    ];
    let expected = expected(&told);
    let renamed = |name: &dyn Fn(&str) -> String| {
        let records = expected
            .records
            .iter()
            .cloned()
            .map(|record| match record {
                ExpectedRecord::Shipment(mut row) => {
                    row.event.iter_mut().for_each(|event| event.id = name(&event.id));
                    ExpectedRecord::Shipment(row)
                }
                ExpectedRecord::Retired(row) => ExpectedRecord::Retired(row),
                ExpectedRecord::Transition(op, mut row) => {
                    row.transition_id = name(&row.transition_id);
                    ExpectedRecord::Transition(op, row)
                }
            })
            .collect();
        Expected::from_log(expected.push.clone(), records)
    };
    let other = renamed(&|id| format!("hash of {id}"));
    assert_eq!(differences(&expected, &other), []);
    assert_eq!(record_differences(&expected.records, &other.records), []);
    // An id without the text: two events of different texts become one.
    let merged = renamed(&|id| id.replace("|c|", "|b|"));
    let found = record_differences(&expected.records, &merged.records);
    assert!(
        found.iter().any(|difference| difference.column.ends_with("id")),
        "{found:#?}"
    );
}

#[test]
fn the_comparison_names_table_key_and_column() {
    let expected = expected(&[k100_items(
        "2025-06-16 04:00:00",
        &[item("2025-06-16 01:00:00", "1", "a")],
    )]);
    let mut actual = expected.clone();
    actual.shipment[0].picked_up_at = None;
    actual.shipment[0].sub_status = Some(String::new());
    actual.transition.clear();
    let texts: Vec<String> = differences(&expected, &actual)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(texts.len(), 3, "{texts:#?}");
    assert_eq!(
        texts[0],
        format!(
            "shipment [kuaidi100 yto {NUMBER} 2025-06-15] picked_up_at: expected {}, actual null",
            china("2025-06-16 01:00:00")
        )
    );
    assert!(
        texts[2].contains("transition") && texts[2].contains("row"),
        "{texts:#?}"
    );
}
