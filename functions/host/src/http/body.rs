use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::event::Event;
use crate::HostError;

/// Bytes of a body as it stands in an event: Lambda takes events of 6 MB, and the rest of one is a gateway's 10 KB of headers, twice.
pub(crate) const MAX_ENCODED_BYTES: usize = 6_291_556 - (32 << 10);

/// A body that is too large for a function.
#[derive(Debug, thiserror::Error)]
#[error(
    "a body of {bytes} bytes is too large: a function takes events of 6 MB, in which a binary body of 4.5 MB fits. Send smaller requests: in the \
     Collector's otlphttp exporter `compression: zstd` and `sending_queue: {{ batch: {{ sizer: bytes, max_size: 4000000 }} }}`"
)]
pub(crate) struct TooLarge {
    bytes: usize,
}

/// The bytes that the client has sent.
pub(crate) fn decode(event: Event) -> Result<Result<Bytes, TooLarge>, HostError> {
    let (body, is_base64) = (event.body.unwrap_or_default(), event.is_base64_encoded == Some(true));
    if body.len() > MAX_ENCODED_BYTES {
        let bytes = if is_base64 { body.len() / 4 * 3 } else { body.len() };
        return Ok(Err(TooLarge { bytes }));
    }
    if !is_base64 {
        return Ok(Ok(body.into()));
    }
    Ok(Ok(STANDARD.decode(body).map_err(|source| HostError::Body { source })?.into()))
}
