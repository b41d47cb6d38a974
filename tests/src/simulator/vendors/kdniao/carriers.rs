//! Kdniao's codes of the carriers.

const CODES: [(&str, &str); 10] = [
    ("zto", "ZTO"),
    ("yto", "YTO"),
    ("sto", "STO"),
    ("yunda", "YD"),
    ("jt", "JTSD"),
    ("sf", "SF"),
    ("jd", "JD"),
    ("ems", "EMS"),
    ("chinapost", "YZPY"),
    ("colissimo", "COLISSIMO"),
];

/// The code of the carrier with this canonical code; empty if Kdniao is never asked for it.
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
