//! End-to-end tests: our programs with a real broker, a real registry and a real ClickHouse. They are one binary, so
//! that they are linked once, and tests that break nothing share one stack.
//!
//! | module | stack | what |
//! |---|---|---|
//! | [`shared::samples`] | shared | a vendor's push becomes records on the topics and rows in the tables, value by value |
//! | [`shared::contracts`] | shared | keys, partitions, schemas, personal data, a client in another language |
//! | [`shared::processes`] | shared | which build a service is, and what it takes from its host |
//! | [`clusters`] | own | the DDL for replicated databases, and what an operator sets about tables and views |
//! | [`configuration`] | none | the shipped configuration file names every key and shows the true defaults |
//! | [`alarms`] | none | alarms and panels name metrics and sections that exist |
//! | [`attacks`] | own | strangers hold connections, bodies and answers, and the services work on |
//! | [`broker`] | own | the broker stops under load, and everything else with it |
//! | [`chaos`] | own | everything is killed or frozen at random moments |
//! | [`dashboard`] | own | the dashboard's API against figures worked out by hand, and its page in a browser |
//! | [`data_loss`] | own | Kafka deletes records before they were read |
//! | [`dead_letters`] | own | what was put aside is looked at and put back |
//! | [`descriptions`] | none | what is made for AsyncAPI and dbt says what the code says |
//! | [`derive`] | own | derive is killed under load, and derives everything again |
//! | [`examples`] | shared | the consumers of `examples/` in Java, Go and Python |
//! | [`expiry`] | own | many shipments expire on one day, with a crash among them; the state is full |
//! | [`flood`] | own | an account that anybody can push to is flooded |
//! | [`garbage`] | own | invalid records on the topics |
//! | [`lost_rows`] | own | ClickHouse loses rows: a power cut, a backup that is restored, a new database |
//! | [`growth`] | own | all topics get more partitions, by the procedure of the runbook |
//! | [`growth_subscriptions`] | own | the same with subscriptions: nothing is lost, nobody is asked twice |
//! | [`installations`] | own | two installations on the same servers, one with a prefix: nothing crosses |
//! | [`kafka_auth`] | own | brokers that ask for signed tokens or tickets of Kerberos (not in CI) |
//! | [`managed_kafka`] | own | brokers that refuse settings of topics |
//! | [`metrics`] | own | the figures of the metric views equal a recomputation |
//! | [`migration`] | own | a metric is defined anew on a database with data: the figure follows, or nothing has happened |
//! | [`partitions`] | own | settings of topics; a topic gets more partitions under a running system |
//! | [`recomputation`] | none, own | the pure core and the tables equal an independent recomputation |
//! | [`reconcile`] | own | vendors are asked about silent parcels: lost pushes, stale answers, gaps, budgets, kills |
//! | [`registry`] | own | a start without the registry, and one that asks for a token |
//! | [`release`] | none | which commit a build is of, completions of shells, the Debian package |
//! | [`replay`] | own | the push topic is derived again into fresh tables, which replace damaged ones |
//! | [`replicas`] | own | three brokers: one loses its disk under load; few replicas are told |
//! | [`rivals`] | own | two hosts of one name have the same workers |
//! | [`routes`] | own | the way from hub to hub: plans that change, records that are read again |
//! | [`sasl`] | own | brokers that ask who we are: PLAIN, SCRAM, OAUTHBEARER; what is said when they refuse |
//! | [`same_step`] | own | a hostile push topic is derived and replayed: the same rows, the same refusals |
//! | [`sink`] | own | the sink is killed under load, and inserts everything again |
//! | [`traces`] | own | a push's trace in a real Jaeger (not in CI) |
//! | [`tls`] | own | ClickHouse and the registry behind TLS with a private CA |
//! | [`subscribe`] | own | vendors are asked for subscriptions, with kills, lost answers and stopped accounts |
//!
//! Tests of an invariant of the design have its number in their names. No test waits by sleeping: conditions are polled
//! until they hold or a generous deadline has passed. No test checks how fast something is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is a test's way to fail"
)]

mod alarms;
mod annotations;
mod attacks;
mod broker;
mod changed_bytes;
mod chaos;
mod clusters;
mod configuration;
mod dashboard;
mod data_loss;
mod dead_letters;
mod derive;
mod descriptions;
mod examples;
mod expiry;
mod flood;
mod garbage;
mod growth;
mod growth_subscriptions;
mod harness;
mod installations;
mod kafka_auth;
mod lost_rows;
mod managed_kafka;
mod metrics;
mod migration;
mod orders;
mod partitions;
mod recomputation;
mod reconcile;
mod registry;
mod release;
mod replay;
mod replicas;
mod rivals;
mod routes;
mod same_step;
mod sasl;
mod shared;
mod sink;
mod subscribe;
mod tls;
mod traces;
