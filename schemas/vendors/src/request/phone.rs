//! Of a telephone number only what a vendor needs: the last four digits, without the extension; of a shop's virtual number the four
//! behind its `-` (S1, S3: 如座机号码有分机号，分机号无需上传；如号码是电商虚拟号码需传入“-”后的后四位). Whoever wants all digits
//! kept says so for the account.

use courierflow_schemas::identifier;

/// More digits than this behind a mobile number are a number of their own.
const LONGEST_EXTENSION: usize = 6;

/// Digits of a whole number.
const SHORTEST: usize = 7;
const LONGEST: usize = 15;

/// How many digits are kept.
const TAIL: usize = 4;

/// Where an extension begins. `x` is that of `ext` and of `x123`.
const EXTENSION: [char; 6] = ['转', '轉', '分', 'e', 'x', '#'];

/// A telephone number: digits only, at least four of them, without the extension.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    digits: String,
    /// What is dialled: of a shop's virtual number the one in front of the `-`.
    dialled: String,
}

/// A telephone number is printed nowhere.
impl std::fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}

impl PhoneNumber {
    /// Reads one number in any usual spelling; `None` if it is none. Four digits alone are the end of one.
    pub fn read(text: &str) -> Option<Self> {
        let text = identifier::normalised(text).to_lowercase().replace([',', '_'], "-");
        let number = text.split(EXTENSION).next().unwrap_or_default();
        let spelling = |letter: char| letter.is_ascii_digit() || matches!(letter, '+' | '-' | ' ' | '(' | ')' | '.');
        if !number.chars().all(spelling) || number.trim().chars().skip(1).any(|letter| letter == '+') {
            return None;
        }
        let groups: Vec<&str> = number
            .split('-')
            .map(str::trim)
            .filter(|group| !group.is_empty())
            .collect();
        let dialled = match groups.as_slice() {
            [mobile, _behind] if is_mobile(mobile) => Some(digits(mobile)),
            _ => None,
        };
        let digits = match groups.as_slice() {
            // 18412345678-1234: the number of a shop's relay, and who is meant behind it. Fewer or more digits are an extension.
            [mobile, behind] if is_mobile(mobile) && digits(behind).len() > LONGEST_EXTENSION => return None,
            [mobile, behind] if is_mobile(mobile) => digits(if behind.len() == TAIL { behind } else { mobile }),
            // 0755-12345678-801
            [area, number, _extension] if is_area(area) && is_landline(number) => digits(area) + number,
            // 12345678-801
            [number, _extension] if is_landline(number) => (*number).to_owned(),
            _ => digits(number),
        };
        let is_number = digits.len() == TAIL || (SHORTEST..=LONGEST).contains(&digits.len());
        let dialled = dialled.unwrap_or_else(|| digits.clone());
        is_number.then_some(Self { digits, dialled })
    }

    /// The last four digits.
    pub fn tail(&self) -> &str {
        let start = self.digits.len().saturating_sub(TAIL);
        self.digits.get(start..).unwrap_or_default()
    }

    /// All of its digits.
    pub fn into_digits(self) -> String {
        self.digits
    }

    /// Whether a text tells it, with or without the code of the country. Four digits are no number yet.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let told = national(&self.dialled);
        told.len() > TAIL && digits(text).contains(told)
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Digits without the code of the country and the zero in front of an area, unless too few are left to be a number.
fn national(digits: &str) -> &str {
    let rest = without_country(digits).trim_start_matches('0');
    if rest.len() < SHORTEST { digits } else { rest }
}

fn without_country(digits: &str) -> &str {
    let rest = digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86"));
    rest.unwrap_or(digits)
}

/// With or without the code of the country.
fn is_mobile(group: &str) -> bool {
    let digits = digits(group);
    let national = without_country(&digits);
    national.len() == 11 && national.starts_with('1')
}

fn is_area(group: &str) -> bool {
    let digits = digits(group);
    matches!(digits.len(), 3 | 4) && digits.starts_with('0')
}

/// Written in one piece: `1 (415) 555` is the beginning of a number.
fn is_landline(group: &str) -> bool {
    matches!(group.len(), 7 | 8) && group.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_usual_spelling_and_what_is_kept_of_it() {
        // Text, all digits, tail.
        for (text, digits, tail) in [
            ("13488888888", "13488888888", "8888"),
            ("+86 134 8888 8889", "8613488888889", "8889"),
            ("134-8888-8880", "13488888880", "8880"),
            ("（0755）12345678", "075512345678", "5678"),
            ("０７５５－１２３４５６７８", "075512345678", "5678"),
            ("0755-12345678-801", "075512345678", "5678"),
            ("0755-12345678转801", "075512345678", "5678"),
            ("0755-12345678 分机 8012", "075512345678", "5678"),
            ("075512345678 ext. 8012", "075512345678", "5678"),
            ("12345678-8012", "12345678", "5678"),
            ("12345678x801", "12345678", "5678"),
            ("18412345678-1234", "1234", "1234"),
            ("8618412345678-1234", "1234", "1234"),
            ("17000000000,4321", "4321", "4321"),
            ("17000000000转4321", "17000000000", "0000"),
            ("0755-26981234#801", "075526981234", "1234"),
            ("18412345678-12", "18412345678", "5678"),
            ("18412345678#1234", "18412345678", "5678"),
            ("1 (415) 555-0100", "14155550100", "0100"),
            (" 8888 ", "8888", "8888"),
        ] {
            let number = PhoneNumber::read(text).unwrap();
            assert_eq!(number.tail(), tail, "{text}");
            assert_eq!(number.into_digits(), digits, "{text}");
        }
    }

    #[test]
    fn a_text_tells_it_with_or_without_the_code_of_the_country() {
        for (number, text, tells) in [
            ("+86 134 8888 8888", "13488888888", true),
            ("+86 134 8888 8888", "order-8613488888888", true),
            ("008613488888888", "134-8888-8888", true),
            ("13488888888", "tel_+86-13488888888", true),
            ("+86 755 12345678", "0755-12345678", true),
            ("0755-12345678", "86.755.12345678", true),
            ("18412345678-1234", "18412345678", true),
            ("18412345678-1234", "18412345678-1234", true),
            ("+86 18412345678-1234", "18412345678", true),
            ("18412345678-1234", "order-1234", false),
            ("8612345", "8612345", true),
            ("8612345", "order-12345", false),
            ("0000000", "order-1", false),
            ("0000000", "0000000", true),
            ("+86 134 8888 8888", "order-8888", false),
            ("8888", "order-8888", false),
        ] {
            assert_eq!(
                PhoneNumber::read(number).unwrap().is_in(text),
                tells,
                "{number}: {text}"
            );
        }
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "",
            "888",
            "88888",
            "888888",
            "abcd",
            "1348888888a",
            "13488888888/13499999999",
            "13488888888,13499999999",
            "13488888888-13499999999",
            "134****8888",
            "134+8888",
            "1234567890123456",
            "转8888",
            "张三13488888888",
        ] {
            assert!(PhoneNumber::read(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_tail_has_four_digits_and_nothing_is_printed(text in "[0-9 +().-]{0,24}(转[0-9]{0,6})?") {
            if let Some(number) = PhoneNumber::read(&text) {
                prop_assert_eq!(number.tail().len(), 4);
                prop_assert!(number.tail().bytes().all(|byte| byte.is_ascii_digit()));
                let printed = format!("{number:?}");
                prop_assert!(!printed.contains(|letter: char| letter.is_ascii_digit()));
            }
        }
    }
}
