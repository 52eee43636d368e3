//! Checksums that are compared before bytes are decoded: decoders trust sizes that a flipped bit can raise to gigabytes.

use std::ops::Range;

use bytes::Bytes;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

/// The key of the column chunks' checksums in the Parquet metadata.
pub(crate) const KEY: &str = "icegate.wal.crc32";
/// What comes before the metadata: this, and the CRC-32 of everything behind it, in little-endian order. The same for every format
/// version, so that a later one is recognised.
const SEAL: &[u8; 8] = b"ICEGATE\x01";
const SEAL_BYTES: usize = SEAL.len() + 4;
/// The length of the metadata and Parquet's magic.
const PARQUET_TAIL: usize = 8;
const PARQUET_MAGIC: &[u8; 4] = b"PAR1";
/// Hexadecimal digits of a checksum.
const DIGITS: usize = 8;

/// The CRC-32 of each column chunk of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checksums {
    /// In the order of the file's row groups and their columns.
    chunks: Vec<(Range<u64>, u32)>,
    columns: usize,
}

impl Checksums {
    /// Those that a segment's metadata holds.
    ///
    /// # Errors
    /// What is wrong with the metadata.
    pub fn of(metadata: &ParquetMetaData) -> Result<Self, String> {
        let values = metadata.file_metadata().key_value_metadata();
        let text = values.into_iter().flatten().find(|value| value.key == KEY).and_then(|value| value.value.as_deref());
        let text = text.ok_or_else(|| format!("its Parquet metadata has no key {KEY:?}"))?;
        let ranges = ranges(metadata.row_groups()).ok_or("a column lies outside of the file")?;
        if text.len() != ranges.len() * DIGITS || !text.is_ascii() {
            return Err(format!("it has not one checksum for each of its {} column chunks", ranges.len()));
        }
        let mut chunks = Vec::with_capacity(ranges.len());
        for (range, digits) in ranges.into_iter().zip(text.as_bytes().chunks(DIGITS)) {
            let digits = std::str::from_utf8(digits).map_err(|error| error.to_string())?;
            chunks.push((range, u32::from_str_radix(digits, 16).map_err(|error| error.to_string())?));
        }
        Ok(Self { chunks, columns: metadata.file_metadata().schema_descr().num_columns() })
    }

    /// Compares every column chunk that lies in `range` of the file, of which `bytes` are the bytes.
    ///
    /// # Errors
    /// What differs.
    pub fn check(&self, range: &Range<u64>, bytes: &[u8]) -> Result<(), String> {
        for (chunk, expected) in &self.chunks {
            if range.start > chunk.start || chunk.end > range.end {
                continue;
            }
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
    pub(crate) fn row_group(&self, number: usize) -> impl Iterator<Item = &Range<u64>> {
        self.chunks.iter().skip(number.saturating_mul(self.columns)).take(self.columns).map(|(range, _)| range)
    }

    /// The text under [`KEY`] for a file whose row groups are `written`.
    pub(crate) fn text(row_groups: &[RowGroupMetaData], written: &[u8]) -> Option<String> {
        let mut text = String::new();
        for range in ranges(row_groups)? {
            let chunk = written.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)?;
            text.push_str(&format!("{:08x}", crc32fast::hash(chunk)));
        }
        Some(text)
    }
}

fn ranges(row_groups: &[RowGroupMetaData]) -> Option<Vec<Range<u64>>> {
    let columns = row_groups.iter().flat_map(RowGroupMetaData::columns);
    let range = |column: &parquet::file::metadata::ColumnChunkMetaData| {
        let data = column.data_page_offset();
        let start = u64::try_from(column.dictionary_page_offset().map_or(data, |dictionary| dictionary.min(data))).ok()?;
        Some(start..start.checked_add(u64::try_from(column.compressed_size()).ok()?)?)
    };
    columns.map(range).collect()
}

/// Puts the seal before the metadata of a Parquet file. Everything before it keeps its place.
pub(crate) fn seal(mut file: Vec<u8>) -> Option<Vec<u8>> {
    let length = metadata_length(&file)?;
    let start = file.len().checked_sub(length + PARQUET_TAIL)?;
    let crc = crc32fast::hash(&file[start..]).to_le_bytes();
    file.splice(start..start, SEAL.iter().copied().chain(crc));
    Some(file)
}

/// Seals a file whose metadata was changed.
pub(crate) fn reseal(mut file: Vec<u8>) -> Option<Vec<u8>> {
    let start = file.len().checked_sub(metadata_length(&file)? + PARQUET_TAIL + SEAL_BYTES)?;
    file.drain(start..start + SEAL_BYTES);
    seal(file)
}

/// Whether the end of a file is as its writer sealed it.
pub(crate) enum Seal {
    Whole,
    /// So many bytes of the end are needed.
    TooShort(usize),
}

/// Checks the end of a file before anything in it is believed.
pub(crate) fn check_seal(tail: &Bytes) -> Result<Seal, &'static str> {
    if tail.len() < PARQUET_TAIL {
        return Err("it is too short");
    }
    let length = metadata_length(tail).ok_or("it does not end as Parquet does")?;
    let needed = length.saturating_add(PARQUET_TAIL + SEAL_BYTES);
    let Some(start) = tail.len().checked_sub(needed) else { return Ok(Seal::TooShort(needed)) };
    let (magic, rest) = tail[start..].split_at(SEAL.len());
    let (crc, metadata) = rest.split_at(SEAL_BYTES - SEAL.len());
    if magic != SEAL {
        return Err("its metadata has no seal");
    }
    if crc32fast::hash(metadata).to_le_bytes() != crc { Err("its metadata has not the checksum of its seal") } else { Ok(Seal::Whole) }
}

fn metadata_length(file: &[u8]) -> Option<usize> {
    let (_, tail) = file.split_at_checked(file.len().checked_sub(PARQUET_TAIL)?)?;
    let (length, magic) = tail.split_first_chunk::<4>()?;
    (magic == PARQUET_MAGIC).then(|| usize::try_from(u32::from_le_bytes(*length)).ok())?
}
