//! The tables from outside: every scenario on the catalog in memory and on the object store.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can not go on has failed, also in what its functions share")]

mod conformance;
mod crash;
mod expire;
mod fields;
mod migrate;
mod nested;
mod orphans;
mod rows;
mod store;
