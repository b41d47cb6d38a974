//! Telephone numbers: how much of one is kept, and which carriers need one.

/// Digits of a telephone number as vendors take them. It cannot be printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PhoneDigits<'a>(&'a str);

impl std::fmt::Debug for PhoneDigits<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl<'a> PhoneDigits<'a> {
    /// Digits as they were stored; `None` unless there are 4 to 20 and nothing else.
    pub fn stored(text: &'a str) -> Option<Self> {
        let is_usable = (SHORTEST..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_usable.then_some(Self(text))
    }

    /// For the request.
    pub const fn expose(self) -> &'a str {
        self.0
    }

    /// The last four.
    #[must_use]
    pub fn tail(self) -> Self {
        Self(self.0.get(self.0.len().saturating_sub(SHORTEST)..).unwrap_or(self.0))
    }
}

const SHORTEST: usize = 4;
const LONGEST: usize = 20;

/// Words between a number and its extension, which vendors do not want.
const EXTENSIONS: [&str; 7] = ["转", "轉", "分机", "分機", "ext", "#", "x"];

/// How much of a telephone number is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The last four digits.
    Tail,
    /// All digits.
    All,
}

/// The digits to store of a telephone number as somebody wrote it: the extension is cut off, and of a virtual number
/// (`17000000000-1234`, also with a comma) only the four digits after it count, as the documents ask. `None` if fewer than four or
/// more than twenty are left.
pub fn digits_of(written: &str, keep: Keep) -> Option<String> {
    let written = written.trim().to_lowercase();
    let number = EXTENSIONS.iter().fold(written.as_str(), |number, word| {
        number.split(word).next().unwrap_or_default()
    });
    let digits = match virtual_tail(number) {
        Some(tail) => tail.to_owned(),
        None => number.chars().filter(char::is_ascii_digit).collect(),
    };
    let usable = PhoneDigits::stored(&digits)?;
    let kept = match keep {
        Keep::Tail => usable.tail(),
        Keep::All => usable,
    };
    Some(kept.expose().to_owned())
}

/// The four digits behind the last separator of a mobile number. A landline has its hyphen behind the area code, and seven
/// digits or more after it.
fn virtual_tail(number: &str) -> Option<&str> {
    let (before, after) = number.rsplit_once(['-', ',', '，', '_'])?;
    let before = before.chars().filter(char::is_ascii_digit).count();
    let after = after.trim();
    (before >= 11 && after.len() == SHORTEST && after.bytes().all(|byte| byte.is_ascii_digit())).then_some(after)
}

/// Canonical codes of the carriers that tell nothing without a telephone number: SF Express, SF Freight, Fengwang and ZTO Express,
/// the union of what the documents of Kuaidi100's three products say.
pub const CARRIERS_THAT_NEED_IT: [&str; 4] = ["sf", "sffreight", "fengwang", "zto"];

/// True for a carrier, by its canonical code, that tells nothing without a telephone number.
pub fn is_needed(carrier: &str) -> bool {
    CARRIERS_THAT_NEED_IT.contains(&carrier)
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::carriers::Carriers;
    use courierflow_schemas::records::Vendor;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn of_a_telephone_number_four_digits_are_kept() {
        for (written, tail, all) in [
            ("13488888888", "8888", "13488888888"),
            ("+86 134-8888-1234", "1234", "8613488881234"),
            ("0755-26981234", "1234", "075526981234"),
            ("0755-26981234转801", "1234", "075526981234"),
            ("0755-26981234 ext. 801", "1234", "075526981234"),
            ("0755-26981234#801", "1234", "075526981234"),
            ("17000000000-4321", "4321", "4321"),
            ("17000000000,4321", "4321", "4321"),
            ("17000000000转4321", "0000", "17000000000"),
            ("1234", "1234", "1234"),
        ] {
            assert_eq!(digits_of(written, Keep::Tail).as_deref(), Some(tail), "{written}");
            assert_eq!(digits_of(written, Keep::All).as_deref(), Some(all), "{written}");
        }
        for unusable in ["", "123", "none", &"1".repeat(21)] {
            assert_eq!(digits_of(unusable, Keep::Tail), None, "{unusable}");
        }
    }

    #[test]
    fn the_carriers_that_need_a_number_are_those_of_the_documents() {
        let canonical = |code| Carriers::built_in().canonical(Vendor::Kuaidi100, code);
        for code in ["shunfeng", "shunfengkuaiyun", "fengwang", "zhongtong"] {
            assert!(is_needed(&canonical(code)), "{code}");
        }
        assert!(!is_needed(&canonical("yuantong")));
    }

    #[test]
    fn digits_cannot_be_printed() {
        assert_eq!(format!("{:?}", PhoneDigits::stored("1234").unwrap()), "***");
    }

    proptest! {
        #[test]
        fn kept_are_digits_and_with_tail_four(written in any::<String>()) {
            if let Some(tail) = digits_of(&written, Keep::Tail) {
                prop_assert_eq!(tail.len(), 4);
                prop_assert!(tail.bytes().all(|byte| byte.is_ascii_digit()));
                prop_assert!(digits_of(&written, Keep::All).unwrap().ends_with(&tail));
            }
        }
    }
}
