//! What Kuaidi100 answers, from the tables of its documents.

use serde_json::json;

use crate::simulator::vendor_server::answer::Answer;

/// A row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// `returnCode`.
    pub(crate) code: &'static str,
    /// HTTP status.
    pub(crate) status: u16,
    pub(crate) message: &'static str,
}

const fn row(code: &'static str, status: u16, message: &'static str) -> Row {
    Row { code, status, message }
}

/// The answers to subscriptions.
pub(crate) mod subscribe {
    use super::{Row, row};

    pub(crate) const ACCEPTED: Row = row("200", 200, "提交成功");
    pub(crate) const BAD_PLACE: Row = row("400", 400, "出发地目的地无法解析或下单时间无法解析");
    pub(crate) const SERVER_ERROR: Row = row("500", 500, "服务器错误");
    pub(crate) const REPEATED: Row = row("501", 409, "POLL:重复订阅");
    pub(crate) const SENSITIVE: Row = row("502", 409, "提交内容含有敏感关键字，被安全防护拦截");
    pub(crate) const BAD_KEY: Row = row("600", 401, "您不是合法的订阅者（即授权Key出错）");
    pub(crate) const NO_UNITS: Row = row("601", 401, "POLL:KEY已过期");
    pub(crate) const UNKNOWN_CARRIER: Row = row("700", 400, "不支持的快递公司");
    pub(crate) const BAD_DATA: Row = row("701", 400, "订阅方的订阅数据存在错误或错误的回调地址");
    pub(crate) const NOT_RECOGNISED: Row = row("702", 400, "POLL:识别不到该单号对应的快递公司");

    pub(crate) const ALL: [Row; 10] = [
        ACCEPTED,
        BAD_PLACE,
        SERVER_ERROR,
        REPEATED,
        SENSITIVE,
        BAD_KEY,
        NO_UNITS,
        UNKNOWN_CARRIER,
        BAD_DATA,
        NOT_RECOGNISED,
    ];
}

/// The failures of queries. HTTP says 200 to all of them.
pub(crate) mod query {
    use super::{Row, row};

    pub(crate) const INCOMPLETE: Row = row("400", 200, "提交的数据不完整，或者贵公司没授权");
    pub(crate) const UNKNOWN_CARRIER: Row = row("401", 200, "不支持此快递公司");
    pub(crate) const PHONE: Row = row("408", 200, "快递公司参数异常：验证码错误");
    pub(crate) const NO_RESULT: Row = row("500", 200, "查询无结果，请隔段时间再查");
    pub(crate) const SERVER_ERROR: Row = row("501", 200, "服务器错误");
    pub(crate) const BAD_SIGN: Row = row("503", 200, "验证签名失败");
    pub(crate) const NO_UNITS: Row = row("601", 200, "POLL:KEY已过期");

    pub(crate) const ALL: [Row; 8] = [
        INCOMPLETE,
        UNKNOWN_CARRIER,
        PHONE,
        NO_RESULT,
        SERVER_ERROR,
        row("502", 200, "服务器繁忙"),
        BAD_SIGN,
        NO_UNITS,
    ];
}

impl Row {
    pub(crate) fn answer(self) -> Answer {
        let body = json!({"result": self.code == "200", "returnCode": self.code, "message": self.message});
        let answer = Answer::json(self.status, &body);
        if self == subscribe::ACCEPTED {
            answer.begun()
        } else {
            answer
        }
    }
}

/// The answer with this code; one that is in no table has the status 200.
pub(crate) fn forced(table: &[Row], code: &str) -> Answer {
    match table.iter().find(|row| row.code == code) {
        Some(row) => Answer {
            begun: false,
            ..row.answer()
        },
        None => Answer::json(
            200,
            &json!({"result": false, "returnCode": code, "message": "未知错误"}),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_travel_with_the_status_of_the_documents() {
        for (code, status) in [
            ("200", 200),
            ("500", 500),
            ("501", 409),
            ("502", 409),
            ("600", 401),
            ("601", 401),
            ("700", 400),
            ("701", 400),
            ("702", 400),
            ("799", 200),
        ] {
            assert_eq!(forced(&subscribe::ALL, code).status, status, "{code}");
        }
        assert!(query::ALL.iter().all(|row| row.status == 200));
        let expected = r#"{"message":"POLL:重复订阅","result":false,"returnCode":"501"}"#;
        assert_eq!(subscribe::REPEATED.answer().body, expected);
    }
}
