//! The vendors' desk: takes calls, follows numbers, and has pushes to send. It knows neither sockets nor the time; what comes
//! in is a call or the answer to a push with the moment at which it came, and what goes out are answers and pushes.

use std::collections::{HashMap, HashSet, VecDeque};

use courierflow_schemas::records::Vendor;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::answer::Answer;
use super::call::{Api, Call};
use super::clock::moment;
use super::contract::{Contract, Contracts};
use super::faults::{Fault, Faults};
use super::ledger::{Following, Key, Ledger, Shown};
use super::parcels::{Parcels, World};
use super::push::{self, Push};
use super::schedule::{PushId, Schedule, Task, WatchId, retry_after};
use super::watch::{Correction, Progress, Watch, look_again};
use super::{kdniao, kuaidi100, seventeentrack};
use crate::simulator::clock::Seconds;
use crate::simulator::random::Random;
use crate::simulator::snapshot::Snapshot;

/// Streams of draws: of looks, of pushes that get lost, of cached and of empty answers, of what goes wrong with calls.
const LOOKS: u64 = 1;
const LOSSES: u64 = 2;
const ANSWERS: u64 = 3;
const EMPTY: u64 = 4;
const CALLS: u64 = 5;

/// What is written down about a call that the gateway refuses because there are too many: its HTTP status.
const RATE_LIMITED: &str = "429";

/// Everything that the vendors know.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) contracts: Contracts,
    pub(crate) parcels: Parcels,
    pub(crate) ledger: Ledger,
    pub(crate) faults: Faults,
    /// Queries of Kuaidi100 in a row without a usable carrier.
    pub(crate) queries_without_carrier: u32,
    /// Queries in a row that found nothing, by what was asked.
    misses: HashMap<Key, u32>,
    /// Numbers of 17TRACK that were followed again, which is granted once.
    pub(crate) retracked: HashSet<Key>,
    seed: u64,
    /// Calls so far, which the faults are drawn by.
    calls: u64,
    schedule: Schedule,
    watches: HashMap<WatchId, Watch>,
    watch_of: HashMap<Key, WatchId>,
    pushes: HashMap<PushId, Push>,
    /// Pushes of each number that are being sent, or wait for one that is: never two at a time.
    lanes: HashMap<String, VecDeque<PushId>>,
    next_id: u64,
}

/// A push that is to be sent now.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) id: PushId,
    pub(crate) vendor: Vendor,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// How one API answers what goes wrong on purpose.
pub(crate) struct Played {
    /// The code for the ledger, and the answer.
    pub(crate) server_error: fn() -> (&'static str, Answer),
    /// The answer with a code that a test wants.
    pub(crate) forced: fn(&str) -> Answer,
}

impl Desk {
    pub(crate) fn new(contracts: Contracts, world: &World, faults: Faults, units: Option<u64>) -> Self {
        Self {
            contracts,
            parcels: Parcels::live(world),
            ledger: Ledger::new(units),
            faults,
            queries_without_carrier: 0,
            misses: HashMap::new(),
            retracked: HashSet::new(),
            seed: world.seed,
            calls: 0,
            schedule: Schedule::default(),
            watches: HashMap::new(),
            watch_of: HashMap::new(),
            pushes: HashMap::new(),
            lanes: HashMap::new(),
            next_id: 0,
        }
    }

    /// Draws what goes wrong with the next call.
    pub(crate) fn draw_fault(&mut self) -> Option<Fault> {
        self.calls += 1;
        self.faults.draw(&mut Random::new(self.seed, CALLS, self.calls))
    }

    /// Answers a call.
    pub(crate) fn answer(&mut self, call: &Call, fault: Option<Fault>, now: Seconds) -> Answer {
        match call.api {
            Api::Poll => kuaidi100::subscribe(self, call, false, fault, now),
            Api::PollMap => kuaidi100::subscribe(self, call, true, fault, now),
            Api::Query => kuaidi100::query(self, call, fault, now),
            Api::Packet => kdniao::answer(self, call, fault, now),
            Api::Register | Api::Retrack | Api::GetTrackInfo => seventeentrack::answer(self, call, fault, now),
        }
    }

    /// The answer to a call that goes wrong on purpose before anybody has looked at it, with its code for the ledger.
    pub(crate) fn played(
        &mut self,
        fault: Option<Fault>,
        tracking_number: &str,
        played: &Played,
    ) -> Option<(String, Answer)> {
        match fault {
            Some(Fault::ServerError) => {
                let (code, answer) = (played.server_error)();
                return Some((code.to_owned(), answer));
            }
            Some(Fault::Html) => return Some(("html".to_owned(), Answer::gateway_page())),
            Some(Fault::RateLimited) => return Some((RATE_LIMITED.to_owned(), Answer::rate_limited())),
            Some(Fault::Slow | Fault::Hang | Fault::DropAfterAccept) | None => {}
        }
        let code = self.faults.take_forced(tracking_number)?;
        let answer = match code.as_str() {
            RATE_LIMITED => Answer::rate_limited(),
            code => (played.forced)(code),
        };
        Some((code, answer))
    }

    /// Whether the answer to this query comes from a cache.
    pub(crate) fn draws_stale(&self, tracking_number: &str, now: Seconds) -> bool {
        self.random(ANSWERS, tracking_number, now)
            .chance(self.faults.stale_answers)
    }

    /// Whether this query finds nothing, although there may be something.
    pub(crate) fn draws_empty(&self, tracking_number: &str, now: Seconds) -> bool {
        self.random(EMPTY, tracking_number, now)
            .chance(self.faults.empty_answers)
    }

    /// Counts a query that has found nothing, and says how many there were since the last that did.
    pub(crate) fn misses_in_a_row(&mut self, key: &Key) -> u32 {
        let misses = self.misses.entry(key.clone()).or_default();
        *misses += 1;
        *misses
    }

    /// A query has found something.
    pub(crate) fn found(&mut self, key: &Key) {
        self.misses.remove(key);
    }

    /// Begins to follow a number, instead of what was followed under the same key.
    pub(crate) fn follow(&mut self, watch: Watch) {
        let id = self.new_id();
        self.schedule.add(watch.progress.first_look(watch.sold), Task::Look(id));
        if let Some(before) = self.watch_of.insert(watch.key.clone(), id) {
            self.watches.remove(&before);
        }
        self.watches.insert(id, watch);
    }

    /// The subscription of a number that is followed.
    pub(crate) fn watch(&mut self, key: &Key) -> Option<&mut Watch> {
        self.watches.get_mut(self.watch_of.get(key)?)
    }

    /// Does everything that is due, each thing as of the moment at which it was, and returns the pushes to send.
    pub(crate) fn work(&mut self, now: Seconds) -> Vec<Outgoing> {
        let mut outgoing = Vec::new();
        while let Some((at, task)) = self.schedule.take_due(now) {
            match task {
                Task::Look(watch) => self.look(watch, at),
                Task::Send(push) => outgoing.extend(self.enter_lane(push)),
            }
        }
        outgoing
    }

    fn look(&mut self, id: WatchId, at: Seconds) {
        let Some(watch) = self.watches.get(&id) else { return };
        let mut watch = watch.clone();
        let vendor = watch.key.contract.vendor();
        let number = watch.key.tracking_number.as_str();
        let mut random = self.random(LOOKS, number, at);
        let life = self
            .parcels
            .seen(vendor, &watch.key.carrier, number, watch.sold.detail());
        let snapshot = Snapshot::taken(&life, &[], at);
        let right = self.parcels.right_carrier(vendor, number, at);
        let right = right.filter(|right| vendor == Vendor::Kuaidi100 && *right != watch.key.carrier);
        let reason = watch.progress.look(watch.sold, &snapshot, right.is_some(), &mut random);
        let end = reason.and_then(|reason| reason.end(snapshot.is_over()));
        let corrected_to = right.filter(|_| reason.is_some_and(super::watch::Reason::corrects));
        let push =
            reason.and_then(|reason| push::write(&watch, &self.contracts, &snapshot, reason, corrected_to.as_deref()));
        let next_look = look_again(watch.sold, &snapshot, &mut random);
        drop(life);
        if let Some(push) = push {
            self.tell(push, at);
        }
        match (end, corrected_to) {
            (None, _) => {
                self.watches.insert(id, watch);
                self.schedule.add(next_look, Task::Look(id));
            }
            (Some(word), right) => {
                self.watches.remove(&id);
                self.watch_of.remove(&watch.key);
                match right {
                    Some(right) => self.correct(watch, right, at),
                    None => self.ledger.end(&watch.key, at, word),
                }
            }
        }
    }

    /// Goes on under the right carrier.
    fn correct(&mut self, watch: Watch, right: String, at: Seconds) {
        let key = Key {
            carrier: right,
            ..watch.key.clone()
        };
        let is_followed = matches!(self.ledger.following(&key), Following::Active { .. });
        self.ledger.correct(&watch.key, &key, at);
        if is_followed {
            return;
        }
        let correction = Correction {
            keeps_old_company: xxh3_64(key.tracking_number.as_bytes()).is_multiple_of(2),
            old: watch.key.carrier,
        };
        self.follow(Watch {
            key,
            correction: Some(correction),
            progress: Progress::new(at),
            ..watch
        });
    }

    /// Plans a push, unless it gets lost.
    fn tell(&mut self, push: Push, at: Seconds) {
        let number = push.key.tracking_number.as_str();
        let is_exposed = self.random(LOSSES, number, 0).chance(self.faults.lost_parcels);
        if is_exposed && self.random(LOSSES, number, at).chance(self.faults.lost_pushes) {
            self.ledger.lose(&push.key, at, push.lines);
            return;
        }
        self.ledger.counts(&push.key, at).pushes_sent += 1;
        let id = self.new_id();
        self.pushes.insert(id, push);
        self.schedule.add(at, Task::Send(id));
    }

    /// The program has ended, and goes on now: what was on its way is sent again.
    pub(crate) fn resume(&mut self, now: Seconds) {
        for (_, lane) in std::mem::take(&mut self.lanes) {
            for id in lane {
                self.schedule.add(now, Task::Send(id));
            }
        }
    }

    fn enter_lane(&mut self, id: PushId) -> Option<Outgoing> {
        let number = &self.pushes.get(&id)?.key.tracking_number;
        let lane = self.lanes.entry(number.clone()).or_default();
        lane.push_back(id);
        let is_first = lane.len() == 1;
        if is_first { self.outgoing(id) } else { None }
    }

    fn outgoing(&mut self, id: PushId) -> Option<Outgoing> {
        let push = self.pushes.get(&id)?;
        self.ledger.counts(&push.key, push.made_at).push_attempts += 1;
        Some(Outgoing {
            id,
            vendor: push.key.contract.vendor(),
            url: push.url.clone(),
            headers: push.headers.clone(),
            body: push.body.clone(),
        })
    }

    /// A push was answered, or not. Returns the next one about the same number, if one waits.
    pub(crate) fn answered(&mut self, id: PushId, is_success: bool, now: Seconds) -> Option<Outgoing> {
        let mut push = self.pushes.remove(&id)?;
        let number = push.key.tracking_number.clone();
        if is_success {
            self.ledger.tell(&push.key, push.made_at, push.lines.len());
        } else {
            push.failures += 1;
            match retry_after(push.key.contract.vendor(), push.failures) {
                None => self.ledger.counts(&push.key, push.made_at).pushes_given_up += 1,
                Some(wait) => {
                    self.schedule.add(now + wait, Task::Send(id));
                    self.pushes.insert(id, push);
                }
            }
        }
        let lane = self.lanes.get_mut(&number)?;
        lane.pop_front();
        if let Some(next) = lane.front().copied() {
            return self.outgoing(next);
        }
        self.lanes.remove(&number);
        None
    }

    /// What is to be seen at `GET /ledger`.
    pub(crate) fn ledger_json(&self, shown: Shown<'_>, now: Seconds) -> Value {
        let mut json = self.ledger.to_json(shown);
        if let Some(members) = json.as_object_mut() {
            members.insert("now".to_owned(), moment(now).into());
            members.insert("parcels".to_owned(), self.parcels.len().into());
            members.insert("active".to_owned(), self.ledger.active().into());
            members.insert("pushes_waiting".to_owned(), self.pushes.len().into());
            members.insert("idle".to_owned(), self.is_idle(now).into());
        }
        json
    }

    /// Whether nothing is due and no push is on its way.
    fn is_idle(&self, now: Seconds) -> bool {
        !self.schedule.is_due(now) && self.lanes.is_empty()
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// A stream of draws about one number at one moment: the same whatever else happens.
    fn random(&self, stream: u64, tracking_number: &str, at: Seconds) -> Random {
        Random::new(
            self.seed ^ (stream << 60),
            xxh3_64(tracking_number.as_bytes()),
            at.unsigned_abs(),
        )
    }
}

/// The key of a number under a contract.
pub(crate) fn key(contract: Contract, carrier: &str, tracking_number: &str) -> Key {
    Key {
        tracking_number: tracking_number.to_owned(),
        contract,
        carrier: carrier.to_owned(),
    }
}
