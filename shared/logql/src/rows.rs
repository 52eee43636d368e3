//! Rows as the language sees them: columns of a batch, and the labels of a row.

mod columns;
mod labels;
mod metadata;
mod names;
mod stream;

pub(crate) use columns::{TextColumn, Times, column, octets};
pub(crate) use labels::{ERROR, ERROR_DETAILS, EXTRACTED, RowLabels, is_error_label};
pub(crate) use metadata::{NameCache, RowReader, columns_of};
pub(crate) use names::Names;
pub(crate) use stream::{StreamCache, parse_stream};
