use arrow::compute::interleave_record_batch;
use arrow::record_batch::RecordBatch;
use iceberg::spec::Schema;
use icegate_model::Table;
use icegate_schema::{Checksums, WriterOptions, file_schema, sort_order, with_attribute_columns, writer_properties};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, SortingColumn};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::SchemaDescriptor;

use super::FileOptions;
use super::partition::Place;
use crate::error::TablesError;
use crate::field_ids::with_field_ids;

/// Rows that are gathered from the batches at once.
const CHUNK_ROWS: usize = 4_096;

/// A whole Parquet file in memory.
pub(super) struct EncodedFile {
    pub(super) bytes: Vec<u8>,
    pub(super) metadata: ParquetMetaData,
}

/// Encodes sorted rows of one table.
pub(super) struct Encoder {
    table: Table,
    parquet_schema: SchemaDescriptor,
    properties: WriterProperties,
    max_file_bytes: usize,
}

impl Encoder {
    /// # Errors
    /// Where the table's schema lacks or contradicts a column of this release.
    pub(super) fn new(table: Table, schema: &Schema, options: FileOptions) -> Result<Self, TablesError> {
        let parquet = |source| TablesError::Parquet { table, source };
        let parquet_schema = ArrowSchemaConverter::new().convert(&with_field_ids(table, schema)?).map_err(parquet)?;
        let writer_options =
            WriterOptions { compression: options.compression, row_group_rows: options.row_group_rows.max(1), indexed: true };
        let properties = writer_properties(table, writer_options)
            .into_builder()
            .set_sorting_columns(Some(sorting_columns(table, &parquet_schema)))
            .build();
        Ok(Self { table, parquet_schema, properties, max_file_bytes: options.max_file_bytes })
    }

    /// Encodes the first of these rows, in this order, as one file, and says how many they are: all, or as many as fill it.
    pub(super) fn encode(&self, batches: &[RecordBatch], rows: &[Place]) -> Result<(EncodedFile, usize), TablesError> {
        let arrow = |source| TablesError::Arrow { table: self.table, source };
        let parquet = |source| TablesError::Parquet { table: self.table, source };
        let batches: Vec<&RecordBatch> = batches.iter().collect();
        let mut writer = self.writer().map_err(parquet)?;
        let mut encoded = 0;
        for chunk in rows.chunks(CHUNK_ROWS) {
            let rows = interleave_record_batch(&batches, chunk).map_err(arrow)?;
            writer.write(&with_attribute_columns(self.table, &rows).map_err(arrow)?).map_err(parquet)?;
            encoded += chunk.len();
            if writer.bytes_written() + writer.in_progress_size() >= self.max_file_bytes {
                break;
            }
        }
        Ok((finished(writer).map_err(parquet)?, encoded))
    }

    fn writer(&self) -> parquet::errors::Result<ArrowWriter<Vec<u8>>> {
        let options =
            ArrowWriterOptions::new().with_properties(self.properties.clone()).with_parquet_schema(self.parquet_schema.clone());
        ArrowWriter::try_new_with_options(Vec::new(), file_schema(self.table), options)
    }
}

fn finished(mut writer: ArrowWriter<Vec<u8>>) -> parquet::errors::Result<EncodedFile> {
    // Row groups are written out, so that their bytes can be summed.
    writer.flush()?;
    writer.sync()?;
    let sums = Checksums::to_metadata(writer.flushed_row_groups(), writer.inner());
    writer.append_key_value_metadata(sums.ok_or_else(|| ParquetError::General("a column lies outside of the file".to_owned()))?);
    let metadata = writer.finish()?;
    Ok(EncodedFile { bytes: std::mem::take(writer.inner_mut()), metadata })
}

fn sorting_columns(table: Table, schema: &SchemaDescriptor) -> Vec<SortingColumn> {
    let index_of = |column: &str| schema.columns().iter().position(|leaf| leaf.path().parts() == [column]);
    let columns = sort_order(table).iter().filter_map(|sort| {
        let column_idx = i32::try_from(index_of(sort.column)?).ok()?;
        Some(SortingColumn { column_idx, descending: sort.descending, nulls_first: false })
    });
    columns.collect()
}
