//! `/loki/api/v1/tail`: the last lines of a query and then those that come, over a WebSocket.

mod frame;
mod session;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use icegate_http::Params;
use icegate_logql::ast::{Expr, LogExpr};
use icegate_logql::{Direction, QueryParams, parse};
use icegate_model::{TenantId, TimeRange};

use crate::call::{Call, Encoding};
use crate::places::Place;
use crate::state::Shared;
use crate::{LokiError, LokiState, params};

pub(crate) use frame::Dropped;

/// How far back the first lines go where the client gives no start.
const DEFAULT_SINCE: Duration = Duration::from_secs(3_600);
/// Longest `delay_for`.
const MAX_DELAY_SECS: u64 = 5;
/// Bytes of a message of the client, which has nothing to say.
const MAX_MESSAGE_BYTES: usize = 64 << 10;
/// Bytes that the reason of a close may have.
const MAX_REASON_BYTES: usize = 123;

/// What a client wants to see come.
struct Tail {
    state: Arc<Shared>,
    tenant: TenantId,
    logs: LogExpr,
    first: QueryParams,
    delay: Duration,
    encoding: Encoding,
    _place: Place,
}

/// Upgrades the connection, unless the query or a parameter isn't allowed.
pub(crate) async fn tail(
    State(state): State<Arc<Shared>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    call: Call,
) -> Result<Response, LokiError> {
    let expr = parse(params::query(&call.params)?)?;
    let first = first_lines(&call.params, &state, &expr)?;
    let delay = call.params.read("delay_for", delay)?.unwrap_or_default();
    let upgrade = upgrade.map_err(|rejection| LokiError::NoWebSocket { message: rejection.body_text() })?;
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES);
    let Expr::Logs(logs) = expr else {
        return Ok(upgrade.on_upgrade(async |mut socket| {
            let _ = socket.send(close("only log selector is supported")).await;
        }));
    };
    let Call { tenant, encoding, .. } = call;
    let place = state.tail_place(&tenant)?;
    let tail = Tail { state, tenant, logs, first, delay, encoding, _place: place };
    Ok(upgrade.on_upgrade(async |socket: WebSocket| session::run(tail, socket).await))
}

/// What is asked first: the last lines from `start` on, those of the future included.
fn first_lines(params: &Params, state: &LokiState, expr: &Expr) -> Result<QueryParams, LokiError> {
    let asked = params::instant_query(params, state, expr)?;
    let start = params.read("start", icegate_http::time)?.unwrap_or(asked.now - DEFAULT_SINCE);
    let end = TimeRange::ALL.end();
    let step = end.since(start).max(Duration::from_nanos(1));
    Ok(QueryParams { start, end, step, direction: Direction::Backward, ..asked })
}

fn delay(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds <= MAX_DELAY_SECS);
    seconds.map(Duration::from_secs).ok_or_else(|| format!("allowed are 0 to {MAX_DELAY_SECS} seconds"))
}

/// The end, and why.
fn close(reason: &str) -> Message {
    let cut = reason.floor_char_boundary(MAX_REASON_BYTES);
    Message::Close(Some(CloseFrame { code: close_code::ERROR, reason: reason[..cut].into() }))
}
