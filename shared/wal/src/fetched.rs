use std::sync::Arc;

use bytes::{Buf, Bytes};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// The parts of an object that were read, for a decoder that addresses the whole object.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    size: u64,
    parts: Arc<Vec<(u64, Bytes)>>,
}

impl Fetched {
    /// Parts of an object of `size` bytes, each with the offset of its first byte.
    pub(crate) fn new(size: u64, parts: Vec<(u64, Bytes)>) -> Self {
        Self { size, parts: Arc::new(parts) }
    }

    fn from(&self, start: u64) -> Result<Bytes> {
        let part = self.parts.iter().find_map(|(offset, bytes)| {
            let skip = usize::try_from(start.checked_sub(*offset)?).ok()?;
            (skip < bytes.len()).then(|| bytes.slice(skip..))
        });
        part.ok_or_else(|| ParquetError::EOF(format!("byte {start} lies outside of what the metadata says of the row groups")))
    }
}

impl Length for Fetched {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Fetched {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let bytes = self.from(start)?;
        if length > bytes.len() {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} lie outside of what the metadata says")));
        }
        Ok(bytes.slice(..length))
    }
}
