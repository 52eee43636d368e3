//! Moves WAL segments into the Iceberg tables, exactly once.
//!
//! Row 4, between `wal` and `tables`. The WAL's listing minus the tables' ledgers is the truth: nothing else says what has to be
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
//! A segment that can't be read is left where it is, counted and named in the log; the others go on.

mod config;
mod error;
mod metrics;
mod pass;
mod select;
mod shifter;

pub use config::ShiftConfig;
pub use error::ShiftError;
pub use metrics::Metrics;
pub use pass::Pass;
pub use shifter::Shifter;
