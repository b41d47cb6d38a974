//! Records of the three topics.

use std::fmt::Display;

use courierflow_domain::RefusalClass;
use courierflow_domain::subscription::Input;
use courierflow_schemas::partition::{self, number_of_shipment};
use courierflow_schemas::records::{Origin, Signature, SubscriptionState};
use courierflow_schemas::topics;
use courierflow_vendors::request::record::is_showable;
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Header, OwnedHeaders};

use super::Desk;
use crate::dead_letter::{self, Coordinates};
use crate::exactly_once::producer::Output;
use crate::subscribe::accounts::Account;
use crate::subscribe::error::WorkerError;
use crate::subscribe::intake;
use crate::subscribe::transaction::input;

impl Desk {
    /// Processes a record: what it changes and the next offset go into the open transaction.
    pub(in crate::subscribe) fn process(&mut self, message: &BorrowedMessage<'_>) -> Result<(), WorkerError> {
        let partition = message.partition();
        let Some(topic) = input(message.topic()).filter(|_| self.state.owns(partition)) else {
            // Fetched before the partition was revoked; the new owner reads it.
            return Ok(());
        };
        match topics::known(topic) {
            Some(topics::SUBSCRIPTION_REQUEST) => self.read_request(message)?,
            Some(topics::PUSH) => self.read_push(message)?,
            _ => self.read_shipment(message)?,
        }
        self.transactions.read((topic, partition), message.offset());
        Ok(())
    }

    fn read_request(&mut self, message: &BorrowedMessage<'_>) -> Result<(), WorkerError> {
        let asked = match self.codecs.request.decode(message.payload().unwrap_or_default()) {
            Ok(asked) => asked,
            Err(error) if error.is_transient() => return Err(WorkerError::NotNow(error)),
            Err(error) => return self.dead_letter(message, RefusalClass::Undecodable, &error),
        };
        if message.key() != Some(asked.tracking_number.as_bytes()) {
            let error = "the record's key is not its tracking number";
            return self.dead_letter(message, RefusalClass::KeyMismatch, &error);
        }
        if !is_showable(&asked.tracking_number) {
            // Its refusal would be read by everybody.
            let error = "the tracking number is too long, or has blanks or other letters than those of ASCII";
            return self.dead_letter(message, RefusalClass::Undecodable, &error);
        }
        self.transactions.begin()?;
        let right = partition::of_key(asked.tracking_number.as_bytes(), self.partitions);
        if right != message.partition() {
            return self.hand_on(message, right);
        }
        self.request(message.partition(), &asked)
    }

    /// A request on a partition where its number does not belong: its producer computes partitions in another way, or has not learned yet
    /// that there are more of them. Whoever has the number's partition knows whether it was asked for before.
    fn hand_on(&mut self, message: &BorrowedMessage<'_>, partition: i32) -> Result<(), WorkerError> {
        Ok(self.transactions.produce(Output {
            topic: topics::SUBSCRIPTION_REQUEST,
            partition,
            key: message.key().unwrap_or_default(),
            value: message.payload(),
            timestamp_millis: message.timestamp().to_millis().unwrap_or_default(),
            headers: None,
            told_back: None,
        })?)
    }

    /// Of most pushes only the key is looked at.
    fn read_push(&mut self, message: &BorrowedMessage<'_>) -> Result<(), WorkerError> {
        let partition = message.partition();
        let key = message.key().unwrap_or_default();
        let of_number = self.state.of_number(partition, key)?;
        if of_number.iter().all(|held| held.subscription.state.is_terminal()) || intake::was_read_before(message) {
            return Ok(());
        }
        let event = match self.codecs.push.decode(message.payload().unwrap_or_default()) {
            Ok(event) => event,
            Err(error) if error.is_transient() => return Err(WorkerError::NotNow(error)),
            // Derive dead-letters it.
            Err(_) => return Ok(()),
        };
        let Some(account) = self.accounts.find(event.vendor.as_str(), &event.account) else {
            return Ok(());
        };
        let key = format!("{}:{}", self.accounts.owner(account), event.tracking_number);
        let held = self.state.get(partition, &key)?.map(|held| held.subscription);
        if held.as_ref().is_some_and(|held| intake::is_before(&event, held)) {
            return Ok(());
        }
        if event.origin == Origin::Query {
            let news = held.and_then(|held| intake::brings_news(&event, &held, self.accounts.carriers()));
            return match news {
                Some(brings_news) => self.take(
                    partition,
                    account,
                    &event.tracking_number,
                    Input::Queried { brings_news },
                ),
                None => Ok(()),
            };
        }
        // Anybody may have sent it.
        let has_signed_pushes = |account: &Account| account.contract.call.has_signed_pushes();
        if event.signature == Signature::Unsigned && self.accounts.get(account).is_some_and(has_signed_pushes) {
            return Ok(());
        }
        let Some(word) = intake::word(&event, self.accounts.carriers()) else {
            return Ok(());
        };
        let input = if self.calls.is_in_line(account, &key) || self.transactions.is_to_call(&key) {
            Input::PushBeforeCall(&word)
        } else {
            Input::Push(&word)
        };
        self.take(partition, account, &event.tracking_number, input)
    }

    fn read_shipment(&mut self, message: &BorrowedMessage<'_>) -> Result<(), WorkerError> {
        let (partition, key) = (message.partition(), message.key().unwrap_or_default());
        let Some(value) = message.payload() else {
            return Ok(());
        };
        let of_number = self
            .state
            .of_number(partition, number_of_shipment(key).unwrap_or_default())?;
        let is_open = |state: SubscriptionState| !state.is_terminal();
        if !of_number.iter().any(|held| is_open(held.subscription.state)) {
            return Ok(());
        }
        let shipment = match self.codecs.shipment.decode(value) {
            Ok(shipment) => shipment,
            Err(error) if error.is_transient() => return Err(WorkerError::NotNow(error)),
            Err(error) => {
                tracing::warn!(
                    partition,
                    offset = message.offset(),
                    class = error.class(),
                    "a shipment cannot be read"
                );
                return Ok(());
            }
        };
        let of_it = of_number.iter().map(|held| &held.subscription);
        let of_it = of_it.filter(|subscription| intake::is_of(&shipment, subscription));
        let found = of_it.filter_map(|subscription| self.accounts.find(&subscription.vendor, &subscription.account));
        for account in found.collect::<Vec<_>>() {
            let end = intake::end(&shipment);
            self.take(partition, account, &shipment.tracking_number, Input::Parcel(end))?;
        }
        Ok(())
    }

    /// Dead-letters a record in the same transaction. However many there are, they stop nobody: every team that asks writes on the topic,
    /// and what one of them writes must not keep the others from asking. The headers lead to the record. The letter has nothing of its
    /// value, which may hold a telephone number and places, and as much as the broker takes.
    fn dead_letter(
        &mut self,
        message: &BorrowedMessage<'_>,
        class: RefusalClass,
        error: &dyn Display,
    ) -> Result<(), WorkerError> {
        self.transactions.begin()?;
        let told = told(message, class, error);
        let class = class.as_str();
        let found_at = place(message);
        let mut headers = OwnedHeaders::new();
        for (key, value) in dead_letter::headers(&found_at, class, error) {
            headers = headers.insert(Header {
                key,
                value: Some(&value),
            });
        }
        self.transactions.produce(Output {
            topic: topics::DERIVE_DEAD,
            partition: message.partition(),
            key: key_of_letter(message.key()),
            value: None,
            timestamp_millis: found_at.timestamp.unwrap_or_default(),
            headers: Some(headers),
            told_back: None,
        })?;
        self.with_open(|open| {
            open.counts.dead_letter(class);
            open.dead_letters.push(told);
        });
        Ok(())
    }
}

fn place<'m>(message: &'m BorrowedMessage<'_>) -> Coordinates<'m> {
    Coordinates {
        topic: message.topic(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
    }
}

/// What the log says of it.
fn told(message: &BorrowedMessage<'_>, class: RefusalClass, error: &dyn Display) -> String {
    format!("{}: {} ({})", class.as_str(), dead_letter::told(error), place(message))
}

/// The key of a dead letter: that of the record, if it may be a tracking number.
fn key_of_letter(key: Option<&[u8]>) -> &[u8] {
    let text = key.and_then(|key| std::str::from_utf8(key).ok());
    text.filter(|text| is_showable(text)).unwrap_or_default().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_that_may_be_a_number_goes_into_a_dead_letter() {
        let long = "1".repeat(65);
        for (key, kept) in [
            (Some("YT1"), "YT1"),
            (Some("张三 13488888888"), ""),
            (Some(long.as_str()), ""),
            (None, ""),
        ] {
            assert_eq!(key_of_letter(key.map(str::as_bytes)), kept.as_bytes(), "{key:?}");
        }
    }
}
