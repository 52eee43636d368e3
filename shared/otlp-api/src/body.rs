use std::io::Read;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;

use crate::content::Compression;
use crate::{Bounds, IngestError};

/// Largest window that a zstd frame may ask for, as a power of two: 8 MiB, which every decoder has to support.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Bytes that a byte of a Snappy block can stand for at most: three bytes copy up to 64.
const MAX_SNAPPY_RATIO: usize = 22;

/// Bytes beyond the bound that are read and thrown away before a body is refused: a client that is still sending when the
/// connection closes sees a broken connection instead of the answer.
const MAX_DRAINED_BYTES: usize = 64 << 20;

/// The body as it is sent. Of one that is too large, by its announced length or as it arrives, nothing is kept.
pub(crate) async fn read(headers: &HeaderMap, mut body: Body, bounds: &Bounds) -> Result<Bytes, IngestError> {
    let limit = bounds.body_bytes;
    let too_large = || IngestError::TooLarge { limit, state: "as sent" };
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        drain(body).await;
        return Err(too_large());
    }
    let (mut first, mut rest) = (None::<Bytes>, BytesMut::new());
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| IngestError::Body { message: error.to_string() })?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > limit {
            drop((first, rest));
            drain(body).await;
            return Err(too_large());
        }
        // A body that comes in one piece is not copied.
        match first.take() {
            None if rest.is_empty() => first = Some(data),
            None => rest.extend_from_slice(&data),
            Some(piece) => {
                rest.reserve(
                    announced.map_or(0, |announced| usize::try_from(announced).unwrap_or(0)).max(piece.len() + data.len()),
                );
                rest.extend_from_slice(&piece);
                rest.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| rest.freeze()))
}

async fn drain(mut body: Body) {
    let mut drained = 0;
    while let Some(Ok(frame)) = body.frame().await {
        drained += frame.data_ref().map_or(0, Bytes::len);
        if drained > MAX_DRAINED_BYTES {
            return;
        }
    }
}

/// The body as it was before compression; stops at the bound whatever the frame promises.
pub(crate) fn decompress(compression: Compression, body: Bytes, limit: usize) -> Result<Bytes, IngestError> {
    match compression {
        Compression::Identity if body.len() > limit => Err(IngestError::TooLarge { limit, state: "decompressed" }),
        Compression::Identity => Ok(body),
        Compression::Gzip => read_bounded("gzip", flate2::read::MultiGzDecoder::new(&body[..]), body.len(), limit),
        Compression::Zstd => {
            let failed = |source| IngestError::Compression { encoding: "zstd", source };
            let mut decoder = zstd::stream::read::Decoder::with_buffer(&body[..]).map_err(failed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(failed)?;
            read_bounded("zstd", decoder, body.len(), limit)
        }
    }
}

/// What a block of Snappy holds. The length that the block promises is looked at before anything is made for it.
pub(crate) fn unsnap(block: &[u8], limit: usize) -> Result<Vec<u8>, IngestError> {
    let failed = |error: snap::Error| IngestError::Snappy { message: error.to_string() };
    let length = snap::raw::decompress_len(block).map_err(failed)?;
    if length > limit {
        return Err(IngestError::TooLarge { limit, state: "decompressed" });
    }
    if length > block.len().saturating_mul(MAX_SNAPPY_RATIO) {
        return Err(IngestError::Snappy { message: format!("{} bytes can't hold the {length} that they promise", block.len()) });
    }
    snap::raw::Decoder::new().decompress_vec(block).map_err(failed)
}

fn read_bounded(encoding: &'static str, decoder: impl Read, compressed: usize, limit: usize) -> Result<Bytes, IngestError> {
    const USUAL_RATIO: usize = 8;
    let mut decoded = Vec::with_capacity(compressed.saturating_mul(USUAL_RATIO).min(limit));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(most).read_to_end(&mut decoded).map_err(|source| IngestError::Compression { encoding, source })?;
    if decoded.len() > limit { Err(IngestError::TooLarge { limit, state: "decompressed" }) } else { Ok(decoded.into()) }
}
