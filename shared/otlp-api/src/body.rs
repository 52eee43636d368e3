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

/// The body as it is sent. A length that is announced and too large is refused before a byte is read.
pub(crate) async fn read(headers: &HeaderMap, mut body: Body, bounds: &Bounds) -> Result<Bytes, IngestError> {
    let limit = bounds.body_bytes;
    let too_large = || IngestError::TooLarge { limit, state: "as sent" };
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let (mut first, mut rest) = (None::<Bytes>, BytesMut::new());
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| IngestError::Body { message: error.to_string() })?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > limit {
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

fn read_bounded(encoding: &'static str, decoder: impl Read, compressed: usize, limit: usize) -> Result<Bytes, IngestError> {
    const USUAL_RATIO: usize = 8;
    let mut decoded = Vec::with_capacity(compressed.saturating_mul(USUAL_RATIO).min(limit));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(most).read_to_end(&mut decoded).map_err(|source| IngestError::Compression { encoding, source })?;
    if decoded.len() > limit { Err(IngestError::TooLarge { limit, state: "decompressed" }) } else { Ok(decoded.into()) }
}
