//! Cities of China with their real administrative codes (GB/T 2260), and the roads between them.

/// A city, with the district in which its senders and recipients live.
#[derive(Debug)]
pub struct City {
    /// Province without its suffix, or the municipality; as vendors write `areaName`.
    pub province: &'static str,
    /// City, with its suffix.
    pub city: &'static str,
    /// District or county.
    pub district: &'static str,
    /// Six-digit code of the district; its first four digits are the city.
    pub code: &'static str,
    /// Pinyin of the district.
    pub pinyin: &'static str,
    /// Name of the city's hub.
    pub hub: &'static str,
    /// Longitude, degrees east.
    pub longitude: f64,
    /// Latitude, degrees north.
    pub latitude: f64,
    /// How many parcels come from here, as a weight.
    pub sends: u32,
    /// How many parcels go here, as a weight.
    pub receives: u32,
}

impl City {
    /// 12 digits, down to the district.
    pub fn district_code(&self) -> String {
        format!("{:0<12}", self.code)
    }

    /// 12 digits, down to the city.
    pub fn city_code(&self) -> String {
        format!("{:0<12}", self.code.get(..4).unwrap_or(self.code))
    }

    /// `广东,深圳市,南山区`
    pub fn district_name(&self) -> String {
        format!("{},{},{}", self.province, self.city, self.district)
    }

    /// `广东,深圳市`
    pub fn city_name(&self) -> String {
        format!("{},{}", self.province, self.city)
    }

    /// `113.930000,22.530000`: longitude first, as the vendor writes it.
    pub fn centre(&self) -> String {
        format!("{:.6},{:.6}", self.longitude, self.latitude)
    }

    /// The city without its suffix, as in the names of depots.
    pub fn short(&self) -> &'static str {
        self.city.strip_suffix('市').unwrap_or(self.city)
    }

    /// Great-circle distance in km.
    pub fn distance(&self, other: &Self) -> f64 {
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
        let chord =
            half(other.latitude - self.latitude) + from.cos() * to.cos() * half(other.longitude - self.longitude);
        2.0 * 6_371.0 * chord.sqrt().asin()
    }
}

/// The hubs through which long lanes go.
pub const CROSSROADS: [&str; 3] = ["武汉市", "郑州市", "西安市"];

macro_rules! cities {
    ($($province:literal $city:literal $district:literal $code:literal $pinyin:literal $hub:literal
       $longitude:literal $latitude:literal $sends:literal $receives:literal;)+) => {
        /// Where parcels come from and go to.
        pub const CITIES: &[City] = &[$(City {
            province: $province, city: $city, district: $district, code: $code, pinyin: $pinyin, hub: $hub,
            longitude: $longitude, latitude: $latitude, sends: $sends, receives: $receives,
        }),+];
    };
}

cities! {
    "北京" "北京市" "朝阳区" "110105" "chao yang qu" "北京顺义转运中心" 116.44 39.92 4 9;
    "天津" "天津市" "南开区" "120104" "nan kai qu" "天津武清转运中心" 117.15 39.14 2 4;
    "河北" "石家庄市" "长安区" "130102" "chang an qu" "石家庄转运中心" 114.54 38.04 4 4;
    "山西" "太原市" "小店区" "140105" "xiao dian qu" "太原转运中心" 112.56 37.74 1 3;
    "内蒙古" "呼和浩特市" "新城区" "150102" "xin cheng qu" "呼和浩特转运中心" 111.67 40.86 1 2;
    "辽宁" "沈阳市" "和平区" "210102" "he ping qu" "沈阳转运中心" 123.42 41.79 2 4;
    "吉林" "长春市" "朝阳区" "220104" "chao yang qu" "长春转运中心" 125.29 43.83 1 3;
    "黑龙江" "哈尔滨市" "南岗区" "230103" "nan gang qu" "哈尔滨转运中心" 126.67 45.76 1 3;
    "上海" "上海市" "浦东新区" "310115" "pu dong xin qu" "上海青浦转运中心" 121.54 31.22 6 9;
    "江苏" "南京市" "玄武区" "320102" "xuan wu qu" "南京转运中心" 118.80 32.05 3 5;
    "江苏" "苏州市" "昆山市" "320583" "kun shan shi" "苏州转运中心" 120.98 31.39 6 5;
    "浙江" "杭州市" "余杭区" "330110" "yu hang qu" "杭州转运中心" 120.30 30.42 9 7;
    "浙江" "宁波市" "鄞州区" "330212" "yin zhou qu" "宁波转运中心" 121.55 29.82 4 4;
    "浙江" "金华市" "义乌市" "330782" "yi wu shi" "义乌转运中心" 120.07 29.31 14 2;
    "安徽" "合肥市" "蜀山区" "340104" "shu shan qu" "合肥转运中心" 117.26 31.85 3 4;
    "福建" "厦门市" "思明区" "350203" "si ming qu" "厦门转运中心" 118.08 24.45 3 3;
    "福建" "泉州市" "晋江市" "350582" "jin jiang shi" "泉州转运中心" 118.58 24.82 7 3;
    "江西" "南昌市" "青山湖区" "360111" "qing shan hu qu" "南昌转运中心" 115.95 28.69 2 3;
    "山东" "济南市" "历下区" "370102" "li xia qu" "济南转运中心" 117.08 36.67 3 4;
    "山东" "青岛市" "市南区" "370202" "shi nan qu" "青岛转运中心" 120.41 36.08 3 4;
    "河南" "郑州市" "金水区" "410105" "jin shui qu" "郑州转运中心" 113.66 34.80 4 6;
    "湖北" "武汉市" "洪山区" "420111" "hong shan qu" "武汉转运中心" 114.34 30.50 4 6;
    "湖南" "长沙市" "芙蓉区" "430102" "fu rong qu" "长沙转运中心" 113.03 28.19 3 5;
    "广东" "广州市" "天河区" "440106" "tian he qu" "广州花都转运中心" 113.36 23.12 12 8;
    "广东" "深圳市" "南山区" "440305" "nan shan qu" "深圳宝安转运中心" 113.93 22.53 9 8;
    "广东" "东莞市" "虎门镇" "441900121" "hu men zhen" "虎门转运中心" 113.67 22.81 8 5;
    "广西" "南宁市" "青秀区" "450103" "qing xiu qu" "南宁转运中心" 108.49 22.79 1 3;
    "海南" "海口市" "龙华区" "460106" "long hua qu" "海口转运中心" 110.33 20.03 1 2;
    "重庆" "重庆市" "渝北区" "500112" "yu bei qu" "重庆转运中心" 106.63 29.72 3 6;
    "四川" "成都市" "武侯区" "510107" "wu hou qu" "成都转运中心" 104.04 30.64 4 8;
    "贵州" "贵阳市" "南明区" "520102" "nan ming qu" "贵阳转运中心" 106.71 26.57 1 3;
    "云南" "昆明市" "五华区" "530102" "wu hua qu" "昆明转运中心" 102.71 25.04 2 3;
    "陕西" "西安市" "雁塔区" "610113" "yan ta qu" "西安转运中心" 108.95 34.22 2 5;
    "甘肃" "兰州市" "城关区" "620102" "cheng guan qu" "兰州转运中心" 103.83 36.06 1 2;
    "新疆" "乌鲁木齐市" "天山区" "650102" "tian shan qu" "乌鲁木齐转运中心" 87.63 43.79 1 2;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_twelve_digits_and_crossroads_exist() {
        for city in CITIES {
            for code in [city.district_code(), city.city_code()] {
                assert_eq!(code.len(), 12, "{}", city.city);
                assert!(code.bytes().all(|byte| byte.is_ascii_digit()), "{}", city.city);
            }
        }
        for crossroad in CROSSROADS {
            assert!(CITIES.iter().any(|city| city.city == crossroad), "{crossroad}");
        }
    }

    #[test]
    fn guangzhou_to_beijing_is_about_1900_km() {
        let find = |name| CITIES.iter().find(|city| city.city == name);
        let distance = find("广州市").zip(find("北京市")).map(|(from, to)| from.distance(to));
        assert!(
            distance.is_some_and(|km| (1_850.0..1_950.0).contains(&km)),
            "{distance:?}"
        );
    }
}
