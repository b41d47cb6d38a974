//! Consignments of several pieces: fewer signed for than there are is no delivery.

/// Whether the line counts fewer pieces than it names: 共3件签收2件, 签收件数4/5.
pub(super) fn some_are_missing(line: &str) -> bool {
    if !line.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let mut counted = None;
    let mut rest = line;
    while let Some(found) = rest.find('件') {
        let (before, behind) = rest.split_at(found);
        let behind = behind.trim_start_matches('件');
        if let Some((part, whole)) = fraction_behind(behind).or_else(|| fraction_before(before)) {
            if part < whole {
                return true;
            }
        } else if number_before(before).is_some_and(|pieces| *counted.get_or_insert(pieces) != pieces) {
            return true;
        }
        rest = behind;
    }
    false
}

/// ` 4 / 5 ` right behind 件数.
fn fraction_behind(text: &str) -> Option<(u32, u32)> {
    let text = text.strip_prefix('数')?;
    let text = text.strip_prefix(':').unwrap_or(text);
    let (part, whole) = text.split_once('/')?;
    let digits = whole.trim_start().find(|letter: char| !letter.is_ascii_digit());
    let whole = whole.trim_start().get(..digits?)?;
    Some((part.trim().parse().ok()?, whole.parse().ok()?))
}

/// ` 4 / 5 ` right before 件.
fn fraction_before(text: &str) -> Option<(u32, u32)> {
    let whole = number_before(text)?;
    let (text, _) = text.rsplit_once('/')?;
    // 2026/01/14 is a date.
    (!text.contains('/')).then_some((number_before(text)?, whole))
}

/// A number in digits that the text ends with.
fn number_before(text: &str) -> Option<u32> {
    let text = text.strip_suffix(' ')?;
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
    text.get(digits.len()..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::normalise::normalise;
    use super::*;

    #[test]
    fn counts_of_pieces() {
        for (line, expected) in [
            ("共3件签收2件", true),
            ("3件中签收2件，余1件在途", true),
            ("签收完成，共3件签收3件", false),
            ("签收件数4/5", true),
            ("签收件数：5/5", false),
            ("已签收 4/5 件", true),
            ("已签收（主单总件数：1件）", false),
            ("2026/01/14 件已签收", false),
            ("派件中，件件平安", false),
            ("", false),
        ] {
            assert_eq!(some_are_missing(&normalise(line)), expected, "{line}");
        }
    }
}
