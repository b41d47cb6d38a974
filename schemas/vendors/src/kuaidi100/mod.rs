//! Kuaidi100 (快递100).

pub mod payload;
pub mod push;
