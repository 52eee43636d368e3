//! The real write and read path under seeded faults, in virtual time.
//!
//! Row 5, test support only. One seed is one run: clients send requests to ingesters and repeat them, shifters move segments,
//! readers query, a maintainer cleans up, all of them processes with memory, clocks and ids of their own that share nothing but an
//! object store behind a network that loses, delays and refuses ([`icegate_testkit::FaultyStore`]). Processes are killed at any
//! request and start anew. The code under all this is the one that is shipped: `wal`, `tables`, `shift`, `maintain`, `engine`.
//!
//! What is checked, at every swap of a table's metadata, every deletion of a segment, every query and at the end:
//!
//! - an acknowledged row is in the write-ahead log or its table, and in every answer to a query that began after it (I1, I3);
//! - no row is in a table or an answer twice (I2);
//! - no row of another tenant is in an answer (I4);
//! - the rows that a snapshot's summary states are those in its files (I7);
//! - with the faults over, everything reaches the tables within a few passes (I8), and the files, read with nothing but a Parquet
//!   reader, hold every acknowledged row once.
//!
//! A run repeats exactly: one thread, a paused clock, and every effect on the store in a millisecond of its own (`turns`).
//!
//! ```no_run
//! let report = icegate_simulation::run(7, false).unwrap_or_else(|failure| panic!("{failure}"));
//! println!("{report}");
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's support may fail the test")]

mod actors;
mod audit;
mod ledger_of_truth;
mod life;
mod link;
mod objects;
mod observe;
mod report;
mod run;
mod scenario;
mod seeds;
mod trace;
mod turns;
mod virtual_clock;
mod world;

pub use report::Report;
pub use run::{Failure, Outcome, run, run_traced};
pub use seeds::run_seeds;
