//! Kuaidi100 (快递100): one parcel a push, as a form with `param` and `sign`, a flat form, or JSON.

mod account;
mod answer;
mod api;
mod codes;
mod payload;
mod push;
mod route;
mod summary;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::meaning::Name;
use courierflow_schemas::records::{Origin, PushEvent};
use jiff::Timestamp;

use crate::account::{Account, AccountKeys, KeyError};
use crate::api::Api;
use crate::codes::CodeTable;
use crate::push::{Push, PushRequest, Rejection};
use crate::reading::{PushFacts, PushWord, ReadError, Reading};
use crate::route::Route;
use crate::{Protocol, Refusal, Unit};

/// The implementation of [`Protocol`] for Kuaidi100.
pub struct Kuaidi100;

impl Protocol for Kuaidi100 {
    fn name(&self) -> Name {
        Name {
            zh: "快递100",
            en: "Kuaidi100",
        }
    }

    fn account(&self, account: Account, keys: &mut AccountKeys) -> Result<Account, KeyError> {
        account::account(account, keys)
    }

    fn read_push(&self, request: PushRequest<'_>, account: &Account) -> Result<Push, Rejection> {
        push::read(request.body, account)
    }

    fn accepted(&self, _: &Account, _: Timestamp) -> Vec<u8> {
        answer::accepted()
    }

    fn refused(&self, _: Option<&Account>, _: Timestamp, refusal: Refusal<'_>) -> Vec<u8> {
        answer::refused(refusal)
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

    fn push_facts<'a>(&self, origin: Origin, payload: &'a str, carriers: &'a Carriers) -> Option<PushFacts<'a>> {
        summary::push_facts(origin, payload, carriers)
    }

    fn push_word<'a>(&self, origin: Origin, payload: &'a str) -> Option<PushWord<'a>> {
        summary::push_word(origin, payload)
    }

    fn route_members(&self) -> &'static [&'static str] {
        route::MEMBERS
    }

    fn route(&self, origin: Origin, payload: &str) -> Option<Route> {
        route::read(origin, payload)
    }

    fn stale_days(&self) -> Option<u16> {
        Some(60)
    }

    fn unit(&self) -> Option<Unit> {
        Some(Unit::Month)
    }

    fn code_tables(&self) -> &'static [&'static CodeTable] {
        &codes::TABLES
    }

    fn api(&self) -> &'static dyn Api {
        &api::Kuaidi100Api
    }
}
