use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Companies whose English names are the same, because one spelling in Latin letters stands for several Chinese ones, or because they
/// chose the same words. Their Chinese names differ, and the vendors list them side by side.
const NAMESAKES: [(&str, &[&str]); 12] = [
    ("Chengtong Logistics", &["chengtong", "chtwl"]),
    ("Feibao Express", &["feibaokuaidi", "hkeex"]),
    ("Hongyuan Logistics", &["hongywl", "hyeship"]),
    ("Huifeng Logistics", &["hfwl", "huif56"]),
    ("Jiexiang Logistics", &["cdjx56", "shbwch"]),
    ("Lianhe Express", &["gslhkd", "lhexpressus", "unitedex"]),
    ("Quanqiu Express", &["global99", "pdstow"]),
    ("Xingyun Express", &["nebuex", "staryvr"]),
    ("Xiyouji", &["xipost", "xiyoug"]),
    ("Yufeng Express", &["yfsuyun", "yufeng"]),
    ("Zhongji Logistics", &["zhongji", "zhongjiwuliu"]),
    ("Zhongyou Express", &["wondersyd", "zhongyou"]),
];

fn built_in_rows() -> Vec<Carrier> {
    let rows = file::checked_rows(CARRIERS_CSV.as_bytes()).expect("every row can be read, no code is there twice");
    rows.into_iter().map(|(_, row)| row).collect()
}

#[test]
fn every_row_of_the_file_is_found() {
    let rows = built_in_rows();
    assert_eq!(rows.len(), 2_169);
    assert_eq!(Carriers::built_in().rows().len(), rows.len());
    for row in &rows {
        let found = Carriers::built_in().find(row.vendor, &format!(" {} ", row.code.to_uppercase()));
        assert_eq!(found, Some(row));
    }
}

#[test]
fn rule_3_3_canonical_codes_and_names_are_of_one_form() {
    for row in built_in_rows() {
        assert!(
            row.carrier
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
            "{row:?}"
        );
        assert!(
            row.code
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{row:?}"
        );
        assert!(row.name_en.is_ascii(), "{row:?}");
    }
}

#[test]
fn rule_3_3_every_carrier_has_one_row_with_its_usual_names() {
    let rows = built_in_rows();
    let mut usual: BTreeMap<&str, usize> = rows.iter().map(|row| (row.carrier.as_str(), 0)).collect();
    for row in rows.iter().filter(|row| row.usual) {
        *usual.get_mut(row.carrier.as_str()).unwrap() += 1;
    }
    let wrong: Vec<_> = usual.iter().filter(|(_, rows)| **rows != 1).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(Carriers::built_in().companies().len(), usual.len());
}

#[test]
fn the_usual_names_do_not_depend_on_the_order_of_the_rows() {
    let name = |code| Carriers::built_in().company(code).map(|company| company.name.as_str());
    // Where the vendors' names differ; the first row of the file has another one for some of them.
    for (code, usual) in [
        ("ems", "EMS"),
        ("chinapost", "中国邮政"),
        ("deppon", "德邦快递"),
        ("fedex", "FedEx"),
        ("pocztapolska", "波兰邮政"),
        ("singpost", "新加坡邮政"),
        ("yunda", "韵达快递"),
    ] {
        assert_eq!(name(code), Some(usual));
    }
}

#[test]
fn rule_3_3_no_company_has_two_codes() {
    let rows = built_in_rows();
    let codes_by = |name: fn(&Carrier) -> String| {
        let mut codes: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for row in &rows {
            codes.entry(name(row)).or_default().insert(&row.carrier);
        }
        codes.retain(|_, codes| codes.len() > 1);
        codes
    };
    assert_eq!(codes_by(|row| row.name.to_lowercase()), BTreeMap::new());
    let namesakes = NAMESAKES.map(|(name, codes)| (name.to_lowercase(), codes.iter().copied().collect()));
    assert_eq!(codes_by(|row| row.name_en.to_lowercase()), BTreeMap::from(namesakes));
}

/// What is one company's must not differ from row to row; `international` may, because a vendor can have a code for its parcels abroad.
#[test]
fn the_rows_of_a_carrier_agree() {
    let rows = built_in_rows();
    let mut first: BTreeMap<&str, &Carrier> = BTreeMap::new();
    for row in &rows {
        let first = first.entry(&row.carrier).or_insert(row);
        assert_eq!(first.zone, row.zone, "{row:?}");
        assert_eq!(first.country, row.country, "{row:?}");
        assert_eq!(first.name_en, row.name_en, "{row:?}");
    }
}

#[test]
fn rule_3_2_the_fixed_codes() {
    let kuaidi100 = [
        ("yuantong", "yto"),
        ("zhongtong", "zto"),
        ("shentong", "sto"),
        ("yunda", "yunda"),
        ("shunfeng", "sf"),
        ("jd", "jd"),
        ("jtexpress", "jt"),
        ("ems", "ems"),
        ("youzhengguonei", "chinapost"),
        ("debangwuliu", "deppon"),
        ("japanposten", "japanpost"),
        ("speedpost", "singpost"),
    ];
    let kdniao = [
        ("YTO", "yto"),
        ("ZTO", "zto"),
        ("STO", "sto"),
        ("YD", "yunda"),
        ("SF", "sf"),
        ("JD", "jd"),
        ("JTSD", "jt"),
        ("EMS", "ems"),
        ("YZPY", "chinapost"),
        ("DBL", "deppon"),
    ];
    let carriers = Carriers::built_in();
    for (code, carrier) in kuaidi100 {
        assert_eq!(carriers.canonical(Vendor::Kuaidi100, code), carrier);
    }
    for (code, carrier) in kdniao {
        assert_eq!(carriers.canonical(Vendor::Kdniao, code), carrier);
    }
}

#[test]
fn rule_3_3_codes_that_are_not_mapped_pass_through_and_collide_with_no_canonical_code() {
    let carriers = Carriers::built_in();
    for (vendor, code, expected) in [
        (Vendor::Kuaidi100, " YuanTong ", "yto"),
        (Vendor::Kuaidi100, " NeuerKurier ", "neuerkurier"),
        (Vendor::Kdniao, "FWX", "fwx"),
        (Vendor::Kdniao, "yuantong", "yuantong"),
        (Vendor::SeventeenTrack, "999999", "999999"),
        (Vendor::Kuaidi100, "某快递", "某快递"),
        // Canonical codes of carriers that these vendors call otherwise.
        (Vendor::Kuaidi100, "YTO", "kuaidi100.yto"),
        (Vendor::Kdniao, "danniao", "kdniao.danniao"),
        (Vendor::SeventeenTrack, "sf", "17track.sf"),
    ] {
        assert_eq!(carriers.canonical(vendor, code), expected);
        assert_eq!(carriers.is_mapped(expected), expected == "yto", "{expected}");
    }
}

#[test]
fn rule_3_3_international_and_zone_are_those_of_the_row() {
    use Vendor::{Kdniao, Kuaidi100, SeventeenTrack};

    let row = |vendor, code| {
        let row = Carriers::built_in().find(vendor, code).unwrap();
        (row.carrier.as_str(), row.international, row.zone.as_deref())
    };
    for (vendor, code, expected) in [
        (Kuaidi100, "japanposten", ("japanpost", false, Some("Asia/Tokyo"))),
        (Kuaidi100, "japanpost", ("japanpost", true, Some("Asia/Tokyo"))),
        (Kuaidi100, "speedpost", ("singpost", false, Some("Asia/Singapore"))),
        (Kuaidi100, "usps", ("usps", false, None)),
        (Kdniao, "USPS", ("usps", true, None)),
        (Kdniao, "DHL_DE", ("dhlpaket", true, Some("Europe/Berlin"))),
        (Kdniao, "COLISSIMO", ("colissimo", true, None)),
        (Kuaidi100, "yuantong", ("yto", false, None)),
        (SeventeenTrack, "10021", ("japanpost", true, Some("Asia/Tokyo"))),
    ] {
        assert_eq!(row(vendor, code), expected, "{vendor} {code}");
    }
}

const HEADER: &str = "vendor,code,carrier,name,name_en,usual,international,zone,country";

fn with(lines: &str) -> Result<Carriers, CarriersFileError> {
    Carriers::with_file(format!("{HEADER}\n{lines}").as_bytes())
}

#[test]
fn a_file_is_laid_over_the_built_in_mapping() {
    let carriers = with(
        "kdniao,DNWL,danniao,丹鸟,Danniao,,,,\n\
         kuaidi100,yuantong,yto,圆通,YTO,TRUE,1,Asia/Shanghai,CN\n\
         kdniao,fwx,own-fleet,自营,Own fleet,,,,\n\
         kdniao,neu,neu,新,New,,,,\n\
         17track,999999,neu,新新,New New,1,,,\n",
    )
    .unwrap();
    let built_in = Carriers::built_in();
    assert_eq!(carriers.rows().len(), built_in.rows().len() + 4, "one replaces");
    assert_eq!(carriers.companies().len(), built_in.companies().len() + 2);
    for (vendor, code, carrier) in [
        (Vendor::Kdniao, "dnwl", "danniao"),
        (Vendor::Kdniao, "FWX", "own-fleet"),
        (Vendor::Kdniao, "zto", "zto"),
        (Vendor::Kuaidi100, "yuantong", "yto"),
        (Vendor::Kuaidi100, "neu", "kuaidi100.neu"),
    ] {
        assert_eq!(carriers.canonical(vendor, code), carrier);
    }
    let name = |code| carriers.company(code).map(|company| company.name.as_str());
    assert_eq!(
        name("danniao"),
        Some("丹鸟"),
        "the built-in name stays without a usual row"
    );
    assert_eq!(name("yto"), Some("圆通"), "the file has a usual row");
    assert_eq!(name("own-fleet"), Some("自营"), "its only row");
    assert_eq!(name("neu"), Some("新新"));
    let row = carriers.find(Vendor::Kuaidi100, "yuantong").unwrap();
    assert_eq!((row.international, row.zone.as_deref()), (true, Some("Asia/Shanghai")));
}

#[test]
fn a_carrier_to_which_no_row_leads_any_more_is_gone() {
    assert!(Carriers::built_in().company("100mexpress").is_some());
    let carriers = with("kuaidi100,100mexpress,baimi,百米,Baimi,,,,\n").unwrap();
    assert_eq!(carriers.company("100mexpress"), None);
    assert_eq!(carriers.canonical(Vendor::Kdniao, "100mexpress"), "100mexpress");
}

#[test]
fn a_file_may_have_fewer_columns_in_any_order_and_come_from_a_spreadsheet() {
    let text = "\u{feff}carrier,vendor,code,name_en,name\r\nown,kdniao, X1 ,\"Own, Inc\",自营\r\n\r\n";
    let carriers = Carriers::with_file(text.as_bytes()).unwrap();
    assert_eq!(carriers.canonical(Vendor::Kdniao, "x1"), "own");
    assert_eq!(carriers.company("own").unwrap().name_en, "Own, Inc");
    let header_alone = Carriers::with_file(HEADER.as_bytes()).unwrap();
    assert_eq!(&header_alone, Carriers::built_in());
}

#[test]
fn a_mistake_is_told_with_its_line_and_column() {
    for (lines, message) in [
        (
            "dhl,x,own,自营,Own,,,,\n",
            "line 2, column vendor: \"dhl\" is none of kuaidi100, kdniao, 17track",
        ),
        ("kdniao,,own,自营,Own,,,,\n", "line 2, column code: is empty"),
        (
            "kdniao,a:b,own,自营,Own,,,,\n",
            "line 2, column code: a code has no colon, no control characters and at most 128 bytes",
        ),
        (
            "kdniao,x,Own Fleet,自营,Own,,,,\n",
            "line 2, column carrier: \"Own Fleet\" is no canonical code: 1 to 64 letters a-z, digits and hyphens",
        ),
        (
            "kdniao,x,kdniao.x,自营,Own,,,,\n",
            "line 2, column carrier: \"kdniao.x\" is no canonical code: 1 to 64 letters a-z, digits and hyphens",
        ),
        (
            "kdniao,x,unknown,自营,Own,,,,\n",
            "line 2, column carrier: unknown stands for parcels whose carrier the vendor does not name",
        ),
        ("kdniao,x,own,,Own,,,,\n", "line 2, column name: is empty"),
        ("kdniao,x,own,自营,,,,,\n", "line 2, column name_en: is empty"),
        (
            "kdniao,x,own,自营,Own,yes,,,\n",
            "line 2, column usual: \"yes\" is neither true nor false",
        ),
        (
            "\nkdniao,x,own,自营,Own,,,,\nkdniao,y,own2,自,O,,no,,\n",
            "line 4, column international: \"no\" is neither true nor false",
        ),
        (
            "kdniao,x,own,自营,Own,,,Asia/Peking,\n",
            "line 2, column zone: \"Asia/Peking\" is no time zone of the IANA database",
        ),
        (
            "kdniao,x,own,自营,Own,,,,China\n",
            "line 2, column country: \"China\" is no ISO 3166 code such as CN",
        ),
        (
            "kdniao,x,own,自营,Own,1,,,\nkuaidi100,x,own,自营,Own,,,,\nkdniao,X,own,自营,Own,,,,\n",
            "line 4, column code: x of kdniao is in line 2 already",
        ),
        (
            "kdniao,x,own,自营,Own,1,,,\nkdniao,y,own,自,Own,1,,,\n",
            "line 3, column usual: the usual names of own are in line 2 already",
        ),
        (
            "kdniao,x,own,自营,Own,,,,\nkdniao,y,own,自,Own,,,,\n",
            "line 2, column usual: one of the rows of own must have its usual names",
        ),
        ("kdniao,x,own,自营\n", "line 2: 4 columns instead of 9"),
    ] {
        let error = with(lines).map_err(|error| error.to_string());
        assert_eq!(error, Err(message.to_owned()), "{lines}");
    }
    let refused = |text: &[u8]| Carriers::with_file(text).unwrap_err().to_string();
    assert_eq!(
        refused(b"vendor,code,carrier,name,name_en,colour\n"),
        "line 1: \"colour\" is no column; the columns are vendor,code,carrier,name,name_en,usual,international,zone,country"
    );
    assert_eq!(
        refused(b"vendor,code,carrier,name\n"),
        "line 1: column name_en is missing; the columns are \
         vendor,code,carrier,name,name_en,usual,international,zone,country"
    );
    assert_eq!(
        refused(b"vendor,code,carrier,name,name_en,code\n"),
        "line 1: column code is there twice"
    );
    assert!(refused(b"").starts_with("line 1: column vendor is missing"));
    let not_utf8 = [HEADER.as_bytes(), b"\nkdniao,x,own,\xcb\xff,Own,,,,\n"].concat();
    assert_eq!(refused(&not_utf8), "line 2: the text is not UTF-8");
}

#[test]
fn rule_3_1_a_missing_carrier_is_unknown() {
    for code in [" ", "\u{200b}", "yuan:tong", "yuan：tong"] {
        let carrier = Carriers::built_in().canonical(Vendor::Kuaidi100, code);
        assert_eq!(carrier, UNKNOWN_CARRIER, "{code:?}");
    }
    assert!(Carriers::built_in().is_mapped(UNKNOWN_CARRIER));
    assert_eq!(Carriers::built_in().company(UNKNOWN_CARRIER), None);
}

#[test]
fn rule_3_4_codes_are_normalised_before_the_look_up() {
    let carriers = Carriers::built_in();
    for code in ["ｙｕａｎｔｏｎｇ", "\u{feff}YuanTong", "yuan\u{200b}tong\u{3000}"] {
        assert_eq!(carriers.canonical(Vendor::Kuaidi100, code), "yto", "{code:?}");
    }
    let row = carriers.find(Vendor::Kuaidi100, " japan\u{200b}posten");
    assert_eq!(row.and_then(|row| row.zone.as_deref()), Some("Asia/Tokyo"));
}

#[test]
fn a_carrier_is_named_by_the_vendors_code_or_the_canonical_one() {
    let carriers = Carriers::built_in();
    // Vendor, name, the code as the vendor writes it.
    for (vendor, name, code) in [
        (Vendor::Kuaidi100, "yuantong", "yuantong"),
        (Vendor::Kuaidi100, "YTO", "yuantong"),
        (Vendor::Kdniao, "yto", "YTO"),
        (Vendor::Kdniao, "sto", "STO"),
        (Vendor::SeventeenTrack, "jt", "190442"),
        // Of several codes the usual one.
        (Vendor::Kuaidi100, "deppon", "debangkuaidi"),
        // The vendor's own code, although others mean the same carrier.
        (Vendor::Kuaidi100, "ems", "ems"),
        (Vendor::Kdniao, "dhl", "DHL"),
    ] {
        let Named::One(row) = carriers.named(vendor, name) else {
            panic!("{vendor} {name}");
        };
        assert_eq!((row.vendor, &*row.written()), (vendor, code), "{name}");
    }
    assert_eq!(carriers.named(Vendor::Kdniao, "chinapost"), Named::Several);
    for name in ["snail", "", ":"] {
        assert_eq!(carriers.named(Vendor::Kuaidi100, name), Named::Unknown, "{name}");
    }
}
