//! The tenant's rows of `metrics` as series.
//!
//! ```text
//!  matchers, times ──▶ metrics whose names fit ──▶ rows, by column conditions ──▶ identities ──▶ series, in order of labels
//!                      (a pass over a few columns)                               translated once each
//! ```
//!
//! The rows lie by metric and service and come from many files and segments, so a selection is gathered before it is handed out;
//! what it may hold is bounded.

mod collect;
mod columns;
mod condition;
mod exemplars;
mod gather;
mod histograms;
mod identity;
mod metadata;
mod points;
mod storage;

pub(crate) use condition::MAX_MILLIS;
pub(crate) use exemplars::{Exemplar, Exemplars, exemplars};
pub(crate) use gather::{Asked, labels};
pub(crate) use metadata::metadata;
pub(crate) use storage::Metrics;
