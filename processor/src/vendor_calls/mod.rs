//! Calls of the vendors' APIs: how a request is sent, how often, and with whose keys. What is asked and what an answer means is pure
//! and is in [`courierflow_vendors::api`].
//!
//! | room | what |
//! |---|---|
//! | [`account`] | a contract with its keys: requests are made and answers are read here |
//! | [`client`] | the only HTTP client of vendors |
//! | [`limiter`] | how many calls a second and at the same time |

pub mod account;
pub mod client;
pub mod limiter;
