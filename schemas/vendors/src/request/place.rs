//! Province, city, district (省市区): what a vendor needs to guess the way of a parcel. A street or a name behind them would be
//! personal data that nobody needs, so a text that goes on after the district is refused. In a city that has no districts the town is
//! what elsewhere the district is.

use courierflow_schemas::identifier;
use courierflow_schemas::provinces::PROVINCES;

/// Longest place, in characters; the longest names of province, city and district together have about thirty.
const MAX_LENGTH: usize = 40;

/// How the name of a city or a district ends.
const ENDS: [char; 7] = ['市', '区', '县', '旗', '州', '盟', '岛'];

/// Province and name of the cities without districts.
const WITHOUT_DISTRICTS: [(&str, &str); 5] = [
    ("广东", "东莞"),
    ("广东", "中山"),
    ("海南", "儋州"),
    ("海南", "三沙"),
    ("甘肃", "嘉峪关"),
];

/// How the name of a town ends.
const TOWNS: [&str; 3] = ["镇", "乡", "街道"];

/// Longest name of a town, in characters (火炬开发区街道). More would have room for something else before it.
const LONGEST_TOWN: usize = 7;

/// Words of streets, which no name of a place has. (One such as 路 would refuse 路桥区.)
const STREETS: [&str; 3] = ["街道", "大街", "大道"];

/// What ends like a district and is a compound of houses.
const COMPOUNDS: [&str; 2] = ["小区", "社区"];

/// The place as vendors take it, its parts apart as they were written, or `None` if it is none.
pub fn read(text: &str) -> Option<String> {
    let text = identifier::normalised(text);
    // S1 separates the parts by commas, with and without blanks; S3 does not.
    let place: String = text
        .chars()
        .map(|letter| if letter == '、' { ',' } else { letter })
        .filter(|letter| !letter.is_whitespace())
        .collect();
    let (province, rest) = PROVINCES
        .iter()
        .find_map(|province| Some((province.zh, place.strip_prefix(province.zh)?)))?;
    let is_letter = |letter: char| letter == ',' || ('\u{3400}'..='\u{9fff}').contains(&letter);
    let is_district = (rest.ends_with(ENDS) || rest.ends_with("行政区"))
        && !STREETS.iter().any(|word| rest.contains(word))
        && !COMPOUNDS.iter().any(|word| rest.ends_with(word));
    let is_place = place.chars().count() <= MAX_LENGTH
        && rest.chars().count() >= 2
        && rest.chars().all(is_letter)
        && (is_district || is_town(province, rest));
    is_place.then_some(place)
}

/// Whether this, behind the province, is a city without districts and one of its towns.
fn is_town(province: &str, rest: &str) -> bool {
    let city_and_town = rest.trim_start_matches(['省', ',']);
    let mut of_province = WITHOUT_DISTRICTS.iter().filter(|(of, _)| *of == province);
    let Some(town) = of_province.find_map(|(_, city)| city_and_town.strip_prefix(city)) else {
        return false;
    };
    let town = town.strip_prefix('市').unwrap_or(town);
    let town = town.strip_prefix(',').unwrap_or(town);
    let name = TOWNS.iter().find_map(|end| town.strip_suffix(end));
    let is_name =
        |name: &str| !name.is_empty() && !name.contains(',') && !STREETS.iter().any(|word| name.contains(word));
    town.chars().count() <= LONGEST_TOWN && name.is_some_and(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_the_documents_and_others() {
        for (text, place) in [
            ("广东省深圳市南山区", "广东省深圳市南山区"),
            ("广东省,深圳市,南山区", "广东省,深圳市,南山区"),
            ("湖南省, 长沙市, 天心区", "湖南省,长沙市,天心区"),
            ("江苏省，南京市，玄武区", "江苏省,南京市,玄武区"),
            ("北京市朝阳区", "北京市朝阳区"),
            ("内蒙古自治区兴安盟阿尔山市", "内蒙古自治区兴安盟阿尔山市"),
            ("内蒙古锡林郭勒盟苏尼特左旗", "内蒙古锡林郭勒盟苏尼特左旗"),
            ("云南省红河哈尼族彝族自治州元阳县", "云南省红河哈尼族彝族自治州元阳县"),
            ("广东省东莞市", "广东省东莞市"),
            ("香港特别行政区", "香港特别行政区"),
            ("青海省玉树藏族自治州", "青海省玉树藏族自治州"),
            ("浙江省台州市路桥区", "浙江省台州市路桥区"),
            ("江苏省南京市鼓楼区", "江苏省南京市鼓楼区"),
            // Cities without districts: the first is in S1.
            ("广东,东莞市,虎门镇", "广东,东莞市,虎门镇"),
            ("广东省,东莞市,虎门镇", "广东省,东莞市,虎门镇"),
            ("广东省东莞市东城街道", "广东省东莞市东城街道"),
            ("广东省, 中山市, 古镇镇", "广东省,中山市,古镇镇"),
            ("广东省中山市火炬开发区街道", "广东省中山市火炬开发区街道"),
            ("海南省儋州市那大镇", "海南省儋州市那大镇"),
            ("海南三沙市永兴镇", "海南三沙市永兴镇"),
            ("海南省三沙市西沙区", "海南省三沙市西沙区"),
            ("甘肃省嘉峪关市新城镇", "甘肃省嘉峪关市新城镇"),
            ("甘肃省嘉峪关市雄关街道", "甘肃省嘉峪关市雄关街道"),
        ] {
            assert_eq!(read(text).as_deref(), Some(place), "{text}");
        }
    }

    #[test]
    fn what_is_more_or_less_than_a_place() {
        for text in [
            "",
            "广东",
            "广东省",
            "深圳",
            "深圳市南山区",
            "Shenzhen",
            "广东省深圳市南山区粤海街道",
            "广东省深圳市南山区科技园路1号",
            "广东省深圳市南山区深南大道某某大厦B区",
            "广东省深圳市南山区张三",
            "广东省深圳市南山区 13488888888",
            "上海市浦东新区某某小区",
            "美国",
            // Towns of cities that have districts, and of another province's city.
            "广东省深圳市沙井镇",
            "江苏省昆山市玉山镇",
            "海南省东莞市虎门镇",
            // More than the town.
            "广东省东莞市镇",
            "广东省东莞市A镇",
            "广东省东莞市虎门镇太平社区",
            "广东省东莞市虎门镇张三",
            "广东省东莞市虎门镇大道某某街道",
            "广东省东莞市虎门镇某某广场东门街道",
            "广东省东莞市虎门镇,金洲,大宁镇",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&format!("广东省{}市", "深".repeat(40))), None);
    }
}
