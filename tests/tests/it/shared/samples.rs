//! The samples of the vendors' own documents, with the expected results, worked out by hand for each value.

#![allow(clippy::unnecessary_wraps, reason = "as the columns of the rows have it")]

use courierflow_schemas::records::{Signature, Vendor};
use courierflow_tests::oracle::{PushRow, ShipmentRow, TransitionRow};
use courierflow_tests::simulator::vendors::{kdniao, kuaidi100};
use serde_json::{Value, json};

use crate::harness::post::{self, APP_KEY, SALT, assert_success};
use crate::harness::{Shared, eventually, shared, tables, topics};

/// `param` of the marketplace document (kuaidi100-subscribe-and-push, 2.3), without the predicted route.
const MARKETPLACE: &str = r#"{"status":"polling","billstatus":"got","message":"寄件","lastResult":{"message":"ok","nu":"735587678765","ischeck":"0","com":"zhongtong","status":"200","data":[
{"time":"2025-06-16 07:34:28","context":"【东莞市】 快件已发往 长沙转运中心（物流问题无需找商家或平台，请联系专属电话 95311为您解决）","ftime":"2025-06-16 07:34:28","areaCode":"CN441900121000","areaName":"广东,东莞市,虎门镇","status":"在途","location":"广东省 东莞市 虎门转运中心","areaCenter":"113.672552,22.814835","areaPinYin":"hu men zhen","statusCode":"0"},
{"time":"2025-06-16 06:45:58","context":"【东莞市】 快件已到达 虎门转运中心（物流问题无需找商家或平台，请联系专属电话 95311为您解决）","ftime":"2025-06-16 06:45:58","areaCode":"CN441900121000","areaName":"广东,东莞市,虎门镇","status":"在途","location":"广东省 东莞市 虎门转运中心","areaCenter":"113.672552,22.814835","areaPinYin":"hu men zhen","statusCode":"0"},
{"time":"2025-06-16 01:22:09","context":"【东莞市】 快件已发往 东莞转运中心（物流问题无需找商家或平台，请联系专属电话 0769-81846477、0769-81846479为您解决）","ftime":"2025-06-16 01:22:09","areaCode":"CN441900003000","areaName":"广东,东莞市,东城街道","status":"在途","location":"广东省 东莞市 东莞长安","areaCenter":"113.783327,23.028053","areaPinYin":"dong cheng jie dao","statusCode":"0"},
{"time":"2025-06-15 20:37:18","context":"【东莞市】 快件已由 东莞长安揽收（物流问题无需找商家或平台，请联系专属电话 0769-81846477、0769-81846479为您解决）","ftime":"2025-06-15 20:37:18","areaCode":"CN441900119000","areaName":"广东,东莞市,长安镇","status":"揽收","location":"广东省 东莞市 东莞长安","areaCenter":"113.802491,22.815256","areaPinYin":"chang an zhen","statusCode":"1"}],
"state":"0","condition":"00","routeInfo":{"from":{"number":"CN441900119000","name":"广东,东莞市,长安镇"},"cur":{"number":"CN441900121000","name":"广东,东莞市,虎门镇"},"to":{"number":"CN430102016000","name":"湖南,长沙市,芙蓉区,马坡岭"}},"isLoop":false,"arrivalTime":"2025-06-17 10","totalTime":"1天 13小时","remainTime":"0天 21小时","predictedRoute":[]}}"#;

/// `param` of the map-track document (kuaidi100-map-track-push, 3), without the predicted route.
const MAP_TRACK: &str = r#"{"status":"polling","billstatus":"got","message":"寄件","lastResult":{"message":"ok","nu":"YT2556786544444545","ischeck":"0","com":"yuantong","status":"200","data":[
{"time":"2025-06-16 10:41:33","context":"您的快件离开【陕西省延安市吴起县】，已发往【西安转运中心】","ftime":"2025-06-16 10:41:33","areaCode":"CN610626000000","areaName":"陕西,延安市,吴起县","status":"干线","location":"延安市,吴起县","areaCenter":"108.175933,36.927216","areaPinYin":"wu qi xian","statusCode":"1002"},
{"time":"2025-06-16 09:09:03","context":"您的快件在【陕西省延安市吴起县】已揽收","ftime":"2025-06-16 09:09:03","areaCode":"CN610626001000","areaName":"陕西,延安市,吴起县,吴起","status":"揽收","location":"延安市,吴起县","areaCenter":"108.175933,36.927216","areaPinYin":"wu qi jie dao","statusCode":"1"}],
"state":"1002","condition":"00","routeInfo":{"from":{"number":"CN410300000000","name":"河南,洛阳市"},"cur":{"number":"CN610626000000","name":"陕西,延安市,吴起县"},"to":{"number":"CN330700000000","name":"浙江,金华市"}},"isLoop":false,"trailUrl":"https://trail.example.com/tools/map/bc80574d538262aecc897a469151f0e3","arrivalTime":"2025-06-19 10","totalTime":"3 天 0 小时","remainTime":"2 天 20 小时"}}"#;

/// `param` of the enterprise document (kuaidi100-enterprise-subscribe-and-push, 2.4): corrected carrier, two countries.
const ENTERPRISE: &str = r#"{"status":"polling","billstatus":"got","message":"","autoCheck":"1","comOld":"yuantong","comNew":"ems","lastResult":{"message":"ok","state":"0","status":"200","condition":"F00","ischeck":"0","com":"yuantong","nu":"V030344422","data":[
{"context":"上海分拨中心/装件入车扫描 ","time":"2012-08-28 16:33:19","ftime":"2012-08-28 16:33:19","status":"在途","areaCode":"310000000000","areaName":"上海市"},
{"context":"上海分拨中心/下车扫描 ","time":"2012-08-27 23:22:42","ftime":"2012-08-27 23:22:42","status":"在途","areaCode":"310000000000","areaName":"上海市"}]},
"destResult":{"message":"ok","state":"0","status":"200","condition":"F00","ischeck":"0" ,"com":"speedpost","nu":"EX015142583SG","data":[
{"context":"[01000]Final delivery Delivered to: SLOVESNOV","time":"2016-05-24 14:00:00","ftime":"2016-05-24 14:00:00","status":"签收","areaCode":null,"areaName":null}]}}"#;

/// The push of the cross-border document (kdniao-cross-border-track).
const CROSS_BORDER: &str = r#"{"Count":"1","Data":[{"EBusinessID":"1000001","Location":"","LogisticCode":"6A37856075760","ShipperCode":"COLISSIMO","State":"3","StateEx":"301","Success":true,"Traces":[{"AcceptStation":"Your parcel has been delivered in your letter box.","AcceptTime":"2024-05-30 10:06:18","Action":"301","Location":"","Remark":"","Timezone":"+02:00"},{"AcceptStation":"Your parcel is at the delivery site that serves your address. We are preparing it for delivery.","AcceptTime":"2024-05-30 07:36:42","Action":"211","Location":"","Remark":"","Timezone":"+02:00"},{"AcceptStation":"Your parcel is transiting through our logistics platforms.","AcceptTime":"2024-05-29 13:00:05","Action":"2","Location":"","Remark":"","Timezone":"+02:00"},{"AcceptStation":"Your parcel will soon be handed over to us! It is being prepared by the sender.","AcceptTime":"2024-05-27 18:11:11","Action":"1","Location":"","Remark":"","Timezone":"+02:00"}]}],"EBusinessID":"100001","PushTime":"2024-06-27 21:07:00"}"#;

/// Seconds since 1970.
pub(super) fn utc(text: &str) -> Option<i64> {
    Some(
        format!("{}Z", text.replace(' ', "T"))
            .parse::<jiff::Timestamp>()
            .expect("a time")
            .as_second(),
    )
}

/// The only shipment row and the transitions of a number, once there are as many as expected.
pub(super) fn rows(shared: &Shared, number: &str, transitions: usize) -> (ShipmentRow, Vec<TransitionRow>) {
    eventually("the rows are there", || {
        let mut shipments = tables::shipments_of(&shared.stack, number);
        let found = tables::transitions_of(&shared.stack, number);
        match shipments.pop() {
            Some(shipment) if shipments.is_empty() && found.len() == transitions => Ok((shipment, found)),
            other => Err(format!("{other:?} with {found:?}")),
        }
    })
}

/// The first push of a number, which is in a table of its own: it may appear later than the rows derived from it.
pub(super) fn first_push(shared: &Shared, number: &str) -> PushRow {
    eventually("the push is there", || {
        let pushes = tables::pushes_of(&shared.stack, number);
        pushes.into_iter().next().ok_or_else(|| number.to_owned())
    })
}

/// From, to, the code, the dwell and the verdict of a transition.
pub(super) type Change<'row> = (
    &'row str,
    &'row str,
    Option<&'row str>,
    Option<&'row str>,
    Option<i64>,
    &'row str,
);

pub(super) fn changes(transitions: &[TransitionRow]) -> Vec<Change<'_>> {
    fn change(row: &TransitionRow) -> Change<'_> {
        (
            row.from_status.as_str(),
            row.to_status.as_str(),
            row.to_sub_status.as_deref(),
            row.raw_code.as_deref(),
            row.dwell_seconds,
            row.verdict.as_str(),
        )
    }
    transitions.iter().map(change).collect()
}

/// The columns that are not compared literally: ids and texts, which are checked separately, and times of our own clock.
pub(super) fn blank(row: &ShipmentRow) -> ShipmentRow {
    // Rule 12.2: a life without events is named after the day of its first receipt.
    let heard_of = jiff::Timestamp::from_microsecond(row.received_at).unwrap();
    let epoch = match row.event.first() {
        None => heard_of.strftime("%Y-%m-%d").to_string(),
        Some(_) => row.epoch.clone(),
    };
    ShipmentRow {
        vendor: "kuaidi100".to_owned(),
        account: "demo".to_owned(),
        carrier: String::new(),
        tracking_number: row.tracking_number.clone(),
        epoch,
        version: row.received_at,
        first_received_at: row.received_at,
        received_at: row.received_at,
        last_push_at: row.last_push_at,
        status: String::new(),
        sub_status: None,
        raw_code: None,
        leg: "FORWARD".to_owned(),
        tracking_state: "ACTIVE".to_owned(),
        origin_code: None,
        origin: None,
        dest_code: None,
        dest: None,
        created_at: None,
        picked_up_at: None,
        left_origin_at: None,
        arrived_dest_at: None,
        out_for_delivery_at: None,
        first_attempt_at: None,
        available_at: None,
        delivered_at: None,
        returning_at: None,
        returned_at: None,
        cancelled_at: None,
        last_event_at: None,
        edd_first: None,
        edd_last: None,
        reference: None,
        dest_carrier: None,
        dest_number: None,
        corrected_to: None,
        attempts: 0,
        exception_codes: Vec::new(),
        exception_reasons: Vec::new(),
        flags: Vec::new(),
        event: row.event.clone(),
    }
}

pub(super) fn owned(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(super) fn flags(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn the_marketplace_sample_as_signed_form() {
    let shared = shared();
    let number = "735587678765";
    assert_success(Vendor::Kuaidi100, &post::kuaidi100(&shared.ingest.url(), MARKETPLACE));
    let (row, transitions) = rows(&shared, number, 2);
    let expected = ShipmentRow {
        carrier: "zto".to_owned(),
        epoch: "2025-06-15".to_owned(),
        status: "IN_TRANSIT".to_owned(),
        sub_status: owned("IN_TRANSIT"),
        raw_code: owned("0"),
        origin_code: owned("CN441900119000"),
        origin: owned("广东,东莞市,长安镇"),
        dest_code: owned("CN430102016000"),
        dest: owned("湖南,长沙市,芙蓉区,马坡岭"),
        picked_up_at: utc("2025-06-15 12:37:18"),
        last_event_at: utc("2025-06-15 23:34:28"),
        edd_first: utc("2025-06-17 02:00:00"),
        edd_last: utc("2025-06-17 02:00:00"),
        ..blank(&row)
    };
    assert_eq!(row, expected);
    let event = &row.event[0];
    assert_eq!(
        (event.local_time.as_str(), event.occurred_at, event.status.as_str()),
        ("2025-06-15 20:37:18", utc("2025-06-15 12:37:18").unwrap(), "PICKED_UP")
    );
    // Landline numbers are masked, the public hotline is not.
    assert_eq!(
        event.context,
        "【东莞市】 快件已由 东莞长安揽收（物流问题无需找商家或平台，请联系专属电话 076*-******77、076*-******79为您解决）"
    );
    assert!(
        row.event[3].context.contains("请联系专属电话 95311为您解决"),
        "{:?}",
        row.event[3]
    );
    assert_eq!(row.event[3].location.as_deref(), Some("广东省 东莞市 虎门转运中心"));
    assert_eq!(
        changes(&transitions),
        [
            ("UNKNOWN", "PICKED_UP", Some("PICKED_UP"), Some("1"), None, "EXPECTED"),
            (
                "PICKED_UP",
                "IN_TRANSIT",
                Some("IN_TRANSIT"),
                Some("0"),
                Some(17_091),
                "EXPECTED"
            ),
        ]
    );

    let event = &topics::pushes_of(&shared.stack, number)[0];
    assert_eq!((event.account.as_str(), event.signature), ("demo", Signature::Verified));
    assert_eq!(
        (event.vendor_carrier.as_str(), event.part, event.parts),
        ("zhongtong", 0, 1)
    );
    assert_eq!(event.payload, MARKETPLACE, "the text as it was signed");
    let push = first_push(&shared, number);
    assert_eq!(
        (push.carrier.as_str(), push.tracking_status.as_str(), push.items),
        ("zto", "polling", 4)
    );
    assert_eq!(push.bytes as usize, MARKETPLACE.len());
}

#[test]
fn the_same_parcel_in_every_shape() {
    let shared = shared();
    let base = shared.ingest.url();
    // The account `demo` takes signed forms, `open` the rest. Each under a number of its own.
    for (shape, number, account) in [
        (kuaidi100::Shape::SignedForm, "SHAPE1", "demo"),
        (kuaidi100::Shape::FlatForm, "SHAPE2", "open"),
        (kuaidi100::Shape::BareJson, "SHAPE3", "open"),
    ] {
        let param = MARKETPLACE.replace("735587678765", number);
        let (content_type, body) = kuaidi100::body(&param, shape, Some(SALT));
        let path = format!("/v1/push/kuaidi100/{account}?orderId=SO-7&callbackid=%E4%B8%AD");
        assert_success(Vendor::Kuaidi100, &post::post(&base, &path, content_type, &body));
        let (row, transitions) = rows(&shared, number, 2);
        assert_eq!(
            (row.carrier.as_str(), row.status.as_str(), row.account.as_str()),
            ("zto", "IN_TRANSIT", account)
        );
        assert_eq!(
            (row.edd_last, row.event.len()),
            (utc("2025-06-17 02:00:00"), 4),
            "{shape:?}"
        );
        assert_eq!(changes(&transitions)[1].4, Some(17_091), "{shape:?}");
        let event = &topics::pushes_of(&shared.stack, number)[0];
        assert_eq!(event.query, "orderId=SO-7&callbackid=%E4%B8%AD");
        assert_eq!(event.content_type, content_type);
        let unsigned = account == "open";
        assert_eq!(event.signature == Signature::Unsigned, unsigned);
        // A flat form is stored as the JSON object that it stands for; the others are stored byte for byte.
        if shape == kuaidi100::Shape::FlatForm {
            let told: Value = serde_json::from_str(&event.payload).unwrap();
            assert_eq!(told["lastResult"]["nu"], number);
        } else {
            assert_eq!(event.payload, param);
        }
    }
}

#[test]
fn the_map_track_sample() {
    let shared = shared();
    assert_success(Vendor::Kuaidi100, &post::kuaidi100(&shared.ingest.url(), MAP_TRACK));
    let (row, transitions) = rows(&shared, "YT2556786544444545", 2);
    let expected = ShipmentRow {
        carrier: "yto".to_owned(),
        epoch: "2025-06-16".to_owned(),
        status: "IN_TRANSIT".to_owned(),
        sub_status: owned("LINEHAUL"),
        raw_code: owned("1002"),
        origin_code: owned("CN410300000000"),
        origin: owned("河南,洛阳市"),
        dest_code: owned("CN330700000000"),
        dest: owned("浙江,金华市"),
        picked_up_at: utc("2025-06-16 01:09:03"),
        last_event_at: utc("2025-06-16 02:41:33"),
        edd_first: utc("2025-06-19 02:00:00"),
        edd_last: utc("2025-06-19 02:00:00"),
        ..blank(&row)
    };
    assert_eq!(row, expected);
    assert_eq!(
        changes(&transitions),
        [
            ("UNKNOWN", "PICKED_UP", Some("PICKED_UP"), Some("1"), None, "EXPECTED"),
            (
                "PICKED_UP",
                "IN_TRANSIT",
                Some("LINEHAUL"),
                Some("1002"),
                Some(5_550),
                "EXPECTED"
            ),
        ]
    );
}

#[test]
fn the_enterprise_sample_of_two_countries_under_a_corrected_carrier() {
    let shared = shared();
    assert_success(Vendor::Kuaidi100, &post::kuaidi100(&shared.ingest.url(), ENTERPRISE));
    let (row, transitions) = rows(&shared, "V030344422", 2);
    let expected = ShipmentRow {
        carrier: "ems".to_owned(),
        epoch: "2012-08-27".to_owned(),
        status: "DELIVERED".to_owned(),
        sub_status: owned("UNSPECIFIED"),
        origin_code: owned("CN310000000000"),
        origin: owned("上海市"),
        dest_code: owned("CN310000000000"),
        dest: owned("上海市"),
        picked_up_at: utc("2012-08-27 15:22:42"),
        first_attempt_at: utc("2016-05-24 06:00:00"),
        delivered_at: utc("2016-05-24 06:00:00"),
        last_event_at: utc("2016-05-24 06:00:00"),
        attempts: 1,
        flags: flags(&["cross_border", "lane_inferred", "pickup_imputed"]),
        // Told by the destination's result.
        dest_carrier: owned("singpost"),
        dest_number: owned("EX015142583SG"),
        ..blank(&row)
    };
    assert_eq!(row, expected);
    let event = &row.event[2];
    assert_eq!(
        (event.segment.as_str(), event.local_time.as_str()),
        ("DESTINATION", "2016-05-24 14:00:00")
    );
    assert_eq!(event.context, "[01000]Final delivery Delivered to: ***");
    assert_eq!(
        changes(&transitions),
        [
            ("UNKNOWN", "IN_TRANSIT", Some("IN_TRANSIT"), None, None, "EXPECTED"),
            (
                "IN_TRANSIT",
                "DELIVERED",
                Some("UNSPECIFIED"),
                None,
                Some(117_988_638),
                "TOLERATED"
            ),
        ]
    );
    let push = first_push(&shared, "V030344422");
    assert_eq!((push.carrier.as_str(), push.items), ("ems", 3));
}

#[test]
fn the_cross_border_sample_of_kdniao() {
    let shared = shared();
    let number = "6A37856075760";
    assert_success(Vendor::Kdniao, &post::kdniao(&shared.ingest.url(), CROSS_BORDER));
    let (row, transitions) = rows(&shared, number, 4);
    let expected = ShipmentRow {
        vendor: "kdniao".to_owned(),
        carrier: "colissimo".to_owned(),
        epoch: "2024-05-27".to_owned(),
        status: "DELIVERED".to_owned(),
        sub_status: owned("RECIPIENT"),
        raw_code: owned("301"),
        created_at: utc("2024-05-27 16:11:11"),
        picked_up_at: utc("2024-05-29 11:00:05"),
        first_attempt_at: utc("2024-05-30 08:06:18"),
        delivered_at: utc("2024-05-30 08:06:18"),
        last_event_at: utc("2024-05-30 08:06:18"),
        attempts: 1,
        flags: flags(&["cross_border", "pickup_imputed"]),
        ..blank(&row)
    };
    assert_eq!(row, expected);
    assert_eq!(
        changes(&transitions),
        [
            (
                "UNKNOWN",
                "INFO_RECEIVED",
                Some("ORDER_CREATED"),
                Some("1"),
                None,
                "EXPECTED"
            ),
            (
                "INFO_RECEIVED",
                "IN_TRANSIT",
                Some("IN_TRANSIT"),
                Some("2"),
                Some(154_134),
                "TOLERATED"
            ),
            (
                "IN_TRANSIT",
                "IN_TRANSIT",
                Some("ARRIVED_DELIVERY_DEPOT"),
                Some("211"),
                Some(66_997),
                "EXPECTED"
            ),
            (
                "IN_TRANSIT",
                "DELIVERED",
                Some("RECIPIENT"),
                Some("301"),
                Some(8_976),
                "TOLERATED"
            ),
        ]
    );
    let event = &topics::pushes_of(&shared.stack, number)[0];
    assert_eq!(event.push_time.as_deref(), Some("2024-06-27 21:07:00"));
    assert_eq!(event.business_id.as_deref(), Some("100001"));
    assert_eq!(event.request_type.as_deref(), Some("102"));
    let whole: Value = serde_json::from_str(CROSS_BORDER).unwrap();
    let part: Value = serde_json::from_str(&event.payload).unwrap();
    assert_eq!(part, whole["Data"][0]);
    assert!(
        CROSS_BORDER.contains(&event.payload),
        "the element of Data to the letter"
    );
    let push = first_push(&shared, number);
    assert_eq!((push.tracking_status.as_str(), push.items), ("", 4));
}

#[test]
fn ten_parcels_of_kdniao_in_one_push_in_every_shape() {
    let shared = shared();
    let base = shared.ingest.url();
    for (shape, prefix, account) in [
        (kdniao::Shape::SignedForm, "BATCH1N", "demo"),
        (kdniao::Shape::DoublyEncodedForm, "BATCH2N", "demo"),
        (kdniao::Shape::BareJson, "BATCH3N", "open"),
    ] {
        let parcel = |index: i32| {
            json!({
                "EBusinessID": "1000001", "ShipperCode": "STO", "LogisticCode": format!("{prefix}{index}"), "Success": true,
                "Reason": "", "State": "4", "StateEx": "405", "CallBack": "a+b=%20&c|d",
                "Traces": [
                    {"AcceptTime": "2026-08-01 09:00:00", "AcceptStation": "已揽收", "Action": "1", "Location": "上海市"},
                    {"AcceptTime": "2026-08-02 08:00:00", "AcceptStation": "正在派件", "Action": "202", "Location": "杭州市"},
                    {"AcceptTime": "2026-08-02 12:00:00", "AcceptStation": "派送不成功", "Action": "405", "Location": "杭州市"}
                ]
            })
        };
        let request = json!({
            "EBusinessID": "1000001", "PushTime": "2026-08-02 13:00:00", "Count": "10",
            "Data": (0..10).map(parcel).collect::<Vec<_>>()
        });
        let product = kdniao::Product::ValueAdded;
        let (content_type, body) = kdniao::body(&request.to_string(), product, shape, Some(APP_KEY));
        let path = format!("/v1/push/kdniao/{account}");
        assert_success(Vendor::Kdniao, &post::post(&base, &path, content_type, &body));
        let mut push_ids = Vec::new();
        for index in 0..10_u16 {
            let number = format!("{prefix}{index}");
            let (row, transitions) = rows(&shared, &number, 3);
            assert_eq!(
                (row.status.as_str(), row.sub_status.as_deref()),
                ("EXCEPTION", Some("DELIVERY_FAILED"))
            );
            assert_eq!((row.attempts, row.first_attempt_at), (1, utc("2026-08-02 04:00:00")));
            assert_eq!(
                (row.exception_codes, row.exception_reasons),
                (vec!["405".to_owned()], vec!["DELIVERY_FAILED".to_owned()])
            );
            assert_eq!(
                transitions
                    .iter()
                    .map(|row| (row.is_exception, row.party.as_deref()))
                    .collect::<Vec<_>>(),
                [(false, None), (false, None), (true, Some("carrier"))]
            );
            let push = first_push(&shared, &number);
            assert_eq!((push.part, push.parts), (index, 10));
            push_ids.push(push.push_id.clone());
        }
        push_ids.dedup();
        assert_eq!(push_ids.len(), 1, "one push, one id");
    }
}

#[test]
fn an_abort_and_a_corrected_carrier() {
    let shared = shared();
    let base = shared.ingest.url();
    let push = |value: &Value| assert_success(Vendor::Kuaidi100, &post::kuaidi100(&base, &value.to_string()));
    push(&json!({
        "status": "abort", "message": "3天查询无记录", "autoCheck": "0", "comOld": "", "comNew": "",
        "lastResult": {"nu": "ABORT1", "com": "shentong", "state": "0", "status": "201", "ischeck": "0", "data": []}
    }));
    let (row, _) = rows(&shared, "ABORT1", 0);
    let expected = ShipmentRow {
        carrier: "sto".to_owned(),
        status: "UNKNOWN".to_owned(),
        tracking_state: "ABORTED_NO_RECORD".to_owned(),
        ..blank(&row)
    };
    assert_eq!(row, expected);

    push(&json!({
        "status": "abort", "message": "3天查询无记录", "autoCheck": "0", "comOld": "yuantong", "comNew": "jtexpress",
        "lastResult": {"nu": "CORRECT1", "com": "yuantong", "state": "0", "status": "201", "ischeck": "0", "data": []}
    }));
    push(&json!({
        "status": "polling", "message": "", "autoCheck": "1", "comOld": "yuantong", "comNew": "jtexpress",
        "lastResult": {"nu": "CORRECT1", "com": "yuantong", "state": "1", "ischeck": "0",
                       "data": [{"ftime": "2026-08-01 09:00:00", "context": "已揽收", "statusCode": "103"}]}
    }));
    let found = eventually("both carriers are there", || {
        let rows = tables::shipments_of(&shared.stack, "CORRECT1");
        if rows.len() == 2 {
            Ok(rows)
        } else {
            Err(format!("{rows:?}"))
        }
    });
    let mut states: Vec<_> = found
        .iter()
        .map(|row| (row.carrier.as_str(), row.status.as_str(), row.tracking_state.as_str()))
        .collect();
    states.sort_unstable();
    assert_eq!(
        states,
        [("jt", "PICKED_UP", "ACTIVE"), ("yto", "UNKNOWN", "CARRIER_CORRECTED")]
    );
}

#[test]
fn history_that_the_vendor_takes_back_is_taken_back_in_the_table() {
    let shared = shared();
    let base = shared.ingest.url();
    let number = "REWRITE1";
    let push = |items: &[(&str, &str)]| {
        let item =
            |(time, code): &(&str, &str)| json!({"ftime": time, "context": format!("step {code}"), "statusCode": code});
        let param = json!({
            "status": "polling",
            "lastResult": {"nu": number, "com": "zhongtong", "state": "0", "ischeck": "0",
                           "data": items.iter().map(item).collect::<Vec<_>>()}
        });
        assert_success(Vendor::Kuaidi100, &post::kuaidi100(&base, &param.to_string()));
    };
    push(&[
        ("2026-08-02 09:00:00", "204"),
        ("2026-08-02 08:00:00", "5"),
        ("2026-08-01 09:00:00", "103"),
    ]);
    let (row, _) = rows(&shared, number, 3);
    assert_eq!(row.exception_codes, ["204"]);
    // The failed attempt is retracted; and the push is sent again, as by a retry.
    for _ in 0..2 {
        push(&[
            ("2026-08-02 11:00:00", "301"),
            ("2026-08-02 08:00:00", "5"),
            ("2026-08-01 09:00:00", "103"),
        ]);
    }
    let (row, transitions) = eventually("the failed attempt is gone", || {
        let (row, transitions) = rows(&shared, number, 3);
        let gone = transitions.iter().all(|row| row.to_status != "EXCEPTION");
        if row.status == "DELIVERED" && gone {
            Ok((row, transitions))
        } else {
            Err(format!("{row:?} {transitions:?}"))
        }
    });
    assert!(row.exception_codes.is_empty());
    assert_eq!(row.delivered_at, utc("2026-08-02 03:00:00"));
    assert_eq!(
        changes(&transitions),
        [
            ("UNKNOWN", "PICKED_UP", Some("PICKED_UP"), Some("103"), None, "EXPECTED"),
            (
                "PICKED_UP",
                "OUT_FOR_DELIVERY",
                Some("OUT_FOR_DELIVERY"),
                Some("5"),
                Some(82_800),
                "EXPECTED"
            ),
            (
                "OUT_FOR_DELIVERY",
                "DELIVERED",
                Some("RECIPIENT"),
                Some("301"),
                Some(10_800),
                "EXPECTED"
            ),
        ]
    );
    let records = topics::transitions_of(&shared.stack, number);
    let retracted = records
        .iter()
        .filter(|record| record.op.as_str() == "RETRACTED")
        .count();
    assert_eq!(
        (records.len(), retracted),
        (5, 1),
        "3 observed, then 1 observed and 1 retracted"
    );
    eventually("all three pushes are logged", || {
        let pushes = tables::pushes_of(&shared.stack, number).len();
        if pushes == 3 { Ok(()) } else { Err(pushes.to_string()) }
    });
    assert_eq!(
        topics::shipments_of(&shared.stack, number).len(),
        2,
        "the repeated push changes nothing"
    );
}
