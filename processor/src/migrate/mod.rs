//! `processor migrate`: makes the servers as the program expects them. Doing it again changes nothing.

pub mod clickhouse;
