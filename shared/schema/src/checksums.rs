//! Checksums of the columns of a Parquet file, which are compared before the bytes are decoded.

use std::ops::Range;

use parquet::file::metadata::{ColumnChunkMetaData, KeyValue, ParquetMetaData, RowGroupMetaData};

/// The key of the column chunks' checksums in the Parquet metadata.
const KEY: &str = "icegate.crc32";
/// Hexadecimal digits of a checksum.
const DIGITS: usize = 8;

/// The CRC-32 of each column chunk of a segment or data file, as the writer put it into the metadata: eight hexadecimal digits a
/// chunk, in the order of the row groups and their columns. Other readers of Parquet don't notice it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checksums {
    /// In the order of the file.
    chunks: Vec<(Range<u64>, u32)>,
    columns: usize,
}

impl Checksums {
    /// Those that a file's metadata holds; none in a file of another writer.
    ///
    /// # Errors
    /// What is wrong with the metadata.
    pub fn of(metadata: &ParquetMetaData) -> Result<Option<Self>, String> {
        let values = metadata.file_metadata().key_value_metadata();
        let text = values.into_iter().flatten().find(|value| value.key == KEY).and_then(|value| value.value.as_deref());
        let Some(text) = text else { return Ok(None) };
        let ranges = ranges(metadata.row_groups()).ok_or("its columns don't lie one after the other")?;
        if text.len() != ranges.len() * DIGITS || !text.is_ascii() {
            return Err(format!("it has not one checksum for each of its {} column chunks", ranges.len()));
        }
        let mut chunks = Vec::with_capacity(ranges.len());
        for (range, digits) in ranges.into_iter().zip(text.as_bytes().chunks(DIGITS)) {
            let digits = std::str::from_utf8(digits).map_err(|error| error.to_string())?;
            chunks.push((range, u32::from_str_radix(digits, 16).map_err(|error| error.to_string())?));
        }
        Ok(Some(Self { chunks, columns: metadata.file_metadata().schema_descr().num_columns() }))
    }

    /// Compares every column chunk that lies in `range` of the file, of which `bytes` are the bytes.
    ///
    /// # Errors
    /// What differs.
    pub fn check(&self, range: &Range<u64>, bytes: &[u8]) -> Result<(), String> {
        let first = self.chunks.partition_point(|(chunk, _)| chunk.start < range.start);
        for (chunk, expected) in self.chunks.iter().skip(first).take_while(|(chunk, _)| chunk.end <= range.end) {
            let start = usize::try_from(chunk.start - range.start).unwrap_or(usize::MAX);
            let length = usize::try_from(chunk.end - chunk.start).unwrap_or(usize::MAX);
            let found = bytes.get(start..start.saturating_add(length)).map(crc32fast::hash);
            if found != Some(*expected) {
                return Err(format!("bytes {} to {} have not the checksum that the metadata says", chunk.start, chunk.end));
            }
        }
        Ok(())
    }

    /// Where the columns of a row group lie.
    pub fn row_group(&self, number: usize) -> impl Iterator<Item = &Range<u64>> {
        self.chunks.iter().skip(number.saturating_mul(self.columns)).take(self.columns).map(|(range, _)| range)
    }

    /// What to put into the metadata of a file whose row groups are `written`; `None` where they don't lie there.
    #[must_use]
    pub fn to_metadata(row_groups: &[RowGroupMetaData], written: &[u8]) -> Option<KeyValue> {
        let mut text = String::new();
        for range in ranges(row_groups)? {
            let chunk = written.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)?;
            text.push_str(&format!("{:08x}", crc32fast::hash(chunk)));
        }
        Some(KeyValue::new(KEY.to_owned(), text))
    }
}

/// Where the column chunks lie, each behind the one before.
fn ranges(row_groups: &[RowGroupMetaData]) -> Option<Vec<Range<u64>>> {
    let mut behind = 0;
    let mut range = |column: &ColumnChunkMetaData| {
        let data = column.data_page_offset();
        let start = u64::try_from(column.dictionary_page_offset().map_or(data, |dictionary| dictionary.min(data))).ok()?;
        let end = start.checked_add(u64::try_from(column.compressed_size()).ok()?)?;
        (start >= behind).then(|| behind = end)?;
        Some(start..end)
    };
    row_groups.iter().flat_map(RowGroupMetaData::columns).map(&mut range).collect()
}
