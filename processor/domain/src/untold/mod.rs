//! What derived records must not tell: ids are made under a secret key.

pub(crate) mod event_id;
pub(crate) mod id_key;
