use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use icegate_model::{SystemClock, TenantId};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::SendError;
use super::args::{SendArgs, Transport};
use super::client::{Client, Clients, Target};
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
            endpoints: Endpoint::all(&args.endpoint, args.transport, args.signal)?,
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
            retry: Retry { endpoints: target.endpoints.len() as u64, retries: args.retries, seed: args.seed },
            target,
            tenants,
            journal,
        })
    }
}

async fn origin(args: &SendArgs) -> Result<(Origin, Progress), SendError> {
    let requests = args.requests().map(Progress::of_requests);
    if let Some(path) = &args.replay {
        let (replay, bytes) = Replay::open(path, args.merge_bytes.unwrap_or(0)).await?;
        let origin = Origin::Replayed { path: path.clone(), replay: Box::new(Mutex::new(replay)) };
        return Ok((origin, requests.unwrap_or_else(|| Progress::of_bytes(bytes))));
    }
    let generator = Generator::new(args, Arc::new(SystemClock));
    Ok((Origin::Generated(generator), requests.unwrap_or_else(Progress::endless)))
}

/// Sends requests until there are no more or the run is stopped.
pub(crate) async fn work(run: Arc<Run>, stop: Stop) -> Result<(), SendError> {
    let mut clients = Clients::new(&run.target)?;
    while !stop.is_asked() {
        let Some(message) = run.source.next().await? else { break };
        deliver(&run, &mut clients, &message, &stop).await?;
        run.progress.request(message.taken);
        pause(run.interval, &stop).await;
    }
    Ok(())
}

/// Sends a request, again and to the next replica while one is busy, and notes what came of it.
async fn deliver(run: &Run, clients: &mut Clients, message: &Message, stop: &Stop) -> Result<(), SendError> {
    let tenant = run.tenants.of(message.number)?;
    let body = clients.current().prepare(&message.body)?;
    let mut attempt = 0;
    loop {
        let started = Instant::now();
        match answer(clients.current(), &tenant, body.clone(), stop).await {
            Answer::Acked(accepted) => return acked(run, message, &accepted, started.elapsed()),
            Answer::Busy { after, reason } => match run.retry.pause(message.number, attempt, after) {
                Some(time) if !stop.is_asked() => {
                    run.tally.retried();
                    clients.turn();
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

#[cfg(test)]
mod tests {
    use std::sync::PoisonError;
    use std::sync::atomic::Ordering;

    use axum::Router;
    use axum::http::{HeaderMap, StatusCode};
    use axum::response::IntoResponse;
    use axum::routing::post;
    use tokio::io::AsyncReadExt;

    use super::super::args::tests::parsed;
    use super::*;

    /// Tenant and body of what a server got.
    type Got = Arc<std::sync::Mutex<Vec<(String, bytes::Bytes)>>>;

    /// A server that is busy for every other request and refuses one record of each that it takes.
    async fn server(got: Got) -> String {
        let take = move |headers: HeaderMap, body: bytes::Bytes| {
            let mut got = got.lock().unwrap_or_else(PoisonError::into_inner);
            got.push((headers["x-scope-orgid"].to_str().unwrap().to_owned(), body));
            let answer = match got.len() % 2 {
                1 => (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")], "").into_response(),
                _ => (
                    StatusCode::OK,
                    [("content-type", "application/json")],
                    r#"{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"bad id"}}"#,
                )
                    .into_response(),
            };
            std::future::ready(answer)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/logs", post(take))).await });
        format!("http://{address}")
    }

    async fn ran(line: &str) -> Arc<Run> {
        let run = Arc::new(Run::new(&parsed(line)).await.unwrap());
        super::super::all(&run, &Stop::default()).await.unwrap();
        run
    }

    #[tokio::test]
    async fn a_busy_server_gets_the_same_bytes_again_and_only_acknowledged_requests_are_in_the_journal() {
        let got = Got::default();
        let endpoint = server(Arc::clone(&got)).await;
        let directory = tempfile::tempdir().unwrap();
        let journal = directory.path().join("journal");
        let line =
            format!("--endpoint {endpoint} --count 3 --records-per-message 4 --tenant-id shop --journal {}", journal.display());
        let summary = ran(&line).await.tally.summary(Duration::from_secs(1));

        assert_eq!((summary.requests_ok, summary.requests_failed, summary.retries), (3, 0, 3));
        assert_eq!((summary.rows_accepted, summary.rows_refused), (9, 3));
        assert_eq!(summary.refusals, ["bad id"]);
        assert_eq!(std::fs::read_to_string(&journal).unwrap(), "0 3 acked\n1 3 acked\n2 3 acked\n");
        let got = got.lock().unwrap();
        assert_eq!(got.len(), 6);
        assert!(got.chunks(2).all(|pair| pair[0] == pair[1] && pair[0].0 == "shop"));
        assert_ne!(got[0].1, got[2].1);
    }

    #[tokio::test]
    async fn a_request_that_one_replica_leaves_unanswered_goes_to_the_next_with_the_same_bytes_and_later_ones_stay_there() {
        let broken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = broken.local_addr().unwrap();
        let connections = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = broken.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 1024]).await;
            }
        });
        let got = Got::default();
        let other = server(Arc::clone(&got)).await;
        let summary =
            ran(&format!("--endpoint {address} --endpoint {other} --count 3")).await.tally.summary(Duration::from_secs(1));

        // The other is busy at first, so that the first request goes broken, busy, broken, taken; the later ones begin at the other.
        assert_eq!((summary.requests_ok, summary.requests_failed, summary.retries), (3, 0, 3 + 2 + 2));
        assert_eq!(connections.load(Ordering::SeqCst), 2 + 1 + 1);
        let got = got.lock().unwrap();
        assert_eq!(got.len(), 6);
        assert!(got.chunks(2).all(|pair| pair[0] == pair[1]));
    }

    #[tokio::test]
    async fn a_request_without_retries_is_given_up_and_leaves_no_line() {
        let endpoint = server(Got::default()).await;
        let directory = tempfile::tempdir().unwrap();
        let journal = directory.path().join("journal");
        let line = format!("--endpoint {endpoint} --retries 0 --records-per-message 4 --journal {}", journal.display());
        let summary = ran(&line).await.tally.summary(Duration::from_secs(1));
        assert_eq!((summary.requests_ok, summary.requests_failed, summary.rows_failed), (0, 1, 4));
        assert_eq!(summary.failures, ["answer 503 Service Unavailable"]);
        assert_eq!(std::fs::read_to_string(&journal).unwrap(), "");
    }

    #[tokio::test]
    async fn a_replayed_file_is_sent_whole_by_several_workers() {
        let got = Got::default();
        let endpoint = server(Arc::clone(&got)).await;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        // Ten requests, each of two resources with a scope with an empty record.
        let message = [0x0a, 4, 0x12, 2, 0x12, 0].repeat(2);
        std::fs::write(&file, [&[12, 0, 0, 0][..], &message].concat().repeat(10)).unwrap();
        let line = format!("--endpoint {endpoint} --use-protobuf --concurrency 4 --merge-bytes 24 --replay {}", file.display());
        let summary = ran(&line).await.tally.summary(Duration::from_secs(1));
        // The server's answers are JSON though it was sent protobuf, and say so.
        assert_eq!((summary.requests_ok, summary.retries), (5, 5));
        assert_eq!((summary.rows_accepted, summary.rows_refused), (15, 5));
        let bodies = got.lock().unwrap();
        assert!(bodies.iter().all(|(tenant, body)| tenant == "default" && **body == *message.repeat(2)));
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_a_failure_that_says_so() {
        let line = "--endpoint http://127.0.0.1:9 --retries 0";
        for transport in ["http", "grpc"] {
            let summary = ran(&format!("{line} --transport {transport}")).await.tally.summary(Duration::from_secs(1));
            assert_eq!(summary.requests_failed, 1);
            assert!(summary.failures[0].to_lowercase().contains("connect"), "{:?}", summary.failures);
        }
    }
}
