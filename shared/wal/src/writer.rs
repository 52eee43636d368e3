use std::sync::Arc;

use futures::future::try_join_all;
use icegate_model::{Clock, IdGenerator, Table};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::flush::Context;
use crate::gather::{self, Reservation, Waiting};
use crate::request::TableRows;
use crate::{Durable, Metrics, Request, Wal, WalError, WriterConfig};

const REQUESTS: &str = "requests";
const BYTES: &str = "buffered bytes";

/// Makes requests durable, many of them in one segment. Clones share their buffers and bounds.
#[derive(Clone, Debug)]
pub struct Writer {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    tables: [mpsc::UnboundedSender<Waiting>; Table::ALL.len()],
    requests: Arc<Semaphore>,
    max_requests: usize,
    bytes: Arc<Semaphore>,
    max_bytes: u32,
    metrics: Metrics,
}

/// The tasks behind a [`Writer`]. Dropping it leaves them running until the last `Writer` is gone.
#[derive(Debug)]
pub struct WriterTask {
    closing: CancellationToken,
    tables: Vec<JoinHandle<()>>,
}

impl Writer {
    /// Starts a task for each table on the current Tokio runtime.
    #[must_use]
    pub fn start(
        wal: Arc<Wal>,
        config: WriterConfig,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        metrics: Metrics,
    ) -> (Self, WriterTask) {
        let max_requests = config.channel_capacity.clamp(1, Semaphore::MAX_PERMITS);
        let max_bytes = u32::try_from(config.max_buffered_bytes).unwrap_or(u32::MAX).max(1);
        let context = Arc::new(Context { wal, config, clock, ids, metrics: metrics.clone() });
        let closing = CancellationToken::new();
        let mut tasks = Vec::with_capacity(Table::ALL.len());
        // Unbounded as channels, bounded by the permits that each message carries.
        let tables = Table::ALL.map(|table| {
            let (sender, receiver) = mpsc::unbounded_channel();
            tasks.push(tokio::spawn(gather::run(Arc::clone(&context), table, receiver, closing.clone())));
            sender
        });
        let bytes = Arc::new(Semaphore::new(usize::try_from(max_bytes).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)));
        let requests = Arc::new(Semaphore::new(max_requests));
        let inner = Arc::new(Inner { tables, requests, max_requests, bytes, max_bytes, metrics });
        (Self { inner }, WriterTask { closing, tables: tasks })
    }

    /// Returns when every row of the request is durable (WAL-1). Requests that arrive together share segments.
    ///
    /// If the future is dropped, the rows may still be stored. If it fails, some tables' rows may be stored: the same request,
    /// sent again, has the same id, by which readers leave the second copy out.
    ///
    /// # Errors
    /// At once: [`WalError::Full`] where a bound is reached, [`WalError::Closed`], [`WalError::Misplaced`] where rows are not of
    /// the request's tenant. Later, within the deadline of
    /// [`WriterConfig::write_deadline`]: [`WalError::Store`], [`WalError::Timeout`] or [`WalError::Overdue`].
    pub async fn append(&self, mut request: Request) -> Result<Durable, WalError> {
        let since = Instant::now();
        let tables = request.by_table()?;
        if tables.is_empty() {
            return Ok(Durable { segments: Vec::new() });
        }
        let reservation = Arc::new(self.inner.reserve(&tables)?);
        let mut replies = Vec::with_capacity(tables.len());
        for rows in tables {
            let (reply, outcome) = oneshot::channel();
            let sender = &self.inner.tables[index(rows.table)];
            let (tenant, account) = (request.tenant.clone(), request.account.clone());
            let reservation = Arc::clone(&reservation);
            let waiting = Waiting { id: request.id, tenant, account, rows, since, reply, reservation };
            sender.send(waiting).map_err(|_| WalError::Closed)?;
            replies.push(async { outcome.await.map_err(|_| WalError::Closed)? });
        }
        // Only the tables' tasks hold it now: it is free as soon as they are done.
        drop(reservation);
        let segments = try_join_all(replies).await?;
        self.inner.metrics.append_seconds.observe(since.elapsed().as_secs_f64());
        Ok(Durable { segments })
    }
}

impl Inner {
    fn reserve(&self, tables: &[TableRows]) -> Result<Reservation, WalError> {
        let bytes: usize = tables.iter().map(|rows| rows.bytes).sum();
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.max_bytes);
        let full = |bound, limit| {
            self.metrics.refuse(bound);
            WalError::Full { bound, limit }
        };
        let request = Arc::clone(&self.requests).try_acquire_owned().map_err(|_| full(REQUESTS, self.max_requests))?;
        let bytes = Arc::clone(&self.bytes)
            .try_acquire_many_owned(bytes)
            .map_err(|_| full(BYTES, usize::try_from(self.max_bytes).unwrap_or(usize::MAX)))?;
        let metrics = self.metrics.clone();
        metrics.buffered_bytes.inc_by(i64::try_from(bytes.num_permits()).unwrap_or(0));
        Ok(Reservation { _request: request, bytes, metrics })
    }
}

impl WriterTask {
    /// Refuses further requests, writes what is gathered, and returns when every waiting `append` has its answer.
    pub async fn close(self) {
        self.closing.cancel();
        for table in self.tables {
            if let Err(error) = table.await {
                tracing::error!(%error, "a table's task of the write-ahead log failed");
            }
        }
    }
}

/// The table's place in [`Table::ALL`].
fn index(table: Table) -> usize {
    match table {
        Table::Logs => 0,
        Table::Spans => 1,
        Table::Metrics => 2,
        Table::Events => 3,
    }
}
