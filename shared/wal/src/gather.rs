use std::collections::HashSet;
use std::sync::Arc;

use icegate_model::{AccountId, RequestId, Table, TenantId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::encode::Part;
use crate::flush::Context;
use crate::request::TableRows;
use crate::{Gathering, Metrics, Segment, WalError, WriterConfig};

/// Segments of one table that are written at once, while the next is gathered.
const MAX_FLUSHES_IN_FLIGHT: usize = 2;

pub(crate) type Outcome = Result<Arc<Segment>, WalError>;

/// What a request holds of the writer's bounds until all of its tables are written.
#[derive(Debug)]
pub(crate) struct Reservation {
    pub(crate) _request: OwnedSemaphorePermit,
    pub(crate) bytes: OwnedSemaphorePermit,
    pub(crate) metrics: Metrics,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.metrics.buffered_bytes.dec_by(i64::try_from(self.bytes.num_permits()).unwrap_or(0));
    }
}

/// A request's rows for one table, on their way to the table's task.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) id: RequestId,
    pub(crate) tenant: TenantId,
    pub(crate) account: Option<AccountId>,
    pub(crate) rows: TableRows,
    pub(crate) since: Instant,
    pub(crate) reply: oneshot::Sender<Outcome>,
    pub(crate) reservation: Arc<Reservation>,
}

/// Gathers a table's requests into segments until `closing` or until every sender is gone, then writes what is left.
pub(crate) async fn run(
    context: Arc<Context>,
    table: Table,
    mut waiting: mpsc::UnboundedReceiver<Waiting>,
    closing: CancellationToken,
) {
    let in_flight = Arc::new(Semaphore::new(flushes_in_flight(&context.config)));
    let mut flushes = JoinSet::new();
    while let Some(first) = next(&mut waiting, &closing).await {
        // Counted from the oldest request, so that none waits longer because others do: an earlier segment ends before it.
        let deadline = first.since + context.config.wait() + context.config.write_deadline;
        let batch = gather(&context, first, &mut waiting, &closing).await;
        // The semaphore is never closed.
        let slot = Arc::clone(&in_flight).acquire_owned().await.ok();
        let context = Arc::clone(&context);
        flushes.spawn(async move {
            batch.flush(&context, table, deadline).await;
            drop(slot);
        });
        while flushes.try_join_next().is_some() {}
    }
    while flushes.join_next().await.is_some() {}
}

/// Requests that wait for nobody need not wait for each other's puts either; their number is bounded by the writer's places.
fn flushes_in_flight(config: &WriterConfig) -> usize {
    match config.gathering {
        Gathering::Together => MAX_FLUSHES_IN_FLIGHT,
        Gathering::Alone => config.channel_capacity.clamp(1, Semaphore::MAX_PERMITS),
    }
}

/// The next request; after closing, what was sent before.
async fn next(waiting: &mut mpsc::UnboundedReceiver<Waiting>, closing: &CancellationToken) -> Option<Waiting> {
    tokio::select! {
        biased;
        () = closing.cancelled() => {
            waiting.close();
            waiting.recv().await
        }
        next = waiting.recv() => next,
    }
}

/// Takes requests until the batch is full, the first one has waited long enough, or the writer closes.
async fn gather(
    context: &Context,
    first: Waiting,
    waiting: &mut mpsc::UnboundedReceiver<Waiting>,
    closing: &CancellationToken,
) -> Batch {
    let config = &context.config;
    let flush_at = first.since + config.flush_interval;
    let mut batch = Batch::default();
    batch.add(first);
    if config.gathering == Gathering::Alone {
        return batch;
    }
    while batch.rows < config.max_rows_per_flush() && batch.bytes < config.max_bytes_per_flush {
        let next = tokio::select! {
            // What is there already joins the batch, however long the first has waited.
            biased;
            next = waiting.recv() => next,
            () = closing.cancelled() => {
                waiting.close();
                waiting.try_recv().ok()
            }
            () = sleep_until(flush_at) => None,
        };
        match next {
            Some(next) => batch.add(next),
            None => break,
        }
    }
    batch
}

/// Requests that become one segment.
#[derive(Default)]
struct Batch {
    parts: Vec<Part>,
    known: HashSet<(TenantId, Option<AccountId>, RequestId)>,
    replies: Vec<oneshot::Sender<Outcome>>,
    reservations: Vec<Arc<Reservation>>,
    rows: usize,
    bytes: usize,
}

impl Batch {
    /// Adds a request; one that is there already gets the same answer and no second copy of its rows.
    fn add(&mut self, waiting: Waiting) {
        let Waiting { id, tenant, account, rows, since: _, reply, reservation } = waiting;
        self.replies.push(reply);
        self.reservations.push(reservation);
        if self.known.insert((tenant.clone(), account.clone(), id)) {
            self.rows += rows.rows;
            self.bytes += rows.bytes;
            self.parts.push(Part { id, tenant, account, batches: rows.batches });
        }
    }

    async fn flush(self, context: &Arc<Context>, table: Table, deadline: Instant) {
        let outcome = context.flush(table, self.parts, deadline).await;
        // Room first: who hears that its rows are durable may send the next ones at once.
        drop(self.reservations);
        for reply in self.replies {
            // Nobody waits any more where the request was dropped.
            let _ = reply.send(outcome.clone());
        }
    }
}
