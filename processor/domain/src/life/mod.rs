//! The life of a parcel from its events: history, legs, status, and the transitions between them.

pub(crate) mod delivered;
pub(crate) mod final_word;
pub(crate) mod history;
pub(crate) mod leg;
pub(crate) mod parcel_status;
pub(crate) mod tracking_state;
pub(crate) mod transition;
pub(crate) mod verdict;
