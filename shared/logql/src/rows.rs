//! Rows as the language sees them: columns of a batch, and the labels of a row.

mod columns;
mod labels;
mod metadata;

pub(crate) use columns::{TextColumn, Times, octets};
pub(crate) use labels::{ERROR, ERROR_DETAILS, RowLabels, StreamCache, parse_stream};
pub(crate) use metadata::{LABEL_COLUMNS, NameCache, RowReader};
