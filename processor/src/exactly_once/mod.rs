//! What the workers of derive, subscribe and reconcile share: how records are read, made into others and committed together, exactly once.
//!
//! | room | what |
//! |---|---|
//! | [`supervisor`] | keeps a worker alive |
//! | [`slot`] | a worker's identity, which outlives a crash |
//! | [`rival`] | another worker with the same identity |
//! | [`member`] | how a worker is a member of its group |
//! | [`last_poll`] | whether a worker still polls |
//! | [`assignment`] | what a rebalance changed, as values |
//! | [`stable_offsets`] | the group's offsets, once no transaction is pending on them |
//! | [`producer`] | the transactional producer, and how its errors are classified |

pub(crate) mod assignment;
pub(crate) mod last_poll;
pub(crate) mod member;
pub(crate) mod producer;
pub(crate) mod rival;
pub(crate) mod slot;
pub(crate) mod stable_offsets;
pub(crate) mod supervisor;
