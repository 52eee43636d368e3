//! Moves WAL segments into the Iceberg tables, exactly once.
//!
//! Row 4, above `wal` and `tables`. The WAL's listing minus the tables' ledgers is the truth: nothing else says what has to be
//! shifted, so a lost, repeated or late wake-up changes nothing. Knows nothing of OTLP, HTTP or queries.
//!
//! A pass over a table:
//!
//! ```text
//! list the WAL ─▶ subtract the ledgers ─▶ read segments, oldest first, up to the bound ─▶ drop repeated requests
//!    ─▶ write sorted, partitioned data files ─▶ commit files and ledger together ─▶ delete segments past their grace
//! ```
//!
//! - **SHIFT-1** the ledger goes into the commit that adds the rows; a commit whose segments are in a ledger already is refused
//!   by `tables`, and what it wrote stays invisible. Crashes, repeats and several shifters therefore add nothing twice.
//! - **READ-1** a segment stays for [`ShiftConfig::grace`] after its commit, longer than any query that may have planned on it.
//! - **BOUND-1** a pass holds about [`ShiftConfig::max_input_bytes`] of rows.
//!
//! With [`Shifter::with_generator`], a pass over `spans` then makes metrics of them (`generate`), exactly once too.
//!
//! [`Shifter::run`] makes passes for ever; [`Shifter::round`] makes them until nothing is left or its time is up, for a host that is woken
//! and goes away again.
//!
//! Any number of shifters may run. With [`Jobs`], one of them works on a table at a time, which saves the others reading the same
//! segments; who dies is replaced when its lease ends. Leases decide nothing: one that is lost, doubled by clocks that differ or
//! kept from being taken by a store that fails costs double work, which the commit's ledgers sort out.
//!
//! A segment that can't be read stays where it is. After several passes that found it so, it is marked (`wal`'s `Mark`), and all
//! shifters leave it alone until an operator deletes the mark; it is counted and named, and the others go on. A segment of a later
//! format is left to shifters of that release.

mod aside;
mod config;
mod error;
mod generate;
mod job_state;
mod jobs;
mod lease;
mod metrics;
mod pass;
mod round;
mod select;
mod shifter;
mod trail;

pub use config::ShiftConfig;
pub use error::ShiftError;
pub use job_state::{Codec, CommitState, JobState};
pub use jobs::{Jobs, JobsConfig};
pub use metrics::Metrics;
pub use pass::Pass;
pub use round::{GIVE_BACK, Round, RoundEnd};
pub use shifter::Shifter;
