//! What can happen to a parcel, and what each vendor calls it. One row a step.

/// Something that happens to a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the table below")]
pub enum Step {
    Ordered,
    AwaitingPickup,
    PickedUp,
    LeftOriginDepot,
    ArrivedHub,
    LeftHub,
    ArrivedDestCity,
    ToDeliveryDepot,
    ArrivedDeliveryDepot,
    Redirected,
    HandedOn,
    OutForDelivery,
    InLocker,
    Delivered,
    DeliveredToRecipient,
    DeliveredAfterException,
    DeliveredByProxy,
    CollectedFromLocker,
    DeliveryOverdue,
    Silent,
    Refused,
    FailedAttempt,
    LockerOverdue,
    Unreachable,
    OutOfArea,
    Held,
    Damaged,
    CancelRequested,
    Returning,
    Returned,
    RefusedForGood,
    Voided,
    AwaitingCustoms,
    InCustoms,
    ThroughCustoms,
    CustomsProblem,
}

/// What the vendors call a step. Codes and names of Kuaidi100: the table `state` of its documents; Kdniao: `StateEx`.
#[derive(Debug)]
pub struct Names {
    /// The step.
    pub step: Step,
    /// Kuaidi100: base code and name (resultv2 = 1, 3; `lastResult.state`).
    pub base: (&'static str, &'static str),
    /// Kuaidi100: advanced code and name (resultv2 = 4 and up).
    pub advanced: (&'static str, &'static str),
    /// Kdniao: `StateEx` and `Action`.
    pub state_ex: &'static str,
    /// Kdniao: `State` of a basic subscription.
    pub state: &'static str,
    /// 17TRACK: `sub_status`.
    pub sub_status: &'static str,
}

macro_rules! steps {
    ($($step:ident $base:literal $base_name:literal $advanced:literal $advanced_name:literal $state_ex:literal $state:literal $sub_status:literal;)+) => {
        /// One row a step.
        pub const STEPS: &[Names] = &[$(Names {
            step: Step::$step,
            base: ($base, $base_name),
            advanced: ($advanced, $advanced_name),
            state_ex: $state_ex,
            state: $state,
            sub_status: $sub_status,
        }),+];
    };
}

steps! {
    Ordered                 "1" "揽收" "101" "已下单"        "10"  "1" "InfoReceived";
    AwaitingPickup          "1" "揽收" "102" "待揽收"        "10"  "1" "InfoReceived";
    PickedUp                "1" "揽收" "103" "已揽收"        "1"   "1" "InTransit_PickedUp";
    LeftOriginDepot         "0" "在途" "1002" "干线"         "206" "2" "InTransit_Other";
    ArrivedHub              "0" "在途" "0" "在途"            "204" "2" "InTransit_Other";
    LeftHub                 "0" "在途" "1002" "干线"         "2"   "2" "InTransit_Other";
    ArrivedDestCity         "0" "在途" "1001" "到达派件城市" "201" "2" "InTransit_Other";
    ToDeliveryDepot         "0" "在途" "0" "在途"            "2"   "2" "InTransit_Other";
    ArrivedDeliveryDepot    "0" "在途" "0" "在途"            "205" "2" "InTransit_Other";
    Redirected              "0" "在途" "1003" "转递"         "5"   "5" "InTransit_Other";
    HandedOn                "7" "转投" "7" "转投"            "2"   "2" "InTransit_Other";
    OutForDelivery          "5" "派件" "5" "派件"            "202" "2" "OutForDelivery_Other";
    InLocker                "5" "派件" "501" "投柜或驿站"    "211" "2" "AvailableForPickup_Other";
    Delivered               "3" "签收" "3" "签收"            "3"   "3" "Delivered_Other";
    DeliveredToRecipient    "3" "签收" "301" "本人签收"      "301" "3" "Delivered_Other";
    DeliveredAfterException "3" "签收" "302" "派件异常后签收" "302" "3" "Delivered_Other";
    DeliveredByProxy        "3" "签收" "303" "代签"          "304" "3" "Delivered_Other";
    CollectedFromLocker     "3" "签收" "304" "投柜或站签收"  "311" "3" "Delivered_Other";
    DeliveryOverdue         "2" "疑难" "201" "超时未签收"    "402" "4" "Exception_Delayed";
    Silent                  "2" "疑难" "202" "超时未更新"    "403" "4" "Exception_Delayed";
    Refused                 "2" "疑难" "203" "拒收"          "404" "4" "DeliveryFailure_Rejected";
    FailedAttempt           "2" "疑难" "204" "派件异常"      "405" "4" "DeliveryFailure_Other";
    LockerOverdue           "2" "疑难" "205" "柜或驿站超时未取" "412" "4" "Exception_Other";
    Unreachable             "2" "疑难" "206" "无法联系"      "416" "4" "DeliveryFailure_NoBody";
    OutOfArea               "2" "疑难" "207" "超区"          "423" "4" "Exception_Other";
    Held                    "2" "疑难" "208" "滞留"          "417" "4" "Exception_Delayed";
    Damaged                 "2" "疑难" "209" "破损"          "414" "4" "Exception_Damage";
    CancelRequested         "2" "疑难" "210" "销单"          "413" "4" "Exception_Other";
    Returning               "6" "退回" "6" "退回"            "407" "4" "Exception_Returning";
    Returned                "4" "退签" "4" "退签"            "406" "3" "Exception_Returned";
    RefusedForGood          "4" "退签" "14" "拒签"           "404" "4" "Exception_Rejected";
    Voided                  "4" "退签" "401" "已销单"        "415" "4" "Exception_Cancel";
    AwaitingCustoms         "8" "清关" "10" "待清关"         "601" "6" "InTransit_CustomsProcessing";
    InCustoms               "8" "清关" "11" "清关中"         "602" "6" "InTransit_CustomsProcessing";
    ThroughCustoms          "8" "清关" "12" "已清关"         "603" "6" "InTransit_CustomsReleased";
    CustomsProblem          "8" "清关" "13" "清关异常"       "604" "6" "InTransit_CustomsRequiringInformation";
}

impl Step {
    /// The row of the table.
    pub fn names(self) -> &'static Names {
        const NONE: &Names = &Names {
            step: Step::ArrivedHub,
            base: ("0", "在途"),
            advanced: ("0", "在途"),
            state_ex: "2",
            state: "2",
            sub_status: "InTransit_Other",
        };
        STEPS.iter().find(|names| names.step == self).unwrap_or(NONE)
    }

    /// Whether the vendor stops following the parcel after it.
    pub fn ends_tracking(self) -> bool {
        self.is_signed() || self == Self::Voided
    }

    /// Whether somebody signed, recipient or sender: what Kuaidi100 calls `ischeck`.
    pub fn is_signed(self) -> bool {
        matches!(
            self,
            Self::Delivered
                | Self::DeliveredToRecipient
                | Self::DeliveredAfterException
                | Self::DeliveredByProxy
                | Self::CollectedFromLocker
                | Self::Returned
                | Self::RefusedForGood
        )
    }
}

/// An exception with its code of each vendor.
#[derive(Debug)]
pub struct Exception {
    /// Its codes; the first one stands for all.
    pub codes: &'static [&'static str],
    /// Kuaidi100's name, else Kdniao's.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

macro_rules! exceptions {
    ($($($code:literal)+ => $name:literal $meaning:literal;)+) => {
        /// The exception codes, for people: Kuaidi100's 2xx, 13 and 14 first, Kdniao's 4xx and 604 behind them.
        pub const EXCEPTIONS: &[Exception] = &[$(Exception { codes: &[$($code),+], name: $name, meaning: $meaning }),+];
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_one_row() {
        for names in STEPS {
            assert_eq!(
                STEPS.iter().filter(|other| other.step == names.step).count(),
                1,
                "{:?}",
                names.step
            );
            assert_eq!(names.step.names().advanced, names.advanced);
        }
        assert_eq!(STEPS.len(), Step::CustomsProblem as usize + 1, "a step without a row");
    }
}
