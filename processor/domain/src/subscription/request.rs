//! Requests: the first one of a number, further ones, and those that cannot be used.

use courierflow_schemas::records::{
    Product, Reason, RequestAction, Subscription, SubscriptionRequest, SubscriptionSecret, SubscriptionState,
    TimestampMicros,
};

use super::input::{CarrierCodes, Effect, Request, RequestOutcome, Step};
use super::machine::{Draft, version_after};
use super::standing::Standing;
use super::terms::AccountTerms;
use super::time;

/// How many ids of requests are remembered, to recognise a repetition even after the end of a subscription.
const REMEMBERED_IDS: usize = 4;

/// A request for a number that has no subscription.
pub(super) fn first(request: Request<'_>, now: TimestampMicros, terms: &AccountTerms, standing: &Standing) -> Step {
    match request.asked.action {
        RequestAction::Subscribe => opened(None, request, now, terms, standing),
        RequestAction::Cancel => Step::only(None, RequestOutcome::Already),
        RequestAction::Other => Step::only(None, RequestOutcome::Refused),
    }
}

/// A request that cannot be used, so that whoever asked sees why. A subscription that is alive is left alone. `vendor`, `account` and
/// `state` are what the request was routed to; both names are empty if there is no such account.
pub fn refuse(
    state: Option<Subscription>,
    (vendor, account): (&str, &str),
    asked: &SubscriptionRequest,
    reason: Reason,
    now: TimestampMicros,
) -> Step {
    let is_free = match &state {
        None => true,
        Some(before) => before.state.is_terminal() && asked.force && !before.request_ids.contains(&asked.request_id),
    };
    if !is_free || asked.action != RequestAction::Subscribe {
        return Step::only(state, RequestOutcome::Refused);
    }
    let carrier = CarrierCodes {
        canonical: asked.carrier.clone().unwrap_or_default(),
        vendors: String::new(),
    };
    let mut next = fresh(state.as_ref(), asked, &carrier, now);
    vendor.clone_into(&mut next.vendor);
    account.clone_into(&mut next.account);
    next.state = SubscriptionState::Rejected;
    next.reason = Some(reason);
    Step {
        state: Some(next),
        effects: vec![Effect::Emit, Effect::Count(RequestOutcome::Refused)],
    }
}

/// Cancels a subscription of an account that is not in the configuration any more. Nobody can be asked about it, and nothing else can end
/// it.
pub fn cancel_without_account(before: Subscription, request_id: &str, now: TimestampMicros) -> Step {
    if before.request_ids.iter().any(|id| id == request_id) {
        return Step::only(Some(before), RequestOutcome::Repeated);
    }
    if before.state.is_terminal() || before.state == SubscriptionState::Other {
        return Step::only(Some(before), RequestOutcome::Already);
    }
    let next = Subscription {
        version: version_after(Some(&before), now),
        state: SubscriptionState::Cancelled,
        reason: Some(Reason::Cancelled),
        since: now,
        not_before: None,
        call_id: None,
        request_ids: with_id(&before.request_ids, request_id),
        ..before
    };
    Step {
        state: Some(next),
        effects: vec![
            Effect::Emit,
            Effect::DropSecret,
            Effect::Count(RequestOutcome::Accepted),
        ],
    }
}

impl Draft<'_> {
    /// A further request for a number.
    pub(super) fn requested(&mut self, request: Request<'_>) {
        let asked = request.asked;
        let outcome = if self.next.request_ids.contains(&asked.request_id) {
            RequestOutcome::Repeated
        } else {
            match asked.action {
                RequestAction::Other => RequestOutcome::Refused,
                RequestAction::Cancel => self.cancelled(&asked.request_id),
                RequestAction::Subscribe => self.asked_again(request),
            }
        };
        self.effects.push(Effect::Count(outcome));
    }

    fn cancelled(&mut self, request_id: &str) -> RequestOutcome {
        if self.next.state.is_terminal() || self.next.state == SubscriptionState::Other {
            return RequestOutcome::Already;
        }
        self.next.request_ids = with_id(&self.next.request_ids, request_id);
        self.end(SubscriptionState::Cancelled, Some(Reason::Cancelled));
        RequestOutcome::Accepted
    }

    /// Only a forced request subscribes again after the end, and the vendor takes it only some time after.
    fn asked_again(&mut self, request: Request<'_>) -> RequestOutcome {
        let is_over =
            self.next.state.is_terminal() && time::later(self.next.since, self.terms.delays.after_end) <= self.now;
        if !is_over || !request.asked.force {
            return RequestOutcome::Already;
        }
        let step = opened(Some(&self.next), request, self.now, self.terms, self.standing);
        let Some(next) = step.state else {
            return RequestOutcome::Already;
        };
        self.next = next;
        let is_ours = |effect: &Effect| !matches!(effect, Effect::Emit | Effect::Count(_));
        self.effects.extend(step.effects.into_iter().filter(is_ours));
        RequestOutcome::Accepted
    }
}

/// A new life: the first call is made at once unless it has to wait for something.
fn opened(
    before: Option<&Subscription>,
    request: Request<'_>,
    now: TimestampMicros,
    terms: &AccountTerms,
    standing: &Standing,
) -> Step {
    let asked = request.asked;
    let next = Subscription {
        vendor: terms.vendor.as_str().to_owned(),
        account: terms.account.clone(),
        api: terms.api.clone(),
        product: asked.product.unwrap_or(terms.product),
        ..fresh(before, asked, request.carrier, now)
    };
    let mut draft = Draft::of(next, now, terms, standing);
    let secret = secret_of(asked);
    if secret != SubscriptionSecret::default() {
        draft.effects.push(Effect::WriteSecret(Box::new(secret)));
    }
    let delayed = || (!terms.delay.is_zero()).then(|| time::after(now, terms.delay));
    let not_before = asked.not_before.or_else(delayed);
    match not_before.filter(|not_before| *not_before > time::millis(now)) {
        Some(not_before) => draft.wait(None, not_before),
        None => draft.call_when_possible(),
    }
    let mut step = draft.finish(before);
    step.effects.push(Effect::Count(RequestOutcome::Accepted));
    step
}

/// A subscription of which nothing but the request is known; what the vendor has counted stays counted.
fn fresh(
    before: Option<&Subscription>,
    asked: &SubscriptionRequest,
    carrier: &CarrierCodes,
    now: TimestampMicros,
) -> Subscription {
    let request_ids = before.map_or(&[][..], |before| &before.request_ids);
    Subscription {
        vendor: String::new(),
        account: String::new(),
        tracking_number: asked.tracking_number.clone(),
        carrier: carrier.canonical.clone(),
        vendor_carrier: carrier.vendors.clone(),
        former_carriers: Vec::new(),
        version: version_after(before, now),
        state: SubscriptionState::Requested,
        reason: None,
        code: None,
        since: now,
        // Pushes from before it are not of this subscription, so it cannot lie in the future.
        requested_at: asked.requested_at.min(now),
        requester: asked.requester.clone(),
        request_ids: with_id(request_ids, &asked.request_id),
        reference: asked.reference.clone(),
        api: String::new(),
        product: asked.product.unwrap_or(Product::Plain),
        international: asked.international.is_some(),
        round: 1,
        attempt: 0,
        call_id: None,
        not_before: None,
        calls: before.map_or_else(Vec::new, |before| before.calls.clone()),
        duplicate: false,
        first_push_at: None,
        ended_word: None,
        // When the vendor ended the life before decides how it takes the next call.
        ended_at: before.and_then(|before| before.ended_at),
        in_doubt: false,
        failed: 0,
        too_early: 0,
        unexplained: 0,
        not_recognised: 0,
        unsent: 0,
    }
}

/// An id that was refused is empty, and is none.
fn with_id(request_ids: &[String], request_id: &str) -> Vec<String> {
    let forgotten = request_ids.len().saturating_sub(REMEMBERED_IDS.saturating_sub(1));
    let kept = request_ids.iter().skip(forgotten).cloned();
    let added = Some(request_id).filter(|id| !id.is_empty());
    kept.chain(added.map(str::to_owned)).collect()
}

fn secret_of(asked: &SubscriptionRequest) -> SubscriptionSecret {
    SubscriptionSecret {
        phone: asked.phone.clone(),
        from: asked.from.clone(),
        to: asked.to.clone(),
        international: asked.international.clone(),
    }
}
