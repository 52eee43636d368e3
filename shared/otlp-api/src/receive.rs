use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use icegate_http::TenantScope;
use icegate_model::{ErrorKind, Signal};
use icegate_otlp::Encoding;

use crate::content::Compression;
use crate::metrics::Transport;
use crate::{Ingest, IngestError, Taken, answer, body, content};

/// Bodies of at least this many bytes are decompressed off the threads that serve connections.
const DECOMPRESS_ASIDE_BYTES: usize = 16 << 10;

/// `POST /v1/{signal}`: an `Export{Signal}ServiceRequest` in, its response out.
pub(crate) async fn receive(State(ingest): State<Arc<Ingest>>, signal: Signal, request: Request) -> Response {
    let began = Instant::now();
    let encoding = content::encoding(request.headers());
    // A client that sends neither encoding gets its error as JSON, which is readable by everything.
    let answered_in = *encoding.as_ref().unwrap_or(&Encoding::Json);
    let result = match encoding {
        Ok(encoding) => take(&ingest, signal, encoding, request).await,
        Err(error) => Err(error),
    };
    let response = match result {
        Ok(taken) => answer::taken(signal, answered_in, &taken),
        Err(error) => {
            if matches!(error.kind(), ErrorKind::Internal | ErrorKind::Corrupt | ErrorKind::Unavailable) {
                tracing::warn!(%signal, %error, "request was not taken");
            }
            answer::failed(answered_in, &error)
        }
    };
    ingest.metrics().answered(signal, Transport::Http, response.status().as_str(), began.elapsed());
    response
}

async fn take(ingest: &Ingest, signal: Signal, encoding: Encoding, request: Request) -> Result<Taken, IngestError> {
    let _admitted = ingest.admit()?;
    let (head, sent) = request.into_parts();
    let scope = TenantScope::of(&head.headers)?;
    let compression = content::compression(&head.headers)?;
    let decoded = body(ingest, &head.headers, compression, sent).await?;
    ingest.take(signal, &scope, encoding, decoded).await
}

/// A body as it was before compression, within the bounds on size and time.
pub(crate) async fn body(
    ingest: &Ingest,
    headers: &HeaderMap,
    compression: Compression,
    sent: Body,
) -> Result<Bytes, IngestError> {
    let limit = ingest.bounds().body_time;
    let arriving = tokio::time::timeout(limit, body::read(headers, sent, ingest.bounds()));
    let sent = arriving.await.map_err(|_| IngestError::TooSlow { limit })??;
    let limit = ingest.bounds().decoded_bytes;
    if compression == Compression::Identity || sent.len() < DECOMPRESS_ASIDE_BYTES {
        return body::decompress(compression, sent, limit);
    }
    tokio::task::spawn_blocking(move || body::decompress(compression, sent, limit)).await?
}
