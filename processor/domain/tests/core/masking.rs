//! Rule 13.1: what is hidden, what stays, and how well that holds for lines that nobody tuned it to.

use courierflow_domain::{mask, mask_remembered};
use proptest::prelude::*;

#[path = "../texts/marked_lines.rs"]
mod marked_lines;

use marked_lines::Marks;

/// Texts, and what is stored of them.
fn check(cases: &[(&str, &str)]) {
    for (text, masked) in cases {
        assert_eq!(mask(text, None), *masked, "{text}");
    }
}

/// Texts that are stored as they are.
fn check_untouched(texts: &[&str]) {
    for text in texts {
        assert_eq!(mask(text, None), *text);
    }
}

#[test]
fn rule_13_1_marks_on_the_lines_that_it_is_measured_on() {
    for file in [marked_lines::TRAINING, marked_lines::OWN] {
        let marks = Marks::of(&marked_lines::read(file));
        assert!(marks.hidden_percent() >= 99.0, "{:?}", marks.faults);
        assert!(marks.intact_percent() >= 98.0, "{:?}", marks.faults);
    }
}

#[test]
fn rule_13_1_texts_of_the_vendors_documents() {
    check(&[
        (
            "您的快件正在派送中, 请您准备签收 (快递员: 黄想成, 联系电话: 18675534564)。",
            "您的快件正在派送中, 请您准备签收 (快递员: ***, 联系电话: 186******64)。",
        ),
        ("揽收任务已分配给周建永", "揽收任务已分配给***"),
        (
            "[01000]Final delivery Delivered to: SLOVESNOV",
            "[01000]Final delivery Delivered to: ***",
        ),
        (
            "【东莞市】 快件已由 东莞长安揽收（物流问题无需找商家或平台，请联系专属电话 0769-81846477、0769-81846479为您解决）",
            "【东莞市】 快件已由 东莞长安揽收（物流问题无需找商家或平台，请联系专属电话 076*-******77、076*-******79为您解决）",
        ),
    ]);
    check_untouched(&[
        "【东莞市】 快件已发往 长沙转运中心（物流问题无需找商家或平台，请联系专属电话 95311为您解决）",
        "您的快件已由本人签收, 感谢您使用京东物流, 期待再次为您服务",
        "预计下次派送时间 2022-03-31 23:00",
    ]);
}

#[test]
fn rule_13_1_numbers_keep_their_first_three_and_last_two_digits() {
    check(&[
        ("13812345678", "138******78"),
        ("电话13812345678，", "电话138******78，"),
        ("张13812345678李", "张138******78李"),
        ("请电联 138 1234 5678", "请电联 138 **** **78"),
        ("138-1234-5678", "138-****-**78"),
        ("138.1234.5678", "138.****.**78"),
        ("13812345678-1234", "138********-**34"),
        ("13812345678转1234", "138********转**34"),
        ("13812345678 分机 12", "138******** 分机 12"),
        ("13812345678,1234#", "138********,**34#"),
        ("13812345678-13912345678", "138******78-139******78"),
        ("13812345678,13912345678", "138******78,139******78"),
        ("13812345678/13912345678", "138******78/139******78"),
        ("+86 13812345678", "+86 1********78"),
        ("+8613812345678", "+861********78"),
        ("电话 8613812345678", "电话 861********78"),
        ("电话 86-13812345678", "电话 86-1********78"),
        ("电话 008613812345678", "电话 008**********78"),
        ("(86)13812345678", "(86)1********78"),
        ("电话１３８１２３４５６７８", "电话１３８******７８"),
        ("手机:1381234567８", "手机:138******7８"),
        ("138\u{200b}1234\u{feff}5678", "138\u{200b}****\u{feff}**78"),
        ("1381234****", "138********"),
        ("138-****-1234", "138-****-**34"),
        ("139****4821", "139******21"),
        ("010-12345678", "010-******78"),
        ("0755-1234567", "075*-*****67"),
        ("(0755)83269390", "(075*)******90"),
        ("（0755）83269390", "（075*）******90"),
        ("0530--18194261", "053*--******61"),
        ("075512345678", "075512345678"),
        ("电话 075512345678", "电话 075*******78"),
        ("0101234567", "010*****67"),
        ("電話 +852 6123 4567", "電話 +852 **** **67"),
        ("電話 0912-345-678", "電話 091*-***-*78"),
        ("(555) 010-0123", "(555) ***-**23"),
        ("+44 7700 900789", "+44 7*** ****89"),
        ("12345678", "123***78"),
        ("身份证号 11010119900307123X", "身份证号 110*************3X"),
        ("110101199003071234", "110*************34"),
        ("银行卡号：6222 0212 3456 7890", "银行卡号：622* **** **** **90"),
    ]);
}

#[test]
fn rule_13_1_what_is_no_telephone_number_stays() {
    check_untouched(&[
        "客服95338、4001111111、95720-3-1，袋号900494925359，运单YT2025110300001与73125110300002",
        "400-820-1666",
        "400 0000 000",
        "800-830-0000",
        "订单号：13812345678",
        "运单 1234567890",
        "第13812345678号包裹",
        "航班号 1234567",
        "任务编号12345678",
        "包裹12345678",
        "a13812345678",
        "13812345678a",
        "YT13812345678",
        "138123456789",
        "735587678765",
        "2026-03-05 10:12:33",
        "2026.03.05 10:12",
        "20260305",
        "05/03/2026 10:12",
        "03-05 10:00-12:00",
        "8:00-21:00",
        "12345678.90元",
        "12345678元",
        "120.123456，30.654321",
        "AUSTIN, TX 78701-1234",
        "1234 56",
    ]);
}

#[test]
fn rule_13_1_announced_names() {
    check(&[
        ("快递员：张三", "快递员：***"),
        ("派件员【李四】", "派件员【***】"),
        ("派件员【李四(13812345678)】", "派件员【***(138******78)】"),
        ("业务员 （ 王五 ）", "业务员 （ *** ）"),
        ("扫描人员【00218834-张三】", "扫描人员【***】"),
        ("签收人:艾力·买买提，", "签收人:***，"),
        ("签收人：艾力•买买提", "签收人：***"),
        ("签收人：张三已签收", "签收人：***已签收"),
        ("签收人是张三", "签收人是***"),
        ("签收人为张三", "签收人为***"),
        ("收件人姓名：张三", "收件人姓名：***"),
        ("快递员张三正在派件", "快递员***正在派件"),
        ("快递员欧阳张三正在派件", "快递员***正在派件"),
        ("快\u{200b}递员张\u{200b}三正在派件", "快\u{200b}递员***正在派件"),
        ("速遞員張三正在派送", "速遞員***正在派送"),
        ("收件人：陳大文先生", "收件人：***"),
        ("快递员：张**", "快递员：***"),
        ("快递员：张三，派件员：李四", "快递员：***，派件员：***"),
        ("派件员：张三、李四", "派件员：***"),
        ("前台张三代收", "前台***代收"),
        ("已由张三签收", "已由***签收"),
        ("由李小姐簽收", "由***簽收"),
        ("他人代收：张三", "他人代收：***"),
        ("signed by : John  Smith", "signed by : ***"),
        ("SIGNED FOR BY:John Smith 3", "SIGNED FOR BY:*** 3"),
        ("Received by (José Müller)", "Received by (***)"),
        ("Signed for by Jean-Luc Petit", "Signed for by ***"),
        ("Received by Tom O’Brien", "Received by ***"),
        ("Left with neighbour Mrs Patel", "Left with neighbour ***"),
        ("Your driver Dave will deliver", "Your driver *** will deliver"),
        ("已分配给张三，", "已分配给***，"),
        ("已分配给 Li Lei.", "已分配给 ***."),
        ("快件交给张三，正在派送", "快件交给***，正在派送"),
        ("指定：张三 派送", "指定：*** 派送"),
    ]);
}

#[test]
fn rule_13_1_names_right_before_a_number() {
    check(&[
        ("快递员张三13812345678", "快递员***138******78"),
        ("快递员 张三丰 13812345678", "快递员 *** 138******78"),
        ("派件员李四，电话：13812345678", "派件员***，电话：138******78"),
        ("的 张三 （13812345678） 已揽收", "的 *** （138******78） 已揽收"),
        ("【张三/13812345678】正在派件", "【***/138******78】正在派件"),
        ("【张三 手机(13812345678)】", "【*** 手机(138******78)】"),
        ("张三师傅13812345678", "***138******78"),
        ("买买提·艾合买提（13812345678）", "***（138******78）"),
        ("请联系13812345678", "请联系138******78"),
        ("【桂庙营业部】13812345678", "【桂庙营业部】138******78"),
        ("菜鸟驿站13812345678", "菜鸟驿站138******78"),
        ("座机 010-12345678", "座机 010-******78"),
        ("南门 13812345678", "南门 138******78"),
        ("快递员张三 95311", "快递员*** 95311"),
    ]);
}

#[test]
fn rule_13_1_words_that_are_no_names_stay() {
    check_untouched(&[
        "签收人：本人",
        "签收人：家人",
        "签收人: 前台",
        "签收人：门卫",
        "签收人：物业",
        "签收人：收发室",
        "签收人是丰巢",
        "签收人：菜鸟驿站",
        "签收人凭取件码签收",
        "派件员：正在为您派件",
        "快递员正在派件",
        "快递员已接单",
        "收件人拒收",
        "收件人安排他人代收",
        "收件人单位放假",
        "快递员于今日再次派送",
        "快递员未联系上收件人",
        "寄件人申请取消",
        "已分配给深圳桂庙营业部",
        "已分配给 95311",
        "已交给前台",
        "放在指定地点",
        "快件已由 安徽芜湖揽收",
        "快递员：123",
        "Delivered to:",
        "Delivered to mailbox",
        "Delivered to Packstation",
        "Signed by recipient",
        "Item accepted by SingPost",
        "It should be delivered by Friday",
        "Received by customs",
        "Your driver is on the way",
        "Return to Sender. Thank you for using our service.",
        "Delivered, Left with Individual, AUSTIN, TX 78701",
    ]);
}

#[test]
fn rule_13_1_codes() {
    check(&[
        ("取件码12-3-4567", "取件码****"),
        ("取件码：8842，", "取件码：****，"),
        ("取件码是：87654321", "取件码是：****"),
        ("取件码【8-2-3006】", "取件码【****】"),
        ("取件码『87654321』至快递柜", "取件码『****』至快递柜"),
        ("取件码 “9-3-2210” 领取", "取件码 “****” 领取"),
        ("提货码：＃8842", "提货码：＃****"),
        ("取件码１２３４", "取件码****"),
        ("取件碼：654321", "取件碼：****"),
        ("提货码为 A1b2", "提货码为 ****"),
        ("取货码 : 123", "取货码 : ****"),
        ("取件码是12", "取件码是****"),
        ("取件密码:654321", "取件密码:****"),
        ("取件码：13812345678", "取件码：****"),
        ("凭8-2-3006到驿站取件", "凭****到驿站取件"),
        ("请凭取件码A12345领取", "请凭取件码****领取"),
        ("取件暗号：红苹果3301", "取件暗号：****"),
        ("尾号4821的用户", "尾号****的用户"),
        ("Pickup code 449-201", "Pickup code ****"),
        ("Your PIN is 8841.", "Your PIN is ****."),
    ]);
    check_untouched(&[
        "取件码将以短信发送",
        "请凭取件码领取",
        "取件码：一二三",
        "Enter your PIN at the locker",
        "凭身份证领取",
    ]);
}

#[test]
fn rule_13_1_accounts_plates_and_mail() {
    check(&[
        ("微信号xiaoge_8821", "微信号***"),
        ("QQ：100008821", "QQ：100****21"),
        ("工号00218837快递员", "工号002***37快递员"),
        ("邮箱liu.yz@example.com", "邮箱***"),
        ("jane.roe＠example.org", "***"),
        ("车牌号【浙A12345】", "车牌号【***】"),
        ("苏E·8K321", "***"),
        ("京A·D12345前往", "***前往"),
        ("車牌號碼ABC-1234", "車牌號碼***"),
        ("证件号：3307**********1234", "证件号：330*************34"),
    ]);
    check_untouched(&["微信公众号", "浙A区", "京东", "@所有人"]);
}

#[test]
fn rule_13_1_homes() {
    check(&[
        ("收货地址：浙江省义乌市稠江街道青口东苑12幢3单元502室", "收货地址：***"),
        ("已送至阳光花园3期6号楼1单元801门口", "已送至***"),
        ("放置于望江名苑2-1-602门口", "放置于***"),
        ("配送至翠湖天地12栋", "配送至***"),
        ("快件已送达【翠湖天地12栋502室】", "快件已送达【***】"),
        ("Delivered to 22B Baker Lane, Flat 5, Leeds LS1 4AB", "Delivered to ***"),
        (
            "Delivered to 8 Orchard Road, signed by J Roe",
            "Delivered to ***, signed by ***",
        ),
    ]);
    check_untouched(&[
        "学府苑12幢店菜鸟驿站",
        "丰巢柜(金地花园2号柜)",
        "丰巢智能快递柜(科技园3栋大堂)",
        "已到达软件园B座营业部",
        "收件地址不完整",
        "地址安徽芜湖中山北路79号",
        "请到3楼领取",
    ]);
}

#[test]
fn rule_13_1_the_parcels_own_number_stays() {
    for (text, own) in [
        ("快件13812345678已揽收，电话13912345678", "13812345678"),
        ("您的 1381-2345-678 已到", "13812345678"),
        ("尾号yt1234", "YT1234"),
    ] {
        let masked = mask(text, Some(own));
        assert_eq!(masked, text.replace("13912345678", "139******78"), "{text}");
    }
    assert_eq!(mask("电话13812345678", Some("")), "电话138******78");
    assert_eq!(mask("电话13812345678", Some("13812345679")), "电话138******78");
}

/// A telephone number with its country code, its separators and its digits' form.
fn written_number() -> impl Strategy<Value = (String, String)> {
    let mobile = "1[3-9][0-9]{9}"
        .prop_map(|digits| vec![digits[..3].to_owned(), digits[3..7].to_owned(), digits[7..].to_owned()]);
    let landline = "0(10|2[0-9]|[3-79][0-9]{2}|8[1-9][0-9])-[2-8][0-9]{6,7}"
        .prop_map(|number| number.split('-').map(str::to_owned).collect::<Vec<_>>());
    let country = prop::sample::select(vec!["", "+86", "+86 ", "86", "0086", "0086-", "(86)", "+86-"]);
    let separator = prop::sample::select(vec!["", "-", " ", "."]);
    let is_wide = any::<bool>();
    let unseen = prop::sample::select(vec!["", "\u{200b}", "\u{feff}", "\u{2060}", "\u{ad}"]);
    let mobile = (mobile, country, separator)
        .prop_map(|(parts, country, separator)| (country, parts.join(separator), parts.concat()));
    let landline = landline.prop_map(|parts| ("", parts.join("-"), parts.concat()));
    (prop_oneof![mobile, landline], is_wide, unseen).prop_map(|((country, number, digits), is_wide, unseen)| {
        let widened = number.chars().map(|letter| match letter.to_digit(10) {
            Some(digit) if is_wide => char::from_u32('０' as u32 + digit).unwrap(),
            _ => letter,
        });
        let mut written = String::from(country);
        for (place, letter) in widened.enumerate() {
            if place == 5 {
                written.push_str(unseen);
            }
            written.push(letter);
        }
        (written, digits)
    })
}

fn digits_shown(text: &str) -> String {
    let digit = |letter: char| match letter {
        '０'..='９' => char::from_digit(letter as u32 - '０' as u32, 10),
        _ => letter.is_ascii_digit().then_some(letter),
    };
    text.chars().filter_map(digit).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The memo holds what is hidden whoever's parcel it is; a parcel's own number stays visible all the same.
    #[test]
    fn rule_13_1_what_is_remembered_is_what_is_masked(
        before in "[请电联系在您的快递员张王李，：（【]{0,6}",
        (number, digits) in written_number(),
        behind in "[，。）】为您解决张的先生]{0,6}",
        other in "[0-9A-Z]{6,14}",
    ) {
        let text = format!("{before}{number}{behind}");
        for own in [None, Some(digits.as_str()), Some(other.as_str()), Some(""), Some(digits.as_str())] {
            let masked = mask(&text, own);
            prop_assert_eq!(mask_remembered(&text, own), masked.as_ref());
            prop_assert_eq!(mask_remembered(&text, own), masked, "the second time");
        }
    }

    #[test]
    fn rule_13_1_every_form_of_a_number_is_hidden_in_any_text(
        before in "[请电联系在您的快递员张王李，：（【]{0,6}",
        (number, digits) in written_number(),
        behind in "[，。）】为您解决张的先生]{0,6}",
    ) {
        let text = format!("{before}{number}{behind}");
        let masked = mask(&text, None);
        let hidden = &digits[3..digits.len() - 2];
        prop_assert!(!digits_shown(&masked).contains(hidden), "{text} → {masked}");
    }

    #[test]
    fn rule_13_1_masking_is_idempotent_and_never_panics(text in arbitrary_text()) {
        let masked = mask(&text, None).into_owned();
        prop_assert_eq!(mask(&masked, None), masked.as_str(), "{:?}", text);
    }

    #[test]
    fn rule_13_1_no_arbitrary_text_panics(text in any::<String>(), own in any::<Option<String>>()) {
        let _ = mask(&text, own.as_deref());
    }

    #[test]
    fn rule_13_1_harmless_words_are_never_changed(
        words in prop::collection::vec(prop::sample::select(HARMLESS), 1..8)
    ) {
        let text = words.join("，");
        prop_assert_eq!(mask(&text, None), text.as_str());
    }
}

/// Whole sayings of carriers, without any person in them.
const HARMLESS: &[&str] = &[
    "快件已揽收",
    "快递员正在派件",
    "签收人：本人",
    "收件人拒收",
    "请凭取件码领取",
    "已到达【杭州转运中心】",
    "单号YT8800000012345",
    "客服95338",
    "预计2026-03-05 18:00前送达",
    "丰巢柜(金地花园2号柜)",
    "Delivered to agent",
    "Your driver is on the way",
    "重量1.25KG",
    "第2次派件",
    "签收件数4/5",
    "代收货款1280.00元",
];

/// Words, numbers and marks in any order. No number stands right beside a word: what masking puts in place of a name would
/// be taken for hidden digits of it.
fn arbitrary_text() -> impl Strategy<Value = String> {
    let words = "(快递员|派件|签收人|姓名|的|由|为|是|交给|指定|分配给|取件码|凭|尾号|地址|送至|阳光花园|张三|李四|小王|明|先生|本人|前台|驿站|店){1,3}";
    let latin = "(signed by|delivered to|your PIN|J Roe|Baker street|a@b\\.cn|tel|張三|速遞員|快\u{200b}递员)";
    let number = "(\\+86 |86)?[0-9０-９]{1,12}(-[0-9]{1,4})?|138\\*{4}1234|京A12345|[0-9]{1,2}(栋|单元|室)";
    let mark = prop::sample::select(vec!["，", "：", ": ", "（", "）", "【", "】", "。", "/", "#", "、"]);
    let piece = prop_oneof![words, latin, number];
    prop::collection::vec((piece, mark), 0..8)
        .prop_map(|pieces| pieces.into_iter().map(|(piece, mark)| piece + mark).collect())
}
