//! The tracking vendors: their pushes, the answers they expect, and the meaning of their codes. Pure: bodies and payloads
//! in, values out; no I/O and no clock.
//!
//! A vendor is one folder behind one trait, [`Protocol`]; [`protocol`] is the only place that maps a [`Vendor`] to its
//! folder. All other code uses the trait, or iterates over [`Vendor::ALL`].
//!
//! | room | what |
//! |---|---|
//! | [`account`] | one contract with a vendor, made of its settings |
//! | [`push`] | what the body of every vendor's push becomes |
//! | [`reading`], [`snapshot`] | what every vendor's payload becomes |
//! | [`route`] | the way of a parcel from hub to hub, as a vendor tells it |
//! | [`mod@reference`] | the subscriber's own name of an order, in what a vendor gives back |
//! | [`codes`] | code tables: one row a code |
//! | [`api`] | what is asked of a vendor, and what its answers mean |
//! | [`request`] | what people ask for, and whether it can be had |
//! | [`parse`] | forms, JSON, times and lists, read leniently |
//! | [`kuaidi100`], [`kdniao`], [`seventeentrack`] | the vendors, each with the same rooms |

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod account;
mod answer;
pub mod api;
pub mod codes;
pub mod fingerprint;
pub mod kdniao;
pub mod kuaidi100;
pub mod local_time;
pub mod parse;
pub mod push;
pub mod reading;
pub mod reference;
pub mod request;
pub mod route;
pub mod seventeentrack;
pub mod snapshot;

use std::borrow::Cow;

use courierflow_schemas::carriers::Carriers;
use courierflow_schemas::meaning::Name;
use courierflow_schemas::records::{Origin, PushEvent, Vendor};
use jiff::Timestamp;

use crate::account::{Account, AccountKeys, KeyError};
use crate::api::Api;
use crate::codes::CodeTable;
use crate::push::{Push, PushRequest, Rejection};
use crate::reading::{PushFacts, PushWord, ReadError, Reading};
use crate::route::Route;

/// Everything that is specific to a vendor.
pub trait Protocol: Sync {
    /// The vendor's name.
    fn name(&self) -> Name;

    /// Completes an account from its vendor-specific settings; the common ones are already filled in.
    fn account(&self, account: Account, keys: &mut AccountKeys) -> Result<Account, KeyError>;

    /// Header with the signature of a push; `None` if the signature is in the body.
    fn signature_header(&self) -> Option<&'static str> {
        None
    }

    /// Authenticates a push and finds its parcels, in the order of rule 2.1. No trace is interpreted.
    fn read_push(&self, request: PushRequest<'_>, account: &Account) -> Result<Push, Rejection>;

    /// JSON body of the answer to a push whose records are all stored.
    fn accepted(&self, account: &Account, now: Timestamp) -> Vec<u8>;

    /// JSON body of the answer to a refused push (rule 2.7); `account` is `None` if no account has that name.
    fn refused(&self, account: Option<&Account>, now: Timestamp, refusal: Refusal<'_>) -> Vec<u8>;

    /// Reads the payload of a push event. `payload` is the event's own, or a copy of it
    /// that was repaired or has its [texts](Self::text_members) opened. `carriers` says what the vendor's codes mean.
    fn read_payload<'a>(
        &self,
        event: &'a PushEvent,
        payload: &'a str,
        carriers: &'a Carriers,
    ) -> Result<Reading<'a>, ReadError>;

    /// Members of a payload that may hold a JSON text instead of an object or array (rule 2.2).
    fn text_members(&self) -> &'static [&'static str] {
        &[]
    }

    /// Reads only what the push log shows (rule 14.4); `None` if the payload cannot be read.
    fn push_facts<'a>(&self, origin: Origin, payload: &'a str, carriers: &'a Carriers) -> Option<PushFacts<'a>>;

    /// Reads only what a payload says of its subscription; `None` if it cannot be read.
    fn push_word<'a>(&self, origin: Origin, payload: &'a str) -> Option<PushWord<'a>>;

    /// Members of a payload in which the vendor gives back what the subscriber has called the order.
    fn reference_members(&self) -> &'static [&'static str] {
        &[]
    }

    /// The text of one of these members; `None` if it is missing or the payload cannot be read.
    fn reference<'a>(&self, _payload: &'a str, _member: &str) -> Option<Cow<'a, str>> {
        None
    }

    /// Members that a payload has if it tells the way of the parcel; one without these words in it is not read for it.
    fn route_members(&self) -> &'static [&'static str] {
        &[]
    }

    /// The way of the parcel; `None` if there is none or the payload cannot be read.
    fn route(&self, _origin: Origin, _payload: &str) -> Option<Route> {
        None
    }

    /// Requests of its APIs, and readings of their answers.
    fn api(&self) -> &'static dyn Api;

    /// Days without change after which it stops tracking a parcel; `None` if it does not stop or does not document
    /// it.
    fn stale_days(&self) -> Option<u16> {
        None
    }

    /// What it bills as one unit of a parcel; `None` if it does not document it.
    fn unit(&self) -> Option<Unit> {
        None
    }

    /// Every code table that its payloads are read with; the first has all codes.
    fn code_tables(&self) -> &'static [&'static CodeTable];
}

/// The calls about one number under one carrier that a vendor bills together. Days and months are those of China.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// All of a calendar month.
    Month,
    /// All of so many days, from the day of the first of them on.
    Days(u16),
}

/// Why a push was refused, as far as a vendor's body tells it.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// HTTP status of the answer.
    pub status: u16,
    /// Text for people, without quotes and without content of the push.
    pub text: &'a str,
}

/// The implementation of a vendor.
pub fn protocol(vendor: Vendor) -> &'static dyn Protocol {
    match vendor {
        Vendor::Kuaidi100 => &kuaidi100::Kuaidi100,
        Vendor::Kdniao => &kdniao::Kdniao,
        Vendor::SeventeenTrack => &seventeentrack::SeventeenTrack,
    }
}
