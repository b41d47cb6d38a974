//! Personal data in texts: rule 32, expression by expression, and rule 33.

use std::sync::LazyLock;

use fancy_regex::{Captures, Regex};

/// The words that announce a name.
const ANNOUNCING: &str =
    "(?:快递员|派件员|业务员|取件人|收件员|签收人|联系人|(?i:Delivered to|Signed by|Signed for by|Received by))";

/// Latin words separated by single blanks.
const LATIN_WORDS: &str = r"\p{Latin}+(?: \p{Latin}+)*";

static PICKUP_CODE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"((?:取件码|提货码|取货码)\s*[:：为是]?\s*)[0-9A-Za-z-]{3,12}").unwrap());

static ANNOUNCED_NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"({ANNOUNCING}\s*[:：【\[(（]\s*)(?:[\p{{Han}}·]+|{LATIN_WORDS})"
    ))
    .unwrap()
});

static NAME_BEFORE_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"({ANNOUNCING}\s*)\p{{Han}}{{2,4}}(?=[\s,，]*(?:联系)?(?:电话|手机)?\s*[:：]?\s*[(（\[【]?\s*[0-9]{{7,}})"
    ))
    .unwrap()
});

static ASSIGNED_NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!(r"(分配给\s*)(?:\p{{Han}}{{2,4}}(?!\p{{Han}})|{LATIN_WORDS})")).unwrap());

static MOBILE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?<![0-9A-Za-z])1[3-9][0-9]{9}(-[0-9]{4})?(?![0-9])").unwrap());

static LANDLINE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?<![0-9A-Za-z])0[0-9]{2,3}-?[0-9]{7,8}(?![0-9])").unwrap());

/// Rule 33: every run of white space becomes one blank, ends trimmed.
pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Rule 32, on the folded text, in its order.
pub(super) fn masked(folded_text: &str) -> String {
    let text = PICKUP_CODE.replace_all(folded_text, "${1}****");
    let text = ANNOUNCED_NAME.replace_all(&text, "${1}***");
    let text = NAME_BEFORE_NUMBER.replace_all(&text, "${1}***");
    let text = ASSIGNED_NAME.replace_all(&text, "${1}***");
    let text = MOBILE.replace_all(&text, mask_digits);
    LANDLINE.replace_all(&text, mask_digits).into_owned()
}

/// Every digit but the first three and the last two becomes `*`; what is no digit stays.
fn mask_digits(number: &Captures<'_>) -> String {
    let digits = number[0].chars().filter(char::is_ascii_digit).count();
    let mut seen = 0;
    number[0]
        .chars()
        .map(|glyph| {
            if !glyph.is_ascii_digit() {
                return glyph;
            }
            seen += 1;
            if seen <= 3 || seen > digits - 2 { glyph } else { '*' }
        })
        .collect()
}
