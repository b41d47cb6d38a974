//! Telephone numbers: the digits that were stored of one ([`crate::request::phone`] says which), and which carriers need one.

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

    use super::*;

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
}
