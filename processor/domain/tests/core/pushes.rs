//! Builders of push events, and a stream that applies them one after the other as the worker does.

use std::collections::BTreeMap;
use std::convert::Infallible;

use courierflow_domain as domain;
use courierflow_domain::{DeriveOptions, Derived, Memory, Outcome, ShipmentKey, Snapshot};
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::records::{
    EpochDay, Op, Origin, PushEvent, PushId, Shipment, ShipmentEvent, Signature, TimestampMicros, TimestampMillis,
    Transition, Vendor,
};
use courierflow_vendors::reading::{NoOp, ReadError, Reading, read};
use serde_json::{Value, json};

/// When pushes are received unless a test says otherwise: after all of its items.
pub(crate) const RECEIVED: &str = "2025-06-30T00:00:00Z";

/// A key that everybody knows.
pub(crate) const ID_KEY: domain::IdKey = domain::IdKey::from_bytes(*b"a key of 16 byte");

pub(crate) const OPTIONS: DeriveOptions = DeriveOptions {
    context: domain::Context::Keep,
    id_key: ID_KEY,
};

pub(crate) fn micros(utc: &str) -> TimestampMicros {
    TimestampMicros(utc.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

pub(crate) fn millis(utc: &str) -> TimestampMillis {
    TimestampMillis(utc.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

pub(crate) fn day(date: &str) -> EpochDay {
    let date: jiff::civil::Date = date.parse().unwrap();
    EpochDay(date.since(jiff::civil::date(1970, 1, 1)).unwrap().get_days())
}

/// China's wall clock as UTC milliseconds.
pub(crate) fn china(local: &str) -> TimestampMillis {
    let local: jiff::civil::DateTime = local.parse().unwrap();
    TimestampMillis(jiff::tz::offset(8).to_timestamp(local).unwrap().as_millisecond())
}

pub(crate) fn event(vendor: Vendor, payload: String) -> PushEvent {
    PushEvent {
        push_id: PushId([7; 16]),
        part: 0,
        parts: 1,
        vendor,
        account: "demo".to_owned(),
        received_at: micros(RECEIVED),
        signature: Signature::Verified,
        vendor_carrier: String::new(),
        tracking_number: "YT1".to_owned(),
        request_type: None,
        query: String::new(),
        content_type: String::new(),
        push_time: None,
        business_id: None,
        payload,
        origin: Origin::Push,
        query_reason: None,
        reference: None,
    }
}

/// A Kuaidi100 push that can be bent before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Kuaidi100 {
    pub(crate) payload: Value,
    received_at: TimestampMicros,
}

/// Items oldest first; the payload holds them newest first, as the vendor does.
pub(crate) fn kuaidi100(items: &[Value]) -> Kuaidi100 {
    let data: Vec<_> = items.iter().rev().cloned().collect();
    let payload = json!({
        "status": "polling", "message": "",
        "lastResult": {"nu": "yt1", "com": "yuantong", "state": "0", "ischeck": "0", "data": data},
    });
    Kuaidi100 {
        payload,
        received_at: micros(RECEIVED),
    }
}

impl Kuaidi100 {
    /// Sets a field by its path, `lastResult.state`.
    pub(crate) fn set(mut self, path: &str, value: impl Into<Value>) -> Self {
        let mut place = &mut self.payload;
        for key in path.split('.') {
            place = &mut place[key];
        }
        *place = value.into();
        self
    }

    pub(crate) fn received(mut self, utc: &str) -> Self {
        self.received_at = micros(utc);
        self
    }

    pub(crate) fn event(&self) -> PushEvent {
        PushEvent {
            received_at: self.received_at,
            ..event(Vendor::Kuaidi100, self.payload.to_string())
        }
    }
}

/// Kuaidi100's answer to a query, with items oldest first.
pub(crate) fn answer(items: &[Value], received: &str) -> PushEvent {
    let data: Vec<_> = items.iter().rev().cloned().collect();
    let payload = json!({
        "message": "ok", "nu": "yt1", "ischeck": "0", "com": "yuantong", "status": "200", "state": "0", "data": data,
    });
    PushEvent {
        account: "asks".to_owned(),
        received_at: micros(received),
        origin: Origin::Query,
        query_reason: Some("STALLED".to_owned()),
        ..event(Vendor::Kuaidi100, payload.to_string())
    }
}

/// A line of a Kuaidi100 list; an empty code is no code.
pub(crate) fn item(time: &str, code: &str, text: &str) -> Value {
    let mut item = json!({"ftime": time, "time": time, "context": text});
    if !code.is_empty() {
        item["statusCode"] = code.into();
    }
    item
}

/// The same line with an area.
pub(crate) fn in_area(mut item: Value, code: &str, name: &str) -> Value {
    item["areaCode"] = code.into();
    item["areaName"] = name.into();
    item
}

/// Lines an hour apart, one per code, from 2025-06-01 08:00 on.
pub(crate) fn codes(codes: &[&str]) -> Vec<Value> {
    codes
        .iter()
        .enumerate()
        .map(|(hour, code)| item(&hour_text(hour), code, &format!("第{hour}条")))
        .collect()
}

pub(crate) fn hour_text(hour: usize) -> String {
    format!("2025-06-{:02} {:02}:00:00", 1 + (8 + hour) / 24, (8 + hour) % 24)
}

/// A Kdniao parcel that can be bent before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Kdniao {
    pub(crate) parcel: Value,
    push_time: Option<String>,
    request_type: Option<String>,
    received_at: TimestampMicros,
}

/// Traces oldest first, as the vendor sends domestic ones.
pub(crate) fn kdniao(traces: &[Value]) -> Kdniao {
    Kdniao {
        parcel: json!({
            "ShipperCode": "YTO", "LogisticCode": "yt1", "Success": true, "Reason": "", "State": "2", "Traces": traces,
        }),
        push_time: None,
        request_type: Some("102".to_owned()),
        received_at: micros(RECEIVED),
    }
}

impl Kdniao {
    pub(crate) fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.parcel[key] = value.into();
        self
    }

    pub(crate) fn pushed(mut self, local: &str) -> Self {
        self.push_time = Some(local.to_owned());
        self
    }

    pub(crate) fn request_type(mut self, request_type: &str) -> Self {
        self.request_type = Some(request_type.to_owned());
        self
    }

    pub(crate) fn received(mut self, utc: &str) -> Self {
        self.received_at = micros(utc);
        self
    }

    pub(crate) fn event(&self) -> PushEvent {
        PushEvent {
            received_at: self.received_at,
            push_time: self.push_time.clone(),
            request_type: self.request_type.clone(),
            ..event(Vendor::Kdniao, self.parcel.to_string())
        }
    }
}

/// A line of a Kdniao list; an empty action is none.
pub(crate) fn trace(time: &str, action: &str, text: &str) -> Value {
    let mut trace = json!({"AcceptTime": time, "AcceptStation": text, "Location": "", "Remark": ""});
    if !action.is_empty() {
        trace["Action"] = action.into();
    }
    trace
}

pub(crate) fn in_zone(mut trace: Value, zone: &str) -> Value {
    trace["Timezone"] = zone.into();
    trace
}

/// What became of one push of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Unreadable(ReadError),
    Nothing(NoOp),
    Outranked,
    Duplicate,
    Stale,
    Confirmed,
    Accepted(Box<Derived>),
}

impl Step {
    pub(crate) fn derived(self) -> Derived {
        match self {
            Self::Accepted(derived) => *derived,
            other => panic!("not accepted: {other:?}"),
        }
    }
}

/// What [`domain::derive`] makes of a push when only [`Memory`] of the last record is at hand.
pub(crate) fn derive(previous: Option<&Shipment>, snapshot: &Snapshot<'_>, options: DeriveOptions) -> Outcome {
    let memory = previous.map(Memory::of);
    let recall = || -> Result<Shipment, Infallible> { Ok(previous.expect("a record that was remembered").clone()) };
    let Ok(outcome) = domain::derive(memory.as_ref(), recall, snapshot, options);
    if let Outcome::Accepted(derived) = &outcome {
        assert_eq!(derived.memory, Memory::of(&derived.shipment));
    }
    outcome
}

/// Key of a row of the transition table.
pub(crate) type Row = (ShipmentKey, EpochDay, TimestampMillis, i64);

/// Everything that was emitted, kept as the topics and tables keep it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) shipments: BTreeMap<ShipmentKey, Shipment>,
    /// Live rows of the shipment table.
    pub(crate) rows: BTreeMap<(ShipmentKey, EpochDay), Shipment>,
    /// Live rows of the transition table.
    pub(crate) transitions: BTreeMap<Row, Transition>,
}

impl Stream {
    pub(crate) fn push(&mut self, event: &PushEvent) -> Step {
        let snapshot = match read(event, Carriers::built_in()) {
            Err(error) => return Step::Unreadable(error),
            Ok(Reading::Nothing(no_op)) => return Step::Nothing(no_op),
            Ok(Reading::Snapshot(snapshot)) => snapshot,
        };
        let key = snapshot.key();
        match derive(self.shipments.get(&key), &snapshot, OPTIONS) {
            Outcome::Outranked => Step::Outranked,
            Outcome::Duplicate => Step::Duplicate,
            Outcome::Stale => Step::Stale,
            Outcome::Confirmed => Step::Confirmed,
            Outcome::Accepted(derived) => {
                for transition in &derived.transitions {
                    let row = (
                        key.clone(),
                        transition.epoch,
                        transition.occurred_at,
                        transition.transition_id,
                    );
                    match transition.op {
                        Op::Observed => self.transitions.insert(row, transition.clone()),
                        Op::Retracted => Some(self.transitions.remove(&row).expect("a retraction of a live row")),
                        Op::Other => panic!("nobody writes it"),
                    };
                }
                if let Some(retired) = derived.shipment.retired_epoch {
                    self.rows.remove(&(key.clone(), retired));
                }
                let row = (key.clone(), derived.shipment.epoch);
                self.rows.insert(row, derived.shipment.clone());
                self.shipments.insert(key, derived.shipment.clone());
                Step::Accepted(derived)
            }
        }
    }

    /// What the end of life does (rule 12.4): derive forgets, the tables keep.
    pub(crate) fn drop_state(&mut self) {
        self.shipments.clear();
    }

    /// The only row of the shipment table.
    pub(crate) fn row(&self) -> &Shipment {
        assert_eq!(self.rows.len(), 1, "{:?}", self.rows.keys());
        self.rows.values().next().unwrap()
    }

    pub(crate) fn accept(&mut self, event: &PushEvent) -> Derived {
        self.push(event).derived()
    }
}

/// What one push gives when nothing is known.
pub(crate) fn derived(event: &PushEvent) -> Derived {
    Stream::default().accept(event)
}

pub(crate) fn shipment(event: &PushEvent) -> Shipment {
    derived(event).shipment
}

/// `STATUS/SUB_STATUS` of every event, `!` before exceptions.
pub(crate) fn statuses(events: &[ShipmentEvent]) -> Vec<String> {
    events
        .iter()
        .map(|event| {
            let exception = if event.is_exception { "!" } else { "" };
            format!(
                "{exception}{}/{}",
                event.status,
                event.sub_status.as_deref().unwrap_or("-")
            )
        })
        .collect()
}

/// `STATUS/SUB_STATUS/CODE` of the parcel.
pub(crate) fn parcel_status(shipment: &Shipment) -> String {
    format!(
        "{}/{}/{}",
        shipment.status,
        shipment.sub_status.as_deref().unwrap_or("-"),
        shipment.raw_code.as_deref().unwrap_or("-")
    )
}

/// `FROM→TO VERDICT` of every transition.
pub(crate) fn changes(transitions: &[Transition]) -> Vec<String> {
    transitions
        .iter()
        .map(|transition| {
            format!(
                "{}→{} {}",
                transition.from_status, transition.to_status, transition.verdict
            )
        })
        .collect()
}

pub(crate) fn has_flag(shipment: &Shipment, flag: &str) -> bool {
    shipment.flags.iter().any(|name| name == flag)
}
