//! Placeholder lines that only say "nothing found" (rule 8.3c).

use std::collections::HashSet;
use std::sync::LazyLock;

static PLACEHOLDERS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let rows = include_str!("placeholders.txt").lines();
    rows.filter(|row| !row.is_empty() && !row.starts_with('#')).collect()
});

/// Twice the length of the longest row, in characters: longer texts need no closer look.
const MAX_CHARS: usize = 80;

/// True if a text is such a line, ignoring white space, punctuation and case.
pub(crate) fn is_placeholder(text: &str) -> bool {
    if text.chars().take(MAX_CHARS + 1).count() > MAX_CHARS {
        return false;
    }
    let letters = text.chars().filter(|letter| letter.is_alphanumeric());
    let bare: String = letters.flat_map(char::to_lowercase).collect();
    PLACEHOLDERS.contains(bare.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_8_3c_a_text_is_a_placeholder_only_as_a_whole() {
        for text in [
            "查无结果",
            "【暂无轨迹】",
            " 暂无 物流信息。",
            "没有查询到相关信息！",
            "No tracking information available.",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "",
            "。",
            "暂无物流信息，请稍后",
            "快件已签收，暂无轨迹",
            "Tracking",
            "查无此人，派送失败",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn rows_are_written_as_they_are_compared() {
        assert!(PLACEHOLDERS.len() > 50);
        for row in PLACEHOLDERS.iter() {
            assert!(is_placeholder(row), "{row}");
        }
    }
}
