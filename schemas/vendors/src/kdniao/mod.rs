//! Kdniao (快递鸟): up to a hundred parcels a push, as a form with `RequestData` and `DataSign`, or JSON.

mod account;
mod answer;
mod api;
mod codes;
mod payload;
mod push;
mod summary;

use std::borrow::Cow;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::meaning::Name;
use courierflow_schemas::records::{Origin, PushEvent};
use jiff::Timestamp;

use crate::account::{Account, AccountKeys, KeyError};
use crate::api::Api;
use crate::codes::CodeTable;
use crate::push::{Push, PushRequest, Rejection};
use crate::reading::{PushFacts, PushWord, ReadError, Reading};
use crate::{Protocol, Refusal, Unit};

/// The implementation of [`Protocol`] for Kdniao.
pub struct Kdniao;

impl Protocol for Kdniao {
    fn name(&self) -> Name {
        Name {
            zh: "快递鸟",
            en: "Kdniao",
        }
    }

    fn account(&self, account: Account, keys: &mut AccountKeys) -> Result<Account, KeyError> {
        account::account(account, keys)
    }

    fn read_push(&self, request: PushRequest<'_>, account: &Account) -> Result<Push, Rejection> {
        push::read(request.body, account)
    }

    fn accepted(&self, account: &Account, now: Timestamp) -> Vec<u8> {
        answer::accepted(account, now)
    }

    fn refused(&self, account: Option<&Account>, now: Timestamp, refusal: Refusal<'_>) -> Vec<u8> {
        answer::refused(account, now, refusal)
    }

    fn read_payload<'a>(
        &self,
        event: &'a PushEvent,
        payload: &'a str,
        carriers: &'a Carriers,
    ) -> Result<Reading<'a>, ReadError> {
        payload::read(event, payload, carriers)
    }

    fn text_members(&self) -> &'static [&'static str] {
        push::TEXT_MEMBERS
    }

    fn push_facts<'a>(&self, _: Origin, payload: &'a str, carriers: &'a Carriers) -> Option<PushFacts<'a>> {
        summary::push_facts(payload, carriers)
    }

    fn push_word<'a>(&self, origin: Origin, payload: &'a str) -> Option<PushWord<'a>> {
        summary::push_word(origin, payload)
    }

    fn reference_members(&self) -> &'static [&'static str] {
        &summary::REFERENCE_MEMBERS
    }

    fn reference<'a>(&self, payload: &'a str, member: &str) -> Option<Cow<'a, str>> {
        summary::reference(payload, member)
    }

    fn stale_days(&self) -> Option<u16> {
        Some(7)
    }

    fn unit(&self) -> Option<Unit> {
        Some(Unit::Days(40))
    }

    fn code_tables(&self) -> &'static [&'static CodeTable] {
        &codes::TABLES
    }

    fn api(&self) -> &'static dyn Api {
        &api::KdniaoApi
    }
}
