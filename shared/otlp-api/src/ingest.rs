use std::sync::Arc;

use bytes::Bytes;
use icegate_http::TenantScope;
use icegate_model::{AccountId, Clock, RequestId, Signal};
use icegate_otlp::{Encoding, Origin, Rejected, Rows};
use icegate_wal::{Request, Writer};
use tokio::sync::{Semaphore, SemaphorePermit};
use twox_hash::XxHash3_128;

use crate::{Bounds, IngestError, Metrics};

/// Bodies of at least this many bytes are decoded off the threads that serve connections.
const DECODE_ASIDE_BYTES: usize = 64 << 10;

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
        let origin = Origin { tenant: scope.tenant.clone(), account: scope.account.clone(), ingested: self.clock.now() };
        let (id, length) = (request_id(signal, scope, &body), body.len());
        let rows = self.decode(signal, encoding, body, origin).await?;
        if !rows.batches.is_empty() {
            let request = Request { id, tenant: scope.tenant.clone(), account: scope.account.clone(), batches: rows.batches };
            self.writer.append(request).await?;
        }
        self.metrics.taken(signal, rows.accepted, rows.rejected.count, length);
        if rows.rejected.count > 0 {
            tracing::debug!(%signal, tenant = %scope.tenant, refused = rows.rejected.count, "records were refused");
        }
        Ok(Taken { rejected: rows.rejected })
    }

    async fn decode(&self, signal: Signal, encoding: Encoding, body: Bytes, origin: Origin) -> Result<Rows, IngestError> {
        let limits = self.bounds.content;
        if body.len() < DECODE_ASIDE_BYTES {
            return Ok(icegate_otlp::decode(signal, encoding, &body, &origin, &limits)?);
        }
        let decoded = tokio::task::spawn_blocking(move || icegate_otlp::decode(signal, encoding, &body, &origin, &limits));
        Ok(decoded.await??)
    }
}

/// The hash of tenant, account, signal and decoded body; each with its length, so that no two lists of parts have the same bytes.
fn request_id(signal: Signal, scope: &TenantScope, body: &[u8]) -> RequestId {
    let account = scope.account.as_ref().map_or("", AccountId::as_str);
    let mut hasher = XxHash3_128::new();
    for part in [scope.tenant.as_str().as_bytes(), account.as_bytes(), signal.name().as_bytes(), body] {
        hasher.write(&(part.len() as u64).to_le_bytes());
        hasher.write(part);
    }
    RequestId(hasher.finish_128())
}
