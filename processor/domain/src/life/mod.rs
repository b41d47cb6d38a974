//! The life of a parcel as its events tell it: history, legs, the status they lead to, the changes between them.

pub(crate) mod delivered;
pub(crate) mod final_word;
pub(crate) mod history;
pub(crate) mod leg;
pub(crate) mod parcel_status;
pub(crate) mod tracking_state;
pub(crate) mod transition;
pub(crate) mod verdict;
