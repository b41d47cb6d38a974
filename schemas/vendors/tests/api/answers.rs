//! What every answer means: a case for each row of the vendors' tables, written out again from their documents.

use std::collections::BTreeSet;
use std::time::Duration;

use courierflow_schemas::records::{CallClass, Reason, Vendor};
use courierflow_vendors::api::ApiKind;
use courierflow_vendors::api::answer::{Answer, Exchange, QueryAnswer, Response};
use courierflow_vendors::api::table::AnswerTable;
use courierflow_vendors::protocol;
use serde_json::json;

use CallClass::{Account, Done, Duplicate, NoResult, Rejected, Retry, Unknown};

fn answered(status: u16, body: &str) -> Exchange<'_> {
    Exchange::Answered(Response {
        status,
        retry_after: None,
        body: body.as_bytes(),
    })
}

fn subscribed(kind: ApiKind, status: u16, body: &str) -> Answer {
    protocol(kind.vendor())
        .api()
        .read_subscribed(kind, answered(status, body))
}

fn queried(kind: ApiKind, status: u16, body: &str) -> QueryAnswer<'_> {
    protocol(kind.vendor()).api().read_queried(kind, answered(status, body))
}

fn table(vendor: Vendor, number: usize) -> &'static AnswerTable {
    protocol(vendor).api().answer_tables()[number]
}

/// The cases are those of the table, no more and no fewer.
fn assert_complete<'c>(table: &AnswerTable, cases: impl Iterator<Item = &'c str>) {
    let rows: BTreeSet<_> = table.rows.iter().map(|row| row.told).collect();
    assert_eq!(
        rows.len(),
        table.rows.len(),
        "{}: a row that is never found",
        table.name
    );
    assert_eq!(rows, cases.collect(), "{}", table.name);
}

/// S1 1.6, S2 1.5, S3 6. With the HTTP status of S1, and with the wrong one: the body counts.
#[test]
fn kuaidi100_answers_to_a_subscription() {
    let cases = [
        ("200", 200, Done, None),
        ("400", 400, Rejected, Some(Reason::BadPlace)),
        ("500", 500, Retry, None),
        ("501", 409, Duplicate, None),
        ("502", 409, Rejected, Some(Reason::Sensitive)),
        ("600", 401, Account, Some(Reason::AccountStopped)),
        ("601", 401, Account, Some(Reason::AccountStopped)),
        ("700", 400, Rejected, Some(Reason::UnknownCarrier)),
        ("701", 400, Rejected, Some(Reason::BadData)),
        ("702", 400, Rejected, Some(Reason::NotRecognised)),
    ];
    assert_complete(table(Vendor::Kuaidi100, 0), cases.iter().map(|case| case.0));
    for (code, status, class, reason) in cases {
        let as_text = json!({"result": class == Done, "returnCode": code, "message": "POLL:提示"}).to_string();
        let as_number = format!(r#"{{"result":"false","returnCode":{code},"message":"POLL:提示"}}"#);
        for kind in [
            ApiKind::Kuaidi100Enterprise,
            ApiKind::Kuaidi100Market,
            ApiKind::Kuaidi100Map,
        ] {
            for (status, body) in [
                (status, &as_text),
                (200, &as_text),
                (502, &as_text),
                (status, &as_number),
            ] {
                let answer = subscribed(kind, status, body);
                assert_eq!((answer.class, answer.reason), (class, reason), "{code} {status}");
                assert_eq!(answer.code.as_deref(), Some(code));
                assert_eq!(answer.message.as_deref(), Some("POLL:提示"));
                assert!(answer.is_attempt && !answer.is_unlisted && answer.retry_after.is_none());
            }
        }
    }
    let other = subscribed(ApiKind::Kuaidi100Market, 400, r#"{"returnCode":"799","message":"?"}"#);
    assert_eq!((other.class, other.is_unlisted), (Retry, true));
}

/// S0 1.8 and notes: 500 to 502 are not what they are for a subscription.
#[test]
fn kuaidi100_answers_to_a_query() {
    let hour = Some(Duration::from_hours(1));
    let cases = [
        ("400", Rejected, Some(Reason::BadData), None),
        ("401", Rejected, Some(Reason::UnknownCarrier), None),
        ("408", Rejected, Some(Reason::Phone), None),
        ("500", NoResult, None, None),
        ("501", Retry, None, hour),
        ("502", Retry, None, hour),
        ("503", Account, Some(Reason::AccountStopped), None),
        ("601", Account, Some(Reason::AccountStopped), None),
    ];
    assert_complete(
        table(Vendor::Kuaidi100, 1),
        cases.iter().map(|case| case.0).chain(["200"]),
    );
    for (code, class, reason, retry_after) in cases {
        let body = json!({"result": false, "returnCode": code, "message": "提示"}).to_string();
        let QueryAnswer { answer, found } = queried(ApiKind::Kuaidi100Enterprise, 200, &body);
        assert_eq!(
            (answer.class, answer.reason, answer.retry_after),
            (class, reason, retry_after),
            "{code}"
        );
        assert_eq!(answer.slow_down, code == "502");
        assert_eq!(found, None);
    }
    let other = queried(
        ApiKind::Kuaidi100Enterprise,
        200,
        r#"{"returnCode":"799","message":"?"}"#,
    )
    .answer;
    assert_eq!((other.class, other.is_unlisted), (Retry, true));
}

/// S4 and the specification's words; but for 没有可用套餐 nobody has seen them.
#[test]
fn kdniao_answers() {
    let cases = [
        ("重复", "重复订阅", Duplicate, None),
        ("已订阅", "该单号已订阅", Duplicate, None),
        ("套餐", "没有可用套餐", Account, Some(Reason::AccountStopped)),
        ("余额", "余额不足", Account, Some(Reason::AccountStopped)),
        ("签名", "签名验证失败", Account, Some(Reason::AccountStopped)),
        ("DataSign", "datasign错误", Account, Some(Reason::AccountStopped)),
        (
            "EBusinessID",
            "EBusinessID不存在",
            Account,
            Some(Reason::AccountStopped),
        ),
        ("权限", "没有接口权限", Account, Some(Reason::AccountStopped)),
        ("编码", "快递公司编码错误", Rejected, Some(Reason::UnknownCarrier)),
        ("不支持", "暂不支持该快递公司", Rejected, Some(Reason::UnknownCarrier)),
        ("单号", "快递单号错误", Rejected, Some(Reason::BadData)),
        ("参数", "参数错误", Rejected, Some(Reason::BadData)),
        ("格式", "数据格式错误", Rejected, Some(Reason::BadData)),
        ("系统", "系统异常", Retry, None),
        ("繁忙", "服务繁忙", Retry, None),
        ("超时", "请求超时", Retry, None),
    ];
    let words = cases.iter().map(|case| case.0);
    assert_complete(table(Vendor::Kdniao, 0), words.chain(["true", "无轨迹"]));
    for (_, text, class, reason) in cases {
        let body = json!({"EBusinessID": "1000000", "Success": false, "Reason": text}).to_string();
        for status in [200, 500] {
            let answer = subscribed(ApiKind::KdniaoCrossBorder, status, &body);
            assert_eq!((answer.class, answer.reason), (class, reason), "{text}");
            assert_eq!(answer.message.as_deref(), Some(text));
            assert!(!answer.is_unlisted, "{text}");
            assert_eq!(queried(ApiKind::KdniaoDomestic, status, &body).answer, answer, "{text}");
        }
    }
    let done = r#"{"ShipperCode":"FEDEX","UpdateTime":"2024-06-28 14:37:02","EBusinessID":"1279441","Success":true}"#;
    assert_eq!(subscribed(ApiKind::KdniaoCrossBorder, 200, done).class, Done);
    for unclear in [
        r#"{"Success":false,"Reason":""}"#,
        r#"{"Success":false}"#,
        r#"{"Success":false,"Reason":"其他"}"#,
    ] {
        let answer = subscribed(ApiKind::KdniaoCrossBorder, 200, unclear);
        assert_eq!((answer.class, answer.is_unlisted), (Retry, true), "{unclear}");
    }
    let no_traces = r#"{"Success":false,"Reason":"暂无轨迹信息"}"#;
    assert_eq!(subscribed(ApiKind::KdniaoCrossBorder, 200, no_traces).class, Retry);
}

#[test]
fn kdniao_without_traces_is_no_result_and_abroad_asked_again_soon() {
    let soon = Some(Duration::from_secs(30));
    for body in [
        r#"{"Success":true,"State":"0","Traces":[{"AcceptStation":"x"}]}"#,
        r#"{"Success":true,"State":"2","Traces":[]}"#,
        r#"{"Success":true,"State":"2"}"#,
        r#"{"Success":true,"State":"2","Traces":null}"#,
        r#"{"Success":false,"Reason":"暂无轨迹信息"}"#,
        r#"{"Success":false,"Reason":"该单号暂无轨迹信息"}"#,
        // Whatever the words are.
        r#"{"Success":false,"State":"0","Reason":"该单号没有物流轨迹"}"#,
        r#"{"Success":false,"State":"0"}"#,
    ] {
        for (kind, retry_after) in [(ApiKind::KdniaoCrossBorder, soon), (ApiKind::KdniaoDomestic, None)] {
            let QueryAnswer { answer, found } = queried(kind, 200, body);
            assert_eq!(
                (answer.class, answer.retry_after),
                (NoResult, retry_after),
                "{kind:?} {body}"
            );
            assert_eq!(found, None);
        }
    }
}

#[test]
fn kdniao_s_account_is_at_fault_whatever_the_state_is() {
    let body = r#"{"Success":false,"State":"0","Reason":"没有可用套餐"}"#;
    let QueryAnswer { answer, .. } = queried(ApiKind::KdniaoCrossBorder, 200, body);
    assert_eq!(answer.class, Account);
}

#[test]
fn seventeentrack_answers() {
    let table = table(Vendor::SeventeenTrack, 0);
    let expected = |code: &str| match code {
        "-18019901" | "-18019904" => (Duplicate, None),
        "-18019905" => (Rejected, Some(Reason::Quota)),
        "-18019903" => (Rejected, Some(Reason::NotRecognised)),
        "-18019910" | "-18019911" => (Rejected, Some(Reason::UnknownCarrier)),
        "-18019909" => (NoResult, None),
        "-18010003" | "-18019815" | "-18019816" | "-18019817" => (Retry, None),
        "-18019907" | "-18019908" | "-18010001" | "-18010002" | "-18010004" | "-18010005" => {
            (Account, Some(Reason::AccountStopped))
        }
        webhook if webhook.starts_with("-180102") => (Account, Some(Reason::AccountStopped)),
        _ => (Rejected, Some(Reason::BadData)),
    };
    let kind = ApiKind::SeventeenTrack;
    for row in table.rows.iter().filter(|row| row.told != "0") {
        let code: i64 = row.told.parse().unwrap();
        let of_parcel = json!({"code": 0, "data": {"accepted": [], "rejected":
            [{"number": "RR000000000CN", "error": {"code": code, "message": "The number 'RR000000000CN' …"}}]}});
        let of_call = json!({"code": code, "data": {"errors": [{"code": code, "message": "…"}]}});
        for body in [of_parcel, of_call] {
            let answer = subscribed(kind, 200, &body.to_string());
            assert_eq!((answer.class, answer.reason), expected(row.told), "{}", row.told);
            assert_eq!(answer.code.as_deref(), Some(row.told));
        }
    }
    let accepted =
        r#"{"code":0,"data":{"accepted":[{"origin":1,"number":"RR000000000CN","carrier":3011}],"rejected":[]}}"#;
    assert_eq!(subscribed(kind, 200, accepted).class, Done);
    assert_eq!(subscribed(kind, 429, "").class, Retry);
    assert_eq!(subscribed(kind, 401, "").class, Account);
    let other = subscribed(kind, 200, r#"{"code":-18099999,"data":{}}"#);
    assert_eq!((other.class, other.is_unlisted), (Retry, true));
}

#[test]
fn what_no_vendor_says_is_never_a_refusal_of_the_parcel() {
    let html = "<!DOCTYPE html><html><title>error</title></html>";
    for kind in ApiKind::ALL {
        for (status, body, class) in [
            (200, html, Unknown),
            (200, "", Unknown),
            (200, "null", Unknown),
            (200, "{}", Unknown),
            (500, "", Unknown),
            (503, html, Unknown),
            (302, "", Account),
            (403, html, Account),
            (404, "", Account),
            (429, html, Retry),
        ] {
            assert_eq!(subscribed(kind, status, body).class, class, "{kind:?} {status} {body}");
            assert_eq!(
                queried(kind, status, body).answer.class,
                class,
                "{kind:?} {status} {body}"
            );
        }
        let api = protocol(kind.vendor()).api();
        assert_eq!(api.read_subscribed(kind, Exchange::Unanswered).class, Unknown);
        assert_eq!(api.read_queried(kind, Exchange::Unanswered).answer.class, Unknown);
        assert!(!api.read_subscribed(kind, Exchange::Unsent).is_attempt);
    }
}
