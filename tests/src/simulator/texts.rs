//! What carriers write into a trace: three house styles, with the names, telephone numbers and pick-up codes that real
//! traces are full of. All persons and numbers are made up.

use crate::oracle::labels;

use super::carriers::{Carrier, Style};
use super::places::City;
use super::random::Random;
use super::steps::Step;
use super::vendors::kuaidi100::steps::names;

const SURNAMES: &[&str] = &[
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "马", "朱", "胡", "郭", "何", "林", "欧阳",
];
const GIVEN_NAMES: &[&str] = &[
    "伟", "强", "磊", "洋", "勇", "军", "杰", "涛", "超", "明", "志强", "建国", "海燕", "小红", "国强", "佳琪", "文博",
];
const MOBILE_PREFIXES: &[&str] = &["1380000", "1590000", "1770000", "1990000"];
const SITES: &[&str] = &[
    "城东",
    "城西",
    "高新",
    "万达",
    "大学城",
    "开发区",
    "火车站",
    "新城",
    "科技园",
];
const STATIONS: &[&str] = &[
    "丰巢智能快递柜(阳光花园南门)",
    "丰巢智能快递柜(科技园3栋大堂)",
    "菜鸟驿站(幸福里小区店)",
    "妈妈驿站(中山路店)",
    "兔喜超市自提点(学府路)",
];
const PROXIES: &[&str] = &["门卫", "前台", "家人", "物业", "邻居"];
const PROMOTIONS: &[&str] = &[
    "🎁 参加满意度调查，赢取 5 元寄件券 👉 https://example.com/x?a=1&b=2",
    "📦 您的满意是我们的动力，请给五星好评 ⭐⭐⭐⭐⭐",
    "；寄快递，找我们😊 满 3 件 8 折",
];

/// A courier.
#[derive(Clone, Debug)]
pub struct Person {
    /// Full name.
    pub name: String,
    /// Mobile number.
    pub phone: String,
}

/// A made-up courier.
pub fn person(random: &mut Random) -> Person {
    Person {
        name: format!("{}{}", random.pick(SURNAMES), random.pick(GIVEN_NAMES)),
        phone: format!("{}{}", random.pick(MOBILE_PREFIXES), random.digits(4)),
    }
}

/// A depot in that city: `深圳科技园营业部`.
pub fn depot(random: &mut Random, city: &City) -> String {
    format!("{}{}", city.short(), random.pick(SITES))
}

/// A locker or a pick-up station.
pub fn station(random: &mut Random) -> &'static str {
    random.pick::<&str>(STATIONS)
}

/// A pick-up code, as lockers (8 digits) and stations (`8-2-3041`) write it.
pub fn pickup_code(random: &mut Random) -> String {
    if random.chance(0.5) {
        random.digits(8)
    } else {
        format!(
            "{}-{}-{}",
            random.whole(1, 20),
            random.whole(1, 9),
            random.whole(1_000, 9_999)
        )
    }
}

/// A line that carriers add for themselves: emoji, links, no fact.
pub fn promotion(random: &mut Random) -> &'static str {
    random.pick::<&str>(PROMOTIONS)
}

/// What a text is about.
#[derive(Debug)]
pub struct Scene<'life> {
    /// Who carries.
    pub carrier: &'life Carrier,
    /// Where.
    pub city: &'life City,
    /// Name of the depot or hub.
    pub site: &'life str,
    /// Where it goes next.
    pub next: &'life str,
    /// Who brings it.
    pub courier: &'life Person,
    /// The locker or station.
    pub station: &'life str,
    /// The code that opens it.
    pub code: &'life str,
}

/// A line that says by itself what the step is, for subscriptions without codes and names.
pub fn telling(step: Step, random: &mut Random) -> &'static str {
    // They are filed under the codes of the vendor that has one for most steps.
    let texts = labels::of_code(names(step).advanced.0);
    random.pick::<&str>(&texts)
}

/// The text of a step in the carrier's style.
pub fn text(step: Step, scene: &Scene<'_>, random: &mut Random) -> String {
    let Scene {
        carrier,
        city,
        site,
        next,
        courier,
        station,
        code,
    } = scene;
    let Person { name, phone } = courier;
    let hotline = carrier.hotline;
    let body = match (step, carrier.style) {
        (Step::Ordered, _) => "商家已下单，等待揽收".to_owned(),
        (Step::AwaitingPickup, _) => format!("揽收任务已分配给业务员 {name}，电话：{phone}"),
        (Step::PickedUp, Style::Bracketed) => {
            format!("快件已由 {site} 揽收（物流问题无需找商家或平台，请联系专属电话 {hotline} 为您解决）")
        }
        (Step::PickedUp, Style::Formal) => {
            format!(
                "您的快件在【{}{}{}】已揽收，揽收人: {name}",
                city.province, city.city, city.district
            )
        }
        (Step::PickedUp, Style::Compact) => format!("{} 已收取快件，收件员：{name}，电话：{phone}", carrier.name),
        (Step::LeftOriginDepot | Step::LeftHub | Step::ToDeliveryDepot, Style::Bracketed) => {
            format!("快件已发往 {next}（物流问题无需找商家或平台，请联系专属电话 {hotline} 为您解决）")
        }
        (Step::LeftOriginDepot | Step::LeftHub | Step::ToDeliveryDepot, Style::Formal) => {
            format!("您的快件离开【{site}】，已发往【{next}】")
        }
        (Step::LeftOriginDepot | Step::LeftHub | Step::ToDeliveryDepot, Style::Compact) => {
            format!("快件在【{site}】完成分拣，准备发往 【{next}】 ")
        }
        (Step::ArrivedHub | Step::ArrivedDestCity, Style::Bracketed) => format!("快件已到达 {site}"),
        (Step::ArrivedHub | Step::ArrivedDestCity, Style::Formal) => format!("您的快件已到达【{site}】"),
        (Step::ArrivedHub | Step::ArrivedDestCity, Style::Compact) => format!("快件到达 【{site}】"),
        (Step::ArrivedDeliveryDepot, _) => format!("快件已到达派件网点【{site}】，正在安排派送"),
        (Step::Redirected, _) => format!("收件地址变更，快件转寄至新地址，发往【{next}】"),
        (Step::HandedOn, _) => format!("快件已转由中国邮政继续运输，转单号 98{}", random.digits(11)),
        (Step::OutForDelivery, Style::Compact) => {
            format!("正在派送途中,请您准备签收(派件员:{name},电话:{phone})")
        }
        (Step::OutForDelivery, _) => {
            format!("{site} 的业务员 {name}，电话：{phone} 正在派件，请您准备签收（{hotline}为客服电话）")
        }
        (Step::InLocker, _) => format!("您的快件已暂存至{station}，取件码 {code}，请及时取件，联系电话 {phone}"),
        (Step::Delivered, _) => format!("快件已签收，感谢使用{}，期待再次为您服务", carrier.name),
        (Step::DeliveredToRecipient, Style::Formal) => {
            format!("您的快件已签收，签收人: 本人签收。如有疑问请联系业务员 {name} {phone}，客服电话 {hotline}")
        }
        (Step::DeliveredToRecipient, _) => format!("已签收,签收人：本人,感谢使用{},投诉电话{hotline}", carrier.name),
        (Step::DeliveredAfterException, _) => format!("快件再次派送后已签收，签收人：本人，派送员 {name}，{phone}"),
        (Step::DeliveredByProxy, _) => {
            format!(
                "您的快件已由{}代签收，如有疑问请联系业务员：{name}，{phone}",
                random.pick(PROXIES)
            )
        }
        (Step::CollectedFromLocker, _) => format!("您的快件已从{station}取出，如有疑问请联系 {phone}"),
        (Step::DeliveryOverdue, _) => "快件派件后长时间没有结果，请联系客服核实".to_owned(),
        (Step::Silent, _) => "快件运输时间较长，请您耐心等待".to_owned(),
        (Step::Refused, _) => "收件人拒收，原因：不想要了，等待寄件方确认".to_owned(),
        (Step::FailedAttempt, _) => {
            let reason = random.pick(&[
                "收件人不在家",
                "电话无法接通",
                "地址不详",
                "客户要求更改时间",
                "节假日公司休息",
            ]);
            format!("派送不成功，原因：{reason}，业务员 {name}（{phone}）将再次派送")
        }
        (Step::LockerOverdue, _) => format!("您的快件在{station}超时未取，请尽快凭取件码 {code} 取件"),
        (Step::Unreachable, _) => format!("无法联系收件人，电话无人接听，业务员 {name} 将稍后再试"),
        (Step::OutOfArea, _) => "收件地址超出服务范围，已联系寄件方处理".to_owned(),
        (Step::Held, _) => format!("受天气影响，快件在【{site}】滞留，我们会尽快安排"),
        (Step::Damaged, _) => "快件外包装破损，网点正在核实处理".to_owned(),
        (Step::CancelRequested, _) => "寄件人申请撤销寄件".to_owned(),
        (Step::Returning, _) => format!("快件退回中，已从【{site}】返回寄件人"),
        (Step::Returned, _) => "退回件已签收，签收人：寄件人".to_owned(),
        (Step::RefusedForGood, _) => "收件人拒绝签收，快件交还寄件人".to_owned(),
        (Step::Voided, _) => "订单已取消，运单作废".to_owned(),
        (Step::AwaitingCustoms, _) => format!("【{site}】快件等待清关"),
        (Step::InCustoms, _) => format!("【{site}】快件清关中"),
        (Step::ThroughCustoms, _) => format!("【{site}】出口清关完成，已放行"),
        (Step::CustomsProblem, _) => format!("【{site}】清关异常，需要补充申报资料"),
    };
    match carrier.style {
        Style::Bracketed => format!("【{}】 {body}", city.city),
        Style::Formal | Style::Compact => body,
    }
}
