//! Asks the vendors about parcels of which too little is heard, within a budget, and hands their answers on as push events.
//!
//! ```text
//! every [`every_ms`]:  ClickHouse ──candidates──▶ plan() ──▶ line ──▶ intents committed ──▶ calls
//! answers:             event on courier.push.v1 + record on courier.vendor.call.v1 + intent removed, in one transaction
//! ```
//!
//! Whom to ask is decided by [`courierflow_domain::reconcile::plan()`], a pure function; what its arguments are is said here:
//!
//! * **Candidates** are rows of ClickHouse: one statement a class, for the partitions of this worker. While the tables are [`behind`], there
//!   are no rounds. What was asked is not read from there, so that tables that are a minute old make no query too many.
//! * **What was asked** ([`history`](history::History)) is read from `courier.vendor.call.v1`, from its beginning, before the first round, and goes on with
//!   every call of this worker. The topic holds a month; only what is older comes from ClickHouse.
//! * **Telephone numbers** ([`secrets`]) are read from the restricted `courier.subscription.secret.v1`, which is compacted.
//!
//! A call is never made without a trace. Its [`Intent`](intents::Intent) is committed before it, in the metadata of the group's offset of its partition, and
//! leaves it in the transaction that produces the event and the record. A worker that is killed in between leaves the intent; the
//! next owner of the partition records a call of class UNKNOWN for it. That counts against limits and budget like every call, and as no
//! answer: the parcel is asked about again once its limits allow.
//!
//! | room | what |
//! |---|---|
//! | [`supervisor`] | starts the worker |
//! | [`worker`] | the loop: poll, handle what the group said, restore, rounds, commit, call |
//! | [`member`] | what the consumer calls back |
//! | [`desk`] | everything that the worker knows, and what it does next |
//! | [`rounds`] | when a round begins, and the rows that are on their way for it |
//! | [`behind`] | whether the tables show what was there a moment ago |
//! | [`round`] | from the rows of ClickHouse to the line of calls |
//! | [`candidates`], [`statements`] | the rows and the SQL |
//! | [`shares`] | the shares that alarms watch |
//! | [`records`] | what a call became: event, record, what it says of the account |
//! | [`transaction`] | begin, commit, resolve, abort |
//! | [`calls`] | the line of calls and those in flight |
//! | [`history`], [`secrets`], [`intents`] | what was asked, what is needed to ask, what is being asked |
//! | [`accounts`] | the contracts: who is asked, and how each of them stands |
//! | [`gap_order`] | the operator's order to ask about everything |
//! | [`settings`] | the configuration |
//! | [`error`] | at the bottom |
//!
//! [`every_ms`]: settings::ReconcileSettings::every_ms

mod accounts;
mod behind;
mod calls;
mod candidates;
mod desk;
mod error;
mod gap_order;
mod history;
mod intents;
mod member;
mod records;
mod round;
mod rounds;
mod secrets;
pub(crate) mod settings;
mod shares;
mod statements;
mod supervisor;
mod transaction;
mod worker;

pub use gap_order::{GapOrder, OrderError, order};
pub use supervisor::{check, start};
