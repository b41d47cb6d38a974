//! Asking the vendors about parcels of which too little is heard. The vendors are those of the simulator, which count every call. Tests have the
//! numbers of what they show in their names.
//!
//! | module | what |
//! |---|---|
//! | [`lost`] | what pushes have lost is found, and audits say how much it was |
//! | [`stale`] | old answers, and answers without news |
//! | [`gaps`] | no pushes came for hours |
//! | [`budget`] | the budget of a day, with several workers |
//! | [`kills`] | the role is killed at random |
//! | [`changed_topics`] | topics that grow or are made anew |
//! | [`asked`], [`parcels`] | what the tests share |

pub(crate) mod asked;
mod budget;
mod changed_topics;
mod first_push;
mod gaps;
mod kills;
mod lost;
mod parcels;
mod stale;
