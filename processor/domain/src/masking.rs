//! Personal data in the vendors' texts (rule 32): phone numbers, names that a word announces, pick-up codes. Ids are made
//! before this, so masking may grow without changing them.
//!
//! Hand-written instead of regular expressions: most texts have nothing to mask, and one look at them must be enough.

use std::borrow::Cow;

/// What becomes of the vendors' texts in shipments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Context {
    /// Kept, masked.
    #[default]
    Keep,
    /// Left out: names that nothing announces cannot be recognised.
    Omit,
}

/// Words after which a name comes, with a colon or a bracket between, or with a phone number behind it.
pub const NAME_WORDS: &[&str] = &[
    "快递员",
    "派件员",
    "业务员",
    "取件人",
    "收件员",
    "签收人",
    "联系人",
    "Delivered to",
    "Signed by",
    "Signed for by",
    "Received by",
];

/// Words after which a pick-up code comes.
pub const CODE_WORDS: &[&str] = &["取件码", "提货码", "取货码"];

/// The word after which the courier's name comes bare.
pub const ASSIGNED_TO: &str = "分配给";

const NAME_MASK: &str = "***";
const CODE_MASK: &str = "****";

/// Masks a folded text; borrows when there is nothing to mask.
pub fn mask(text: &str) -> Cow<'_, str> {
    let hints = Hints::of(text);
    let mut text = Cow::Borrowed(text);
    if hints.code {
        text = replace_all(text, CODE_MASK, code_at);
    }
    if hints.name {
        text = replace_all(text, NAME_MASK, announced_name_at);
        if hints.long_number {
            text = replace_all(text, NAME_MASK, name_before_number_at);
        }
    }
    if hints.assigned {
        text = replace_all(text, NAME_MASK, assigned_name_at);
    }
    if hints.long_number {
        text = mask_numbers(text);
    }
    text
}

/// [`mask`], as an owned text.
pub(crate) fn mask_owned(text: &str) -> String {
    mask(text).into_owned()
}

/// What a text may contain, found in one pass over its bytes.
#[derive(Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent findings")]
struct Hints {
    name: bool,
    code: bool,
    assigned: bool,
    long_number: bool,
}

impl Hints {
    fn of(text: &str) -> Self {
        let mut hints = Self::default();
        let mut digits: u32 = 0;
        let bytes = text.as_bytes();
        for (position, byte) in bytes.iter().enumerate() {
            if byte.is_ascii_digit() {
                digits = digits.saturating_add(1);
                hints.long_number |= digits >= SHORTEST_NUMBER;
                continue;
            }
            digits = 0;
            if !matches!(byte, b' ' | 0xE4 | 0xE5 | 0xE7) {
                continue;
            }
            match bytes.get(position..).unwrap_or_default() {
                // The last letters of the words: 员 人, " by" " to", 码, 给.
                [0xE5, 0x91, 0x98, ..]
                | [0xE4, 0xBA, 0xBA, ..]
                | [b' ', b'b' | b'B', b'y' | b'Y', ..]
                | [b' ', b't' | b'T', b'o' | b'O', ..] => hints.name = true,
                [0xE7, 0xA0, 0x81, ..] => hints.code = true,
                [0xE7, 0xBB, 0x99, ..] => hints.assigned = true,
                _ => {}
            }
        }
        hints
    }
}

/// A stretch to replace, seen from where it was looked for: so many bytes stay, so many go.
struct Found {
    kept: usize,
    hidden: usize,
}

impl Found {
    /// The first `run` bytes of `from_run`, which is an end of `rest`; none if they are none.
    fn run(rest: &str, from_run: &str, run: usize) -> Option<Self> {
        (run > 0).then(|| Self {
            kept: rest.len().saturating_sub(from_run.len()),
            hidden: run,
        })
    }
}

/// Replaces every stretch that `find_at` finds, tried at every letter from left to right.
fn replace_all<'a>(text: Cow<'a, str>, by: &str, find_at: impl Fn(&str) -> Option<Found>) -> Cow<'a, str> {
    let mut masked = String::new();
    let mut pending = text.as_ref();
    let mut rest = pending;
    while let Some(letter) = rest.chars().next() {
        if let Some(found) = if may_begin_a_word(letter) { find_at(rest) } else { None } {
            let before = pending.len().saturating_sub(rest.len()).saturating_add(found.kept);
            masked.push_str(pending.get(..before).unwrap_or_default());
            masked.push_str(by);
            pending = pending.get(before.saturating_add(found.hidden)..).unwrap_or_default();
            rest = pending;
        } else {
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        }
    }
    if masked.is_empty() {
        return text;
    }
    masked.push_str(pending);
    Cow::Owned(masked)
}

/// `取件码：12-3-4567`, `提货码为 8842`.
fn code_at(rest: &str) -> Option<Found> {
    let after_word = strip_word(rest, CODE_WORDS)?;
    let code = skip_blanks(skip_one_of(skip_blanks(after_word), ":：为是"));
    let length = code
        .bytes()
        .take(12)
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        .count();
    if length < 3 {
        None
    } else {
        Found::run(rest, code, length)
    }
}

/// `快递员: 黄想成`, `Delivered to: SLOVESNOV`.
fn announced_name_at(rest: &str) -> Option<Found> {
    let after_word = skip_blanks(strip_word(rest, NAME_WORDS)?);
    let after_mark = skip_one_of(after_word, ":：【[(（");
    if after_mark.len() == after_word.len() {
        return None;
    }
    let name = skip_blanks(after_mark);
    let han = name
        .len()
        .saturating_sub(name.trim_start_matches(|letter| is_han(letter) || letter == '·').len());
    Found::run(rest, name, if han > 0 { han } else { latin_words(name) })
}

/// `快递员张三，电话：13812345678`: without a mark after the word, only the number behind tells that this is a name.
fn name_before_number_at(rest: &str) -> Option<Found> {
    let name = skip_blanks(strip_word(rest, NAME_WORDS)?);
    let ends = han_ends(name).take(4).skip(1);
    // The longest run that a number follows.
    let end = ends
        .filter(|end| name.get(*end..).is_some_and(leads_to_number))
        .last()?;
    Found::run(rest, name, end)
}

/// What may stand between a name and its number.
fn leads_to_number(after_name: &str) -> bool {
    let mut rest = after_name;
    loop {
        let shorter = skip_one_of(rest, " ,，:：【[(（");
        let shorter = strip_word(shorter, &["联系", "电话", "手机"]).unwrap_or(shorter);
        if shorter.len() == rest.len() {
            break;
        }
        rest = shorter;
    }
    leading_digits(rest) >= SHORTEST_NUMBER as usize
}

/// `揽收任务已分配给周建永`. A longer run of Han letters is a depot or a sentence.
fn assigned_name_at(rest: &str) -> Option<Found> {
    let name = skip_blanks(rest.strip_prefix(ASSIGNED_TO)?);
    let han = han_ends(name).count();
    match han {
        0 => Found::run(rest, name, latin_words(name)),
        2..=4 => Found::run(rest, name, han_ends(name).last()?),
        _ => None,
    }
}

/// Digits from which on a run may be a phone number or a part of one.
const SHORTEST_NUMBER: u32 = 7;

/// Mobile numbers, with or without the extension of a virtual number, and landlines. Waybill numbers, hotlines (95311,
/// 400…) and anything with a letter before it stay.
fn mask_numbers(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut pending = text.as_ref();
    let mut rest = pending;
    let mut after_alphanumeric = false;
    while let Some(letter) = rest.chars().next() {
        let digits = leading_digits(rest);
        let length = if after_alphanumeric {
            None
        } else {
            phone_number(rest, digits)
        };
        if let Some(length) = length {
            let before = pending.len().saturating_sub(rest.len());
            masked.push_str(pending.get(..before).unwrap_or_default());
            push_masked_number(rest.get(..length).unwrap_or_default(), &mut masked);
            pending = rest.get(length..).unwrap_or_default();
            rest = pending;
            after_alphanumeric = true;
        } else {
            // Digits are stepped over as one: a number begins at the first of them or not at all.
            after_alphanumeric = letter.is_ascii_alphanumeric();
            rest = rest.get(digits.max(letter.len_utf8())..).unwrap_or_default();
        }
    }
    if masked.is_empty() {
        return text;
    }
    masked.push_str(pending);
    Cow::Owned(masked)
}

/// Length of the phone number that a text begins with; `digits` is the length of its first run of digits.
fn phone_number(text: &str, digits: usize) -> Option<usize> {
    // `-` and the run of digits behind it.
    let extension = text
        .get(digits..)
        .and_then(|rest| rest.strip_prefix('-'))
        .map_or(0, leading_digits);
    let with_extension = digits.saturating_add(1).saturating_add(extension);
    match text.as_bytes() {
        [b'1', b'3'..=b'9', ..] if digits == 11 => Some(if extension == 4 { with_extension } else { digits }),
        [b'0', ..] if matches!(digits, 3 | 4) && matches!(extension, 7 | 8) => Some(with_extension),
        [b'0', ..] if matches!(digits, 10..=12) => Some(digits),
        _ => None,
    }
}

/// Every digit but the first three and the last two becomes `*`.
fn push_masked_number(number: &str, masked: &mut String) {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let mut seen: usize = 0;
    for letter in number.chars() {
        if letter.is_ascii_digit() {
            seen = seen.saturating_add(1);
            let shown = seen <= 3 || seen > digits.saturating_sub(2);
            masked.push(if shown { letter } else { '*' });
        } else {
            masked.push(letter);
        }
    }
}

/// First letters of all words above: asked at every letter of a text, so that most are passed at once.
const fn may_begin_a_word(letter: char) -> bool {
    matches!(
        letter,
        '快' | '派' | '业' | '取' | '收' | '签' | '联' | '提' | '分' | 'D' | 'd' | 'S' | 's' | 'R' | 'r'
    )
}

/// What follows one of the words, Latin ones in any case.
fn strip_word<'t>(text: &'t str, words: &[&str]) -> Option<&'t str> {
    words.iter().find_map(|word| {
        let (start, rest) = text.split_at_checked(word.len())?;
        start.eq_ignore_ascii_case(word).then_some(rest)
    })
}

fn skip_blanks(text: &str) -> &str {
    text.trim_start()
}

fn skip_one_of<'t>(text: &'t str, letters: &str) -> &'t str {
    text.strip_prefix(|letter| letters.contains(letter)).unwrap_or(text)
}

fn leading_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Positions after the first, second, … of the Han letters that a text begins with.
fn han_ends(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices()
        .take_while(|(_, letter)| is_han(*letter))
        .map(|(start, letter)| start.saturating_add(letter.len_utf8()))
}

/// Length of the Latin words, separated by single blanks, that a text begins with.
fn latin_words(text: &str) -> usize {
    let mut end = 0;
    let mut rest = text;
    loop {
        let after = rest.trim_start_matches(is_latin);
        if after.len() == rest.len() {
            return end;
        }
        end = text.len().saturating_sub(after.len());
        match after.strip_prefix(' ') {
            Some(next) => rest = next,
            None => return end,
        }
    }
}

const fn is_han(letter: char) -> bool {
    matches!(
        letter,
        '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' | '々' | '〇'
    )
}

const fn is_latin(letter: char) -> bool {
    letter.is_ascii_alphabetic()
        || matches!(letter, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}') && !matches!(letter, '×' | '÷')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

    use super::*;

    fn check(cases: &[(&str, &str)]) {
        for (text, masked) in cases {
            assert_eq!(mask(text), *masked, "{text}");
        }
    }

    #[test]
    fn every_word_begins_with_a_letter_that_is_looked_at() {
        for word in NAME_WORDS.iter().chain(CODE_WORDS).chain(&[ASSIGNED_TO]) {
            let first = word.chars().next().unwrap();
            assert!(
                may_begin_a_word(first) && may_begin_a_word(first.to_ascii_lowercase()),
                "{word}"
            );
            assert!(Hints::of(word) != Hints::default(), "{word} is not noticed");
        }
    }

    #[test]
    fn rule_32_texts_of_the_vendors_documents() {
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
            (
                "【东莞市】 快件已发往 长沙转运中心（物流问题无需找商家或平台，请联系专属电话 95311为您解决）",
                "【东莞市】 快件已发往 长沙转运中心（物流问题无需找商家或平台，请联系专属电话 95311为您解决）",
            ),
            (
                "您的快件已由本人签收, 感谢您使用京东物流, 期待再次为您服务",
                "您的快件已由本人签收, 感谢您使用京东物流, 期待再次为您服务",
            ),
            ("预计下次派送时间 2022-03-31 23:00", "预计下次派送时间 2022-03-31 23:00"),
        ]);
    }

    #[test]
    fn rule_32_mobile_numbers() {
        check(&[
            ("13812345678", "138******78"),
            ("电话13812345678，", "电话138******78，"),
            ("13812345678-1234", "138********-**34"),
            ("13812345678-12345", "138******78-12345"),
            ("13812345678-13912345678", "138******78-139******78"),
            ("13812345678,13912345678", "138******78,139******78"),
            ("+8613812345678", "+8613812345678"),
            ("a13812345678", "a13812345678"),
            ("13812345678a", "138******78a"),
            ("号13812345678", "号138******78"),
            ("138123456789", "138123456789"),
            ("1381234567", "1381234567"),
            ("12812345678", "12812345678"),
            ("YT13812345678", "YT13812345678"),
            ("735587678765", "735587678765"),
            ("4008123456", "4008123456"),
        ]);
    }

    #[test]
    fn rule_32_landlines() {
        check(&[
            ("010-12345678", "010-******78"),
            ("0755-1234567", "075*-*****67"),
            ("075512345678", "075*******78"),
            ("0101234567", "010*****67"),
            ("010-123456789", "010-123456789"),
            ("010-123456", "010-123456"),
            ("01-12345678", "01-12345678"),
            ("0102-12345678-9", "010*-******78-9"),
            ("07551234567-1", "075******67-1"),
            ("x010-12345678", "x010-12345678"),
        ]);
    }

    #[test]
    fn rule_32_announced_names() {
        check(&[
            ("快递员：张三", "快递员：***"),
            ("派件员【李四】", "派件员【***】"),
            ("业务员 （ 王五 ）", "业务员 （ *** ）"),
            ("签收人:艾力·买买提，", "签收人:***，"),
            ("联系人[赵六]", "联系人[***]"),
            ("签收人：张三已签收", "签收人：***"),
            ("signed by : John  Smith", "signed by : ***  Smith"),
            ("SIGNED FOR BY:John Smith 3", "SIGNED FOR BY:*** 3"),
            ("Received by (José Müller)", "Received by (***)"),
            ("Delivered to:", "Delivered to:"),
            ("快递员张三", "快递员张三"),
            ("快递员：123", "快递员：123"),
            ("快递员：张**", "快递员：*****"),
            ("快递员：张三，派件员：李四", "快递员：***，派件员：***"),
            ("Delivered to mailbox", "Delivered to mailbox"),
        ]);
    }

    #[test]
    fn rule_32_names_before_a_number() {
        check(&[
            ("快递员张三13812345678", "快递员***138******78"),
            ("快递员 张三丰 13812345678", "快递员 *** 138******78"),
            ("派件员李四，电话：13812345678", "派件员***，电话：138******78"),
            ("业务员王五（手机 13812345678）", "业务员***（手机 138******78）"),
            ("快递员张三，联系电话：13812345678", "快递员***，联系电话：138******78"),
            ("快递员张三 95311", "快递员张三 95311"),
            ("快递员张三 4008123456", "快递员*** 4008123456"),
            ("快递员张13812345678", "快递员张138******78"),
            ("快递员欧阳张三丰13812345678", "快递员欧阳张三丰138******78"),
            ("快递员张三正在派件 13812345678", "快递员张三正在派件 138******78"),
        ]);
    }

    #[test]
    fn rule_32_names_after_an_assignment() {
        check(&[
            ("已分配给张三", "已分配给***"),
            ("已分配给张三，", "已分配给***，"),
            ("已分配给 Li Lei.", "已分配给 ***."),
            ("已分配给张", "已分配给张"),
            ("已分配给深圳桂庙营业部", "已分配给深圳桂庙营业部"),
            ("已分配给 95311", "已分配给 95311"),
        ]);
    }

    #[test]
    fn rule_32_codes() {
        check(&[
            ("取件码12-3-4567", "取件码****"),
            ("取件码：8842，", "取件码：****，"),
            ("提货码为 A1b2", "提货码为 ****"),
            ("取货码 : 123", "取货码 : ****"),
            ("取件码是12", "取件码是12"),
            ("取件码：一二三", "取件码：一二三"),
            ("取件码1234567890123", "取件码****3"),
            ("取件码：13812345678", "取件码：****"),
        ]);
    }

    #[test]
    fn a_text_without_personal_data_is_borrowed() {
        for text in [
            "您的快件已发车",
            "收件人已签收",
            "",
            "Your parcel is transiting through our logistics platforms.",
        ] {
            assert!(matches!(mask(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
