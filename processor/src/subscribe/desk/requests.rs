//! Requests: to whom each goes, and what a cancellation ends.

use courierflow_domain::subscription::{Input, Request, RequestOutcome, cancel_without_account, refuse};
use courierflow_schemas::records::{RequestAction, Subscription, SubscriptionRequest};
use courierflow_vendors::request::record::{Checked, checked};

use super::Desk;
use crate::subscribe::accounts::undetected;
use crate::subscribe::error::WorkerError;
use crate::subscribe::state::Key;

impl Desk {
    /// A request, whose key is its number.
    pub(super) fn request(&mut self, partition: i32, asked: &SubscriptionRequest) -> Result<(), WorkerError> {
        if asked.action == RequestAction::Cancel {
            return self.cancel(partition, &checked(asked, self.timestamp()));
        }
        match self.accounts.route(asked, self.timestamp()) {
            Ok(routed) => {
                let request = Request {
                    asked: &routed.asked,
                    carrier: &routed.carrier,
                };
                self.take(
                    partition,
                    routed.account,
                    &asked.tracking_number,
                    Input::Request(request),
                )
            }
            Err(unroutable) => {
                let (vendor, account) = (&unroutable.vendor, &unroutable.account);
                let key: Key = Subscription::key(vendor, account, &asked.tracking_number).into();
                let before = self.state.get(partition, &key)?.map(|held| held.subscription);
                let now = self.now();
                let step = refuse(before, (vendor, account), &unroutable.asked, unroutable.reason, now);
                let account = self.accounts.find(vendor, account);
                self.apply(partition, &key, account, step)
            }
        }
    }

    /// Cancels every subscription of the number that is meant; the carrier does not matter.
    fn cancel(&mut self, partition: i32, checked: &Checked) -> Result<(), WorkerError> {
        let asked = &checked.asked;
        if checked.wrong.is_some() {
            // Of what it means nothing is sure.
            let open = self.transactions.begin()?;
            open.counts.request(RequestOutcome::Refused);
            return Ok(());
        }
        let of_number = self.state.of_number(partition, asked.tracking_number.as_bytes())?;
        let is_meant = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        let meant = of_number
            .into_iter()
            .map(|held| held.subscription)
            .filter(|subscription| {
                is_meant(&asked.vendor, &subscription.vendor) && is_meant(&asked.account, &subscription.account)
            });
        let meant: Vec<Subscription> = meant.collect();
        let open = self.transactions.begin()?;
        if meant.is_empty() {
            open.counts.request(RequestOutcome::Already);
        }
        let request = Request {
            asked,
            carrier: &undetected(),
        };
        for subscription in meant {
            match self.accounts.find(&subscription.vendor, &subscription.account) {
                Some(account) => self.take(partition, account, &asked.tracking_number, Input::Request(request))?,
                None => self.cancel_without_account(partition, subscription, &asked.request_id)?,
            }
        }
        Ok(())
    }

    fn cancel_without_account(
        &mut self,
        partition: i32,
        subscription: Subscription,
        request_id: &str,
    ) -> Result<(), WorkerError> {
        let (vendor, account) = (&subscription.vendor, &subscription.account);
        let key: Key = Subscription::key(vendor, account, &subscription.tracking_number).into();
        let step = cancel_without_account(subscription, request_id, self.now());
        self.apply(partition, &key, None, step)
    }
}
