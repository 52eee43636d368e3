//! Queries over traces in memory.

mod aggregate;
mod expr;
mod pipeline;
mod shown;
mod spanset;
mod structural;
mod subject;

pub(crate) use expr::{Expr, normalised};
pub(crate) use pipeline::Pipeline;
pub(crate) use shown::Shown;
pub(crate) use subject::Subject;

use crate::Value;

/// Spans of one trace that belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Spanset {
    /// Their indexes, rising.
    pub(crate) spans: Vec<usize>,
    /// What `by()` and aggregates found of them.
    pub(crate) attributes: Vec<(String, Value)>,
}
