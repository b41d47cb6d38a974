//! 17TRACK: one parcel a push, as JSON whose signature is in a header. It asks the carriers itself, two of them for a parcel
//! that crosses a border.

mod account;
mod answer;
mod api;
mod codes;
mod event;
mod payload;
mod push;
mod summary;
mod times;

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
use crate::{Protocol, Refusal};

/// The implementation of [`Protocol`] for 17TRACK.
pub struct SeventeenTrack;

impl Protocol for SeventeenTrack {
    fn name(&self) -> Name {
        Name {
            zh: "17TRACK",
            en: "17TRACK",
        }
    }

    fn account(&self, account: Account, keys: &mut AccountKeys) -> Result<Account, KeyError> {
        account::account(account, keys)
    }

    fn signature_header(&self) -> Option<&'static str> {
        Some("sign")
    }

    fn read_push(&self, request: PushRequest<'_>, account: &Account) -> Result<Push, Rejection> {
        push::read(request, account)
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

    fn push_facts<'a>(&self, origin: Origin, payload: &'a str, carriers: &'a Carriers) -> Option<PushFacts<'a>> {
        summary::push_facts(origin, payload, carriers)
    }

    fn push_word<'a>(&self, origin: Origin, payload: &'a str) -> Option<PushWord<'a>> {
        summary::push_word(origin, payload)
    }

    fn reference_members(&self) -> &'static [&'static str] {
        &summary::REFERENCE_MEMBERS
    }

    fn reference<'a>(&self, payload: &'a str, _: &str) -> Option<Cow<'a, str>> {
        summary::tag(payload)
    }

    fn stale_days(&self) -> Option<u16> {
        Some(30)
    }

    fn code_tables(&self) -> &'static [&'static CodeTable] {
        &codes::TABLES
    }

    fn api(&self) -> &'static dyn Api {
        &api::SeventeenTrackApi
    }
}
