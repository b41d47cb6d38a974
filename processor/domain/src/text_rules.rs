//! What a text alone says, for events without a code or a name (rule 8).

use std::sync::LazyLock;

use courierflow_schemas::meaning::SubStatus;
use courierflow_schemas::records::Status;
use courierflow_schemas::records::Status::{
    AvailableForPickup, Cancelled, Customs, Delivered, Exception, InTransit, InfoReceived, OutForDelivery, PickedUp,
    Returned, Returning,
};
use hashbrown::HashMap;

/// Phrases that contain a telling word without meaning it. Removed one after the other before the rules are tried.
pub const REMOVED_FIRST: &[&str] = &[
    "请您准备签收",
    "请准备签收",
    "准备签收",
    "预约签收",
    "待签收",
    "未签收",
    "派件网点",
    "派送网点",
    "派件员",
    "派送员",
    "willbedelivered",
    "tobedelivered",
    "notdelivered",
    "undelivered",
];

/// One rule: it matches if, in one of its alternatives, every group has a word that the text contains.
#[derive(Debug)]
pub struct TextRule {
    /// Number in the documentation.
    pub number: u8,
    /// Alternatives of groups of words.
    pub alternatives: &'static [&'static [&'static [&'static str]]],
    /// What the event is.
    pub status: Status,
    /// Its refinement.
    pub sub_status: SubStatus,
}

const LOCKERS: &[&str] = &["快递柜", "驿站", "丰巢", "自提", "代收点"];

const fn rule(
    number: u8,
    alternatives: &'static [&'static [&'static [&'static str]]],
    status: Status,
    sub_status: SubStatus,
) -> TextRule {
    TextRule {
        number,
        alternatives,
        status,
        sub_status,
    }
}

/// First match wins: negatives and returns stand before the words that they contain.
pub const TEXT_RULES: &[TextRule] = &[
    rule(
        1,
        &[&[&["退回", "退件"], &["签收"]], &[&["退签"]]],
        Returned,
        SubStatus::ReturnSigned,
    ),
    rule(
        2,
        &[&[&["退回", "退件", "returntosender"]]],
        Returning,
        SubStatus::Returning,
    ),
    rule(
        3,
        &[&[&["拒收", "拒签", "拒绝签收", "refused"]]],
        Exception,
        SubStatus::Refused,
    ),
    rule(
        4,
        &[&[&[
            "无法签收",
            "派送不成功",
            "派件不成功",
            "派送失败",
            "投递失败",
            "未妥投",
            "deliveryattempted",
            "attemptfailed",
        ]]],
        Exception,
        SubStatus::DeliveryFailed,
    ),
    rule(
        5,
        &[&[&["无法联系", "联系不上", "无人接听"]]],
        Exception,
        SubStatus::RecipientUnreachable,
    ),
    rule(
        6,
        &[&[&["已销单", "已取消", "取消寄件"]]],
        Cancelled,
        SubStatus::WaybillVoided,
    ),
    rule(7, &[&[&["清关异常"]]], Exception, SubStatus::CustomsException),
    rule(8, &[&[&["清关", "customs"]]], Customs, SubStatus::Unspecified),
    rule(
        9,
        &[&[&[
            "已下单",
            "待揽收",
            "等待揽收",
            "揽收任务",
            "labelcreated",
            "informationreceived",
            "willsoonbehanded",
        ]]],
        InfoReceived,
        SubStatus::OrderCreated,
    ),
    rule(
        10,
        &[&[LOCKERS, &["签收", "取出", "已取件"]]],
        Delivered,
        SubStatus::LockerOrStation,
    ),
    rule(
        11,
        &[&[&["签收", "妥投", "delivered"]]],
        Delivered,
        SubStatus::Unspecified,
    ),
    rule(
        12,
        &[&[LOCKERS, &["放入", "存入", "暂存", "待取", "取件码"]]],
        AvailableForPickup,
        SubStatus::LockerOrStation,
    ),
    rule(
        13,
        &[&[&["派送", "派件", "配送", "outfordelivery"]]],
        OutForDelivery,
        SubStatus::OutForDelivery,
    ),
    rule(
        14,
        &[&[&["揽收", "收寄", "已收取", "已收件", "pickedup"]]],
        PickedUp,
        SubStatus::PickedUp,
    ),
    rule(
        15,
        &[&[&[
            "到达",
            "离开",
            "发往",
            "发出",
            "发车",
            "转运",
            "中转",
            "分拣",
            "运输",
            "扫描",
            "已收入",
            "打包",
            "装车",
            "卸车",
            "封发",
            "intransit",
            "transiting",
        ]]],
        InTransit,
        SubStatus::InTransit,
    ),
];

/// The first rule that a vendor's text matches.
pub fn first_match(text: &str) -> Option<&'static TextRule> {
    let mut telling: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let mut found = WORDS.find_in(&telling);
    if found & WORDS.removed_first != 0 {
        for phrase in REMOVED_FIRST {
            telling = telling.replace(phrase, "");
        }
        found = WORDS.find_in(&telling);
    }
    let matches = |groups: &Vec<WordSet>| groups.iter().all(|words| found & words != 0);
    TEXT_RULES
        .iter()
        .zip(&WORDS.rules)
        .find(|(_, alternatives)| alternatives.iter().any(matches))
        .map(|(rule, _)| rule)
}

/// A bit for each word of the tables above.
type WordSet = u128;

/// All words, to be found in one pass over a text instead of one for each.
struct Words {
    /// By first letter: the words that begin with it, each with its bit.
    by_first_letter: HashMap<char, Vec<(&'static str, WordSet)>>,
    removed_first: WordSet,
    /// The rules in words' bits: alternatives of groups.
    rules: Vec<Vec<Vec<WordSet>>>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words {
        by_first_letter: HashMap::new(),
        removed_first: 0,
        rules: Vec::new(),
    };
    let mut next: WordSet = 1;
    words.removed_first = words.add(REMOVED_FIRST, &mut next);
    for rule in TEXT_RULES {
        let alternatives = rule.alternatives.iter();
        let alternatives = alternatives
            .map(|groups| groups.iter().map(|group| words.add(group, &mut next)).collect())
            .collect();
        words.rules.push(alternatives);
    }
    words
});

impl Words {
    /// Gives each word a bit, the same one if it has one already, and returns them together.
    fn add(&mut self, group: &[&'static str], next: &mut WordSet) -> WordSet {
        let mut set = 0;
        for word in group {
            let Some(first) = word.chars().next() else { continue };
            let known = self.by_first_letter.entry(first).or_default();
            if let Some((_, bit)) = known.iter().find(|(other, _)| other == word) {
                set |= bit;
            } else {
                known.push((word, *next));
                set |= *next;
                *next = next.wrapping_shl(1);
            }
        }
        set
    }

    fn find_in(&self, text: &str) -> WordSet {
        let mut found = 0;
        for (start, letter) in text.char_indices() {
            for (word, bit) in self.by_first_letter.get(&letter).into_iter().flatten() {
                if text.get(start..).is_some_and(|rest| rest.starts_with(word)) {
                    found |= bit;
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_a_bit_of_its_own() {
        let words: Vec<_> = WORDS.by_first_letter.values().flatten().collect();
        let all = words.iter().fold(0, |all, (_, bit)| all | bit);
        assert_eq!(all.count_ones() as usize, words.len());
        assert!(words.iter().all(|(_, bit)| bit.is_power_of_two()));
    }

    #[test]
    fn one_pass_finds_what_searching_word_by_word_finds() {
        for text in [
            "您的快件已由驿站代签收",
            "派件派件员员",
            "returntosender",
            "无法签收,已退回",
            "签",
            "",
        ] {
            let found = WORDS.find_in(text);
            for (word, bit) in WORDS.by_first_letter.values().flatten() {
                assert_eq!(found & bit != 0, text.contains(word), "{text} {word}");
            }
        }
    }
}
