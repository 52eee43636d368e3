use std::sync::Arc;
use std::time::Duration;

use icegate_model::{Clock, ErrorKind, IdGenerator, Table, UniqueId};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use tokio::time::Instant;

use crate::encode::{Encoded, Part, encode};
use crate::error::StoreOperation;
use crate::name::SegmentName;
use crate::{Gathering, Metrics, Segment, Wal, WalError, WriterConfig};

/// How long to wait before the first repetition of a put; doubles with each.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
/// Longest wait between two repetitions.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// What a flush needs of its writer.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) wal: Arc<Wal>,
    pub(crate) config: WriterConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) metrics: Metrics,
}

impl Context {
    /// Makes the parts durable as one segment.
    pub(crate) async fn flush(
        self: &Arc<Self>,
        table: Table,
        parts: Vec<Part>,
        deadline: Instant,
    ) -> Result<Arc<Segment>, WalError> {
        let result = self.write(table, parts, deadline).await;
        match &result {
            Ok(segment) => tracing::debug!(%table, segment = segment.name, bytes = segment.size, "segment written"),
            Err(error) => {
                self.metrics.failed(table);
                tracing::warn!(%table, %error, "segment not written");
            }
        }
        result
    }

    async fn write(self: &Arc<Self>, table: Table, parts: Vec<Part>, deadline: Instant) -> Result<Arc<Segment>, WalError> {
        // What waited behind stalled segments until its time was up is not worth encoding.
        if Instant::now() >= deadline {
            return Err(WalError::Overdue { table, deadline: self.config.write_deadline });
        }
        let id = self.name_id(&parts);
        let context = Arc::clone(self);
        let encoding = tokio::task::spawn_blocking(move || encode(table, parts, &context.config)).await;
        let broken = |reason: String| WalError::Encode { table, reason };
        let encoded = encoding.map_err(|error| broken(error.to_string()))?.map_err(|error| broken(error.to_string()))?;
        let Encoded { bytes, tenants, rows, min, max } = encoded;
        let created = u64::try_from(self.clock.now().micros()).unwrap_or(0);
        let name = SegmentName { created, id, tenants, min, max };
        let path = self.wal.path(table, &name.to_string());
        let mut segment = Segment::new(table, path, name, bytes.len() as u64);
        segment.e_tag = self.put(&segment.path, &bytes, deadline).await?;
        self.metrics.written(table, rows, segment.size);
        Ok(Arc::new(segment))
    }

    /// The request's own id where it is alone, so that a segment's name leads to the request in logs.
    fn name_id(&self, parts: &[Part]) -> UniqueId {
        match (self.config.gathering, parts) {
            (Gathering::Alone, [only]) => UniqueId(only.id.0),
            _ => self.ids.unique(),
        }
    }

    /// WAL-3: the same name and bytes each time, so that a put whose answer was lost can be repeated.
    async fn put(&self, path: &Path, bytes: &bytes::Bytes, deadline: Instant) -> Result<Option<String>, WalError> {
        let mut repeated = 0;
        loop {
            let put = self.wal.root().store.put(path, bytes.clone().into());
            let began = Instant::now();
            let until = deadline.min(began + self.config.put_timeout);
            let error = match tokio::time::timeout_at(until, put).await {
                Ok(Ok(put)) => return Ok(put.e_tag),
                Ok(Err(error)) => WalError::store(StoreOperation::Write, path, error),
                Err(_) => WalError::Timeout { path: path.clone(), after: until - began },
            };
            let wait = backoff(repeated, self.ids.unique().0);
            if repeated >= self.config.write_retries || is_permanent(&error) || Instant::now() + wait >= deadline {
                return Err(error);
            }
            tracing::debug!(%path, %error, repeated, "put failed, it is repeated");
            tokio::time::sleep(wait).await;
            repeated += 1;
        }
    }
}

/// Errors that the same put meets again.
fn is_permanent(error: &WalError) -> bool {
    match error {
        WalError::Store { source, .. } => matches!(icegate_storage::kind_of(source), ErrorKind::Invalid | ErrorKind::Unsupported),
        _ => false,
    }
}

/// Half of the exponential wait, and up to its other half by `random`, so that writers don't repeat in step.
fn backoff(repeated: u32, random: u128) -> Duration {
    let whole = FIRST_BACKOFF.saturating_mul(2_u32.saturating_pow(repeated)).min(MAX_BACKOFF);
    let half = whole / 2;
    let jitter = u64::try_from(random % half.as_nanos().max(1)).unwrap_or(0);
    half + Duration::from_nanos(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_their_bound_and_jitter_stays_within() {
        assert_eq!(backoff(0, 0), Duration::from_millis(25));
        assert_eq!(backoff(1, 0), Duration::from_millis(50));
        assert_eq!(backoff(60, 0), Duration::from_secs(1));
        for random in [1, 1 << 40, u128::MAX] {
            assert!(backoff(0, random) < Duration::from_millis(50));
            assert!(backoff(u32::MAX, random) < Duration::from_secs(2));
        }
    }
}
