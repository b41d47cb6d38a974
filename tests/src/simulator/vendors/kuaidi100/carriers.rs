//! Kuaidi100's codes of the carriers.

const CODES: [(&str, &str); 11] = [
    ("zto", "zhongtong"),
    ("yto", "yuantong"),
    ("sto", "shentong"),
    ("yunda", "yunda"),
    ("jt", "jtexpress"),
    ("sf", "shunfeng"),
    ("jd", "jd"),
    ("ems", "ems"),
    ("chinapost", "youzhengguonei"),
    ("japanpost", "japanposten"),
    ("singpost", "speedpost"),
];

/// The code of the carrier with this canonical code; empty if Kuaidi100 is never asked for it.
pub(in crate::simulator) fn code(carrier: &str) -> &'static str {
    let row = CODES.iter().find(|(canonical, _)| *canonical == carrier);
    row.map_or("", |(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::carriers::CARRIERS;

    #[test]
    fn every_domestic_carrier_is_known() {
        for carrier in &CARRIERS {
            assert_ne!(code(carrier.code), "", "{}", carrier.code);
        }
    }
}
