use std::ops::Range;
use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::{FieldRef, Fields, SchemaRef};
use arrow::error::ArrowError;
use bytes::Bytes;
use icegate_model::Table;
use icegate_schema::Checksums;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::ChunkReader;

use crate::error::StoreOperation;
use crate::fetched::Fetched;
use crate::seal::{Seal, check_seal};
use crate::{Footer, Segment, Wal, WalError};

/// Bytes at a file's end that hold the footers of most segments.
const TAIL_BYTES: u64 = 64 << 10;
/// Longest Parquet metadata that is read.
const MAX_METADATA_BYTES: usize = 64 << 20;
/// Largest object that is read as a segment.
const MAX_SEGMENT_BYTES: u64 = 1 << 30;

/// A segment's metadata, and the end of the file that it was read from.
struct Opened {
    metadata: Arc<ParquetMetaData>,
    footer: Footer,
    checksums: Checksums,
    tail: (u64, Bytes),
}

impl Wal {
    /// What a segment says of its rows. One request where the segment has few row groups, else two.
    ///
    /// # Errors
    /// [`WalError::Corrupt`] for anything but a segment; [`WalError::Version`]; [`WalError::Store`] with kind `NotFound` where the
    /// segment was deleted.
    pub async fn footer(&self, segment: &Segment) -> Result<Footer, WalError> {
        Ok(self.open(segment, TAIL_BYTES).await?.footer)
    }

    /// All rows, a batch a row group, in the footer's order, with the columns of `icegate_schema::arrow_schema(table)`. One
    /// request.
    ///
    /// # Errors
    /// As [`Wal::footer`].
    pub async fn read(&self, segment: &Segment) -> Result<Vec<RecordBatch>, WalError> {
        Ok(self.read_whole(segment).await?.1)
    }

    /// The footer and all rows. One request.
    ///
    /// # Errors
    /// As [`Wal::footer`].
    pub async fn read_whole(&self, segment: &Segment) -> Result<(Footer, Vec<RecordBatch>), WalError> {
        let opened = self.open(segment, segment.size).await?;
        let all = (0..opened.footer.row_groups.len()).collect();
        let fetched = Fetched::new(segment.size, vec![opened.tail.clone()]);
        let footer = opened.footer.clone();
        Ok((footer, decode(segment, opened, fetched, all).await?))
    }

    /// The rows of some row groups, numbered as in the footer: a batch each, in the order asked for.
    ///
    /// # Errors
    /// As [`Wal::footer`]; [`WalError::NoSuchRowGroup`].
    pub async fn read_row_groups(&self, segment: &Segment, numbers: &[usize]) -> Result<Vec<RecordBatch>, WalError> {
        let opened = self.open(segment, TAIL_BYTES).await?;
        let count = opened.footer.row_groups.len();
        if let Some(&number) = numbers.iter().find(|&&number| number >= count) {
            return Err(WalError::NoSuchRowGroup { path: segment.path.clone(), number, count });
        }
        let ranges = numbers.iter().map(|&number| bytes_of(segment, &opened.checksums, number));
        let tail_start = opened.tail.0;
        let mut missing: Vec<_> = ranges.collect::<Result<Vec<_>, _>>()?;
        missing.retain(|range| range.start < tail_start);
        let read = self.root().store.get_ranges(&segment.path, &missing).await;
        let read = read.map_err(|error| WalError::store(StoreOperation::Read, &segment.path, error))?;
        let mut parts: Vec<_> = missing.iter().map(|range| range.start).zip(read).collect();
        parts.push(opened.tail.clone());
        decode(segment, opened, Fetched::new(segment.size, parts), numbers.to_vec()).await
    }

    /// Reads the last `tail_bytes` of a segment, or more where its metadata is longer.
    async fn open(&self, segment: &Segment, tail_bytes: u64) -> Result<Opened, WalError> {
        if segment.size > MAX_SEGMENT_BYTES {
            return Err(WalError::corrupt(&segment.path, format!("it has more than {MAX_SEGMENT_BYTES} bytes")));
        }
        let store = self.root().store.as_ref();
        let mut tail = read_tail(store, segment, tail_bytes).await?;
        loop {
            let (path, size, bytes) = (segment.path.clone(), segment.size, tail.1.clone());
            match blocking(&segment.path, move || open_tail(&path, size, &bytes)).await? {
                Tail::Opened(metadata, footer, checksums) => {
                    return Ok(Opened { metadata: Arc::new(*metadata), footer, checksums, tail });
                }
                // Never asked twice: what is needed grows beyond what was read, up to the whole file.
                Tail::TooShort(needed) => tail = read_tail(store, segment, needed).await?,
            }
        }
    }
}

enum Tail {
    Opened(Box<ParquetMetaData>, Footer, Checksums),
    /// So many bytes are needed, more than were given.
    TooShort(u64),
}

/// Reads the metadata once its seal is found whole: its decoder reserves what the metadata claims.
fn open_tail(path: &Path, size: u64, tail: &Bytes) -> Result<Tail, WalError> {
    match check_seal(tail).map_err(|reason| WalError::corrupt(path, reason))? {
        Seal::TooShort(needed) if needed > MAX_METADATA_BYTES || needed as u64 > size => {
            return Err(WalError::corrupt(path, format!("its metadata claims {needed} bytes of {size}")));
        }
        Seal::TooShort(needed) => return Ok(Tail::TooShort(needed as u64)),
        Seal::Whole => {}
    }
    let mut reader = ParquetMetaDataReader::new();
    reader.try_parse_sized(tail, size).map_err(|error| WalError::corrupt(path, error))?;
    let metadata = reader.finish().map_err(|error| WalError::corrupt(path, error))?;
    let footer = Footer::of(path, &metadata)?;
    let checksums = Checksums::of(&metadata).map_err(|reason| WalError::corrupt(path, reason))?;
    let checksums = checksums.ok_or_else(|| WalError::corrupt(path, "it has no checksums"))?;
    Ok(Tail::Opened(Box::new(metadata), footer, checksums))
}

/// The last `wanted` bytes with the offset of the first one.
async fn read_tail(store: &dyn ObjectStore, segment: &Segment, wanted: u64) -> Result<(u64, Bytes), WalError> {
    let start = segment.size.saturating_sub(wanted);
    if segment.size == 0 {
        return Err(WalError::corrupt(&segment.path, "it is empty"));
    }
    let read = store.get_range(&segment.path, start..segment.size).await;
    let bytes = read.map_err(|error| WalError::store(StoreOperation::Read, &segment.path, error))?;
    if bytes.len() as u64 != segment.size - start {
        return Err(WalError::corrupt(&segment.path, format!("it has not the {} bytes of its listing", segment.size)));
    }
    Ok((start, bytes))
}

/// Where a row group lies in the file.
fn bytes_of(segment: &Segment, checksums: &Checksums, number: usize) -> Result<Range<u64>, WalError> {
    let all = checksums.row_group(number).cloned().reduce(|all, range| all.start.min(range.start)..all.end.max(range.end));
    let inside = all.filter(|range| !range.is_empty() && range.end <= segment.size);
    inside.ok_or_else(|| WalError::corrupt(&segment.path, "a row group lies outside of the file"))
}

async fn decode(segment: &Segment, opened: Opened, fetched: Fetched, numbers: Vec<usize>) -> Result<Vec<RecordBatch>, WalError> {
    let (path, table) = (segment.path.clone(), segment.table);
    blocking(&segment.path, move || {
        check_bytes(&opened.checksums, &fetched, &numbers)
            .and_then(|()| decode_row_groups(table, opened.metadata, &fetched, &numbers))
            .map_err(|reason| WalError::corrupt(&path, reason))
    })
    .await
}

fn check_bytes(checksums: &Checksums, fetched: &Fetched, numbers: &[usize]) -> Result<(), String> {
    for range in numbers.iter().flat_map(|&number| checksums.row_group(number)) {
        let length = usize::try_from(range.end - range.start).map_err(|error| error.to_string())?;
        let bytes = fetched.get_bytes(range.start, length).map_err(|error| error.to_string())?;
        checksums.check(range, &bytes)?;
    }
    Ok(())
}

fn decode_row_groups(
    table: Table,
    metadata: Arc<ParquetMetaData>,
    fetched: &Fetched,
    numbers: &[usize],
) -> Result<Vec<RecordBatch>, String> {
    let schema = icegate_schema::arrow_schema(table);
    let metadata = ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new()).map_err(|error| error.to_string())?;
    let from = sources(metadata.schema().fields(), schema.fields())
        .ok_or_else(|| format!("its columns are not those of table {table}"))?;
    let decode_one = |&number: &usize| {
        let rows = usize::try_from(metadata.metadata().row_group(number).num_rows()).map_err(|error| error.to_string())?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(fetched.clone(), metadata.clone());
        let reader = builder.with_row_groups(vec![number]).with_batch_size(rows).build().map_err(|error| error.to_string())?;
        let batches = reader.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        match batches.as_slice() {
            // The file's own schema also carries the footer; rows have the table's.
            [batch] if batch.num_rows() == rows => widened(&schema, &from, batch).map_err(|error| error.to_string()),
            _ => Err(format!("row group {number} has not the {rows} rows of the footer")),
        }
    };
    numbers.iter().map(decode_one).collect()
}

/// For each of the table's columns where it is in the file. A segment of an earlier release may lack nullable ones; any other
/// difference is no segment of the table.
fn sources(file: &Fields, table: &Fields) -> Option<Vec<Option<usize>>> {
    let found: Vec<_> = table.iter().map(|field| file.iter().position(|own| own == field)).collect();
    let is_known = found.iter().flatten().count() == file.len();
    let is_whole = found.iter().zip(table).all(|(source, field)| source.is_some() || field.is_nullable());
    (is_known && is_whole).then_some(found)
}

/// The rows with all of the table's columns; those that the file lacks are NULL.
fn widened(schema: &SchemaRef, from: &[Option<usize>], batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let column = |(field, source): (&FieldRef, &Option<usize>)| match source {
        Some(source) => Arc::clone(batch.column(*source)),
        None => new_null_array(field.data_type(), batch.num_rows()),
    };
    RecordBatch::try_new(Arc::clone(schema), schema.fields().iter().zip(from).map(column).collect())
}

/// Runs a decoder where it may take its time. One that panics has met bytes that no writer wrote.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, WalError> + Send + 'static,
) -> Result<T, WalError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(WalError::corrupt(path, format!("it can't be decoded: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, ArrayRef, Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};

    #[test]
    fn a_segment_of_an_earlier_release_has_nulls_where_it_lacks_a_column() {
        let fields = [
            Field::new("a", DataType::Utf8, false),
            Field::new("b", DataType::Int64, true),
            Field::new("c", DataType::Utf8, true),
        ];
        let table = Arc::new(Schema::new(fields.to_vec()));
        let earlier = Arc::new(Schema::new(vec![fields[0].clone(), fields[2].clone()]));
        let columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(vec!["x"])), Arc::new(StringArray::from(vec!["y"]))];
        let batch = RecordBatch::try_new(Arc::clone(&earlier), columns).unwrap();
        let rows = widened(&table, &sources(earlier.fields(), table.fields()).unwrap(), &batch).unwrap();
        assert_eq!(rows.schema(), table);
        assert_eq!(rows.column(1).as_ref(), &Int64Array::from(vec![None]) as &dyn Array);
        assert_eq!(rows.column(2).as_ref(), &StringArray::from(vec!["y"]) as &dyn Array);
        // What a table needs must be there, and what it doesn't know must not.
        let without = Fields::from(fields[1..].to_vec());
        assert_eq!(sources(&without, table.fields()), None);
        let more = Fields::from(vec![fields[0].clone(), Field::new("d", DataType::Utf8, true)]);
        assert_eq!(sources(&more, table.fields()), None);
    }
}
