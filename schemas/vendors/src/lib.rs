//! What the tracking vendors send, want to hear, and mean. Pure: bodies and payloads in, values out; no I/O and no clock.
//!
//! A vendor is one folder behind one trait, [`Protocol`]; [`protocol`] is the only place that leads from a [`Vendor`] to its
//! folder. Everybody else asks the trait, or goes through [`Vendor::ALL`].
//!
//! | room | what |
//! |---|---|
//! | [`account`] | one contract with a vendor, made of its settings |
//! | [`push`] | what the body of every vendor's push becomes |
//! | [`reading`], [`snapshot`] | what every vendor's payload becomes |
//! | [`codes`] | code tables: one row a code |
//! | [`parse`] | forms, JSON, times and lists, read leniently |
//! | [`kuaidi100`], [`kdniao`], [`seventeentrack`] | the vendors, each with the same rooms |

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod account;
mod answer;
pub mod codes;
pub mod fingerprint;
pub mod kdniao;
pub mod kuaidi100;
pub mod local_time;
pub mod parse;
pub mod push;
pub mod reading;
pub mod seventeentrack;
pub mod snapshot;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::meaning::Name;
use courierflow_schemas::records::{PushEvent, Vendor};
use jiff::Timestamp;

use crate::account::{Account, AccountKeys, KeyError};
use crate::codes::CodeTable;
use crate::push::{Push, PushRequest, Rejection};
use crate::reading::{PushFacts, ReadError, Reading};

/// One vendor's side of everything.
pub trait Protocol: Sync {
    /// What people call it.
    fn name(&self) -> Name;

    /// Makes an account of its settings; what all vendors have in common is filled in already.
    fn account(&self, account: Account, keys: &mut AccountKeys) -> Result<Account, KeyError>;

    /// Header that carries the signature of a push; `None` where the body does.
    fn signature_header(&self) -> Option<&'static str> {
        None
    }

    /// Reads who signed a push and which parcels are in it, in the order of rule 39. No trace is interpreted.
    fn read_push(&self, request: PushRequest<'_>, account: &Account) -> Result<Push, Rejection>;

    /// JSON body for a push of which every record is stored.
    fn accepted(&self, account: &Account, now: Timestamp) -> Vec<u8>;

    /// JSON body for a push that was not taken (rule 51); `account` is missing where there is none of that name.
    fn refused(&self, account: Option<&Account>, now: Timestamp, refusal: Refusal<'_>) -> Vec<u8>;

    /// Reads the payload of a push event. `payload` is the event's own, or a copy of it
    /// that was repaired or has its [texts](Self::text_members) opened. `carriers` says what the vendor's codes mean.
    fn read_payload<'a>(
        &self,
        event: &'a PushEvent,
        payload: &'a str,
        carriers: &'a Carriers,
    ) -> Result<Reading<'a>, ReadError>;

    /// Members of a payload that may hold a JSON text instead of an object or array (rule 71).
    fn text_members(&self) -> &'static [&'static str] {
        &[]
    }

    /// Reads only what the push log shows (rule 56); `None` if the payload cannot be read.
    fn push_facts<'a>(&self, payload: &'a str, carriers: &'a Carriers) -> Option<PushFacts<'a>>;

    /// Days without change after which it gives a parcel up; `None` if it does not or does not say.
    fn stale_days(&self) -> Option<u16> {
        None
    }

    /// Every code table that its payloads are read with; the first has all codes.
    fn code_tables(&self) -> &'static [&'static CodeTable];
}

/// Why a push was not taken, as far as a vendor's body tells.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// HTTP status of the answer.
    pub status: u16,
    /// For a person; no quotes, no content of the push.
    pub text: &'a str,
}

/// The vendor's folder.
pub fn protocol(vendor: Vendor) -> &'static dyn Protocol {
    match vendor {
        Vendor::Kuaidi100 => &kuaidi100::Kuaidi100,
        Vendor::Kdniao => &kdniao::Kdniao,
        Vendor::SeventeenTrack => &seventeentrack::SeventeenTrack,
    }
}
