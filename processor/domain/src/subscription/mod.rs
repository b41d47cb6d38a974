//! Subscriptions: when a vendor is called for a parcel, what its answers, its pushes and the time change. Pure: the clock, the account's
//! settings and its standing are arguments, calls and records are return values.
//!
//! [`step()`] is one input to one subscription, [`Standing`] what is known of the account as a whole. The caller:
//!
//! 1. tells every answer first to [`Standing::heard`], then to [`step()`];
//! 2. produces what the effects say in one transaction, and starts a [`Effect::Call`] only after its commit;
//! 3. starts a call only while the subscription still has its `call_id`, and gives it up after [`Delays::call_timeout`]; so a number
//!    never has two calls in flight;
//! 4. gives [`Input::Due`] at `not_before`, and again to those that wait with [`Reason::AccountStopped`](
//!    courierflow_schemas::records::Reason::AccountStopped) when the account goes on;
//! 5. gives [`Input::Restored`] to what was CALLING when the state was restored.
//!
//! | room | what |
//! |---|---|
//! | `machine` | from an input to what changes; the only place where a call starts or a state is entered |
//! | `request`, `answer` with `duplicate`, `push`, `due` | one kind of input each |
//! | `quota`, `months` | how many subscriptions a China month has left |
//! | `standing` | the account: running or stopped, and when it is probed |
//! | `terms` | every delay and limit, from the configuration |

mod answer;
mod due;
mod duplicate;
mod input;
mod jitter;
mod machine;
pub mod months;
mod push;
pub mod quota;
mod request;
mod standing;
mod terms;
mod time;

pub use input::{
    Alarm, Answer, Call, CarrierCodes, Effect, Input, Outcome, ParcelEnd, PushWord, Request, RequestOutcome, Step,
};
pub use jitter::jitter;
pub use machine::{is_forgotten, step};
pub use request::{cancel_without_account, refuse};
pub use standing::{AccountChange, Standing, StopCause};
pub use terms::{AccountTerms, AfterStale, Delays, DuplicateMeans, Resubscription};
