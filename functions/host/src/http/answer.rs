//! A router's response, whole, in the form that Lambda passes on.

use std::error::Error;

use axum::body::{Body, BodyDataStream, to_bytes};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http_body::Body as _;
use http_body_util::LengthLimitError;
use lambda_runtime::{FunctionResponse, StreamResponse};

use super::compress::compress;
use super::event::Payload;
use super::reply::{MAX_BODY_BYTES, Reply, stream};

/// Bytes that Lambda passes on of a stream.
const MAX_STREAMED_BYTES: u64 = 200 << 20;

/// Why an answer can't be sent: a part of it never is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TooLarge {
    /// Lambda would not pass it on.
    #[error(
        "the answer is larger than the 6 MB that Lambda passes on: narrow the time range or lower the limit, accept gzip, or ask the function URL that \
         streams answers"
    )]
    ForLambda,
    /// Lambda would cut the stream.
    #[error("the answer is larger than the 200 MB that Lambda streams: narrow the time range or lower the limit")]
    ForStream,
    /// The function can't hold it.
    #[error(
        "the answer is larger than {bytes} bytes, the part of the function's memory that is for it: narrow the time range or give it more memory"
    )]
    ForMemory {
        /// How many it can hold.
        bytes: usize,
    },
    /// It ended before its end.
    #[error("the answer ended early: {message}")]
    Broken {
        /// Why.
        message: String,
    },
}

impl TooLarge {
    /// As a bound that the query goes over, but where the API itself has failed.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Broken { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// The answer as one event. Of one that has no place for it, nothing is sent.
pub(crate) async fn buffered(payload: Payload, response: Response, gzip: bool, most: usize) -> Result<Reply, TooLarge> {
    let (mut head, body) = response.into_parts();
    let bound = if gzip { most.max(MAX_BODY_BYTES) } else { MAX_BODY_BYTES };
    let body = read(body, bound).await.map_err(|error| match error {
        TooLarge::ForMemory { .. } if !gzip => TooLarge::ForLambda,
        error => error,
    })?;
    let body = compress(&mut head.headers, body, gzip).await;
    Reply::of(payload, head, &body).ok_or(TooLarge::ForLambda)
}

/// The answer as a stream, compressed where it is in memory already.
pub(crate) async fn streamed(response: Response, gzip: bool, most: usize) -> Result<StreamResponse<BodyDataStream>, TooLarge> {
    let (mut head, body) = response.into_parts();
    let known = body.size_hint().exact();
    let body = match known.and_then(|bytes| usize::try_from(bytes).ok()) {
        Some(bytes) if bytes <= most => {
            let body = compress(&mut head.headers, read(body, most).await?, gzip).await;
            if body.len() as u64 > MAX_STREAMED_BYTES {
                return Err(TooLarge::ForStream);
            }
            Body::from(body)
        }
        _ if known.is_some_and(|bytes| bytes > MAX_STREAMED_BYTES) => return Err(TooLarge::ForStream),
        _ => body,
    };
    Ok(stream(head, body))
}

/// An error, which fits always.
pub(crate) async fn small(payload: Payload, response: Response, streaming: bool) -> FunctionResponse<Reply, BodyDataStream> {
    let (head, body) = response.into_parts();
    if streaming {
        return FunctionResponse::StreamingResponse(stream(head, body));
    }
    let body = read(body, MAX_BODY_BYTES).await.unwrap_or_default();
    FunctionResponse::BufferedResponse(Reply::of(payload, head, &body).unwrap_or_else(Reply::failed))
}

async fn read(body: Body, most: usize) -> Result<Bytes, TooLarge> {
    to_bytes(body, most).await.map_err(|error| match error.source() {
        Some(cause) if cause.is::<LengthLimitError>() => TooLarge::ForMemory { bytes: most },
        _ => TooLarge::Broken { message: error.to_string() },
    })
}
