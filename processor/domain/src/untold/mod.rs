//! Ids are made with a secret key, so that derived records do not reveal texts.

pub(crate) mod event_id;
pub(crate) mod id_key;
