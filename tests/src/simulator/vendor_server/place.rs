//! Whether a text names a place down to its district: 省市区. Five cities have none: there the city is enough, and its towns and
//! sub-districts are taken, too.

/// Provinces, municipalities, regions, without suffix.
const PROVINCES: [&str; 34] = [
    "北京",
    "天津",
    "河北",
    "山西",
    "内蒙古",
    "辽宁",
    "吉林",
    "黑龙江",
    "上海",
    "江苏",
    "浙江",
    "安徽",
    "福建",
    "江西",
    "山东",
    "河南",
    "湖北",
    "湖南",
    "广东",
    "广西",
    "海南",
    "重庆",
    "四川",
    "贵州",
    "云南",
    "西藏",
    "陕西",
    "甘肃",
    "青海",
    "宁夏",
    "新疆",
    "台湾",
    "香港",
    "澳门",
];
/// A province that is a city: the district follows at once.
const MUNICIPALITIES: [&str; 6] = ["北京", "天津", "上海", "重庆", "香港", "澳门"];
/// What a place of the second level ends with.
const CITIES: [&str; 4] = ["市", "州", "盟", "地区"];
/// What a place of the third level ends with.
const DISTRICTS: [&str; 4] = ["区", "县", "市", "旗"];
/// The cities without districts, after their provinces.
const UNDIVIDED: [&str; 5] = ["广东东莞", "广东中山", "海南儋州", "海南三沙", "甘肃嘉峪关"];
/// What a place in one of them ends with.
const TOWNS: [&str; 3] = ["镇", "街道", "乡"];

/// Whether it is one, with or without commas between its parts: `广东省,深圳市,南山区`, `北京市朝阳区`.
pub(crate) fn is_place(text: &str) -> bool {
    let text: String = text
        .chars()
        .filter(|letter| !matches!(letter, ',' | '，' | ' ' | '-'))
        .collect();
    let Some(province) = PROVINCES.iter().find(|province| text.starts_with(**province)) else {
        return false;
    };
    let rest = text.strip_prefix(province).unwrap_or_default();
    let below = |city: &str| {
        let in_province = city.strip_prefix(province)?;
        rest.trim_start_matches('省')
            .strip_prefix(in_province)?
            .strip_prefix('市')
    };
    if let Some(town) = UNDIVIDED.iter().find_map(|city| below(city)) {
        let ends_well = TOWNS.iter().chain(&DISTRICTS).any(|end| town.ends_with(end));
        return town.is_empty() || (2..=7).contains(&town.chars().count()) && ends_well;
    }
    if !DISTRICTS.iter().any(|suffix| rest.ends_with(suffix)) {
        return false;
    }
    if MUNICIPALITIES.contains(province) {
        return rest.trim_start_matches('市').chars().count() >= 2;
    }
    CITIES.iter().any(|suffix| {
        let second_level = rest.find(suffix).and_then(|at| rest.get(at + suffix.len()..));
        second_level.is_some_and(|district| district.chars().count() >= 2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::places::CITIES;

    #[test]
    fn places_of_the_documents_and_of_the_table_are_places() {
        for place in [
            "广东省深圳市南山区",
            "北京市朝阳区",
            "广东省, 广州市, 天河区",
            "江苏省,南京市,玄武区",
            "云南省大理白族自治州大理市",
            "广东,东莞市,虎门镇",
            "广东省中山市石岐街道",
            "广东省东莞市",
            "海南省儋州市那大镇",
            "海南省三沙市西沙区",
            "甘肃省嘉峪关市新城镇",
        ] {
            assert!(is_place(place), "{place}");
        }
        for city in CITIES {
            assert!(is_place(&city.district_name()), "{}", city.city);
        }
        for text in [
            "",
            "广东深圳",
            "广东省深圳市",
            "深圳市南山区",
            "北京",
            "北京市",
            "Shenzhen",
            "广东省深圳市南山区粤海街道",
            "江苏省昆山市玉山镇",
            "海南省东莞市虎门镇",
            "广东省东莞市虎门镇某某花园三栋",
            "广东省东莞市镇",
        ] {
            assert!(!is_place(text), "{text}");
        }
    }
}
