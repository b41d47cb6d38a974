//! Personal data in texts: rule 13.1 as far as the traffic of the tests touches it, expression by expression, and rule
//! 4.9. What rule 13.1 is measured on stands beside masking itself, in `processor/domain/tests`.

use std::sync::LazyLock;

use fancy_regex::{Captures, Regex};

/// The words that announce a name, with 姓名 behind or not.
const ANNOUNCING: &str = "(?:快递员|派件员|派送员|派件人|业务员|取件人|揽收人|收件员|收件人|寄件人|签收人|联系人|\
                          (?i:Delivered to|Signed by|Signed for by|Received by))(?:姓名)?";

/// What stands in the place of a name and is none.
const NO_NAME: &str = "(?!本人|家人|门卫|前台|物业|收发室|他人|同事|寄件人|收件人|业务员|快递员|驿站|菜鸟|丰巢|快递柜|\
                       更正|正在|已|将|未|拒|凭|在|无|不|网点|站点|agent|recipient|customs|mailbox)";

/// What may follow a name without a mark between.
const FOLLOWING: &str = "(?=[^\\p{Han}·]|$|正在|已|将|派|签收|联系|电话|手机)";

/// Surnames of the traffic: a name without a mark before it needs one.
const SURNAME: &str = "(?:欧阳|[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾])";

/// Latin words separated by single blanks, the first letter of each a capital.
const LATIN_WORDS: &str = r"\p{Lu}\p{Latin}*(?: \p{Lu}\p{Latin}*)*";

static PICKUP_CODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"((?:取件码|提货码|取货码)[\s:：为是【“(（]*)(?=[A-Za-z-]*[0-9])[0-9A-Za-z]+(?:-[0-9A-Za-z]+)*")
        .unwrap()
});

static ANNOUNCED_NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"({ANNOUNCING}\s*[:：【\[(（是为]+\s*){NO_NAME}(?:[\p{{Han}}·]{{2,8}}?{FOLLOWING}|{LATIN_WORDS})"
    ))
    .unwrap()
});

static BARE_NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"({ANNOUNCING}\s*){NO_NAME}{SURNAME}\p{{Han}}{{1,2}}?{FOLLOWING}"
    ))
    .unwrap()
});

static ASSIGNED_NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"((?:分配给|交给|指定)\s*){NO_NAME}(?:\p{{Han}}{{2,4}}(?!\p{{Han}})|{LATIN_WORDS})"
    ))
    .unwrap()
});

/// Mobile numbers of China, with what is dialled behind them.
static MOBILE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?<![0-9A-Za-z])1[3-9][0-9]{9}(?:(?:-|转)[0-9]{1,6}(?![0-9]))?(?![0-9A-Za-z])").unwrap()
});

/// Landlines: twelve digits without a separator are no telephone number.
static LANDLINE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?<![0-9A-Za-z])(?:0[0-9]{2,3}-[0-9]{7,8}|0[0-9]{9,10})(?![0-9A-Za-z])").unwrap());

/// Rule 4.9: every run of white space becomes one blank, ends trimmed.
pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Rule 13.1, on the text of rule 4.9.
pub(super) fn masked(folded_text: &str) -> String {
    let text = PICKUP_CODE.replace_all(folded_text, "${1}****");
    let text = ANNOUNCED_NAME.replace_all(&text, "${1}***");
    let text = BARE_NAME.replace_all(&text, "${1}***");
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

#[cfg(test)]
mod tests {
    use super::masked;

    /// The correction of a text stands where a name could, when the text ends with a person's part.
    #[test]
    fn a_correction_is_no_name() {
        for (text, expected) in [
            (
                "快件退回中，已从【昆明高新】返回寄件人（更正）",
                "快件退回中，已从【昆明高新】返回寄件人（更正）",
            ),
            (
                "退回件已签收，签收人：寄件人（更正）",
                "退回件已签收，签收人：寄件人（更正）",
            ),
            (
                "退回件已签收，签收人：寄件人（王芳）",
                "退回件已签收，签收人：寄件人（***）",
            ),
        ] {
            assert_eq!(masked(text), expected);
        }
    }
}
