//! Push events for the benchmarks: domestic Kuaidi100 parcels of twenty items, each parcel and each item different.

use std::fmt::Write as _;
use std::ops::Range;

use anyhow::Context;
use courierflow_schemas::records::{Origin, PushEvent, PushId, Signature, TimestampMicros, Vendor};
use jiff::{SignedDuration, Timestamp};
use md5::{Digest, Md5};
use serde_json::json;
use xxhash_rust::xxh3::xxh3_128;

use super::ingest::{ACCOUNT, SALT};

/// Items of a push as the targets name it.
pub(super) const ITEMS: usize = 20;

/// What happens to a parcel in these benchmarks: code, status name, text, area.
const STEPS: [(&str, &str, &str, &str, &str); ITEMS] = [
    (
        "102",
        "待揽收",
        "揽收任务已分配给李四",
        "CN440306020000",
        "广东,深圳市,宝安区,福永",
    ),
    (
        "103",
        "已揽收",
        "【深圳市】深圳福永营业部 已收取快件，快递员：王五，电话：13800138000",
        "CN440306020000",
        "广东,深圳市,宝安区,福永",
    ),
    (
        "1002",
        "干线",
        "【深圳市】您的快件在【深圳福永分拣中心】分拣完成",
        "CN440306020000",
        "广东,深圳市,宝安区,福永",
    ),
    (
        "1002",
        "干线",
        "【深圳市】您的快件由【深圳福永分拣中心】准备发往【深圳燕罗分拣中心】",
        "CN440306020000",
        "广东,深圳市,宝安区,福永",
    ),
    ("0", "在途", "【深圳市】您的快件已发车", "CN440300000000", "广东,深圳市"),
    (
        "1002",
        "干线",
        "【深圳市】您的快件已到达【深圳燕罗分拣中心】",
        "CN440306025000",
        "广东,深圳市,宝安区,燕罗",
    ),
    (
        "1002",
        "干线",
        "【深圳市】您的快件由【深圳燕罗分拣中心】准备发往【长沙转运中心】",
        "CN440306025000",
        "广东,深圳市,宝安区,燕罗",
    ),
    (
        "0",
        "在途",
        "【东莞市】快件已到达 虎门转运中心（物流问题无需找商家或平台，请联系专属电话 95311 为您解决）",
        "CN441900121000",
        "广东,东莞市,虎门镇",
    ),
    (
        "0",
        "在途",
        "【东莞市】快件已发往 长沙转运中心（物流问题无需找商家或平台，请联系专属电话 95311 为您解决）",
        "CN441900121000",
        "广东,东莞市,虎门镇",
    ),
    (
        "0",
        "在途",
        "【长沙市】快件已到达 长沙转运中心",
        "CN430121000000",
        "湖南,长沙市,长沙县",
    ),
    (
        "1001",
        "到达派件城市",
        "【长沙市】快件已到达 长沙东岸网点",
        "CN430102016000",
        "湖南,长沙市,芙蓉区,马坡岭",
    ),
    (
        "5",
        "派件",
        "您的快件正在派送中，请您准备签收（快递员：赵六，联系电话：13900139000）。",
        "CN430102016000",
        "湖南,长沙市,芙蓉区,马坡岭",
    ),
    (
        "204",
        "派件异常",
        "您的快件派送不成功，原因【暂未联系上客户】，预计下次派送时间明日",
        "CN430102016000",
        "湖南,长沙市,芙蓉区,马坡岭",
    ),
    (
        "208",
        "滞留",
        "快件滞留在【长沙东岸网点】",
        "CN430102016000",
        "湖南,长沙市,芙蓉区,马坡岭",
    ),
    (
        "5",
        "派件",
        "您的快件正在派送中，请您准备签收（快递员：赵六，联系电话：13900139000）。",
        "CN430102016000",
        "湖南,长沙市,芙蓉区,马坡岭",
    ),
    (
        "206",
        "无法联系",
        "收件人无人接听，快件将再次派送",
        "CN430102016000",
        "湖南,长沙市,芙蓉区,马坡岭",
    ),
    (
        "5",
        "派件",
        "快件第三次派送，快递员：赵六，联系电话：13900139000",
        "CN430102016000",
        "湖南,长沙市,芙蓉区,马坡岭",
    ),
    (
        "501",
        "投柜或驿站",
        "快件已存入丰巢快递柜，取件码：12345678，请及时领取",
        "CN430102016000",
        "湖南,长沙市,芙蓉区,马坡岭",
    ),
    (
        "205",
        "柜或驿站超时未取",
        "快件在快递柜超时未取",
        "CN430102016000",
        "湖南,长沙市,芙蓉区,马坡岭",
    ),
    (
        "304",
        "投柜或站签收",
        "快件已从快递柜取出签收，感谢使用",
        "CN430102016000",
        "湖南,长沙市,芙蓉区,马坡岭",
    ),
];

/// The tracking number of a parcel; of the same length for all of them.
pub(super) fn tracking_number(parcel: usize) -> String {
    format!("BN{parcel:012}")
}

/// The `param` of a push that tells the first `items` items of a parcel, newest first; a year of parcels, five seconds
/// apart. After the last step a parcel begins again.
pub(super) fn payload(parcel: usize, items: usize) -> String {
    let pickup = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_780_000_000 + 5 * parcel as i64);
    let steps = STEPS.iter().cycle().take(items).enumerate();
    let data: Vec<_> = (steps.collect::<Vec<_>>().into_iter().rev())
        .map(|(number, (code, status, context, area_code, area_name))| {
            let time = pickup + SignedDuration::from_mins(97 * number as i64);
            let time = time
                .to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)))
                .strftime("%F %T")
                .to_string();
            json!({"time": time, "context": context, "ftime": time, "areaCode": area_code, "areaName": area_name,
                "status": status, "location": "", "areaCenter": "113.8279746,22.6688204",
                "areaPinYin": "fu yong jie dao", "statusCode": code})
        })
        .collect();
    let is_signed = items == ITEMS;
    json!({
        "status": if is_signed { "shutdown" } else { "polling" }, "billstatus": "got", "message": "", "autoCheck": "0",
        "comOld": "", "comNew": "",
        "lastResult": {"message": "ok", "nu": tracking_number(parcel), "ischeck": if is_signed { "1" } else { "0" },
            "com": "zhongtong", "status": "200", "data": data, "state": "0", "condition": "00",
            "routeInfo": {"from": {"number": "CN440306020000", "name": "广东,深圳市,宝安区,福永"},
                "cur": {"number": "CN430102016000", "name": "湖南,长沙市,芙蓉区,马坡岭"},
                "to": {"number": "CN430102016000", "name": "湖南,长沙市,芙蓉区,马坡岭"}},
            "isLoop": false}
    })
    .to_string()
}

/// The push event that ingest would make of it.
pub(super) fn push_event(parcel: usize, items: usize, received_at: TimestampMicros) -> PushEvent {
    event(parcel, payload(parcel, items), received_at)
}

/// The event of a push that tells no item, only when the parcel will arrive; another time for each `number`.
pub(super) fn without_items(parcel: usize, number: usize, received_at: TimestampMicros) -> PushEvent {
    let arrival = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_790_000_000 + 60 * number as i64);
    let payload = json!({
        "status": "polling", "message": "",
        "lastResult": {"message": "ok", "nu": tracking_number(parcel), "ischeck": "0", "com": "zhongtong", "status": "200",
            "data": [], "state": "0", "arrivalTime": arrival.strftime("%F %T").to_string()}
    });
    event(parcel, payload.to_string(), received_at)
}

fn event(parcel: usize, payload: String, received_at: TimestampMicros) -> PushEvent {
    PushEvent {
        push_id: PushId(xxh3_128(payload.as_bytes()).to_be_bytes()),
        part: 0,
        parts: 1,
        vendor: Vendor::Kuaidi100,
        account: "demo".to_owned(),
        received_at,
        signature: Signature::Verified,
        vendor_carrier: "zhongtong".to_owned(),
        tracking_number: tracking_number(parcel),
        request_type: None,
        query: String::new(),
        content_type: "application/x-www-form-urlencoded".to_owned(),
        push_time: None,
        business_id: None,
        payload,
        origin: Origin::Push,
        query_reason: None,
        reference: None,
    }
}

/// Signed pushes as requests to ingest, cheap enough for a load generator beside the program: those of a hundred parcels
/// are made beforehand, and all others differ from one of them in tracking number and signature.
pub(super) struct SignedPushes {
    originals: Vec<Original>,
}

struct Original {
    param: Vec<u8>,
    number_in_param: Range<usize>,
    request: Vec<u8>,
    sign_in_request: Range<usize>,
    number_in_request: Range<usize>,
}

impl SignedPushes {
    const ORIGINALS: usize = 100;

    pub(super) fn new() -> anyhow::Result<Self> {
        let originals = (0..Self::ORIGINALS).map(Original::new).collect::<anyhow::Result<_>>()?;
        Ok(Self { originals })
    }

    /// The whole request with all twenty items of a parcel.
    pub(super) fn request(&self, parcel: usize) -> anyhow::Result<Vec<u8>> {
        let original = self
            .originals
            .get(parcel % Self::ORIGINALS)
            .context("there are originals")?;
        original.of_another(&tracking_number(parcel))
    }
}

impl Original {
    fn new(parcel: usize) -> anyhow::Result<Self> {
        let number = tracking_number(parcel);
        let param = payload(parcel, ITEMS);
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("sign", NO_SIGN)
            .append_pair("param", &param)
            .finish();
        let request = format!(
            "POST /v1/push/kuaidi100/{ACCOUNT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Ok(Self {
            number_in_param: place(&param, &number)?,
            sign_in_request: place(&request, NO_SIGN)?,
            // Letters and digits are not encoded.
            number_in_request: place(&request, &number)?,
            param: param.into_bytes(),
            request: request.into_bytes(),
        })
    }

    fn of_another(&self, number: &str) -> anyhow::Result<Vec<u8>> {
        let mut param = self.param.clone();
        put(&mut param, &self.number_in_param, number)?;
        let digest = Md5::new().chain_update(&param).chain_update(SALT).finalize();
        let mut sign = String::with_capacity(NO_SIGN.len());
        for byte in digest {
            write!(sign, "{byte:02X}")?;
        }
        let mut request = self.request.clone();
        put(&mut request, &self.sign_in_request, &sign)?;
        put(&mut request, &self.number_in_request, number)?;
        Ok(request)
    }
}

/// Where the signature goes.
const NO_SIGN: &str = "00000000000000000000000000000000";

fn place(text: &str, part: &str) -> anyhow::Result<Range<usize>> {
    let start = text.find(part).with_context(|| format!("there is no {part}"))?;
    Ok(start..start + part.len())
}

fn put(text: &mut [u8], place: &Range<usize>, part: &str) -> anyhow::Result<()> {
    let place = text.get_mut(place.clone()).context("within the text")?;
    anyhow::ensure!(place.len() == part.len(), "{part} is of another length");
    place.copy_from_slice(part.as_bytes());
    Ok(())
}
