//! From an input to the open transaction: what it changes is produced, and the state changed. State and transaction are committed and
//! rolled back together.
//!
//! | room | what |
//! |---|---|
//! | [`records`] | records of the topics |
//! | [`requests`] | requests: whom they are for, and what they end |
//! | [`work`] | what is no record: ended calls, timers, probes, the line of calls |
//! | [`commits`] | the ends of transactions and of assignments |
//! | [`report`] | what operators see |

mod commits;
mod records;
mod report;
mod requests;
mod work;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

pub(super) use self::report::Report;
use super::accounts::Accounts;
use super::answers::Internal;
use super::calls::{Calls, MOST, Queued};
use super::error::WorkerError;
use super::state::{Held, Key, Partition, State, waits_for_account};
use super::transaction::{OpenTransaction, Place, Transactions};
use crate::exactly_once::producer::Output;
use courierflow_domain::subscription::{CarrierCodes, Effect, Input, Request, Step, step};
use courierflow_schemas::records::{
    PushEvent, RequestAction, Shipment, Subscription, SubscriptionRequest, SubscriptionSecret, TimestampMicros,
    VendorCall,
};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics::{self, on_broker};
use courierflow_schemas::wire::{Decoder, Encoder};
use rdkafka::{Offset, TopicPartitionList};

/// Reads and writes the records.
pub(super) struct Codecs {
    request: Decoder<SubscriptionRequest>,
    push: Decoder<PushEvent>,
    shipment: Decoder<Shipment>,
    subscription: Encoder<Subscription>,
    secret: Encoder<SubscriptionSecret>,
    call: Encoder<VendorCall>,
}

impl Codecs {
    pub(super) fn new(registry: &Registry, ids: SchemaIds) -> Self {
        Self {
            request: Decoder::new(registry.clone(), ids.subscription_request),
            push: Decoder::new(registry.clone(), ids.push),
            shipment: Decoder::new(registry.clone(), ids.shipment),
            subscription: Encoder::new(ids.subscription),
            secret: Encoder::new(ids.subscription_secret),
            call: Encoder::new(ids.vendor_call),
        }
    }
}

/// Takes inputs one after the other.
pub(super) struct Desk {
    pub(super) state: State,
    pub(super) calls: Calls,
    accounts: Accounts,
    transactions: Transactions,
    codecs: Codecs,
    /// Inputs that are no records.
    internal: VecDeque<Internal>,
    /// Subscriptions that were restored with a call in doubt. They wait here while there are too many calls, or pushes that may end the
    /// doubt.
    restored: VecDeque<Internal>,
    /// Ends of the push topic's partitions when they were assigned, of those that are not read up to there.
    unread_pushes: BTreeMap<i32, i64>,
    /// The offsets from which to read again after an abort.
    rewind: BTreeMap<Place, i64>,
    report: Report,
    /// Partitions of all topics.
    partitions: i32,
    /// Moves the clock, for tests.
    clock_offset_micros: i64,
}

/// What a desk is made of.
pub(super) struct Parts {
    pub(super) state: State,
    pub(super) calls: Calls,
    pub(super) accounts: Accounts,
    pub(super) transactions: Transactions,
    pub(super) codecs: Codecs,
    pub(super) report: Report,
    pub(super) partitions: i32,
    pub(super) clock_offset_micros: i64,
}

impl Desk {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            state: parts.state,
            calls: parts.calls,
            accounts: parts.accounts,
            transactions: parts.transactions,
            codecs: parts.codecs,
            internal: VecDeque::new(),
            restored: VecDeque::new(),
            unread_pushes: BTreeMap::new(),
            rewind: BTreeMap::new(),
            report: parts.report,
            partitions: parts.partitions,
            clock_offset_micros: parts.clock_offset_micros,
        }
    }

    fn now(&self) -> TimestampMicros {
        let now = jiff::Timestamp::now().as_microsecond();
        TimestampMicros(now.saturating_add(self.clock_offset_micros))
    }

    /// The same clock, for those who check requests.
    fn timestamp(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.now().0).unwrap_or(jiff::Timestamp::MAX)
    }

    /// True while nothing more may be read: there are calls enough.
    pub(super) fn is_full(&self) -> bool {
        // What waits for pushes must not stop the reading of them.
        let restored = if self.is_behind() { 0 } else { self.restored.len() };
        self.calls.len() + self.transactions.calls() + restored >= MOST
    }

    /// True while pushes are unread that came while nobody read them. One of them may say that a call in doubt was accepted, or even that
    /// the parcel is delivered: then the vendor would take a repeated call for a new subscription.
    pub(super) fn is_behind(&self) -> bool {
        !self.unread_pushes.is_empty()
    }

    /// Compares how far reading has come with where the push topic ended.
    pub(super) fn has_read(&mut self, positions: &TopicPartitionList) {
        self.unread_pushes.retain(|partition, end| {
            let element = positions.find_partition(on_broker(topics::PUSH), *partition);
            !element.is_some_and(|element| matches!(element.offset(), Offset::Offset(at) if at >= *end))
        });
    }

    /// Takes new partitions over. What was restored with a call in doubt is called again when the pushes up to `unread_pushes` are read.
    pub(super) fn assigned(
        &mut self,
        next: BTreeMap<Place, i64>,
        unread_pushes: BTreeMap<i32, i64>,
        restored: BTreeMap<i32, Partition>,
    ) -> Result<(), WorkerError> {
        self.transactions.assigned(next);
        self.unread_pushes = unread_pushes;
        for (partition, restored) in restored {
            self.state.insert_partition(partition, restored)?;
        }
        let calling = self.state.calling()?.into_iter();
        self.restored
            .extend(calling.map(|(partition, key)| Internal::Restored { partition, key }));
        let owned = self.state.partitions().count();
        let all = usize::try_from(self.partitions).unwrap_or(1);
        for index in 0..self.accounts.len() {
            if let Some(account) = self.accounts.get_mut(index) {
                account.limiter.share(owned, all);
            }
        }
        Ok(())
    }

    // ---- inputs -----------------------------------------------------------------------------------------------------

    /// One input to one subscription of an account.
    fn take(
        &mut self,
        partition: i32,
        account: usize,
        tracking_number: &str,
        input: Input<'_>,
    ) -> Result<(), WorkerError> {
        let now = self.now();
        let Some(of) = self.accounts.get(account) else {
            return Ok(());
        };
        let key = format!("{}:{tracking_number}", of.owner);
        let before = self.state.get(partition, &key)?.map(|held| held.subscription);
        let key = key.into();
        let step = step(before, input, now, of.terms(), &of.standing);
        self.apply(partition, &key, Some(account), step)
    }

    // ---- outputs ----------------------------------------------------------------------------------------------------

    /// Does what a step says, in the open transaction.
    fn apply(&mut self, partition: i32, key: &Key, account: Option<usize>, step: Step) -> Result<(), WorkerError> {
        let Step { state, effects } = step;
        if effects.is_empty() {
            return Ok(());
        }
        self.transactions.begin()?;
        let mut secret = self.state.get(partition, key)?.and_then(|held| held.secret);
        let mut redirect = None;
        for effect in effects {
            match (effect, &state) {
                (Effect::Emit, Some(next)) => {
                    let mut value = Vec::new();
                    self.codecs.subscription.encode(next, &mut value)?;
                    self.produce(topics::SUBSCRIPTION, partition, key.as_bytes(), Some(&value))?;
                }
                (Effect::WriteSecret(written), _) => {
                    let mut value = Vec::new();
                    self.codecs.secret.encode(&written, &mut value)?;
                    self.produce(topics::SUBSCRIPTION_SECRET, partition, key.as_bytes(), Some(&value))?;
                    secret = Some(*written);
                }
                (Effect::DropSecret, _) => {
                    if let Some(dropped) = secret.take() {
                        self.produce(topics::SUBSCRIPTION_SECRET, partition, key.as_bytes(), None)?;
                        redirect = Some(dropped);
                    }
                }
                (Effect::Call(call), Some(next)) => {
                    let queued = Queued {
                        partition,
                        key: Arc::clone(key),
                        account: account.unwrap_or(usize::MAX),
                        call,
                        requested_at: next.requested_at,
                        since: Instant::now(),
                    };
                    self.with_open(|open| open.calls.push(queued));
                }
                (Effect::Count(outcome), _) => self.with_open(|open| open.counts.request(outcome)),
                (Effect::Resubscribed(reason), _) => self.with_open(|open| open.counts.resubscribed(reason)),
                (Effect::Alarm(alarm), _) => {
                    let label = account.and_then(|account| Some(self.accounts.get(account)?.label.clone()));
                    self.with_open(|open| open.counts.alarm(&label.unwrap_or_default(), alarm));
                }
                (Effect::Redirect(to), Some(next)) => {
                    self.redirect(partition, next, redirect.take().unwrap_or_default(), &to)?;
                }
                (Effect::Emit | Effect::Call(_) | Effect::Redirect(_), None) => {}
            }
        }
        if let Some(subscription) = state {
            let account = account.and_then(|account| self.accounts.get(account));
            let is_stopped = account.is_some_and(|account| !account.standing.is_running());
            let undo = self.state.put(
                partition,
                Held {
                    key: Arc::clone(key),
                    is_parked: is_stopped && waits_for_account(&subscription),
                    subscription,
                    secret,
                },
            )?;
            self.with_open(|open| open.undo.push(undo));
        }
        Ok(())
    }

    /// Asks for the same parcel at another account of the vendor, whose API needs less.
    fn redirect(
        &mut self,
        partition: i32,
        from: &Subscription,
        secret: SubscriptionSecret,
        to: &str,
    ) -> Result<(), WorkerError> {
        let Some(account) = self.accounts.find(&from.vendor, to) else {
            return Ok(());
        };
        let carrier = CarrierCodes {
            canonical: from.carrier.clone(),
            vendors: from.vendor_carrier.clone(),
        };
        let asked = SubscriptionRequest {
            request_id: from.request_ids.last().cloned().unwrap_or_default(),
            requester: from.requester.clone(),
            action: RequestAction::Subscribe,
            requested_at: from.requested_at,
            vendor: Some(from.vendor.clone()),
            account: Some(to.to_owned()),
            carrier: Some(from.vendor_carrier.clone()),
            tracking_number: from.tracking_number.clone(),
            phone: secret.phone,
            from: secret.from,
            to: secret.to,
            product: Some(from.product),
            international: secret.international,
            reference: from.reference.clone(),
            not_before: None,
            force: false,
        };
        let request = Request {
            asked: &asked,
            carrier: &carrier,
        };
        self.take(partition, account, &from.tracking_number, Input::Request(request))
    }

    fn with_open(&mut self, change: impl FnOnce(&mut OpenTransaction)) {
        if let Some(open) = self.transactions.open() {
            change(open);
        }
    }

    fn produce(
        &mut self,
        topic: &'static str,
        partition: i32,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), WorkerError> {
        let timestamp_millis = self.now().0.div_euclid(1_000);
        Ok(self.transactions.produce(Output {
            topic,
            partition,
            key,
            value,
            timestamp_millis,
            headers: None,
            told_back: None,
        })?)
    }
}
