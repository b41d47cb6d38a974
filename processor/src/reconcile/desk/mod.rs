//! Everything that a worker knows, and what it does next.
//!
//! | room | what |
//! |---|---|
//! | [`queries`] | a round is planned, calls begin, calls have ended |
//! | [`report`] | what operators see |

mod queries;
mod report;

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use courierflow_domain::reconcile::{Class, Terms};
use courierflow_domain::subscription;
use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::partition;
use courierflow_schemas::records::{CallReason, SubscriptionSecret, TimestampMicros, VendorCall};
use courierflow_schemas::registry::{Registry, SchemaIds};
use courierflow_schemas::topics::{self, on_broker};
use courierflow_schemas::wire::{DecodeError, Decoder};
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::message::BorrowedMessage;

use crate::health::Health;
use crate::reconcile::accounts::{self, Account, Contract};
use crate::reconcile::calls::{Calls, now};
use crate::reconcile::error::WorkerError;
use crate::reconcile::history::{History, KEPT};
use crate::reconcile::intents::Intent;
use crate::reconcile::records::{self, Ended};
use crate::reconcile::secrets::Secrets;
use crate::reconcile::settings::ReconcileSettings;
use crate::reconcile::transaction::Transactions;

/// Calls that have not ended by then are recorded by the next owner of their partitions.
const PATIENCE_WITH_CALLS: Duration = Duration::from_secs(6);

/// The topics that a worker reads, from their beginning, as the brokers call them.
pub(in crate::reconcile) fn inputs() -> [&'static str; 2] {
    [topics::VENDOR_CALL, topics::SUBSCRIPTION_SECRET].map(on_broker)
}

/// Reads the records.
pub(in crate::reconcile) struct Decoders {
    call: Decoder<VendorCall>,
    secret: Decoder<SubscriptionSecret>,
}

impl Decoders {
    pub(in crate::reconcile) fn new(registry: &Registry, ids: SchemaIds) -> Self {
        Self {
            call: Decoder::new(registry.clone(), ids.vendor_call),
            secret: Decoder::new(registry.clone(), ids.subscription_secret),
        }
    }
}

/// What is the same as long as the worker runs.
pub(in crate::reconcile) struct Fixed {
    pub(in crate::reconcile) settings: ReconcileSettings,
    pub(in crate::reconcile) terms: Terms,
    pub(in crate::reconcile) delays: subscription::Delays,
    pub(in crate::reconcile) carriers: &'static Carriers,
    /// Partitions of all topics.
    pub(in crate::reconcile) all: u32,
    pub(in crate::reconcile) health: Health,
    pub(in crate::reconcile) part: String,
}

/// An account, and what it may still spend.
struct Asked {
    account: Account,
    /// Of this worker's part of the day, as of the last round. No call begins without it, whatever is in line.
    left: u32,
}

/// See the module.
pub(in crate::reconcile) struct Desk {
    pub(in crate::reconcile) calls: Calls,
    fixed: Fixed,
    accounts: Vec<Asked>,
    transactions: Transactions,
    decoders: Decoders,
    history: History,
    secrets: Secrets,
    partitions: Vec<i32>,
    /// What was asked in them is read, so what their former owners have left is known to be true.
    is_restored: bool,
    /// Tells calls of the present assignment from those of former ones.
    assignment: u64,
    /// To be committed.
    ended: Vec<Ended>,
    /// Parcels, with their carrier, for which no request can be written.
    impossible: HashSet<(String, String)>,
    /// There was a round, so it is known what is left of the day.
    is_planned: bool,
    /// What is remembered since the last assignment was compared with the table.
    is_compared: bool,
    /// Why there are no rounds.
    paused: Option<String>,
    published: Option<Instant>,
}

impl Desk {
    pub(in crate::reconcile) fn new(
        fixed: Fixed,
        contracts: &[Contract],
        calls: Calls,
        transactions: Transactions,
        decoders: Decoders,
    ) -> Self {
        let asked = |contract: &Contract| Asked {
            account: Account::new(contract),
            left: 0,
        };
        Self {
            calls,
            history: History::new(fixed.terms.limits.apart),
            fixed,
            accounts: contracts.iter().map(asked).collect(),
            transactions,
            decoders,
            secrets: Secrets::default(),
            partitions: Vec::new(),
            is_restored: false,
            assignment: 0,
            ended: Vec::new(),
            impossible: HashSet::new(),
            is_planned: false,
            is_compared: false,
            paused: None,
            published: None,
        }
    }

    // ---- partitions -------------------------------------------------------------------------------------------------

    /// Takes new partitions over, each with the calls that its former owner has begun and not ended.
    pub(in crate::reconcile) fn assigned(&mut self, under_way: BTreeMap<i32, Vec<Intent>>) {
        self.forget_all();
        self.partitions = under_way.keys().copied().collect();
        self.history.assigned(&self.partitions);
        self.secrets.assigned(&self.partitions);
        let (owned, all) = (
            self.partitions.len(),
            usize::try_from(self.fixed.all).unwrap_or(usize::MAX),
        );
        for asked in &mut self.accounts {
            asked.account.limiter.share(owned, all);
        }
        for (partition, intents) in &under_way {
            for intent in intents {
                let ended = records::left_behind(*partition, intent.clone(), self.api_of(intent));
                self.ended.push(ended);
            }
        }
        if !self.ended.is_empty() {
            tracing::info!(
                calls = self.ended.len(),
                "calls were begun by a former owner, and nobody knows their answer"
            );
        }
        self.transactions.assigned(under_way);
    }

    /// Everything that was there when the partitions were assigned is read. Fails if a call that was left is recorded: its record and
    /// the offset without it were committed together, so what the coordinator told is older than that, and other calls were left.
    pub(in crate::reconcile) fn restored(&mut self) -> Result<(), WorkerError> {
        if self.ended.iter().any(|ended| self.history.has(&ended.intent)) {
            return Err(WorkerError::OldOffsets);
        }
        self.is_restored = true;
        Ok(())
    }

    pub(in crate::reconcile) const fn has_partitions(&self) -> bool {
        !self.partitions.is_empty()
    }

    fn api_of(&self, intent: &Intent) -> &'static str {
        let found = self.find(intent.vendor.as_str(), &intent.account);
        let asked = found.and_then(|index| self.accounts.get(index));
        asked.map_or("", |asked| asked.account.contract.call.kind().as_str())
    }

    fn partition_of(&self, tracking_number: &str) -> i32 {
        let all = i32::try_from(self.fixed.all).unwrap_or(i32::MAX);
        partition::of_key(tracking_number.as_bytes(), all)
    }

    fn find(&self, vendor: &str, account: &str) -> Option<usize> {
        let contracts = self.accounts.iter().map(|asked| &asked.account.contract);
        accounts::find(contracts, vendor, account)
    }

    /// Handles revoked partitions: what has ended is committed, unless they are `lost` and it is too late.
    pub(in crate::reconcile) fn revoke(
        &mut self,
        consumer: &BaseConsumer<impl ConsumerContext>,
        lost: bool,
    ) -> Result<(), WorkerError> {
        let ended = if lost { Ok(()) } else { self.finish(consumer) };
        self.forget_all();
        ended
    }

    /// Waits for the calls in flight, and commits what they became. No further call begins.
    pub(in crate::reconcile) fn finish(
        &mut self,
        consumer: &BaseConsumer<impl ConsumerContext>,
    ) -> Result<(), WorkerError> {
        const STEP: Duration = Duration::from_millis(100);
        self.calls.clear();
        let begun = Instant::now();
        while self.calls.are_in_flight() && begun.elapsed() < PATIENCE_WITH_CALLS {
            if let Some(result) = self.calls.ended(STEP) {
                self.call_ended(result);
            }
        }
        self.take_ended_calls();
        // What cannot be committed now is left to the next owner, as a call of which nobody knows the answer.
        self.calls.clear();
        if !self.is_restored {
            return Ok(());
        }
        self.commit(consumer, Vec::new())
    }

    fn forget_all(&mut self) {
        self.assignment += 1;
        self.is_restored = false;
        self.is_compared = false;
        self.calls.clear();
        self.ended.clear();
        self.partitions.clear();
        self.history.assigned(&[]);
        self.secrets.assigned(&[]);
        self.transactions.assigned(BTreeMap::new());
    }

    // ---- records ----------------------------------------------------------------------------------------------------

    /// Takes a record of one of the topics.
    pub(in crate::reconcile) fn read(&mut self, message: &BorrowedMessage<'_>) -> Result<(), WorkerError> {
        let (partition, payload) = (message.partition(), message.payload());
        let done = if message.topic() == on_broker(topics::VENDOR_CALL) {
            let read = self.read_call(partition, payload.unwrap_or_default());
            if read.as_ref().err().is_none_or(|error| !error.is_transient()) {
                self.transactions.read(partition, message.offset());
            }
            read
        } else {
            self.read_secret(partition, message.key().unwrap_or_default(), payload)
        };
        match done {
            Err(error) if error.is_transient() => Err(WorkerError::NotNow(error)),
            Err(error) => {
                let (topic, offset, class) = (message.topic(), message.offset(), error.class());
                tracing::warn!(
                    topic,
                    partition,
                    offset,
                    class,
                    "a record cannot be read, and is passed over"
                );
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn read_call(&mut self, partition: i32, value: &[u8]) -> Result<(), DecodeError> {
        let call = self.decoders.call.decode(value)?;
        let is_recent = call.started_at >= horizon(now());
        // Only queries have such a reason: what else a call may be for is of no interest.
        if is_recent && is_of_query(call.reason) {
            self.history.read(partition, &call);
        }
        Ok(())
    }

    fn read_secret(&mut self, partition: i32, key: &[u8], value: Option<&[u8]>) -> Result<(), DecodeError> {
        let secret = value.map(|value| self.decoders.secret.decode(value)).transpose()?;
        self.secrets.read(partition, &String::from_utf8_lossy(key), secret);
        Ok(())
    }
}

/// Queries before this are not remembered.
fn horizon(now: TimestampMicros) -> TimestampMicros {
    let kept = i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX);
    TimestampMicros(now.0.saturating_sub(kept))
}

fn is_of_query(reason: CallReason) -> bool {
    reason == CallReason::Manual || Class::of_reason(reason).is_some()
}
