//! Time series as the query languages share them: label sets, step grids, windows, aggregation and vector matching.
//!
//! Row 2. LogQL, and later PromQL and TraceQL metrics, turn rows into a [`Block`] with [`Windows`] and compute on blocks. It knows
//! no language, no Arrow and no I/O.
//!
//! - A step's window is `(t - range, t]`.
//! - Memory is bounded by what comes out: one summary for each series and piece of time between edges of windows, however many
//!   rows there are; only quantiles and rates of counters hold each event, and [`Windows::held`] counts them.
//! - Overlapping windows share their summaries.
//! - A cell is `None` where a series has no value at a step; `NaN` is a value.
//!
//! ```
//! use icegate_series::{Grid, Labels, Measure, Windows};
//!
//! let grid = Grid::new(60, 120, 60).unwrap();
//! let mut windows = Windows::new(grid, 60, 0, Measure::Sum);
//! let api = windows.series(Labels::from_pairs([("app", "api")]));
//! windows.add(api, 30, 1.5);
//! windows.add(api, 60, 1.0);
//! let block = windows.finish(|sum| sum * 2.0);
//! assert_eq!(block.series[0].values, [Some(5.0), None]);
//! ```

mod aggregate;
mod binary;
mod block;
mod events;
mod grid;
mod labels;
mod many;
mod pane;
mod relabel;
mod select;
mod slide;
mod window;

pub use aggregate::{Grouping, Reducer, aggregate};
pub use binary::{ManyMatches, Matching, SetOp, combine, combine_scalar, combine_sets};
pub use block::{Block, Row, Sample, Series};
pub use grid::{Grid, InvalidGrid};
pub use labels::{Label, Labels, LabelsBuilder};
pub use many::combine_many;
pub use pane::Measure;
pub use relabel::relabel;
pub use select::{Extreme, select, sort};
pub use window::Windows;
