//! What Kuaidi100 calls what happens: the table `state` of its documents.

use crate::simulator::steps::Step;

/// The codes and names of a step.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// Base code and name (`resultv2` = 1, 3; `lastResult.state`).
    pub base: (&'static str, &'static str),
    /// Advanced code and name (`resultv2` = 4 and up).
    pub advanced: (&'static str, &'static str),
}

/// What the vendor calls a step. One row a step.
#[expect(clippy::match_same_arms, reason = "a table")]
pub const fn names(step: Step) -> Names {
    let (base, advanced) = match step {
        Step::Ordered => (("1", "揽收"), ("101", "已下单")),
        Step::AwaitingPickup => (("1", "揽收"), ("102", "待揽收")),
        Step::PickedUp => (("1", "揽收"), ("103", "已揽收")),
        Step::LeftOriginDepot => (("0", "在途"), ("1002", "干线")),
        Step::ArrivedHub => (("0", "在途"), ("0", "在途")),
        Step::LeftHub => (("0", "在途"), ("1002", "干线")),
        Step::ArrivedDestCity => (("0", "在途"), ("1001", "到达派件城市")),
        Step::ToDeliveryDepot => (("0", "在途"), ("0", "在途")),
        Step::ArrivedDeliveryDepot => (("0", "在途"), ("0", "在途")),
        Step::Redirected => (("0", "在途"), ("1003", "转递")),
        Step::HandedOn => (("7", "转投"), ("7", "转投")),
        Step::OutForDelivery => (("5", "派件"), ("5", "派件")),
        Step::InLocker => (("5", "派件"), ("501", "投柜或驿站")),
        Step::Delivered => (("3", "签收"), ("3", "签收")),
        Step::DeliveredToRecipient => (("3", "签收"), ("301", "本人签收")),
        Step::DeliveredAfterException => (("3", "签收"), ("302", "派件异常后签收")),
        Step::DeliveredByProxy => (("3", "签收"), ("303", "代签")),
        Step::CollectedFromLocker => (("3", "签收"), ("304", "投柜或站签收")),
        Step::DeliveryOverdue => (("2", "疑难"), ("201", "超时未签收")),
        Step::Silent => (("2", "疑难"), ("202", "超时未更新")),
        Step::Refused => (("2", "疑难"), ("203", "拒收")),
        Step::FailedAttempt => (("2", "疑难"), ("204", "派件异常")),
        Step::LockerOverdue => (("2", "疑难"), ("205", "柜或驿站超时未取")),
        Step::Unreachable => (("2", "疑难"), ("206", "无法联系")),
        Step::OutOfArea => (("2", "疑难"), ("207", "超区")),
        Step::Held => (("2", "疑难"), ("208", "滞留")),
        Step::Damaged => (("2", "疑难"), ("209", "破损")),
        Step::CancelRequested => (("2", "疑难"), ("210", "销单")),
        Step::Returning => (("6", "退回"), ("6", "退回")),
        Step::Returned => (("4", "退签"), ("4", "退签")),
        Step::RefusedForGood => (("4", "退签"), ("14", "拒签")),
        Step::Voided => (("4", "退签"), ("401", "已销单")),
        Step::AwaitingCustoms => (("8", "清关"), ("10", "待清关")),
        Step::InCustoms => (("8", "清关"), ("11", "清关中")),
        Step::ThroughCustoms => (("8", "清关"), ("12", "已清关")),
        Step::CustomsProblem => (("8", "清关"), ("13", "清关异常")),
    };
    Names { base, advanced }
}
