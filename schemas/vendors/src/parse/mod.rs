//! Reading what vendors send, leniently: forms, JSON, times, lists of trace items. Shared by all vendors.

pub(crate) mod event_time;
pub mod folding;
pub mod form;
pub mod json;
pub mod lenient_json;
mod placeholders;
pub mod repair;
pub mod time_grammar;
pub mod trace_list;
pub(crate) mod zone_grammar;
