//! The columns of the four tables: the only place where a column is named.
//!
//! Row 1, above `model`. The write path builds batches of [`arrow_schema`], WAL segments carry exactly these columns, data files those of
//! [`file_schema`], which adds what can be told from them; the read path finds them by the constants in [`columns`]. Nothing here knows Iceberg, object storage or HTTP.
//!
//! **LOSSLESS-1** what OTLP says of a record can be rebuilt from its row. How values are kept:
//!
//! - A time is its microseconds plus a `*_nanos` column with the remainder, 0 to 999.
//! - `attributes` is the merged view for people: resource, scope and record attributes as text (on a clash the record wins,
//!   then the scope, then the resource). `resource_attributes`, `scope_attributes` and `record_attributes` are the parts.
//! - Each part has a map `*_attribute_types` that names the type of every value that is not a string ([`value_type`]).
//! - Unsigned 64-bit counts and 32-bit flags keep their bits in the signed column of the same width.
//! - A protobuf default that means "not given" (empty text, empty id, 0) is NULL in a nullable column.
//!
//! ```
//! use icegate_model::Table;
//!
//! let logs = icegate_schema::arrow_schema(Table::Logs);
//! assert!(logs.field_with_name(icegate_schema::columns::BODY).is_ok());
//! ```

mod attribute_columns;
mod checksums;
pub mod columns;
mod labels;
mod layout;
mod tables;
pub mod value_type;

pub use attribute_columns::{
    AttributeColumn, AttributeKind, AttributeOwner, attribute_columns, file_schema, with_attribute_columns,
};
pub use checksums::Checksums;
pub use labels::{LEVEL_LABELS, SERVICE_LABELS, STREAM_RESOURCE_ATTRIBUTES, UNKNOWN_SERVICE, label_name};
pub use layout::{SortColumn, WriterOptions, indexed_id, sort_order, writer_properties};
pub use tables::{arrow_schema, attribute_map_fields, attribute_map_type, event_type, exemplar_type, link_type, quantile_type};
