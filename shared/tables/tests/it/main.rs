//! The tables from outside: every scenario on every catalog.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that can not go on has failed, also in what its functions share")]

mod backends;
mod conformance;
mod crash;
mod expire;
mod fields;
mod foreign;
mod index;
mod migrate;
mod nested;
mod orphans;
mod races;
mod requests;
mod rest;
mod rest_server;
mod rows;
mod state;
mod untouchable;
