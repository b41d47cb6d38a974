//! 17TRACK as it is called: `register`, `retrack` and `gettrackinfo`, each with up to 40 numbers in a JSON array and the key in
//! the header `17token`. Pushes go to the address in the console.

use courierflow_schemas::records::Vendor;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::{Api, Call};
use super::contract::Contract;
use super::desk::{Desk, Played, key};
use super::faults::Fault;
use super::form::text;
use super::ledger::{Asked, Following, Key};
use super::parcels::{carrier_by_number, code, is_listed};
use super::watch::{Progress, Sold, Watch};
use crate::simulator::clock::Seconds;
use crate::simulator::snapshot::Snapshot;
use crate::simulator::vendors::{Detail, seventeentrack};

/// Numbers in one call.
const MOST_NUMBERS: usize = 40;

/// An error of the vendor's table: its code and its words.
type Error = (i64, &'static str);

const BAD_KEY: Error = (-18_010_002, "Invalid security key.");
const INTERNAL: Error = (-18_010_003, "Internal service error.");
const BAD_VALUE: Error = (-18_010_012, "The format of '{0}' is invalid.");
const BAD_DATA: Error = (-18_010_013, "Submitted data is invalid.");
const TOO_MANY: Error = (-18_010_014, "Tracking numbers exceed the limit of 40 per call.");
const REGISTERED: Error = (
    -18_019_901,
    "The tracking number has been registered, don't need to repeat registration.",
);
const NOT_REGISTERED: Error = (
    -18_019_902,
    "The tracking number does not register, please register first.",
);
const NOT_DETECTED: Error = (-18_019_903, "Carrier cannot be detected.");
const NOT_STOPPED: Error = (
    -18_019_904,
    "Retrack is not allowed. You can only retrack stopped number.",
);
const RETRACKED: Error = (
    -18_019_905,
    "Retrack is not allowed. You can only retrack each number once.",
);
const NO_QUOTA: Error = (-18_019_908, "You have reached the limit of your quota.");
const NO_INFO: Error = (-18_019_909, "No tracking information at the moment.");
const BAD_CARRIER: Error = (-18_019_910, "The carrier value is incorrect.");

const PLAYED: Played = Played {
    server_error: || ("-18010003", failed(500, INTERNAL)),
    forced: |code| failed(200, (code.parse().unwrap_or(INTERNAL.0), "Forced by a test.")),
};

/// Answers a call.
pub(crate) fn answer(desk: &mut Desk, call: &Call, fault: Option<Fault>, now: Seconds) -> Answer {
    let items: Option<Vec<Value>> = serde_json::from_slice(&call.body).ok();
    let items = items.unwrap_or_default();
    let first = items.first().map(|item| text(item, "/number")).unwrap_or_default();
    let asked = match call.api {
        Api::GetTrackInfo => Asked::ToQuery,
        _ => Asked::ToSubscribe,
    };
    let about_all = desk.played(fault, &first, &PLAYED).or_else(|| {
        let error = refusal(desk, call, items.len())?;
        let status = if error == BAD_KEY { 401 } else { 200 };
        Some((error.0.to_string(), failed(status, error)))
    });
    if let Some((code, answer)) = about_all {
        let key = key(Contract::SeventeenTrack, "", &first);
        desk.ledger.write_call(&key, asked, &code, now);
        return answer;
    }
    let (mut accepted, mut rejected) = (Vec::new(), Vec::new());
    for item in &items {
        let (key, outcome) = one(desk, call.api, item, now);
        let code = outcome.as_ref().map_or_else(|(code, _)| *code, |_| 0);
        desk.ledger.write_call(&key, asked, &code.to_string(), now);
        match outcome {
            Ok(item) => accepted.push(item),
            Err((code, message)) => rejected.push(json!({
                "number": key.tracking_number, "error": {"code": code, "message": message},
            })),
        }
    }
    let begun = call.api == Api::Register && !accepted.is_empty();
    let answer = Answer::json(
        200,
        &json!({"code": 0, "data": {"accepted": accepted, "rejected": rejected}}),
    );
    if begun { answer.begun() } else { answer }
}

/// Why nothing of the call is looked at.
fn refusal(desk: &Desk, call: &Call, numbers: usize) -> Option<Error> {
    if call.token.as_deref() != Some(desk.contracts.seventeentrack_key.as_str()) {
        return Some(BAD_KEY);
    }
    match numbers {
        0 => Some(BAD_DATA),
        1..=MOST_NUMBERS => None,
        _ => Some(TOO_MANY),
    }
}

/// What is answered about one number.
fn one(desk: &mut Desk, api: Api, item: &Value, now: Seconds) -> (Key, Result<Value, Error>) {
    let number = text(item, "/number").to_uppercase();
    let given = text(item, "/carrier");
    let found = match given.as_str() {
        "" | "0" => carrier_by_number(&number)
            .map(|carrier| code(Vendor::SeventeenTrack, carrier.code))
            .filter(|code| !code.is_empty())
            .ok_or(NOT_DETECTED),
        given if is_listed(Vendor::SeventeenTrack, given) => Ok(given.to_owned()),
        _ => Err(BAD_CARRIER),
    };
    let key = key(Contract::SeventeenTrack, found.as_deref().unwrap_or(&given), &number);
    if !(5..=50).contains(&number.len()) {
        return (key, Err(BAD_VALUE));
    }
    if let Err(error) = found {
        return (key, Err(error));
    }
    let is_detected = matches!(given.as_str(), "" | "0");
    let outcome = match api {
        Api::Retrack => retrack(desk, &key, now),
        Api::GetTrackInfo => tell(desk, &key, now),
        _ => register(desk, &key, is_detected, now),
    };
    (key, outcome)
}

fn register(desk: &mut Desk, key: &Key, is_detected: bool, now: Seconds) -> Result<Value, Error> {
    if desk.ledger.following(key) != Following::Never {
        return Err(REGISTERED);
    }
    if !desk.ledger.can_pay(key, now) {
        return Err(NO_QUOTA);
    }
    follow(desk, key, now);
    let origin = if is_detected { 1 } else { 2 };
    Ok(json!({"origin": origin, "number": key.tracking_number, "carrier": carrier(key)}))
}

fn retrack(desk: &mut Desk, key: &Key, now: Seconds) -> Result<Value, Error> {
    match desk.ledger.following(key) {
        Following::Never => return Err(NOT_REGISTERED),
        Following::Active { .. } => return Err(NOT_STOPPED),
        Following::Ended { .. } => {}
    }
    if !desk.retracked.insert(key.clone()) {
        return Err(RETRACKED);
    }
    follow(desk, key, now);
    Ok(json!({"number": key.tracking_number, "carrier": carrier(key)}))
}

fn follow(desk: &mut Desk, key: &Key, now: Seconds) {
    desk.ledger.begin(key, now);
    desk.follow(Watch {
        key: key.clone(),
        sold: Sold::SeventeenTrack,
        callback: desk.contracts.seventeentrack_callback.clone(),
        salt: None,
        order_code: String::new(),
        correction: None,
        progress: Progress::new(now),
    });
}

fn tell(desk: &Desk, key: &Key, now: Seconds) -> Result<Value, Error> {
    if desk.ledger.following(key) == Following::Never {
        return Err(NOT_REGISTERED);
    }
    let life = desk.parcels.seen(
        Vendor::SeventeenTrack,
        &key.carrier,
        &key.tracking_number,
        Detail::Statuses,
    );
    let snapshot = Snapshot::taken(&life, &[], now);
    if snapshot.lines() == 0 {
        return Err(NO_INFO);
    }
    let push = seventeentrack::body(&snapshot, seventeentrack::Reason::Updated);
    let push: Value = serde_json::from_str(&push).unwrap_or_default();
    push.get("data").cloned().ok_or(NO_INFO)
}

fn carrier(key: &Key) -> u32 {
    key.carrier.parse().unwrap_or_default()
}

/// An answer to the whole call.
fn failed(status: u16, (code, message): Error) -> Answer {
    let errors = json!([{"code": code, "message": message}]);
    Answer::json(status, &json!({"code": code, "data": {"errors": errors}}))
}
