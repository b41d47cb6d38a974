//! Provinces by the first two digits of an area code (GB/T 2260), with their names.

/// A province, region or municipality.
#[derive(Debug)]
pub struct Province {
    /// `CN` and two digits.
    pub code: &'static str,
    /// Chinese, without 省, 市 or 自治区.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

const fn province(code: &'static str, zh: &'static str, en: &'static str) -> Province {
    Province { code, zh, en }
}

/// All of them, ascending, which is also from north to west: neighbours are near each other.
pub const PROVINCES: &[Province] = &[
    province("CN11", "北京", "Beijing"),
    province("CN12", "天津", "Tianjin"),
    province("CN13", "河北", "Hebei"),
    province("CN14", "山西", "Shanxi"),
    province("CN15", "内蒙古", "Inner Mongolia"),
    province("CN21", "辽宁", "Liaoning"),
    province("CN22", "吉林", "Jilin"),
    province("CN23", "黑龙江", "Heilongjiang"),
    province("CN31", "上海", "Shanghai"),
    province("CN32", "江苏", "Jiangsu"),
    province("CN33", "浙江", "Zhejiang"),
    province("CN34", "安徽", "Anhui"),
    province("CN35", "福建", "Fujian"),
    province("CN36", "江西", "Jiangxi"),
    province("CN37", "山东", "Shandong"),
    province("CN41", "河南", "Henan"),
    province("CN42", "湖北", "Hubei"),
    province("CN43", "湖南", "Hunan"),
    province("CN44", "广东", "Guangdong"),
    province("CN45", "广西", "Guangxi"),
    province("CN46", "海南", "Hainan"),
    province("CN50", "重庆", "Chongqing"),
    province("CN51", "四川", "Sichuan"),
    province("CN52", "贵州", "Guizhou"),
    province("CN53", "云南", "Yunnan"),
    province("CN54", "西藏", "Tibet"),
    province("CN61", "陕西", "Shaanxi"),
    province("CN62", "甘肃", "Gansu"),
    province("CN63", "青海", "Qinghai"),
    province("CN64", "宁夏", "Ningxia"),
    province("CN65", "新疆", "Xinjiang"),
    province("CN71", "台湾", "Taiwan"),
    province("CN81", "香港", "Hong Kong"),
    province("CN82", "澳门", "Macao"),
];
