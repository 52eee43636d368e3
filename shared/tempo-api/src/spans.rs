//! The spans of one tenant: from the engine's rows to what TraceQL looks at.
//!
//! ```text
//! rows ─▶ filters on columns ─▶ decoded in the columns that are read ─▶ what no column decides ─▶ spans
//!           pushdown               decode                                 sieve
//!
//! spans that fit ─▶ ids of their traces, newest first ─▶ all rows of these ids ─▶ traces
//!                     candidates                           traces
//! ```
//!
//! What is held at once is taken from the memory that all queries share, so that a query that would hold more ends with an error that
//! names the bound (BOUND-1).

mod candidates;
mod columns;
mod decode;
mod drive;
mod maps;
mod pushdown;
mod sieve;
mod source;
mod stream;
mod traces;
mod value;
mod window;

pub(crate) use candidates::{candidates, leading, those_with};
pub(crate) use columns::Columns;
pub(crate) use pushdown::{ends_from, starts_until};
pub(crate) use source::{Figures, Scan, TenantSpans};
pub(crate) use stream::{Visit, visit};
pub(crate) use traces::{MAX_IDS, each_trace};
pub(crate) use window::{Place, Window};
