//! A checksum of the metadata, which is compared before it is decoded: decoders reserve what a changed byte claims.

use bytes::Bytes;

/// What comes before the metadata: this, and the CRC-32 of everything behind it, in little-endian order. The same for every format
/// version, so that a later one is recognised.
const SEAL: &[u8; 8] = b"ICEGATE\x01";
const SEAL_BYTES: usize = SEAL.len() + 4;
/// The length of the metadata and Parquet's magic.
const PARQUET_TAIL: usize = 8;
const PARQUET_MAGIC: &[u8; 4] = b"PAR1";

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
    if crc32fast::hash(metadata).to_le_bytes() != crc {
        Err("its metadata has not the checksum of its seal")
    } else {
        Ok(Seal::Whole)
    }
}

fn metadata_length(file: &[u8]) -> Option<usize> {
    let (_, tail) = file.split_at_checked(file.len().checked_sub(PARQUET_TAIL)?)?;
    let (length, magic) = tail.split_first_chunk::<4>()?;
    (magic == PARQUET_MAGIC).then(|| usize::try_from(u32::from_le_bytes(*length)).ok())?
}
