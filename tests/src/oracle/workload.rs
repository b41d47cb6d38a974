//! Random push events that are as nasty as the vendors, and nastier: for the comparison of derivations. A seed gives the
//! same events for ever. Small alphabets on purpose, so that times, texts and contents collide often.
//!
//! Each tracking number has its own story, told by one or two vendors. A step of a story changes the list of items (it
//! grows, is rewritten, is cut, is enriched …) or only repeats an earlier push, and then tells it in a random spelling. Now and then
//! somebody asks, and the answer may be fresh, or hours old.

use courierflow_schemas::records::{Origin, PushEvent, PushId, Signature, Status, TimestampMicros, Vendor};
use fastrand::Rng;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::labels::{self, Label};
use super::time::{self, Written, Zone};
use super::{carriers, codes};

mod seventeentrack;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// The first push of every story arrives after 2025-03-01T00:00:00Z.
const BEGIN: i64 = 1_740_787_200;

/// Push events in order of arrival; `received_at` grows, apart from small steps back, within each tracking number only.
pub fn workload(seed: u64, pushes: usize) -> Vec<PushEvent> {
    let mut rng = Rng::with_seed(seed);
    let numbers = (pushes / 20).max(2);
    let mut stories: Vec<Story> = (0..numbers).map(|index| Story::new(&mut rng, index)).collect();
    (0..pushes)
        .map(|_| {
            let story = rng.usize(..numbers);
            stories[story].next(&mut rng)
        })
        .collect()
}

/// One tracking number.
struct Story {
    number: String,
    tellers: Vec<Teller>,
    /// `received_at` of the last push, µs.
    received_at: i64,
    /// Most pushes come within minutes: more of them within 6 h than are remembered.
    is_hectic: bool,
}

/// One vendor's view of it.
struct Teller {
    vendor: Vendor,
    account: &'static str,
    carrier: &'static str,
    /// Oldest first, as told.
    lines: Vec<Line>,
    /// Kuaidi100 `destResult`.
    destination: Option<(&'static str, Vec<Line>)>,
    writer: Writer,
    /// (payload, push time, request type, vendor's carrier) of earlier pushes.
    told: Vec<(String, Option<String>, Option<String>, String)>,
    /// Payloads of earlier answers to queries.
    answers: Vec<String>,
}

/// How the lines of a teller come about.
#[derive(Clone)]
struct Writer {
    vendor: Vendor,
    /// Kdniao: lines usually carry a time zone.
    is_cross_border: bool,
    /// Texts that say by themselves what they mean: a few, so that they meet again.
    alphabet: Vec<Label>,
}

#[derive(Clone)]
struct Line {
    /// Local time, as seconds of a clock that shows UTC.
    local: i64,
    /// Told instead of the time.
    bad_time: Option<&'static str>,
    text: String,
    /// Nobody has said what the text means by itself.
    needs_code: bool,
    code: Option<String>,
    name: Option<&'static str>,
    area: Option<(&'static str, &'static str)>,
    place: Option<&'static str>,
    zone: Option<&'static str>,
}

fn one<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())]
}

/// What 17TRACK answers is the `data` of a push.
fn data_of(push: &str) -> String {
    let payload: Option<Value> = serde_json::from_str(push).ok();
    let data = payload.and_then(|payload| payload.get("data").map(Value::to_string));
    data.unwrap_or_else(|| push.to_owned())
}

fn one_of(rng: &mut Rng, of: &[String]) -> String {
    of[rng.usize(..of.len())].clone()
}

fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(..100) < percent
}

const KUAIDI100_CARRIERS: [&str; 9] = [
    "yuantong",
    "zhongtong",
    "ems",
    "YuanTong",
    "jtexpress",
    "youzhengguonei",
    "nosuchexpress",
    " shunfeng ",
    // Another company's canonical code.
    "sto",
];
const KDNIAO_CARRIERS: [&str; 8] = ["JP", "YTO", "ZTO", "YD", "COLISSIMO", "jtsd", "NoSuchExpress", " SF "];
const DESTINATION_CARRIERS: [&str; 4] = ["japanposten", "speedpost", "nosuchpost", "SpeedPost "];

impl Story {
    fn new(rng: &mut Rng, index: usize) -> Self {
        let mut tellers = Vec::new();
        let vendors: &[Vendor] = match rng.u8(..13) {
            0..5 => &[Vendor::Kuaidi100],
            5..9 => &[Vendor::Kdniao],
            9..12 => &[Vendor::SeventeenTrack],
            _ => &[Vendor::Kuaidi100, Vendor::Kdniao],
        };
        for vendor in vendors {
            let is_international = chance(rng, 25);
            tellers.push(Teller {
                vendor: *vendor,
                account: one(rng, &["demo", "open"]),
                carrier: match vendor {
                    Vendor::Kuaidi100 => one(rng, &KUAIDI100_CARRIERS),
                    Vendor::Kdniao => one(rng, &KDNIAO_CARRIERS),
                    Vendor::SeventeenTrack => one(rng, &seventeentrack::CARRIERS),
                },
                lines: Vec::new(),
                destination: match vendor {
                    Vendor::Kuaidi100 if is_international => Some((one(rng, &DESTINATION_CARRIERS), Vec::new())),
                    Vendor::SeventeenTrack => Some((one(rng, &seventeentrack::CARRIERS), Vec::new())),
                    _ => None,
                },
                writer: Writer {
                    vendor: *vendor,
                    is_cross_border: *vendor == Vendor::SeventeenTrack || is_international && *vendor == Vendor::Kdniao,
                    alphabet: (0..10).map(|_| one(rng, &labels::SURE)).collect(),
                },
                told: Vec::new(),
                answers: Vec::new(),
            });
        }
        Self {
            number: format!("W{index:06}"),
            tellers,
            received_at: (BEGIN + rng.i64(0..30 * DAY)) * SECOND + rng.i64(0..SECOND),
            is_hectic: chance(rng, 20),
        }
    }

    fn next(&mut self, rng: &mut Rng) -> PushEvent {
        let step = match rng.u8(..100) {
            6.. if self.is_hectic => rng.i64(0..900) * SECOND,
            0..4 => 0,
            4..6 => -rng.i64(0..3 * SECOND),
            6..16 => rng.i64(0..10) * SECOND,
            16..30 => rng.i64(0..3600) * SECOND,
            30..60 => rng.i64(0..5 * HOUR) * SECOND,
            60..64 => 6 * HOUR * SECOND,
            64..68 => 6 * HOUR * SECOND + 1,
            68..85 => rng.i64(0..2 * DAY) * SECOND + rng.i64(0..SECOND),
            85..95 => rng.i64(0..10 * DAY) * SECOND,
            _ => rng.i64(20 * DAY..45 * DAY) * SECOND,
        };
        self.received_at += step;
        if chance(rng, 20) {
            self.received_at -= self.received_at.rem_euclid(SECOND);
        }
        let teller = rng.usize(..self.tellers.len());
        let push = self.tellers[teller].push(rng, &self.number, self.received_at);
        // A new life may have taken its time.
        self.received_at = push.received_at.0;
        push
    }
}

/// Mostly the same order, sometimes another, none, or what is no reference.
fn reference(rng: &mut Rng) -> Option<String> {
    let reference = match rng.u8(..20) {
        0..8 => return None,
        8..17 => "SO-1",
        17..19 => "SO-2",
        _ => "order of 张三",
    };
    Some(reference.to_owned())
}

impl Teller {
    fn push(&mut self, rng: &mut Rng, number: &str, mut received_at: i64) -> PushEvent {
        if chance(rng, 12) {
            return self.answer(rng, number, received_at);
        }
        let is_repetition = !self.told.is_empty() && chance(rng, 16);
        let (payload, push_time, request_type, carrier) = if is_repetition {
            let last = self.told.len() - 1;
            let index = if chance(rng, 30) { last } else { rng.usize(..=last) };
            let mut earlier = self.told[index].clone();
            if chance(rng, 40) && self.vendor == Vendor::Kdniao {
                earlier.1 = push_time(rng, received_at);
            }
            earlier
        } else {
            self.change(rng, &mut received_at);
            let told = match self.vendor {
                Vendor::Kuaidi100 => self.kuaidi100(rng, number),
                Vendor::Kdniao => self.kdniao(rng, number, received_at),
                Vendor::SeventeenTrack => self.seventeentrack(rng, number, received_at),
            };
            self.told.push(told.clone());
            told
        };
        let account = if chance(rng, 6) { "open" } else { self.account };
        let parts = if self.vendor == Vendor::Kdniao {
            rng.u16(1..4)
        } else {
            1
        };
        let body = format!("{} {account} {payload} {push_time:?} {number}", self.vendor);
        PushEvent {
            push_id: PushId(Md5::digest(body).into()),
            part: rng.u16(..parts),
            parts,
            vendor: self.vendor,
            account: account.to_owned(),
            received_at: TimestampMicros(received_at),
            signature: if account == "open" {
                Signature::Unsigned
            } else {
                Signature::Verified
            },
            vendor_carrier: carriers::identifier(&carrier),
            tracking_number: number.to_owned(),
            request_type,
            query: String::new(),
            content_type: "application/x-www-form-urlencoded".to_owned(),
            push_time,
            business_id: (self.vendor == Vendor::Kdniao).then(|| "1000001".to_owned()),
            payload,
            origin: Origin::Push,
            query_reason: None,
            reference: reference(rng),
        }
    }

    /// The answer to a query (rule 4.13): with news that no push has told, as old as a cache, or the same as before.
    fn answer(&mut self, rng: &mut Rng, number: &str, mut received_at: i64) -> PushEvent {
        let payload = if !self.answers.is_empty() && chance(rng, 20) {
            one_of(rng, &self.answers)
        } else {
            if chance(rng, 45) {
                self.change(rng, &mut received_at);
            }
            let whole = self.lines.clone();
            if chance(rng, 40) {
                self.lines.truncate(whole.len().saturating_sub(rng.usize(1..3)));
            } else if chance(rng, 15) && !self.lines.is_empty() {
                self.lines.remove(rng.usize(..self.lines.len()));
            }
            let payload = match self.vendor {
                Vendor::Kuaidi100 => self.kuaidi100_answer(rng, number),
                Vendor::Kdniao => self.kdniao(rng, number, received_at).0,
                Vendor::SeventeenTrack => data_of(&self.seventeentrack(rng, number, received_at).0),
            };
            self.lines = whole;
            self.answers.push(payload.clone());
            payload
        };
        let account = one(rng, &["demo", "asks"]);
        PushEvent {
            push_id: PushId(Md5::digest(format!("query {account} {payload} {number}")).into()),
            part: 0,
            parts: 1,
            vendor: self.vendor,
            account: account.to_owned(),
            received_at: TimestampMicros(received_at),
            // It makes no difference (rules 5.9 and 5.10).
            signature: if chance(rng, 50) {
                Signature::Unsigned
            } else {
                Signature::Verified
            },
            vendor_carrier: carriers::identifier(if self.carrier == "0" { "" } else { self.carrier }),
            tracking_number: number.to_owned(),
            request_type: (self.vendor == Vendor::Kdniao).then(|| "7101".to_owned()),
            query: String::new(),
            content_type: String::new(),
            push_time: None,
            business_id: None,
            payload,
            origin: Origin::Query,
            query_reason: Some("STALLED".to_owned()),
            reference: None,
        }
    }

    fn kuaidi100_answer(&self, rng: &mut Rng, number: &str) -> String {
        let mut answer = Map::new();
        answer.insert("message".to_owned(), json!("ok"));
        answer.insert("nu".to_owned(), json!(invisible(rng, number)));
        answer.insert("com".to_owned(), json!(invisible(rng, self.carrier)));
        kuaidi100_result(rng, &mut answer, &self.lines, false, &time::CHINA);
        route(rng, &mut answer);
        estimate(rng, &mut answer, "arrivalTime", &self.lines);
        doubled_keys(rng, Value::Object(answer).to_string())
    }

    // ---- the story goes on -------------------------------------------------------------------------------------------

    fn change(&mut self, rng: &mut Rng, received_at: &mut i64) {
        // China time of the receipt, as a line has it.
        let before = received_at.div_euclid(SECOND) + 8 * HOUR;
        let mut now = before;
        if let Some((carrier, lines)) = &mut self.destination
            && chance(rng, 35)
        {
            if chance(rng, 5) {
                *carrier = match self.vendor {
                    Vendor::SeventeenTrack => one(rng, &seventeentrack::CARRIERS),
                    _ => one(rng, &DESTINATION_CARRIERS),
                };
            }
            self.writer.change(rng, lines, &mut now);
        } else {
            self.writer.change(rng, &mut self.lines, &mut now);
        }
        if now > before {
            *received_at = (now - 8 * HOUR) * SECOND + rng.i64(0..SECOND);
        }
        if chance(rng, 2) {
            // Whoever has signed once signs on: rule 5.3.
            self.account = "demo";
        }
    }

    // ---- spelling ----------------------------------------------------------------------------------------------------

    fn kuaidi100(&self, rng: &mut Rng, number: &str) -> (String, Option<String>, Option<String>, String) {
        if chance(rng, 1) {
            let payload = one(
                rng,
                &[
                    "",
                    "{\"status\":",
                    "[1]",
                    "{\"status\":\"polling\",\"lastResult\":null}",
                    "null",
                ],
            );
            return (payload.to_owned(), None, None, self.carrier.to_owned());
        }
        let status = match rng.u8(..100) {
            0..60 => "polling",
            60..75 => "shutdown",
            75..86 => "abort",
            86..92 => "updateall",
            _ => one(rng, &[" ShutDown ", "ABORT", "unheard", "", "Polling"]),
        };
        let is_first = self.told.is_empty() && chance(rng, 15);
        let status = if is_first { "abort" } else { status };
        let is_abort = status.eq_ignore_ascii_case("abort");
        let mut last = Map::new();
        last.insert("nu".to_owned(), json!(invisible(rng, number)));
        let carrier = match rng.u8(..100) {
            0 => String::new(),
            1 => "yuan:tong".to_owned(),
            _ => invisible(rng, self.carrier),
        };
        if !carrier.is_empty() || chance(rng, 50) {
            last.insert("com".to_owned(), json!(carrier));
        }
        kuaidi100_result(rng, &mut last, &self.lines, is_abort, &time::CHINA);
        if is_first {
            last.remove("data");
        }
        route(rng, &mut last);
        estimate(rng, &mut last, "arrivalTime", &self.lines);
        match rng.u8(..20) {
            0 => drop(last.insert("isLoop".to_owned(), json!(true))),
            1..8 => drop(last.insert("isLoop".to_owned(), json!(false))),
            _ => {}
        }

        let mut whole = Map::new();
        if !status.is_empty() || chance(rng, 50) {
            whole.insert("status".to_owned(), json!(status));
        }
        let messages: &[&str] = if is_abort {
            &["3天查询无记录", "60天无变化", "60天无变化时", "60 天 无变化", ""]
        } else {
            &["", "变化", "寄件", "签收"]
        };
        whole.insert("message".to_owned(), json!(one(rng, messages)));
        let corrected = if is_abort { 35 } else { 6 };
        if chance(rng, corrected) {
            whole.insert("autoCheck".to_owned(), json!(if is_abort { "0" } else { "1" }));
            let old = one(rng, &["", "", self.carrier, "zhongtong", "ems"]);
            let new = match rng.u8(..10) {
                0 => one(
                    rng,
                    &["\u{ff45}\u{ff4d}\u{ff53}", "e\u{200b}ms\u{feff}", "e:ms", "\u{200d}"],
                ),
                _ => one(rng, &["ems", "zhongtong", " Ems", self.carrier, "yunda"]),
            };
            whole.insert(
                "comOld".to_owned(),
                if chance(rng, 10) { Value::Null } else { json!(old) },
            );
            whole.insert("comNew".to_owned(), json!(new));
        } else if chance(rng, 30) {
            whole.insert("comOld".to_owned(), json!(one(rng, &["", "", "zhongtong"])));
            whole.insert("comNew".to_owned(), json!(""));
        }
        whole.insert("lastResult".to_owned(), enveloped(rng, Value::Object(last)));
        if let Some((carrier, lines)) = &self.destination {
            match rng.u8(..20) {
                0 => {}
                1 => drop(whole.insert("destResult".to_owned(), Value::Null)),
                _ => {
                    let mut result = Map::new();
                    let number = one(
                        rng,
                        &["EX015142583SG", "EX015142583SG", " ex0\u{200b}1514 2583sg", "见电话"],
                    );
                    result.insert("nu".to_owned(), json!(number));
                    if chance(rng, 90) {
                        result.insert("com".to_owned(), json!(carrier));
                    }
                    let zone = carriers::zone(carrier).map_or(time::CHINA, |name| Zone::Named(name.to_owned()));
                    kuaidi100_result(rng, &mut result, lines, is_abort, &zone);
                    whole.insert("destResult".to_owned(), enveloped(rng, Value::Object(result)));
                }
            }
        }
        (doubled_keys(rng, Value::Object(whole).to_string()), None, None, carrier)
    }

    fn kdniao(
        &self,
        rng: &mut Rng,
        number: &str,
        received_at: i64,
    ) -> (String, Option<String>, Option<String>, String) {
        let push_time = push_time(rng, received_at);
        let request_type = match rng.u8(..50) {
            0 => Some("107"),
            1..20 => Some("101"),
            20..40 => Some("102"),
            _ => None,
        };
        let request_type = request_type.map(str::to_owned);
        if chance(rng, 1) {
            let payload = one(rng, &["", "{", "[]", "\"text\"", "null"]);
            return (payload.to_owned(), push_time, request_type, self.carrier.to_owned());
        }
        let mut whole = Map::new();
        whole.insert("EBusinessID".to_owned(), json!("1000001"));
        whole.insert("LogisticCode".to_owned(), json!(invisible(rng, number)));
        whole.insert("ShipperCode".to_owned(), json!(invisible(rng, self.carrier)));
        whole.insert("CallBack".to_owned(), json!("a|b=c:d"));
        match rng.u8(..20) {
            0 => drop(whole.insert("Success".to_owned(), json!(false))),
            1 => drop(whole.insert("Success".to_owned(), json!("false"))),
            2 => drop(whole.insert("Success".to_owned(), json!("False"))),
            3 => {}
            4 => drop(whole.insert("Success".to_owned(), json!("true"))),
            5 => drop(whole.insert("Success".to_owned(), json!(null))),
            _ => drop(whole.insert("Success".to_owned(), json!(true))),
        }
        if chance(rng, 40) {
            let reasons = [
                "三天无轨迹",
                "七天内无轨迹变化",
                "七天内 无轨迹 变化",
                "",
                "暂无轨迹信息",
                "三 天无轨迹",
            ];
            whole.insert("Reason".to_owned(), json!(one(rng, &reasons)));
        }
        for field in ["State", "StateEx"] {
            if let Some(state) = top_level_code(rng, Vendor::Kdniao, &self.lines) {
                whole.insert(field.to_owned(), state);
            }
        }
        estimate(rng, &mut whole, "EstimatedDeliveryTime", &self.lines);
        if chance(rng, if self.told.is_empty() { 20 } else { 8 }) {
            if chance(rng, 70) {
                whole.insert("Traces".to_owned(), one(rng, &["null", "[]"]).parse().unwrap());
            }
        } else {
            let with_codes = chance(rng, 85);
            let with_zones = chance(rng, 92);
            let mut traces: Vec<Value> = self
                .lines
                .iter()
                .map(|line| kdniao_line(rng, line, with_codes, with_zones))
                .collect();
            order(rng, &mut traces, 30);
            whole.insert("Traces".to_owned(), list(rng, traces));
        }
        let whole = lower_case_keys(rng, whole);
        (
            doubled_keys(rng, Value::Object(whole).to_string()),
            push_time,
            request_type,
            self.carrier.to_owned(),
        )
    }
}

fn kuaidi100_result(rng: &mut Rng, result: &mut Map<String, Value>, lines: &[Line], is_abort: bool, zone: &Zone) {
    let signs_off = chance(rng, 15);
    if signs_off {
        let state = one(rng, &["3", "3", "301", "302", "303", "304", "4", "14", "6"]);
        result.insert("state".to_owned(), code_value(rng, state));
    } else if let Some(state) = top_level_code(rng, Vendor::Kuaidi100, lines) {
        result.insert("state".to_owned(), state);
    }
    let is_check = match rng.u8(..20) {
        0..12 if signs_off => json!("1"),
        0 => json!("1"),
        1 => json!(1),
        2 => json!(true),
        3 => json!(null),
        4 => json!(0),
        _ => json!("0"),
    };
    if chance(rng, 90) {
        result.insert("ischeck".to_owned(), is_check);
    }
    result.insert("status".to_owned(), json!("200"));
    result.insert("condition".to_owned(), json!(one(rng, &["F00", "00", ""])));
    if chance(rng, if is_abort { 40 } else { 6 }) {
        if chance(rng, 70) {
            result.insert("data".to_owned(), one(rng, &["null", "[]"]).parse().unwrap());
        }
        return;
    }
    let with_codes = chance(rng, 85);
    let mut data: Vec<Value> = lines
        .iter()
        .map(|line| kuaidi100_line(rng, line, with_codes, zone))
        .collect();
    order(rng, &mut data, 85);
    let data = list(rng, data);
    result.insert("data".to_owned(), data);
}

/// Rule 2.2: what may be a JSON text is one now and then.
fn enveloped(rng: &mut Rng, value: Value) -> Value {
    if chance(rng, 5) {
        Value::String(value.to_string())
    } else {
        value
    }
}

/// Rule 2.2: a list as an array, as PHP numbers it, or as its only element; any of them perhaps as a text.
fn list(rng: &mut Rng, mut elements: Vec<Value>) -> Value {
    let list = match rng.u8(..30) {
        0 => {
            let first = rng.usize(..9);
            let numbered = elements.into_iter().enumerate();
            Value::Object(
                numbered
                    .map(|(index, element)| ((first + index).to_string(), element))
                    .collect(),
            )
        }
        1..10 if elements.len() == 1 && elements[0].is_object() => elements.remove(0),
        _ => Value::Array(elements),
    };
    enveloped(rng, list)
}

/// Rule 2.2: the documented spelling wins where both are there.
fn lower_case_keys(rng: &mut Rng, parcel: Map<String, Value>) -> Map<String, Value> {
    if !chance(rng, 6) {
        return parcel;
    }
    let mut lower_case = Map::new();
    for (key, value) in parcel {
        let value = match value {
            Value::Array(traces) => {
                let traces = traces.into_iter().map(|trace| match trace {
                    Value::Object(trace) => Value::Object(lower_case_keys(rng, trace)),
                    other => other,
                });
                Value::Array(traces.collect())
            }
            other => other,
        };
        if chance(rng, 10) {
            lower_case.insert(key[..1].to_lowercase() + &key[1..], json!("3"));
            lower_case.insert(key, value);
        } else {
            lower_case.insert(key[..1].to_lowercase() + &key[1..], value);
        }
    }
    lower_case
}

/// Rule 3.4: with a character that nobody sees. Ingest takes it out of number and carrier.
fn invisible(rng: &mut Rng, identifier: &str) -> String {
    if !chance(rng, 4) {
        return identifier.to_owned();
    }
    let glyph = one(rng, &["\u{200b}", "\u{feff}", "\u{200d}", "\u{ad}", "\u{202a}"]);
    let (front, back) = identifier.split_at(2);
    format!("{front}{glyph}{back}")
}

fn route(rng: &mut Rng, last: &mut Map<String, Value>) {
    let end = |rng: &mut Rng| match rng.u8(..20) {
        0 => json!(null),
        1 => json!({}),
        2 => json!({"number": null, "name": "某地"}),
        3 => json!({"number": "", "name": " "}),
        4 => json!({"number": "CN440300000000"}),
        5 => json!({"number": "440300000000", "name": "广东,深圳市"}),
        6 => json!({"number": "CN440000000000", "name": "广东"}),
        7 => json!({"number": "CN4403", "name": "深圳"}),
        _ => {
            let (code, name) = one(rng, &AREAS);
            json!({"number": code, "name": name})
        }
    };
    match rng.u8(..10) {
        0 => drop(last.insert("routeInfo".to_owned(), Value::Null)),
        1..5 => {
            let mut route = Map::new();
            for field in ["from", "cur", "to"] {
                if chance(rng, 80) {
                    route.insert(field.to_owned(), end(rng));
                }
            }
            last.insert("routeInfo".to_owned(), Value::Object(route));
        }
        _ => {}
    }
}

impl Writer {
    /// What happens to a list between two pushes. `now` moves on if it takes its time.
    fn change(&self, rng: &mut Rng, lines: &mut Vec<Line>, now: &mut i64) {
        let newest = lines.iter().map(|line| line.local).max().unwrap_or(*now - 2 * DAY);
        let some_line = |rng: &mut Rng, lines: &[Line]| (!lines.is_empty()).then(|| rng.usize(..lines.len()));
        match rng.u8(..106) {
            // A new life: far from everything before, close to a limit, or while something is still shared.
            0..5 if !lines.is_empty() => self.begin_anew(rng, lines, newest, now),
            // Older snapshot.
            5..12 if !lines.is_empty() => lines.truncate(lines.len() - rng.usize(..=lines.len().min(3))),
            // Text, code, time edited.
            12..26 => {
                if let Some(index) = some_line(rng, lines) {
                    self.edit(rng, &mut lines[index]);
                }
            }
            // Enriched.
            26..34 => {
                if let Some(index) = some_line(rng, lines) {
                    let line = &mut lines[index];
                    line.area = Some(one(rng, &AREAS));
                    line.place = one(rng, &PLACES);
                    if line.code.is_none() {
                        self.recode(rng, line);
                    }
                }
            }
            // A line vanishes.
            34..42 => {
                if let Some(index) = some_line(rng, lines) {
                    lines.remove(index);
                }
            }
            // Twins and neighbours within a second.
            42..50 => {
                if let Some(index) = some_line(rng, lines) {
                    let mut twin = lines[index].clone();
                    if chance(rng, 60) {
                        self.recode(rng, &mut twin);
                    }
                    if chance(rng, 50) {
                        self.reword(rng, &mut twin);
                    }
                    lines.insert(index + rng.usize(..=1), twin);
                }
            }
            // Something back-dated.
            50..55 => {
                if let Some(index) = some_line(rng, lines) {
                    let local = lines[index].local - rng.i64(0..DAY);
                    lines.insert(index, self.line(rng, local));
                }
            }
            // A return, a locker, a second round, scans behind the delivery: what belongs together.
            55..72 => self.run(rng, lines, newest),
            // The newest line says nothing, or that there is nothing.
            72..78 => {
                let later = one(rng, &[0, 1, 600, HOUR, DAY]);
                let mut mute = self.line(rng, newest + later);
                mute.code = one(rng, &[None, None, None, Some("999")]).map(str::to_owned);
                (mute.name, mute.needs_code) = (None, false);
                mute.text = if chance(rng, 25) {
                    (mute.code, mute.zone) = (None, None);
                    one(rng, &PLACEHOLDERS).to_owned()
                } else {
                    labelled(rng, &[Status::Unknown]).to_owned()
                };
                lines.push(mute);
            }
            // It grows.
            _ => self.grow(rng, lines, newest, *now),
        }
        if lines.len() > 14 {
            let cut = rng.usize(1..10);
            lines.drain(..cut);
        }
    }

    fn begin_anew(&self, rng: &mut Rng, lines: &mut Vec<Line>, newest: i64, now: &mut i64) {
        let mut gap = one(rng, &[30 * DAY, 30 * DAY + 1, 31 * DAY, 60 * DAY]);
        if chance(rng, 60) {
            gap = one(rng, &[DAY - 1, DAY, DAY, DAY + 1, 2 * DAY, 20 * DAY]);
            *now = (*now).max(newest + gap + rng.i64(0..DAY));
        }
        let shared = chance(rng, 15);
        if !shared {
            lines.clear();
        }
        lines.push(self.line(rng, newest + gap));
    }

    fn edit(&self, rng: &mut Rng, line: &mut Line) {
        match rng.u8(..6) {
            0 => self.reword(rng, line),
            1 => self.recode(rng, line),
            2 => line.local += one(rng, &[-1, 1, 60, -3600, 86_400]),
            3 => line.zone = zone(rng),
            4 => line.name = one(rng, &[None, Some("签收"), Some("拒签")]),
            _ => line.bad_time = one(rng, &[None, Some("soon")]),
        }
    }

    fn run(&self, rng: &mut Rng, lines: &mut Vec<Line>, newest: i64) {
        let by_code = match self.vendor {
            Vendor::Kuaidi100 => KUAIDI100_RUNS,
            Vendor::Kdniao => KDNIAO_RUNS,
            Vendor::SeventeenTrack => seventeentrack::RUNS,
        };
        let mut local = newest;
        let mut next = |rng: &mut Rng| {
            local += one(rng, &[0, 1, 600, HOUR, 5 * HOUR, DAY, 30 * DAY, 30 * DAY + 1]);
            self.line(rng, local)
        };
        if chance(rng, 35) {
            for status in one(rng, TEXT_RUNS) {
                let mut next = next(rng);
                (next.code, next.name, next.needs_code) = (None, None, false);
                labelled(rng, &[*status]).clone_into(&mut next.text);
                lines.push(next);
            }
        } else {
            for code in one(rng, by_code) {
                let mut next = next(rng);
                next.code = Some((*code).to_owned());
                lines.push(next);
            }
        }
    }

    fn grow(&self, rng: &mut Rng, lines: &mut Vec<Line>, newest: i64, now: i64) {
        for _ in 0..rng.usize(1..4) {
            let newest = lines.iter().map(|line| line.local).max().unwrap_or(newest);
            let local = match rng.u8(..20) {
                0..4 => newest,
                4..6 => newest + 1,
                6..8 => newest + DAY,
                8..11 => newest + rng.i64(0..HOUR),
                11..14 => newest + rng.i64(0..DAY),
                14 => now + 600,
                15 => now + 601,
                16 => now + rng.i64(0..2 * DAY),
                _ => now - rng.i64(0..5 * HOUR),
            };
            lines.push(self.line(rng, local));
        }
    }

    fn line(&self, rng: &mut Rng, local: i64) -> Line {
        let mut line = Line {
            local,
            bad_time: chance(rng, 3).then(|| one(rng, &BAD_TIMES)),
            text: String::new(),
            needs_code: false,
            code: code(rng, self.vendor),
            name: chance(rng, 40).then(|| name(rng)),
            area: chance(rng, 45).then(|| one(rng, &AREAS)),
            place: if chance(rng, 40) { one(rng, &PLACES) } else { None },
            zone: if self.is_cross_border {
                zone(rng)
            } else {
                (chance(rng, 1)).then(|| one(rng, &["Paris", "CST"]))
            },
        };
        self.reword(rng, &mut line);
        line
    }

    /// Another text: any at all beside a code that is known, else one that says by itself what it means.
    fn reword(&self, rng: &mut Rng, line: &mut Line) {
        let is_told = line.code.as_deref().is_some_and(|code| self.is_usable(code));
        line.needs_code = is_told && chance(rng, 50);
        line.text = if line.needs_code {
            text(rng)
        } else if chance(rng, 8) {
            String::new()
        } else {
            let label = if chance(rng, 85) {
                one(rng, &self.alphabet)
            } else {
                one(rng, &labels::SURE)
            };
            match rng.u8(..12) {
                0 => format!(" {}", label.text),
                1 => label.text.replace(' ', "\u{3000}"),
                _ => label.text.to_owned(),
            }
        };
    }

    fn recode(&self, rng: &mut Rng, line: &mut Line) {
        line.code = code(rng, self.vendor);
        while line.needs_code && !line.code.as_deref().is_some_and(|code| self.is_usable(code)) {
            line.code = code(rng, self.vendor);
        }
    }

    fn is_usable(&self, code: &str) -> bool {
        codes::by_code(self.vendor, false, code.trim(), "").is_some()
    }
}

/// A text that means one of these.
fn labelled(rng: &mut Rng, statuses: &[Status]) -> &'static str {
    let fitting: Vec<&Label> = labels::SURE
        .iter()
        .filter(|label| statuses.contains(&label.status))
        .collect();
    one(rng, &fitting).text
}

fn zone(rng: &mut Rng) -> Option<&'static str> {
    if chance(rng, 30) {
        one(rng, &MORE_ZONES)
    } else {
        one(rng, &ZONES)
    }
}

fn code(rng: &mut Rng, vendor: Vendor) -> Option<String> {
    let common: &[&str] = match vendor {
        Vendor::Kuaidi100 => &["0", "1", "5", "3", "2", "1002", "501", "301"],
        Vendor::Kdniao => &["1", "2", "201", "202", "211", "301", "3", "204"],
        Vendor::SeventeenTrack => seventeentrack::COMMON,
    };
    let unknown = [
        "1004", "1009", "299", "999", "77", "x", "04", "199", "399", "699", "1104", "0", "4 ",
    ];
    let odd = [
        "张三13812345678",
        "4 4",
        "a.b",
        "12345678901234567890123456789012345678901",
        "A-1_b",
    ];
    match rng.u8(..20) {
        0..9 => Some(one(rng, common).to_owned()),
        9..16 => {
            let all: Vec<&str> = codes::all_codes(vendor).collect();
            Some(one(rng, &all).to_owned())
        }
        16 if vendor == Vendor::SeventeenTrack => Some(one(rng, seventeentrack::UNHEARD).to_owned()),
        16 if chance(rng, 30) => Some(one(rng, &odd).to_owned()),
        16 => Some(one(rng, &unknown).to_owned()),
        _ => None,
    }
}

fn name(rng: &mut Rng) -> &'static str {
    let mut all: Vec<&'static str> = codes::all_names().collect();
    all.extend(["", "无名", " 签收 ", "已签收"]);
    one(rng, &all)
}

fn text(rng: &mut Rng) -> String {
    let text = one(rng, &TEXTS);
    match rng.u8(..12) {
        0 => format!("{text} "),
        1 => format!("{text}，{}", one(rng, &TEXTS)),
        2 => format!("【{}】{text}", one(rng, &TEXTS)),
        3 => text.replace(' ', "\u{3000}"),
        _ => text.to_owned(),
    }
}

fn top_level_code(rng: &mut Rng, vendor: Vendor, lines: &[Line]) -> Option<Value> {
    let code = match rng.u8(..11) {
        0 => return None,
        10 => one(rng, &["3", "301", "302", "304", "311", "406", "4"]).to_owned(),
        1 => return Some(Value::Null),
        2 => return Some(json!("")),
        3..6 => code(rng, vendor)?,
        _ => lines.last()?.code.clone()?,
    };
    Some(code_value(rng, &code))
}

/// A code as text, padded text or integer.
fn code_value(rng: &mut Rng, code: &str) -> Value {
    match (rng.u8(..10), code.parse::<u32>()) {
        (0, Ok(number)) if number.to_string() == code => json!(number),
        (1, _) => json!(format!(" {code} ")),
        _ => json!(code),
    }
}

fn kuaidi100_line(rng: &mut Rng, line: &Line, with_codes: bool, zone: &Zone) -> Value {
    let mut item = Map::new();
    let time = local_time(rng, line, zone);
    match rng.u8(..13) {
        12 => {
            let impossible = one(
                rng,
                &["1999-12-31 23:59:59", "9999-01-01 00:00:00", "0001-01-01T00:00:00Z"],
            );
            item.insert("ftime".to_owned(), json!(impossible));
            item.insert("time".to_owned(), json!(time));
        }
        0 => drop(item.insert("time".to_owned(), json!(time))),
        1 => {
            item.insert("ftime".to_owned(), json!("--"));
            item.insert("time".to_owned(), json!(time));
        }
        2 if true => {
            item.insert("ftime".to_owned(), json!(time));
            item.insert("time".to_owned(), json!("2001-01-01 00:00:00"));
        }
        3 => {
            item.insert("ftime".to_owned(), json!(null));
            item.insert("time".to_owned(), json!(time));
        }
        _ => {
            item.insert("ftime".to_owned(), json!(time));
            item.insert("time".to_owned(), json!(time));
        }
    }
    context(rng, &mut item, "context", &line.text);
    if with_codes || line.needs_code {
        match &line.code {
            Some(code) => drop(item.insert("statusCode".to_owned(), code_value(rng, code))),
            None => drop(item.insert(
                "statusCode".to_owned(),
                one(rng, &["null", "\"\"", "\" \""]).parse().unwrap(),
            )),
        }
    }
    if let Some(name) = line.name {
        item.insert("status".to_owned(), json!(name));
    }
    match line.area {
        Some((code, name)) => {
            item.insert("areaCode".to_owned(), json!(code));
            item.insert("areaName".to_owned(), json!(name));
        }
        None if chance(rng, 50) => {
            item.insert(
                "areaCode".to_owned(),
                one(rng, &["null", "\"\"", "\"CN4403\""]).parse().unwrap(),
            );
            item.insert(
                "areaName".to_owned(),
                one(rng, &["null", "\"\"", "\" \""]).parse().unwrap(),
            );
        }
        None => {}
    }
    match line.place {
        Some(place) => drop(item.insert("location".to_owned(), json!(place))),
        None if chance(rng, 50) => drop(item.insert("location".to_owned(), json!(""))),
        None => {}
    }
    if chance(rng, 30) {
        item.insert("areaCenter".to_owned(), json!("114.05,22.54"));
    }
    odd(rng, item)
}

fn kdniao_line(rng: &mut Rng, line: &Line, with_codes: bool, with_zones: bool) -> Value {
    let mut trace = Map::new();
    let zone = line.zone.and_then(time::parse_zone).unwrap_or(time::CHINA);
    trace.insert("AcceptTime".to_owned(), json!(local_time(rng, line, &zone)));
    context(rng, &mut trace, "AcceptStation", &line.text);
    if with_codes || line.needs_code {
        match &line.code {
            Some(code) => drop(trace.insert("Action".to_owned(), code_value(rng, code))),
            None if chance(rng, 50) => drop(trace.insert("Action".to_owned(), json!(""))),
            None => {}
        }
    }
    match line.place {
        Some(place) => drop(trace.insert("Location".to_owned(), json!(place))),
        None if chance(rng, 50) => drop(trace.insert("Location".to_owned(), json!(""))),
        None => {}
    }
    if with_zones && let Some(zone) = line.zone {
        trace.insert("Timezone".to_owned(), json!(zone));
    }
    if chance(rng, 30) {
        trace.insert("Remark".to_owned(), json!("13800138000"));
    }
    odd(rng, trace)
}

fn context(rng: &mut Rng, item: &mut Map<String, Value>, field: &str, text: &str) {
    if !text.is_empty() {
        item.insert(field.to_owned(), json!(text));
    } else if chance(rng, 60) {
        item.insert(field.to_owned(), one(rng, &["null", "\"\"", "\" \""]).parse().unwrap());
    }
}

/// Hardly ever, an element that is no object.
fn odd(rng: &mut Rng, item: Map<String, Value>) -> Value {
    if chance(rng, 1) {
        one(rng, &["null", "1", "\"x\"", "[]"]).parse().unwrap()
    } else {
        Value::Object(item)
    }
}

fn civil(local: i64) -> jiff::civil::DateTime {
    jiff::Timestamp::from_second(local)
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .datetime()
}

/// The time of a line in one of many spellings; `zone` is the one that its clock hangs in.
fn local_time(rng: &mut Rng, line: &Line, zone: &Zone) -> Value {
    if let Some(bad) = line.bad_time {
        return json!(bad);
    }
    let clock = civil(line.local);
    if chance(rng, 20)
        && let Some(time) = time::placed(Written::Clock(clock), zone)
    {
        return absolute_time(rng, time.utc);
    }
    let form = match rng.u8(..18) {
        0 => "%Y/%m/%d %H:%M:%S",
        1 => "%Y/%-m/%-d %-H:%M:%S",
        2 => "%Y-%m-%dT%H:%M:%S",
        3 => " %Y-%-m-%-d  %-H:%-M:%-S ",
        4 => "%Y-%m-%d %H:%M:%S.123",
        5 if clock.second() == 0 => "%Y/%-m/%-d %-H:%M",
        6 => "%Y%m%d%H%M%S",
        7 if clock.second() == 0 => "%Y年%-m月%-d日 %-H:%M",
        7 | 8 => "%Y年%-m月%-d日 %-H:%M:%S",
        9 => return json!(clock.strftime("%Y%m%d%H%M%S").to_string().parse::<u64>().unwrap()),
        _ => "%Y-%m-%d %H:%M:%S",
    };
    json!(clock.strftime(form).to_string())
}

/// Rule 4.5: a moment with its own offset, or as Unix time.
fn absolute_time(rng: &mut Rng, utc: i64) -> Value {
    let (offset, east) = one(
        rng,
        &[
            ("Z", 0),
            (" Z", 0),
            ("+08:00", 8 * HOUR),
            (" +0800", 8 * HOUR),
            ("+08", 8 * HOUR),
            ("\u{3000}-11", -11 * HOUR),
            ("-05:00", -5 * HOUR),
            ("+0530", 5 * HOUR + 1800),
        ],
    );
    match rng.u8(..10) {
        0 => json!(utc),
        1 => json!(utc.to_string()),
        2 => json!(utc * 1000 + rng.i64(0..1000)),
        3 => json!(format!(" {}", utc * 1000 + rng.i64(0..1000))),
        4 => json!(
            civil(utc + east)
                .strftime(&format!("%Y-%m-%d %H:%M:%S.5{offset}"))
                .to_string()
        ),
        5 => json!(
            civil(utc + east)
                .strftime(&format!("%Y-%m-%d %H:%M:%S{offset}"))
                .to_string()
        ),
        _ => json!(
            civil(utc + east)
                .strftime(&format!("%Y-%m-%dT%H:%M:%S{offset}"))
                .to_string()
        ),
    }
}

/// Kuaidi100 tells newest first, Kdniao oldest first; both are also told the other way round, and mixed up.
fn order(rng: &mut Rng, items: &mut [Value], descending_percent: u32) {
    if chance(rng, descending_percent) {
        items.reverse();
    }
    match rng.u8(..12) {
        0 => rng.shuffle(items),
        1 | 2 if items.len() > 1 => {
            let index = rng.usize(1..items.len());
            items.swap(index - 1, index);
        }
        _ => {}
    }
}

fn estimate(rng: &mut Rng, into: &mut Map<String, Value>, field: &str, lines: &[Line]) {
    if chance(rng, 65) {
        return;
    }
    let civil = civil(lines.first().map_or(BEGIN, |line| line.local) + rng.i64(1..4) * DAY);
    let form = one(
        rng,
        &[
            "%Y-%m-%d %H",
            "%Y-%m-%d",
            "%Y-%m-%d %H:%M",
            "%Y-%m-%d %H:%M:%S",
            "%Y/%-m/%-d",
            "soon",
            "",
            "%Y-%m-%d 25",
            "0001-01-01 00:00:00",
        ],
    );
    into.insert(field.to_owned(), json!(civil.strftime(form).to_string()));
}

fn push_time(rng: &mut Rng, received_at: i64) -> Option<String> {
    let mut second = received_at.div_euclid(SECOND) + 8 * HOUR - one(rng, &[0, 0, 1, 5, 600, 7 * HOUR, 3 * DAY]);
    if chance(rng, 6) {
        second += one(rng, &[600, 601, 7 * HOUR, 365 * DAY]);
    }
    let civil = civil(second);
    match rng.u8(..10) {
        0 => None,
        1 => Some(String::new()),
        2 => Some("soon".to_owned()),
        3 => Some(civil.strftime("%Y/%-m/%-d %-H:%M").to_string()),
        4 if chance(rng, 20) => Some("0001-01-01 00:00:00".to_owned()),
        5 => match absolute_time(rng, second - 8 * HOUR) {
            Value::String(text) => Some(text),
            number => Some(number.to_string()),
        },
        6 => Some(civil.strftime("%Y%m%d%H%M%S").to_string()),
        _ => Some(civil.strftime("%Y-%m-%d %H:%M:%S").to_string()),
    }
}

/// JSON with a key twice: the last one counts.
fn doubled_keys(rng: &mut Rng, payload: String) -> String {
    match rng.u8(..60) {
        0 => payload.replacen('{', r#"{"status":"shutdown","Success":false,"#, 1),
        1 => payload.replacen(
            r#""lastResult":{"#,
            r#""lastResult":{"state":"3","data":[],"nu":"x","#,
            1,
        ),
        2 => payload.replacen(r#""Traces":"#, r#""Traces":[],"Traces":"#, 1),
        _ => payload,
    }
}

/// Codes that belong together.
const KUAIDI100_RUNS: &[&[&str]] = &[
    &["6", "0", "5", "3"],
    &["14", "6", "4"],
    &["501", "205", "304"],
    &["5", "204", "5", "302"],
    &["3", "5", "3"],
    &["203", "6", "3"],
    &["401", "1"],
    &["10", "11", "13", "12"],
    &["102", "103", "1002", "1001", "5"],
    &["14"],
    &["3", "6"],
    &["5", "3", "0", "5"],
    &["3", "202", "201", "204"],
    &["501", "304", "205"],
];

const KDNIAO_RUNS: &[&[&str]] = &[
    &["202", "404", "407", "406"],
    &["211", "412", "418", "311"],
    &["202", "405", "419", "302"],
    &["301", "202", "301"],
    &["404", "3"],
    &["415", "1"],
    &["601", "602", "604", "603"],
    &["10", "1", "206", "204", "201", "205", "202"],
    &["202", "420", "202", "421"],
    &["202", "301", "204", "202"],
    &["301", "403", "402", "405"],
    &["211", "311", "412"],
];

/// Statuses that are told by texts alone.
const TEXT_RUNS: &[&[Status]] = &[
    &[Status::Returning, Status::OutForDelivery, Status::Delivered],
    &[Status::Returning, Status::AvailableForPickup],
    &[Status::Returning, Status::InTransit, Status::Returned],
    &[Status::Returning, Status::OutForDelivery, Status::Returning],
    &[
        Status::OutForDelivery,
        Status::Delivered,
        Status::Returning,
        Status::OutForDelivery,
    ],
    &[Status::Delivered, Status::InTransit, Status::Exception],
    &[Status::OutForDelivery, Status::Exception, Status::Delivered],
    &[Status::Returned],
    &[
        Status::InfoReceived,
        Status::PickedUp,
        Status::InTransit,
        Status::OutForDelivery,
    ],
];

/// Rule 8.3c.
const PLACEHOLDERS: [&str; 6] = [
    "查无结果",
    "暂无轨迹",
    " 暂无 物流信息。",
    "没有查询到相关信息！",
    "No tracking information available.",
    "【暂无轨迹】",
];

const BAD_TIMES: [&str; 16] = [
    "20250301",
    "2025-03-01 10:00:00 CET",
    "2025-03-01 10:00:00+08:00 x",
    "0001-01-01 00:00:00",
    "0000-00-00 00:00:00",
    "1999-12-31 23:59:59",
    "2100-01-01 00:00:00",
    "",
    "2025-02-30 10:00:00",
    "2025-03-01 24:00:00",
    "2025-03-01T10:00:00+24:00",
    "9999-12-31T23:59:59-12:00",
    "2025年3月1日10:00",
    "20250230100000",
    "0000000000",
    "9999999999999",
];

const ZONES: [Option<&str>; 12] = [
    None,
    Some("+08:00"),
    Some("+08:00"),
    Some("+02:00"),
    Some("-05:00"),
    Some("GMT+8"),
    Some("UTC+05:30"),
    Some("-0330"),
    Some("+9"),
    Some("Z"),
    Some(" +0800"),
    Some(""),
];

/// Rule 4.5.
const MORE_ZONES: [Option<&str>; 10] = [
    Some("Paris"),
    Some("Europe/Paris"),
    Some("europe/paris"),
    Some("Asia/Tokyo"),
    Some("CET"),
    Some("EST"),
    Some("CST"),
    Some("BST"),
    Some("\u{2212}05:00"),
    Some("GMT\u{2212}3"),
];

const AREAS: [(&str, &str); 12] = [
    ("CN440306025000", "广东,深圳市,宝安区,燕罗"),
    ("CN440300000000", "广东,深圳市"),
    ("440300000000", "广东,深圳市"),
    ("CN440100000000", "广东,广州市"),
    ("CN440000000000", "广东"),
    ("310000000000", "上海市"),
    ("CN310115000000", "上海,浦东新区"),
    ("CN110000000000", "北京市"),
    ("CN110105000000", "北京,朝阳区"),
    ("CN430102016000", "湖南,长沙市,芙蓉区,马坡岭"),
    ("CN430100000000", ""),
    ("CN500000000000", "重庆市"),
];

const PLACES: [Option<&str>; 7] = [
    None,
    Some("深圳中心"),
    Some("XX,XX,XX"),
    Some(" "),
    Some("STOCKTON,CA,US"),
    Some("上海市"),
    Some(" 深圳中心 "),
];

const TEXTS: [&str; 56] = [
    "",
    "",
    "快递司机收箱",
    "您的快件已发车",
    "快件已到达 深圳转运中心",
    "上海分拨中心/装件入车扫描",
    "您的快件正在派送中, 请您准备签收 (快递员: 黄想成, 联系电话: 18675534564)。",
    "派件员：李四，电话13800138000",
    "快递员张三13800138000正在派送",
    "快递员王小明 联系电话：0571-88889999",
    "业务员【阿·里木】已收件",
    "您的快件派送不成功, 原因【暂未联系上客户】, 预计下次派送时间 2025-03-31 23:00",
    "已放入丰巢快递柜，取件码：12-34-56",
    "快件存入菜鸟驿站，取货码为8888，联系人：赵六 13900139000-1234",
    "已从快递柜取出",
    "已由驿站代签收",
    "未签收",
    "待签收",
    "无法签收",
    "收件人拒绝签收",
    "收件人拒收，退回寄件人",
    "退回件，寄件人已签收",
    "退签",
    "快件退件中",
    "return to sender",
    "Parcel refused",
    "无法联系收件人",
    "电话无人接听",
    "订单已取消",
    "清关异常",
    "清关中",
    "Customs clearance completed",
    "揽收任务已分配给周建永",
    "揽收任务分配给 Li Lei",
    "等待揽收",
    "Label created",
    "Your parcel will soon be handed over to us! It is being prepared by the sender.",
    "Shipment information received",
    "您的快件已由本人签收, 感谢您使用",
    "已妥投",
    "Your parcel has been delivered in your letter box.",
    "[01000]Final delivery Delivered to: SLOVESNOV",
    "signed for by : John Smith",
    "Out for delivery",
    "will be delivered tomorrow",
    "Not delivered",
    "Delivery attempted",
    "Your parcel is at the delivery site that serves your address. We are preparing it for delivery.",
    "Ready in the LOCKER",
    "Held at the post office",
    "快递柜 待取",
    "您的快件已由【深圳桂庙营业部】揽收完成",
    "Picked up",
    "Your parcel is transiting through our logistics platforms.",
    "虚拟号 17000000000-1234 座机 010-12345678 单号 YT2556786544444545 客服95311",
    "配送中",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Expected, ExpectedRecord, by_number, expected, expected_tables, judged};
    use super::*;

    #[test]
    fn a_seed_gives_the_same_events() {
        assert_eq!(workload(7, 200), workload(7, 200));
        assert_ne!(workload(7, 200), workload(8, 200));
    }

    #[test]
    fn tables_are_the_same_without_records() {
        let pushes = workload(3, 500);
        assert_eq!(
            expected_tables(&pushes),
            Expected {
                records: Vec::new(),
                ..expected(&pushes)
            }
        );
    }

    /// Whatever the order of the numbers among each other.
    #[test]
    fn only_the_order_within_a_number_counts() {
        let pushes = workload(4, 500);
        let mut by_number = pushes.clone();
        by_number.sort_by_key(|push| push.tracking_number.clone());
        assert_eq!(expected(&pushes), expected(&by_number));
    }

    /// A workload that never meets a rule proves nothing about it.
    #[test]
    #[allow(clippy::too_many_lines, reason = "a list of outcomes")]
    fn every_outcome_occurs() {
        let pushes = workload(1, 6000);
        let tables = expected(&pushes);
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut count = |what: String| *seen.entry(what).or_default() += 1;
        for record in &tables.records {
            match record {
                ExpectedRecord::Shipment(row) => {
                    count(format!("status {}", row.status));
                    count(format!("state {}", row.tracking_state));
                    count(format!(
                        "segments {}",
                        row.event.iter().any(|event| event.segment == "DESTINATION")
                    ));
                    row.flags.iter().for_each(|flag| count(format!("flag {flag}")));
                    for (name, time) in [
                        ("created", row.created_at),
                        ("picked_up", row.picked_up_at),
                        ("left_origin", row.left_origin_at),
                        ("arrived_dest", row.arrived_dest_at),
                        ("out_for_delivery", row.out_for_delivery_at),
                        ("first_attempt", row.first_attempt_at),
                        ("available", row.available_at),
                        ("delivered", row.delivered_at),
                        ("returning", row.returning_at),
                        ("returned", row.returned_at),
                        ("cancelled", row.cancelled_at),
                        ("edd", row.edd_first),
                    ] {
                        count(format!("{name} {}", time.is_some()));
                    }
                    if row.edd_first != row.edd_last {
                        count("edd moved".to_owned());
                    }
                    count(format!("attempts {}", row.attempts.min(3)));
                }
                ExpectedRecord::Retired(_) => count("retired".to_owned()),
                ExpectedRecord::Transition(op, row) => {
                    count(format!("op {op}"));
                    count(format!("{op} {}", row.origin));
                    count(format!("from {} {}", row.from_status, row.verdict));
                    row.party.iter().for_each(|party| count(format!("party {party}")));
                }
            }
        }
        let shipments = tables
            .records
            .iter()
            .filter(|record| matches!(record, ExpectedRecord::Shipment(_)))
            .count();
        count(format!("accepted {}", shipments * 10 / pushes.len()));
        for pushes in by_number(&pushes) {
            for (judgement, _) in judged(&pushes) {
                count(format!("{judgement:?}"));
            }
        }
        let mut epochs: BTreeMap<_, usize> = BTreeMap::new();
        for row in &tables.shipment {
            *epochs
                .entry((&row.vendor, &row.carrier, &row.tracking_number))
                .or_default() += 1;
        }
        assert!(
            epochs.values().filter(|count| **count > 1).count() > 20,
            "re-used numbers"
        );
        print(&seen);
        for wanted in [
            "status UNKNOWN",
            "status INFO_RECEIVED",
            "status PICKED_UP",
            "status IN_TRANSIT",
            "status CUSTOMS",
            "status OUT_FOR_DELIVERY",
            "status AVAILABLE_FOR_PICKUP",
            "status DELIVERED",
            "status EXCEPTION",
            "status RETURNING",
            "status RETURNED",
            "status CANCELLED",
            "state ACTIVE",
            "state ENDED",
            "state ABORTED_NO_RECORD",
            "state ABORTED_STALE",
            "state CARRIER_CORRECTED",
            "segments true",
            "flag tz_assumed",
            "flag pickup_imputed",
            "flag delivery_revoked",
            "flag post_terminal_scan",
            "flag return_signed",
            "flag future_time",
            "flag bad_time",
            "flag unknown_code",
            "flag lane_inferred",
            "flag route_loop",
            "flag status_inferred",
            "Outranked",
            "Duplicate",
            "Stale",
            "Confirmed",
            "OBSERVED QUERY",
            "RETRACTED QUERY",
            "retired",
            "left_origin true",
            "arrived_dest true",
            "op RETRACTED",
            "party carrier",
            "party consignee",
            "party shipper",
            "party customs",
            "party unknown",
            "edd moved",
            "attempts 3",
        ] {
            assert!(
                seen.get(wanted).is_some_and(|count| *count >= 5),
                "{wanted}: {:?}",
                seen.get(wanted)
            );
        }
    }

    #[allow(clippy::print_stdout, reason = "for whoever tunes the workload")]
    fn print(seen: &BTreeMap<String, usize>) {
        for (what, count) in seen {
            println!("{count:6} {what}");
        }
    }
}
