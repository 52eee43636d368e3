use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::ws::{Message, WebSocket};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use icegate_engine::Follower;
use icegate_logql::ast::Expr;
use icegate_logql::{Answer, LogqlError, OpenRows, Source, evaluate, lines};
use icegate_model::{Table, TenantId, TimeRange};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::frame::{Dropped, Line, frame, in_order, length};
use super::{Tail, close};
use crate::LokiError;
use crate::rows::within;
use crate::run::run as run_query;
use crate::state::Shared;

/// How often the WAL is asked for new rows, and the client for a sign of life.
const INTERVAL: Duration = Duration::from_secs(1);
/// Frames that wait for the client.
const QUEUED_FRAMES: usize = 16;
/// How long a full queue may stay full before lines are dropped.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a client may take for one frame before it counts as gone.
const SEND_TIME: Duration = Duration::from_secs(60);
/// Dropped lines that are remembered; a client that is slower than this is disconnected.
const MAX_DROPPED: usize = 10_000;
/// Lines, and bytes of them, that are held to be sent in order.
const MAX_HELD: (usize, usize) = (10_000, 16 << 20);

/// Why a tail ends.
enum End {
    /// The client has gone.
    Gone,
    /// The server can't go on.
    Failed(LokiError),
}

impl From<LokiError> for End {
    fn from(error: LokiError) -> Self {
        Self::Failed(error)
    }
}

/// Sends until the client closes, or something fails, which the close then says.
pub(super) async fn run(tail: Tail, socket: WebSocket) {
    let running = tail.state.metrics.running_tails.clone();
    running.inc();
    let (sink, incoming) = socket.split();
    let (sender, queued) = channel(QUEUED_FRAMES);
    tokio::select! {
        _ = async { tokio::join!(follow(tail, sender), write(sink, queued)) } => {}
        () = until_closed(incoming) => {}
    }
    running.dec();
}

async fn until_closed(mut incoming: SplitStream<WebSocket>) {
    while let Some(Ok(message)) = incoming.next().await {
        if matches!(message, Message::Close(_)) {
            return;
        }
    }
}

async fn write(mut sink: SplitSink<WebSocket, Message>, mut queued: Receiver<Message>) {
    while let Some(message) = queued.recv().await {
        if !matches!(timeout(SEND_TIME, sink.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
}

async fn follow(tail: Tail, sender: Sender<Message>) {
    let mut out = Out { tail: &tail, sender, dropped: Vec::new(), is_slow: false };
    if let Err(End::Failed(error)) = out.run().await {
        let error = error.named(&tail.state.engine);
        tracing::warn!(tenant = %tail.tenant, %error, "a tail ended");
        let _ = timeout(SEND_TIME, out.sender.send(close(&error.to_string()))).await;
    }
}

/// The way to the client.
struct Out<'a> {
    tail: &'a Tail,
    sender: Sender<Message>,
    dropped: Vec<Dropped>,
    /// Lines were dropped, and the queue was full ever since.
    is_slow: bool,
}

impl Out<'_> {
    async fn run(&mut self) -> Result<(), End> {
        let mut follower = self.first_lines().await?;
        let polls_every = self.tail.delay.max(INTERVAL).as_secs();
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for second in 0_u64.. {
            ticks.tick().await;
            if second.is_multiple_of(polls_every) {
                let max = self.tail.state.config.query_timeout;
                follower = timeout(max, self.new_lines(follower)).await.map_err(|_| LokiError::Timeout { max })??;
            }
            if self.sender.is_closed() {
                return Err(End::Gone);
            }
            // A client that has frames to read needs no ping.
            let _ = self.sender.try_send(Message::Ping(Default::default()));
        }
        Ok(())
    }

    /// The last lines that are there, and the point from which on lines are new.
    async fn first_lines(&mut self) -> Result<Follower, End> {
        let asked = Arc::new((Expr::Logs(self.tail.logs.clone()), self.tail.first.clone()));
        let (state, tenant) = (&self.tail.state, self.tail.tenant.clone());
        let (shared, whose) = (Arc::clone(state), tenant.clone());
        let found = run_query(state, tenant, move |_| {
            let (asked, logs) = (Arc::clone(&asked), FollowedLogs::new(&shared, &whose));
            async move {
                let answer = evaluate(&asked.0, &asked.1, &logs).await?;
                Ok((answer, logs.opened()))
            }
        });
        let (answer, opened) = found.await?;
        let (follower, warnings) = opened.ok_or(LokiError::Panicked)?;
        if let Answer::Streams(streams) = answer {
            let mut rest = &in_order(streams)[..];
            while !rest.is_empty() || !warnings.is_empty() {
                let (now, later) = rest.split_at(length(rest));
                let message = frame(now, &[], &warnings, &self.tail.encoding)?;
                self.sender.send(message).await.map_err(|_| End::Gone)?;
                if later.is_empty() {
                    break;
                }
                rest = later;
            }
        }
        Ok(follower)
    }

    /// Sends what has come; gives the follower that has had it.
    async fn new_lines(&mut self, follower: Follower) -> Result<Follower, End> {
        let state = &self.tail.state;
        let Some((opened, next)) = state.engine.follow(&follower).await.map_err(LokiError::from)? else {
            return Ok(follower);
        };
        let warnings = opened.report.warnings();
        if !warnings.is_empty() {
            self.send(&[], &warnings).await?;
        }
        let source = Source { session: opened.session, provider: opened.provider };
        let parts = lines(&self.tail.logs, state.now(), &self.tail.first.limits, &source).await.map_err(LokiError::from)?;
        let mut parts = std::pin::pin!(parts);
        let (mut held, mut bytes) = (Vec::new(), 0);
        while let Some(part) = parts.next().await {
            let part = part.map_err(LokiError::from)?;
            bytes += part.iter().flat_map(|stream| &stream.entries).map(|entry| entry.line.len()).sum::<usize>();
            held.extend(part);
            if held.iter().map(|stream| stream.entries.len()).sum::<usize>() >= MAX_HELD.0 || bytes >= MAX_HELD.1 {
                self.send_all(&in_order(std::mem::take(&mut held))).await?;
                bytes = 0;
            }
        }
        self.send_all(&in_order(held)).await?;
        Ok(next)
    }

    async fn send_all(&mut self, mut rest: &[Line]) -> Result<(), End> {
        while !rest.is_empty() {
            let (now, later) = rest.split_at(length(rest));
            self.send(now, &[]).await?;
            rest = later;
        }
        Ok(())
    }

    /// Sends a frame, or remembers that its lines were dropped.
    async fn send(&mut self, lines: &[Line], warnings: &[String]) -> Result<(), End> {
        let patience = if self.is_slow { Duration::ZERO } else { PATIENCE };
        match timeout(patience, self.sender.reserve()).await {
            Ok(Ok(place)) => {
                place.send(frame(lines, &self.dropped, warnings, &self.tail.encoding)?);
                self.dropped.clear();
                self.is_slow = false;
                Ok(())
            }
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => {
                self.is_slow = true;
                let dropped = |line: &Line| Dropped { timestamp: line.entry.timestamp, labels: line.stream.clone() };
                self.dropped.extend(lines.iter().map(dropped));
                self.tail.state.metrics.tail_dropped.inc_by(lines.len() as u64);
                if self.dropped.len() > MAX_DROPPED {
                    return Err(LokiError::SlowClient { max: MAX_DROPPED }.into());
                }
                Ok(())
            }
        }
    }
}

/// The logs of one tenant, and what was opened of them last.
struct FollowedLogs {
    state: Arc<Shared>,
    tenant: TenantId,
    opened: Mutex<Option<(Follower, Vec<String>)>>,
}

impl FollowedLogs {
    fn new(state: &Arc<Shared>, tenant: &TenantId) -> Self {
        Self { state: Arc::clone(state), tenant: tenant.clone(), opened: Mutex::default() }
    }

    fn opened(self) -> Option<(Follower, Vec<String>)> {
        self.opened.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl OpenRows for FollowedLogs {
    async fn open(&self, range: TimeRange) -> Result<Source, LogqlError> {
        let opened = self.state.engine.open_followed(Table::Logs, &self.tenant, range).await;
        let (opened, follower) = opened.map_err(|error| LogqlError::open(error.kind(), error))?;
        within(self.state.config.max_query_bytes_read, [&opened.report])?;
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some((follower, opened.report.warnings()));
        Ok(Source { session: opened.session, provider: opened.provider })
    }
}
