use icegate_model::Table;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

use crate::columns::*;

/// Rows of a data page: small enough that the page index skips most of a row group.
const ROWS_PER_PAGE: usize = 2_000;
/// Longer minima and maxima of text are cut, and then bound nothing.
const STATISTICS_BYTES: usize = 64;
/// False positives of a bloom filter.
const BLOOM_FALSE_POSITIVES: f64 = 0.01;

/// One column of a sort order; NULLs come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortColumn {
    /// The column's name.
    pub column: &'static str,
    /// Greatest first.
    pub descending: bool,
}

/// How a table's data files are sorted.
#[must_use]
pub const fn sort_order(table: Table) -> &'static [SortColumn] {
    const fn ascending(column: &'static str) -> SortColumn {
        SortColumn { column, descending: false }
    }
    const NEWEST_FIRST: SortColumn = SortColumn { column: TIMESTAMP, descending: true };
    match table {
        Table::Logs | Table::Events => const { &[ascending(SERVICE_NAME), NEWEST_FIRST] },
        Table::Spans => const { &[ascending(TRACE_ID), ascending(TIMESTAMP)] },
        Table::Metrics => const { &[ascending(METRIC_NAME), ascending(SERVICE_NAME), NEWEST_FIRST] },
    }
}

/// What differs between WAL segments and data files.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// Codec of every column.
    pub compression: Compression,
    /// Most rows of a row group.
    pub row_group_rows: usize,
    /// Whether the file gets bloom filters for ids and the page index; a WAL segment is too small for them to pay.
    pub indexed: bool,
}

/// How a table's Parquet files are written: encodings that were measured best for the kind of column.
#[must_use]
pub fn writer_properties(table: Table, options: WriterOptions) -> WriterProperties {
    let statistics = if options.indexed { EnabledStatistics::Page } else { EnabledStatistics::Chunk };
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(options.compression)
        .set_max_row_group_row_count(Some(options.row_group_rows))
        .set_data_page_row_count_limit(ROWS_PER_PAGE)
        .set_statistics_truncate_length(Some(STATISTICS_BYTES))
        .set_statistics_enabled(statistics);
    for (column, encoding) in plain_columns(table) {
        let path = ColumnPath::from(*column);
        builder = builder.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, *encoding);
    }
    if options.indexed {
        for column in bloom_columns(table) {
            let path = ColumnPath::from(*column);
            builder = builder
                .set_column_bloom_filter_enabled(path.clone(), true)
                .set_column_bloom_filter_fpp(path.clone(), BLOOM_FALSE_POSITIVES)
                .set_column_bloom_filter_ndv(path, options.row_group_rows as u64);
        }
    }
    builder.build()
}

/// Columns whose values hardly repeat: a dictionary only costs.
const fn plain_columns(table: Table) -> &'static [(&'static str, Encoding)] {
    match table {
        Table::Logs => &[
            (TIMESTAMP, Encoding::DELTA_BINARY_PACKED),
            (TIMESTAMP_NANOS, Encoding::DELTA_BINARY_PACKED),
            (OBSERVED_TIMESTAMP, Encoding::DELTA_BINARY_PACKED),
            (OBSERVED_TIMESTAMP_NANOS, Encoding::DELTA_BINARY_PACKED),
            (BODY, Encoding::PLAIN),
        ],
        Table::Events => &[
            (TIMESTAMP, Encoding::DELTA_BINARY_PACKED),
            (TIMESTAMP_NANOS, Encoding::DELTA_BINARY_PACKED),
            (OBSERVED_TIMESTAMP, Encoding::DELTA_BINARY_PACKED),
            (OBSERVED_TIMESTAMP_NANOS, Encoding::DELTA_BINARY_PACKED),
        ],
        Table::Spans => &[
            (TIMESTAMP, Encoding::DELTA_BINARY_PACKED),
            (TIMESTAMP_NANOS, Encoding::DELTA_BINARY_PACKED),
            (END_TIMESTAMP, Encoding::DELTA_BINARY_PACKED),
            (END_TIMESTAMP_NANOS, Encoding::DELTA_BINARY_PACKED),
            (DURATION_MICROS, Encoding::DELTA_BINARY_PACKED),
            (DURATION_NANOS, Encoding::DELTA_BINARY_PACKED),
            (SPAN_ID, Encoding::PLAIN),
        ],
        Table::Metrics => &[
            (TIMESTAMP, Encoding::DELTA_BINARY_PACKED),
            (VALUE_DOUBLE, Encoding::BYTE_STREAM_SPLIT),
            (SUM, Encoding::BYTE_STREAM_SPLIT),
            (COUNT, Encoding::DELTA_BINARY_PACKED),
        ],
    }
}

/// Columns that are searched for one value which min and max can't exclude.
const fn bloom_columns(table: Table) -> &'static [&'static str] {
    match table {
        Table::Logs => &[TRACE_ID],
        Table::Spans => &[SPAN_ID],
        Table::Metrics | Table::Events => &[],
    }
}

/// The id that an index beside the data files is kept of: whoever looks for one knows it and hardly ever its time.
#[must_use]
pub const fn indexed_id(table: Table) -> Option<&'static str> {
    match table {
        Table::Logs | Table::Spans | Table::Events => Some(TRACE_ID),
        Table::Metrics => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrow_schema;

    #[test]
    fn every_column_that_a_layout_names_is_in_its_table() {
        for table in Table::ALL {
            let sorted = sort_order(table).iter().map(|sort| sort.column);
            let named =
                sorted.chain(plain_columns(table).iter().map(|(column, _)| *column)).chain(bloom_columns(table).iter().copied());
            for column in named.chain(indexed_id(table)) {
                assert!(arrow_schema(table).field_with_name(column).is_ok(), "{table} {column}");
            }
        }
    }
}
