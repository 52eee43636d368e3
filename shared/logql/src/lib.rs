//! LogQL: text in, tree, checked, planned over DataFusion, answered.
//!
//! Row 3. `loki-api` parses a query with [`parse`], then [`evaluate`]s it with parameters and a way to open rows; it gets lines or
//! numbers back. The rows are those of one tenant already. What columns decide exactly becomes a DataFusion filter, so that files and
//! row groups are skipped; all else runs on decoded rows. Nothing here knows tenants, HTTP, files or the WAL.
//!
//! - **parse(print(tree)) == tree** for every tree that [`parse`] gives.
//! - A filter that is pushed down decides exactly what the language says; where a column can't, the rows are looked at.
//! - Answers don't depend on how rows are split in batches; only which of several lines with equal times still fit below a limit does.
//! - What a line can make a query do is bounded: nesting, output of templates, compiled expressions.
//!
//! ```
//! let query = icegate_logql::parse(r#"sum by (service_name) (rate({service_name=~"api.*"} |= "error" [5m]))"#)?;
//! assert_eq!(query.to_string(), r#"sum by (service_name) (rate({service_name=~"api.*"} |= "error" [5m]))"#);
//! let error = icegate_logql::parse("{a=}").unwrap_err();
//! assert_eq!(error.to_string(), "parse error at line 1, col 4: syntax error: unexpected }, expecting string");
//! # Ok::<(), icegate_logql::LogqlError>(())
//! ```

mod answer;
pub mod ast;
mod check;
mod discover;
mod error;
mod eval;
mod explain;
mod lexer;
mod params;
mod parse;
mod pattern;
mod patterns;
mod plan;
mod pretty;
mod print;
mod rows;
mod source;
mod stage;
mod template;
mod token;

pub use answer::{Answer, Entry, Stream, merge_labels};
pub use discover::{Field, FieldType, StreamVolume, Volume, detected_fields, label_names, label_values, series, volumes};
pub use error::LogqlError;
pub use eval::evaluate;
pub use eval::follow::lines;
pub use explain::{Explained, Scan, explain};
pub use icegate_series::{Labels, LabelsBuilder, Sample, Series};
pub use params::{Direction, Limits, QueryParams};
pub use parse::{parse, parse_selector};
pub use patterns::{Pattern, patterns};
pub use pretty::pretty;
pub use source::{OpenRows, Source};
