use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use icegate_model::{SystemClock, TenantId};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::SendError;
use super::args::{SendArgs, Transport};
use super::client::{Client, Target};
use super::endpoint::Endpoint;
use super::generate::Generator;
use super::journal::Journal;
use super::progress::Progress;
use super::replay::Replay;
use super::reply::{Accepted, Answer};
use super::retry::Retry;
use super::source::{Message, Origin, Source};
use super::stop::Stop;
use super::tally::Tally;
use super::tenants::Tenants;

/// What the workers of a run share.
pub(crate) struct Run {
    pub(crate) concurrency: u64,
    pub(crate) tally: Tally,
    pub(crate) progress: Progress,
    interval: Duration,
    source: Source,
    target: Target,
    tenants: Tenants,
    retry: Retry,
    journal: Option<Journal>,
}

impl Run {
    /// Checks what the arguments name and opens the files.
    pub(crate) async fn new(args: &SendArgs) -> Result<Self, SendError> {
        let as_json = args.transport == Transport::Http && !args.use_protobuf;
        let target = Target {
            endpoint: Endpoint::new(args.endpoint.as_deref(), args.transport, args.signal)?,
            transport: args.transport,
            compression: args.compression,
            signal: args.signal,
            as_json,
            account: args.account_id.clone(),
        };
        let tenants = Tenants::new(args.tenant_id.clone(), args.tenant_count, args.seed)?;
        let journal = args.journal.as_deref().map(Journal::open).transpose()?;
        let (origin, progress) = origin(args).await?;
        Ok(Self {
            concurrency: args.concurrency,
            tally: Tally::default(),
            progress,
            interval: args.interval(),
            source: Source { signal: args.signal, as_json, limit: args.requests(), given: AtomicU64::new(0), origin },
            target,
            tenants,
            retry: Retry { retries: args.retries, seed: args.seed },
            journal,
        })
    }
}

async fn origin(args: &SendArgs) -> Result<(Origin, Progress), SendError> {
    let requests = args.requests().map(Progress::of_requests);
    if let Some(path) = &args.replay {
        let (replay, bytes) = Replay::open(path, args.merge_bytes.unwrap_or(0)).await?;
        let origin = Origin::Replayed { path: path.clone(), replay: Mutex::new(replay) };
        return Ok((origin, requests.unwrap_or_else(|| Progress::of_bytes(bytes))));
    }
    let generator = Generator::new(args, Arc::new(SystemClock));
    Ok((Origin::Generated(generator), requests.unwrap_or_else(Progress::endless)))
}

/// Sends requests until there are no more or the run is stopped.
pub(crate) async fn work(run: Arc<Run>, stop: Stop) -> Result<(), SendError> {
    let mut client = Client::new(&run.target)?;
    while !stop.is_asked() {
        let Some(message) = run.source.next().await? else { break };
        deliver(&run, &mut client, &message, &stop).await?;
        run.progress.request(message.taken);
        pause(run.interval, &stop).await;
    }
    Ok(())
}

/// Sends a request, again while the server is busy, and notes what came of it.
async fn deliver(run: &Run, client: &mut Client, message: &Message, stop: &Stop) -> Result<(), SendError> {
    let tenant = run.tenants.of(message.number)?;
    let body = client.prepare(&message.body)?;
    let mut attempt = 0;
    loop {
        let started = Instant::now();
        match answer(client, &tenant, body.clone(), stop).await {
            Answer::Acked(accepted) => return acked(run, message, &accepted, started.elapsed()),
            Answer::Busy { after, reason } => match run.retry.pause(message.number, attempt, after) {
                Some(time) if !stop.is_asked() => {
                    run.tally.retried();
                    pause(time, stop).await;
                    attempt += 1;
                }
                _ => return given_up(run, message, &reason),
            },
            Answer::Refused { reason } => return given_up(run, message, &reason),
        }
    }
}

async fn answer(client: &mut Client, tenant: &TenantId, body: bytes::Bytes, stop: &Stop) -> Answer {
    tokio::select! {
        answer = client.send(tenant, body) => answer,
        () = stop.at_once() => Answer::Refused { reason: "interrupted before the answer came".to_owned() },
    }
}

fn acked(run: &Run, message: &Message, accepted: &Accepted, latency: Duration) -> Result<(), SendError> {
    run.tally.acked(message.rows, message.body.len() as u64, accepted, latency);
    match &run.journal {
        Some(journal) => journal.acked(message.number, message.rows.saturating_sub(accepted.refused)),
        None => Ok(()),
    }
}

fn given_up(run: &Run, message: &Message, reason: &str) -> Result<(), SendError> {
    run.tally.failed(message.rows, reason);
    Ok(())
}

/// Waits, unless the run is stopped.
async fn pause(time: Duration, stop: &Stop) {
    if !time.is_zero() {
        tokio::select! {
            () = sleep(time) => {}
            () = stop.asked() => {}
        }
    }
}
