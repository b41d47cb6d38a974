//! How the simulated carriers behave. They differ **on purpose**, so that a carrier table has something to find:
//!
//! | carrier | character |
//! |---|---|
//! | sf 顺丰 | by air: fast on every lane, reliable |
//! | jd 京东 | fast, own couriers, few exceptions |
//! | zto 中通 | the ordinary one |
//! | yto 圆通 | more than half of its parcels go to a locker or a station (501), some overdue there (205) |
//! | sto 申通 | many failed attempts and unreachable recipients (204, 206) |
//! | yunda 韵达 | ordinary on short lanes, slow on lanes over 1,200 km |
//! | jt 极兔 | many refusals and returns (203, 6, 4): so many that its 90th percentile is not reached |
//! | ems EMS | slow but steady; reaches every place; holds parcels at depots (208) |
//! | chinapost 邮政 | slowest, with long silences (202) |
//!
//! None of these numbers is a measurement of the real company of that name.

/// How a carrier writes its traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `【东莞市】 快件已发往 长沙转运中心（…）`
    Bracketed,
    /// `您的快件离开【陕西省延安市吴起县】，已发往【西安转运中心】`
    Formal,
    /// `快件在【深圳宝安中转场】完成分拣，准备发往 【武汉吴家山中转场】`
    Compact,
}

/// One carrier: names, and the odds of what happens to its parcels.
#[derive(Debug)]
pub struct Carrier {
    /// Canonical code, as in topics and tables.
    pub code: &'static str,
    /// Short Chinese name.
    pub name: &'static str,
    /// English name.
    pub name_en: &'static str,
    /// Public hotline, which is not personal data.
    pub hotline: &'static str,
    /// Tracking numbers: prefix and number of digits behind it.
    pub number: (&'static str, usize),
    /// How its traces read.
    pub style: Style,
    /// Share of all parcels, as a weight.
    pub share: u32,
    /// Median hours from order to pick-up.
    pub pickup_hours: f64,
    /// Median speed between hubs, km/h.
    pub speed: f64,
    /// Factor on the travel time of lanes over 1,200 km.
    pub long_lane: f64,
    /// Median hours in each hub.
    pub hub_hours: f64,
    /// Share of delivery rounds that end with a failed attempt (204).
    pub failed_attempt: f64,
    /// Share of delivery rounds on which nobody answers (206).
    pub unreachable: f64,
    /// Share of rounds that end in a locker or at a station (501).
    pub locker: f64,
    /// Share of those that stay there too long (205).
    pub locker_overdue: f64,
    /// Share of parcels that the recipient refuses (203, or 14 at the end).
    pub refused: f64,
    /// Share of parcels held at a depot (208).
    pub held: f64,
    /// Share of parcels about which nothing is heard for days (202).
    pub silent: f64,
    /// Share of parcels damaged (209).
    pub damaged: f64,
    /// Share of parcels that end outside of the carrier's area and are handed on (207, 7).
    pub out_of_area: f64,
    /// Share of parcels that are never heard of again.
    pub lost: f64,
}

/// The ordinary carrier, from which the others differ.
pub const ORDINARY: Carrier = Carrier {
    code: "zto",
    name: "中通",
    name_en: "ZTO Express",
    hotline: "95311",
    number: ("7", 11),
    style: Style::Bracketed,
    share: 20,
    pickup_hours: 4.0,
    speed: 62.0,
    long_lane: 1.0,
    hub_hours: 5.0,
    failed_attempt: 0.03,
    unreachable: 0.02,
    locker: 0.30,
    locker_overdue: 0.04,
    refused: 0.012,
    held: 0.01,
    silent: 0.008,
    damaged: 0.003,
    out_of_area: 0.004,
    lost: 0.004,
};

/// Every carrier of domestic parcels.
pub static CARRIERS: [Carrier; 9] = [
    ORDINARY,
    Carrier {
        code: "yto",
        name: "圆通",
        name_en: "YTO Express",
        hotline: "95554",
        number: ("YT", 13),
        style: Style::Formal,
        share: 18,
        hub_hours: 5.5,
        locker: 0.62,
        locker_overdue: 0.13,
        ..ORDINARY
    },
    Carrier {
        code: "sto",
        name: "申通",
        name_en: "STO Express",
        hotline: "95543",
        number: ("77", 13),
        share: 13,
        hub_hours: 6.0,
        failed_attempt: 0.15,
        unreachable: 0.11,
        ..ORDINARY
    },
    Carrier {
        code: "yunda",
        name: "韵达",
        name_en: "Yunda Express",
        hotline: "95546",
        number: ("43", 13),
        share: 14,
        long_lane: 2.1,
        ..ORDINARY
    },
    Carrier {
        code: "jt",
        name: "极兔",
        name_en: "J&T Express",
        hotline: "956025",
        number: ("JT", 13),
        style: Style::Formal,
        share: 12,
        refused: 0.12,
        damaged: 0.012,
        lost: 0.008,
        ..ORDINARY
    },
    Carrier {
        code: "sf",
        name: "顺丰",
        name_en: "SF Express",
        hotline: "95338",
        number: ("SF", 13),
        style: Style::Compact,
        share: 9,
        pickup_hours: 1.5,
        speed: 190.0,
        hub_hours: 2.0,
        failed_attempt: 0.012,
        unreachable: 0.012,
        locker: 0.10,
        locker_overdue: 0.02,
        refused: 0.006,
        held: 0.004,
        silent: 0.001,
        damaged: 0.001,
        out_of_area: 0.0,
        lost: 0.001,
        ..ORDINARY
    },
    Carrier {
        code: "jd",
        name: "京东",
        name_en: "JD Logistics",
        hotline: "950616",
        number: ("JDVA", 11),
        style: Style::Compact,
        share: 7,
        pickup_hours: 2.0,
        speed: 85.0,
        hub_hours: 2.5,
        failed_attempt: 0.02,
        unreachable: 0.015,
        locker: 0.08,
        refused: 0.008,
        silent: 0.002,
        out_of_area: 0.0,
        lost: 0.001,
        ..ORDINARY
    },
    Carrier {
        code: "ems",
        name: "EMS",
        name_en: "EMS China",
        hotline: "11183",
        number: ("12", 11),
        style: Style::Compact,
        share: 4,
        pickup_hours: 6.0,
        speed: 55.0,
        hub_hours: 8.0,
        locker: 0.2,
        held: 0.09,
        out_of_area: 0.0,
        lost: 0.001,
        ..ORDINARY
    },
    Carrier {
        code: "chinapost",
        name: "邮政包裹",
        name_en: "China Post",
        hotline: "11185",
        number: ("98", 11),
        style: Style::Compact,
        share: 3,
        pickup_hours: 10.0,
        speed: 40.0,
        hub_hours: 13.0,
        locker: 0.45,
        locker_overdue: 0.08,
        silent: 0.07,
        out_of_area: 0.0,
        lost: 0.006,
        ..ORDINARY
    },
];

/// The carrier with that canonical code, else the ordinary one.
pub fn carrier(code: &str) -> &'static Carrier {
    static FALLBACK: Carrier = ORDINARY;
    CARRIERS
        .iter()
        .find(|carrier| carrier.code == code)
        .unwrap_or(&FALLBACK)
}
