//! Codes of exceptions in words, for people who read the report.

/// An exception.
#[derive(Debug)]
pub(super) struct Exception {
    /// What the vendors call it by; the first code stands for all.
    pub(super) codes: &'static [&'static str],
    /// A vendor's name for it.
    pub(super) name: &'static str,
    /// What it means.
    pub(super) meaning: &'static str,
}

macro_rules! exceptions {
    ($($($code:literal)+ => $name:literal $meaning:literal;)+) => {
        /// The exception codes, for people. One row an exception.
        pub(super) const EXCEPTIONS: &[Exception] = &[$(Exception { codes: &[$($code),+], name: $name, meaning: $meaning }),+];
    };
}

exceptions! {
    "2" "4"     => "疑难" "problem";
    "13" "604"  => "清关异常" "customs exception";
    "14"        => "拒签" "refused for good";
    "201" "402" => "超时未签收" "delivery overdue";
    "202" "403" => "超时未更新" "no update";
    "203" "404" => "拒收" "refused";
    "204" "405" => "派件异常" "delivery failed";
    "205" "412" => "柜或站超时未取" "not collected in time";
    "206" "416" => "无法联系" "recipient unreachable";
    "207" "423" => "超区" "out of service area";
    "208" "417" => "滞留" "held at depot";
    "209" "414" => "破损" "damaged";
    "210" "413" => "销单" "cancel requested";
    "401"       => "发货无信息" "no carrier information";
    "420"       => "地址不详" "bad address";
    "421"       => "电话错误" "bad phone number";
    "422"       => "错分件" "missorted";
}
