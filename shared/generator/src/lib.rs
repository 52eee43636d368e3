//! Metrics that are made of spans: calls, durations and sizes by operation, and the graph of who calls whom.
//!
//! Row 3, between `otlp` and `shift`. [`generate`] takes rows of `spans` and what earlier passes left over ([`State`]), and gives rows of
//! `metrics` and what is left over now. Pure: no I/O and no clock. Who lists segments, commits the rows and keeps the state exactly
//! once is `shift`; here nothing of that is known.
//!
//! ```text
//!  spans of a pass ─▶ by tenant and account ─┬▶ span metrics ──────────────────────────────┐
//!                                            └▶ halves ─▶ pair ─▶ edges ─▶ service graph ──┴▶ delta points ─▶ rows of `metrics`
//!                      halves that wait ───────────────┘ └▶ halves that wait
//! ```
//!
//! Names, labels, buckets and options are those of Tempo's metrics generator, as far as [`SpanMetrics`] and [`ServiceGraphs`] list them.
//!
//! - **DELTA-1** a point counts what one pass added, from where the pass before it ended: the sum of a series' points is the count
//!   of all spans, in whatever passes they came.
//! - **ONE-TIME** no two passes of a state have the same time, so that no two points of a series do.
//! - **TENANT-1** spans of different tenants, or of different accounts of one, never meet in an edge or a point.
//! - **BOUND-1** a tenant's account leaves at most [`ServiceGraphs::max_items`] halves waiting; those beyond are counted and given up.
//!
//! A request seen from both sides is one edge: the client's span and the server's, whose parent it is. The half that comes first waits
//! for the other. What is known to have no other half is an edge at once: a call of a database, and a server's span without a
//! parent, whose client nobody traces. A client's half that waited in vain is an edge to whom its peer attributes name.
//!
//! ```
//! use icegate_generator::{Options, State, generate};
//! use icegate_model::Timestamp;
//!
//! let generated = generate(&[], &State::default(), &Options::default(), Timestamp::from_secs(60), true)?;
//! assert!(generated.batches.is_empty() && generated.state.halves().is_empty());
//! # Ok::<(), icegate_generator::GeneratorError>(())
//! ```

mod attributes;
mod edge;
mod error;
mod generate;
mod half;
mod options;
mod pairing;
mod points;
mod service_graphs;
mod span_metrics;
mod state;

pub use error::GeneratorError;
pub use generate::{Counts, Generated, Part, generate};
pub use half::{Half, Side};
pub use options::{DimensionMapping, IntrinsicDimensions, Options, Processors, ServiceGraphs, SpanMetrics};
pub use state::{Owner, State};
