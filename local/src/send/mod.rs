//! `icegate send`: generates telemetry, or replays a file of it, sends it over OTLP and measures the answers.
//!
//! ```text
//! source (generate | replay) ─▶ N workers ─▶ client (HTTP JSON, HTTP protobuf, gRPC) ─▶ reply
//!                                   └─▶ journal, tally ─▶ summary
//! ```
//!
//! - Record `n` of a seed has the same content in every run, whatever the concurrency; with `--start-time` the same bytes.
//! - A retry sends the same bytes, so that a server can know it from new data (WAL-2).
//! - A line is in the journal only for a request that the server acknowledged.
//! - Memory holds one request a worker: a replayed file is streamed, latencies are counted in a table of fixed size.

mod args;
mod client;
mod endpoint;
mod error;
mod generate;
mod journal;
mod json;
mod latency;
mod payload;
mod progress;
mod random;
mod replay;
mod reply;
mod retry;
mod rows;
mod source;
mod stop;
mod summary;
mod tally;
mod tenants;
mod worker;

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinSet;

pub(crate) use args::SendArgs;
pub(crate) use error::SendError;

use stop::Stop;
use worker::{Run, work};

/// Sends what the arguments ask for and prints a summary to standard output.
///
/// # Errors
/// [`SendError::Incomplete`] after the summary where a request was given up; everything else that stops the run.
pub(crate) async fn run(args: SendArgs) -> Result<(), SendError> {
    let json = args.json;
    let run = Arc::new(Run::new(&args).await?);
    let stop = Stop::on_interrupt();
    let started = Instant::now();
    let ended = all(&run, &stop).await;
    run.progress.finish();
    let summary = run.tally.summary(started.elapsed());
    let text = if json { summary.json() } else { summary.text() };
    writeln!(std::io::stdout().lock(), "{text}").map_err(|source| SendError::Output { source })?;
    ended?;
    match summary.requests_failed {
        0 => Ok(()),
        failed => Err(SendError::Incomplete { failed, reason: summary.failures.into_iter().next().unwrap_or_default() }),
    }
}

/// Runs the workers to their end; the first error stops all of them.
async fn all(run: &Arc<Run>, stop: &Stop) -> Result<(), SendError> {
    let mut workers = JoinSet::new();
    for _ in 0..run.concurrency {
        workers.spawn(work(Arc::clone(run), stop.clone()));
    }
    let mut first = Ok(());
    while let Some(joined) = workers.join_next().await {
        let ended = joined.unwrap_or_else(|source| Err(SendError::Worker { source }));
        if ended.is_err() {
            stop.gently();
            first = first.and(ended);
        }
    }
    first
}
