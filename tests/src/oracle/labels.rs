//! Rule 6.5: what a text says by itself, as labelled by hand. Not a classifier: a text without a label has no class
//! here, and the recomputation of an item that has nothing else ends.

use std::collections::HashMap;
use std::sync::LazyLock;

use courierflow_schemas::records::{Status, Vendor};

use super::{codes, masking};

/// id, split, carrier, language, category, text, status, sub-status, other answers, confidence, vendor's code, why.
const LINES: &str = include_str!("../../../processor/domain/tests/texts/train.tsv");

/// A line whose class nobody disputes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) text: &'static str,
    pub(super) status: Status,
    pub(super) sub_status: Option<&'static str>,
}

/// The lines that are sure and have one answer, for the workload: those that may be personal are left out.
pub(super) static SURE: LazyLock<Vec<Label>> = LazyLock::new(|| {
    ALL.iter()
        .filter(|label| !may_be_personal(label.text))
        .copied()
        .collect()
});

/// All lines that are sure and have one answer.
static ALL: LazyLock<Vec<Label>> = LazyLock::new(|| {
    let lines = LINES.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    lines
        .filter(|column| column[9] == "sure" && column[8].is_empty())
        .map(|column| Label {
            text: column[5],
            status: status(column[6]),
            sub_status: Some(column[7]).filter(|sub_status| !sub_status.is_empty()),
        })
        .collect()
});

/// Lines that may hold a name, a number or a code are left to the tests of masking, which have marked lines of their own: here
/// they would be compared with the few patterns of [`masking`].
fn may_be_personal(text: &str) -> bool {
    const ANNOUNCE: &[&str] = &[
        "员",
        "小哥",
        "司机",
        "骑手",
        "师傅",
        "站长",
        "店长",
        "联系",
        "签收人",
        "收件人",
        "寄件人",
        "代收人",
        "人是",
        "人：",
        "人:",
        "車牌",
        "车牌",
        "号",
        "号码",
        "號",
        "码",
        "碼",
        "电话",
        "電話",
        "手机",
        "熱線",
        "指定",
        "交给",
        "交給",
        "分配",
        "ourier",
        "river",
        "eighbo",
        "igned",
        "eceived by",
        "ecipient",
        "gent",
        "ontac",
        "elivered to",
        "自提：",
        "ollected by",
        "icked up by",
        "arrier",
    ];
    let digits = text
        .as_bytes()
        .windows(4)
        .any(|four| four.iter().all(u8::is_ascii_digit));
    // A short word alone may be a name that nothing announces.
    let is_short = |word: &str| (2..=4).contains(&word.chars().count()) && !word.is_ascii();
    digits || text.split(' ').any(is_short) || ANNOUNCE.iter().any(|word| text.contains(word))
}

static CLASSES: LazyLock<HashMap<String, (Status, Option<&'static str>)>> = LazyLock::new(|| {
    ALL.iter()
        .map(|label| (masking::folded(label.text), (label.status, label.sub_status)))
        .collect()
});

/// Texts that mean what a code of Kuaidi100 means: by its sub-status, or where no line has it by its status.
pub(crate) fn of_code(code: &str) -> Vec<&'static str> {
    let saying = codes::by_code(Vendor::Kuaidi100, false, code, "").unwrap();
    let of_status = || SURE.iter().filter(|label| label.status == saying.status);
    let exact: Vec<&str> = of_status()
        .filter(|label| label.sub_status == saying.sub_status)
        .map(|label| label.text)
        .collect();
    if exact.is_empty() {
        of_status().map(|label| label.text).collect()
    } else {
        exact
    }
}

/// The class of a folded text.
#[expect(clippy::panic, reason = "the workload made up a text that has no label")]
pub(super) fn class(folded_text: &str) -> (Status, Option<&'static str>) {
    if folded_text.is_empty() {
        return (Status::Unknown, None);
    }
    *CLASSES
        .get(folded_text)
        .unwrap_or_else(|| panic!("no label says what this text means: {folded_text}"))
}

fn status(name: &str) -> Status {
    *Status::ALL.iter().find(|status| status.as_str() == name).unwrap()
}
