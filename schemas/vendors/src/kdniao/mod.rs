//! Kdniao (快递鸟).

pub mod payload;
pub mod push;
