//! Subscribing: requests on their topic, vendors that are called, kills in between. The vendors are those of the simulator, which count
//! every call. Tests have the numbers of what they show in their names.
//!
//! | module | what |
//! |---|---|
//! | [`answers`] | what vendors answer, and what follows from it |
//! | [`asked`] | who asks: people, files, other teams; what is told of it, and what never is |
//! | [`calendar`] | the month in China |
//! | [`kills`] | the role is killed, at random and just where it would hurt |
//! | [`life`] | pushes of the vendors from a subscription to its end |
//! | [`outages`] | ClickHouse or Kafka is away |
//! | [`troubles`] | vendors that are slow or mad, a registry that is away, an account that is gone |
//! | [`vendors`], [`records`] | what the tests share |

mod answers;
mod asked;
mod calendar;
mod kills;
mod life;
mod outages;
pub(crate) mod records;
mod troubles;
pub(crate) mod vendors;
