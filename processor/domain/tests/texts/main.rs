//! What lines mean by their words alone (rule 6.5), on labelled lines.

mod labelled;

use courierflow_domain::text::classify;
use labelled::{Labelled, lines, told};
use proptest::prelude::*;

const TRAIN: &str = include_str!("train.tsv");
const OWN: &str = include_str!("own.tsv");

/// Said behind every kind of line, and no news of the parcel.
const COURTESY: [&str; 12] = [
    "，感谢使用，期待再次为您服务",
    "，如有疑问请联系网点：0579-85000319，投诉电话：95311",
    "（物流问题无需找商家或平台，请联系专属电话 95311为您解决）",
    "，签收后如有质量问题请联系商家",
    "，如外包装破损请当面拒收",
    "，如需退件请联系商家客服",
    "，如您未签收该快件请拨打95311",
    "，请勿轻信退件理赔电话",
    "，關注公眾號可修改派送時間、改送驛站自提",
    "。若未取件，逾期将退回寄件人",
    ". Thank you for using our service. Questions? Call customer service 0800 000 0000",
    ". If refused, the parcel goes back to the seller",
];

#[test]
fn rule_6_5_labelled_lines_get_their_class() {
    for (file, is_train) in [(TRAIN, true), (OWN, false)] {
        let lines = lines(file);
        let sure: Vec<_> = lines.iter().filter(|line| line.is_sure).collect();
        assert!(sure.len() > 500);
        let percent =
            |test: &dyn Fn(&Labelled) -> bool| 100 * sure.iter().filter(|line| test(line)).count() / sure.len();
        let by_status = percent(&|line| line.has_status(told(line.text)));
        let by_class = percent(&|line| line.has_class(told(line.text)));
        assert!(by_status >= 97, "{by_status} % by status, train: {is_train}");
        assert!(by_class >= 95, "{by_class} % with sub-status, train: {is_train}");
    }
}

#[test]
fn rule_6_5_nothing_becomes_a_delivery_a_return_or_an_end_that_is_none() {
    for line in lines(TRAIN).iter().chain(&lines(OWN)) {
        let class = told(line.text);
        assert!(!line.is_false_end(class), "{} {} read as {class:?}", line.id, line.text);
    }
}

#[test]
fn courtesy_behind_a_message_does_not_change_its_class() {
    for line in lines(TRAIN) {
        let expected = told(line.text);
        for courtesy in COURTESY {
            let longer = format!(
                "{}{courtesy}",
                line.text.trim_end_matches(['!', '?', '！', '？', '。', '.'])
            );
            assert_eq!(told(&longer), expected, "{} {longer}", line.id);
        }
    }
}

#[test]
fn how_a_line_is_written_does_not_change_its_class() {
    for line in lines(TRAIN).iter().chain(&lines(OWN)) {
        let wide: String = line.text.chars().map(full_width).collect();
        assert_eq!(told(&wide), told(line.text), "{wide}");
        let loud = line.text.to_uppercase();
        assert_eq!(told(&loud), told(line.text), "{loud}");
    }
}

fn full_width(letter: char) -> char {
    match letter {
        '!'..='~' => char::from_u32(u32::from(letter) + 0xfee0).unwrap_or(letter),
        ' ' => '\u{3000}',
        other => other,
    }
}

#[test]
fn traditional_characters_mean_what_the_simplified_ones_mean() {
    let pairs = || {
        include_str!("../../src/text/traditional.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
    };
    let traditional = |letter: char| {
        let found = pairs().find_map(|line| {
            let letters: Vec<char> = line.chars().collect();
            letters
                .chunks(2)
                .find(|pair| pair.get(1) == Some(&letter))
                .and_then(|pair| pair.first().copied())
        });
        found.unwrap_or(letter)
    };
    let mut known = std::collections::HashMap::new();
    for line in lines(TRAIN) {
        let text: String = line
            .text
            .chars()
            .map(|letter| *known.entry(letter).or_insert_with(|| traditional(letter)))
            .collect();
        assert_eq!(told(&text), told(line.text), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>()) {
        let _ = classify(&text);
    }

    #[test]
    fn any_mixture_of_telling_words_is_read(parts in proptest::collection::vec("签收|【|】|（|）|，|。|：|退回|未|如|后|时|无人|将|驿站|delivered|[0-9]{1,3}/[0-9]|签收件数| not |\u{300}|é|\u{200b}", 0..24)) {
        let _ = classify(&parts.concat());
    }
}
