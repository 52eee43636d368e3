use std::sync::Arc;

use bytes::Bytes;
use icegate_http::TenantScope;
use icegate_model::{AccountId, Clock, RequestId, Signal};
use icegate_otlp::{Encoding, LogStream, Origin, Rejected, Rows, WriteVersion, Written};
use icegate_wal::{Request, Writer};
use tokio::sync::{Semaphore, SemaphorePermit};
use twox_hash::XxHash3_128;

use crate::{Bounds, IngestError, Metrics, body};

/// Bodies of at least this many bytes are decoded off the threads that serve connections.
const DECODE_ASIDE_BYTES: usize = 64 << 10;

/// What a push is called where requests of OTLP have their signal.
const PUSH: &str = "loki_push";

/// Takes requests in: decodes them and waits until their rows are durable.
#[derive(Debug)]
pub struct Ingest {
    writer: Writer,
    clock: Arc<dyn Clock>,
    bounds: Bounds,
    metrics: Metrics,
    running: Semaphore,
}

/// A request whose rows are durable.
#[derive(Debug)]
pub struct Taken {
    /// Records that were refused for their content.
    pub rejected: Rejected,
}

impl Ingest {
    /// Over a WAL's writer.
    #[must_use]
    pub fn new(writer: Writer, clock: Arc<dyn Clock>, bounds: Bounds, metrics: Metrics) -> Self {
        Self { writer, clock, bounds, metrics, running: Semaphore::new(bounds.concurrent_requests) }
    }

    /// The bounds of requests.
    #[must_use]
    pub const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// What is counted.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// A place among the requests that are served at once, held until it is dropped.
    ///
    /// # Errors
    /// [`IngestError::TooManyRequests`].
    pub fn admit(&self) -> Result<SemaphorePermit<'_>, IngestError> {
        self.running.try_acquire().map_err(|_| IngestError::TooManyRequests { limit: self.bounds.concurrent_requests })
    }

    /// Decodes a body that is no longer compressed and returns when its rows are durable (WAL-1). A body of which every record is
    /// refused is taken too: its sender must not send it again.
    ///
    /// # Errors
    /// [`IngestError`]; nothing may be acknowledged.
    #[tracing::instrument(name = "ingest", skip_all, fields(%signal, tenant = %scope.tenant, bytes = body.len()))]
    pub async fn take(&self, signal: Signal, scope: &TenantScope, encoding: Encoding, body: Bytes) -> Result<Taken, IngestError> {
        let (id, length) = (request_id(signal.name(), scope, &body), body.len());
        let (origin, limits) = (self.origin(scope), self.bounds.content);
        let rows = aside(body, move |body| Ok(icegate_otlp::decode(signal, encoding, body, &origin, &limits)?)).await?;
        self.store(signal, scope, id, length, rows).await
    }

    /// The same for a push of streams, which `read` finds in the body.
    ///
    /// # Errors
    /// [`IngestError`], also that of `read`; nothing may be acknowledged.
    #[tracing::instrument(name = "push", skip_all, fields(tenant = %scope.tenant, bytes = body.len()))]
    pub(crate) async fn take_streams(
        &self,
        scope: &TenantScope,
        body: Bytes,
        read: impl FnOnce(&Bytes) -> Result<Vec<LogStream>, IngestError> + Send + 'static,
    ) -> Result<Taken, IngestError> {
        let (id, length) = (request_id(PUSH, scope, &body), body.len());
        let (origin, limits) = (self.origin(scope), self.bounds.content);
        let rows = aside(body, move |body| Ok(icegate_otlp::log_streams(read(body)?, &origin, &limits)?)).await?;
        self.store(Signal::Logs, scope, id, length, rows).await
    }

    /// The same for a remote write as it was sent, still in its block of Snappy.
    ///
    /// # Errors
    /// [`IngestError`]; nothing may be acknowledged.
    #[tracing::instrument(name = "remote_write", skip_all, fields(tenant = %scope.tenant, bytes = block.len()))]
    pub(crate) async fn take_remote_write(
        &self,
        scope: &TenantScope,
        version: WriteVersion,
        block: Bytes,
    ) -> Result<Written, IngestError> {
        let (origin, bounds, owner) = (self.origin(scope), self.bounds, scope.clone());
        let decoded = aside(block, move |block| {
            let body = body::unsnap(block, bounds.decoded_bytes)?;
            let id = request_id(version.message(), &owner, &body);
            Ok((id, body.len(), icegate_otlp::remote_write(version, &body, &origin, &bounds.content)?))
        });
        let (id, length, mut written) = decoded.await?;
        let rows = std::mem::take(&mut written.rows);
        written.rows.rejected = self.store(Signal::Metrics, scope, id, length, rows).await?.rejected;
        Ok(written)
    }

    fn origin(&self, scope: &TenantScope) -> Origin {
        Origin { tenant: scope.tenant.clone(), account: scope.account.clone(), ingested: self.clock.now() }
    }

    async fn store(
        &self,
        signal: Signal,
        scope: &TenantScope,
        id: RequestId,
        length: usize,
        rows: Rows,
    ) -> Result<Taken, IngestError> {
        if !rows.batches.is_empty() {
            let request = Request { id, tenant: scope.tenant.clone(), account: scope.account.clone(), batches: rows.batches };
            let durable = self.writer.append(request).await?;
            for segment in durable.segments() {
                tracing::debug!(target: icegate_model::TRAIL, request = %id, segment = %segment.name, "request is durable");
            }
        }
        self.metrics.taken(signal, rows.accepted, rows.rejected.count, length);
        if rows.rejected.count > 0 {
            tracing::debug!(%signal, tenant = %scope.tenant, refused = rows.rejected.count, "records were refused");
        }
        Ok(Taken { rejected: rows.rejected })
    }
}

/// Decodes a large body off the threads that serve connections.
async fn aside<T: Send + 'static>(
    body: Bytes,
    decode: impl FnOnce(&Bytes) -> Result<T, IngestError> + Send + 'static,
) -> Result<T, IngestError> {
    if body.len() < DECODE_ASIDE_BYTES {
        return decode(&body);
    }
    tokio::task::spawn_blocking(move || decode(&body)).await?
}

/// The hash of tenant, account, kind of request (a signal's name, [`PUSH`] or a message's name) and decoded body; each with its length, so that no two lists of parts have the same bytes.
fn request_id(kind: &str, scope: &TenantScope, body: &[u8]) -> RequestId {
    let account = scope.account.as_ref().map_or("", AccountId::as_str);
    let mut hasher = XxHash3_128::new();
    for part in [scope.tenant.as_str().as_bytes(), account.as_bytes(), kind.as_bytes(), body] {
        hasher.write(&(part.len() as u64).to_le_bytes());
        hasher.write(part);
    }
    RequestId(hasher.finish_128())
}
