//! The vendors' words as others may read them: a vendor may repeat what it was asked, and whom it concerns.

/// Of a vendor's words, in characters.
const LONGEST_MESSAGE: usize = 200;
/// As long as the shortest telephone number.
const SHORTEST_RUN: usize = 7;
/// As many digits as one in groups has; a date has eight.
const SHORTEST_IN_GROUPS: usize = 10;
/// What may stand between the groups.
const SEPARATORS: [char; 3] = ['-', ' ', '.'];
/// Stands for what is not shown.
const MASK: &str = "***";

/// Shorter ones would be found everywhere. The end of a telephone number is as long.
pub(super) const SHORTEST_SECRET: usize = 4;

/// The vendor's words as records may show them: on one line, telephone numbers masked, 200 characters at most; `None` if nothing is
/// left.
pub(crate) fn masked(text: &str) -> Option<String> {
    let mut masked = String::new();
    let mut run = Run::default();
    for letter in text.trim().chars() {
        if run.takes(letter) {
            continue;
        }
        run.end(&mut masked);
        if !run.takes(letter) {
            masked.push(if letter.is_control() { ' ' } else { letter });
        }
    }
    run.end(&mut masked);
    let cut: String = masked.chars().take(LONGEST_MESSAGE).collect();
    (!cut.is_empty()).then_some(cut)
}

/// Digits in a row, perhaps in groups: 13488888888, 134-8888-8888. A date is too short to be a number in groups.
#[derive(Default)]
struct Run {
    text: String,
    digits: usize,
    /// What stands between the groups.
    separator: Option<char>,
}

impl Run {
    /// Whether a letter goes on with the run, or begins one. Of a separator only what follows tells, so it is taken for the time being.
    fn takes(&mut self, letter: char) -> bool {
        let is_digit = letter.is_ascii_digit() || ('０'..='９').contains(&letter);
        let after_digit = !self.text.is_empty() && !self.text.ends_with(SEPARATORS);
        let separates =
            SEPARATORS.contains(&letter) && after_digit && self.separator.is_none_or(|separator| separator == letter);
        if separates {
            self.separator = Some(letter);
        }
        self.digits += usize::from(is_digit);
        if is_digit || separates {
            self.text.push(letter);
        }
        is_digit || separates
    }

    /// Writes the run, masked if it may be a telephone number, and is empty again.
    fn end(&mut self, out: &mut String) {
        let run = std::mem::take(self);
        let digits = run.text.trim_end_matches(SEPARATORS);
        if digits.contains(SEPARATORS) && run.digits < SHORTEST_IN_GROUPS {
            // Each group for itself.
            for group in run.text.split_inclusive(SEPARATORS) {
                write_group(out, group);
            }
        } else {
            write_group(out, &run.text);
        }
    }
}

/// Digits, and perhaps what separates them from the next.
fn write_group(out: &mut String, group: &str) {
    let digits = group.trim_end_matches(SEPARATORS);
    let behind = group.strip_prefix(digits).unwrap_or_default();
    let is_long = digits.chars().count() >= SHORTEST_RUN;
    out.push_str(if is_long { MASK } else { digits });
    out.push_str(behind);
}

/// The secrets as they are, as [`masked`] has left them, and what is left of one at the end of a message that was cut.
pub(super) fn without(message: &str, secrets: &[&str]) -> String {
    let mut left = message.to_owned();
    for secret in secrets {
        let masked = masked(secret).unwrap_or_default();
        for form in [*secret, masked.as_str()] {
            if form != MASK && !form.is_empty() {
                left = left.replace(form, MASK);
            }
            let begins = form.char_indices().map(|(end, _)| end).rev();
            let mut beginnings = begins.filter_map(|end| form.get(..end));
            let is_long = |part: &&str| part.chars().count() >= SHORTEST_SECRET;
            let cut = beginnings.find(|part| is_long(part) && left.ends_with(part));
            if message.chars().count() >= LONGEST_MESSAGE
                && let Some(kept) = cut.and_then(|part| left.strip_suffix(part))
            {
                left = format!("{kept}{MASK}");
            }
        }
    }
    left.chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_are_masked_and_cut() {
        for (text, expected) in [
            ("POLL:重复订阅", Some("POLL:重复订阅")),
            (" 单号YT0000000000001错误 ", Some("单号YT***错误")),
            ("电话13488888888,分机123456", Some("电话***,分机123456")),
            ("１３４８８８８８８８８", Some("***")),
            ("134-8888-8888 错误", Some("*** 错误")),
            ("134 8888 8888,", Some("***,")),
            ("0755-26981234", Some("***")),
            ("2-26981234", Some("2-***")),
            ("2026-11-30 16:00:00 - 3 次", Some("2026-11-30 16:00:00 - 3 次")),
            ("a\nb", Some("a b")),
            (" ", None),
        ] {
            assert_eq!(masked(text).as_deref(), expected, "{text}");
        }
        assert_eq!(masked(&"字".repeat(500)).map(|text| text.chars().count()), Some(200));
    }

    proptest! {
        #[test]
        fn no_message_has_seven_digits_in_a_row(text in "[0-9a-z 字]{0,300}") {
            let masked = masked(&text).unwrap_or_default();
            prop_assert!(!masked.as_bytes().windows(7).any(|window| window.iter().all(u8::is_ascii_digit)));
        }
    }
}
