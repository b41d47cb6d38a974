//! White space of texts (rule 33): every run of it, U+3000 and U+00A0 included, is one blank; none at the ends. Vendors
//! change it between pushes, ids must not.

use std::borrow::Cow;

/// Folds a text; borrows when there is nothing to fold.
pub(super) fn fold(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_folded(&text) {
        return text;
    }
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    Cow::Owned(folded)
}

fn is_folded(text: &str) -> bool {
    // A blank before the text and one after it would be a run.
    let mut after_blank = true;
    for letter in text.chars() {
        if letter == ' ' {
            if after_blank {
                return false;
            }
            after_blank = true;
        } else {
            if letter.is_whitespace() {
                return false;
            }
            after_blank = false;
        }
    }
    !after_blank || text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_33_runs_become_one_blank_and_ends_are_trimmed() {
        for (text, folded) in [
            ("", ""),
            (" ", ""),
            ("\u{3000}", ""),
            ("上海分拨中心/装件入车扫描 ", "上海分拨中心/装件入车扫描"),
            ("\u{a0} a \t\r\n\u{2003}b\u{3000}c ", "a b c"),
            ("a b", "a b"),
            ("a\u{3000}b", "a b"),
            ("a\tb", "a b"),
            ("a  b", "a b"),
            ("a\u{200b}b", "a\u{200b}b"),
        ] {
            assert_eq!(fold(Cow::Borrowed(text)), folded, "{text:?}");
        }
    }

    #[test]
    fn a_folded_text_is_borrowed() {
        assert!(matches!(
            fold(Cow::Borrowed("快件已到达 虎门转运中心")),
            Cow::Borrowed(_)
        ));
    }
}
