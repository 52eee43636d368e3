//! Conditional puts: `If-None-Match` creates, `If-Match` replaces.
//!
//! A put that may have been applied is not sent again. If it were, a 412 to the second attempt could be about the object that the
//! first one made, and the writer would take its own success for somebody else's. So
//!
//! - **CREATE-2** `AlreadyExists` and `Precondition` are never about the put's own object;
//! - a reply that is lost is an error of kind `Unavailable`, after which the caller looks at what is there.
//!
//! What says that nothing was applied is sent again within the budget: no connection, `SlowDown` and its kin, and 409, which S3
//! answers to writers that race for a key and which says nothing about who won.

use std::time::Duration;

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{Method, StatusCode};
use icegate_model::{IdGenerator, RandomIds};
use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use tokio::time::Instant;

use super::connection::Connection;
use super::{FIRST_BACKOFF, MAX_BACKOFF, MAX_RETRIES, RETRY_BUDGET};

/// S3's codes for a request that was turned away before it was looked at.
const TURNED_AWAY: [&str; 3] = ["SlowDown", "ServiceUnavailable", "TooManyRequests"];
/// Bytes of an answer that an error shows.
const MAX_SHOWN: usize = 300;

/// Why a conditional put has no answer that the caller can act on.
#[derive(Debug, thiserror::Error)]
enum Unsettled {
    #[error("not written after {attempts} attempts, the last answer was {last}")]
    NotWritten { attempts: usize, last: String },
    #[error("it is unknown whether it was written: {reason}")]
    Unknown { reason: String },
}

impl From<Unsettled> for HttpError {
    fn from(error: Unsettled) -> Self {
        // The kind that object_store does not repeat by itself.
        Self::new(HttpErrorKind::Unknown, error)
    }
}

pub(super) fn is_conditional_put(request: &HttpRequest) -> bool {
    let headers = request.headers();
    request.method() == Method::PUT && (headers.contains_key(IF_MATCH) || headers.contains_key(IF_NONE_MATCH))
}

/// Sends a conditional put until an answer says what became of it.
pub(super) async fn put(connection: &Connection, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let began = Instant::now();
    let mut attempts = 0;
    loop {
        let answer = match connection.send(request.clone()).await {
            Ok(response) => judge(response).await?,
            Err(error) if error.kind() == HttpErrorKind::Connect => Answer::NotApplied(format!("no connection: {error}")),
            Err(error) => return Err(Unsettled::Unknown { reason: error.to_string() }.into()),
        };
        let last = match answer {
            Answer::Settled(response) => return Ok(response),
            Answer::NotApplied(last) => last,
        };
        attempts += 1;
        if attempts > MAX_RETRIES || began.elapsed() >= RETRY_BUDGET {
            return Err(Unsettled::NotWritten { attempts, last }.into());
        }
        tracing::debug!(uri = %request.uri(), last, attempts, "conditional put was not applied, it is repeated");
        tokio::time::sleep(backoff(attempts, RandomIds.unique().0)).await;
    }
}

enum Answer {
    /// It says what became of the put.
    Settled(HttpResponse),
    /// The put changed nothing, and may be sent again.
    NotApplied(String),
}

async fn judge(response: HttpResponse) -> Result<Answer, HttpError> {
    let status = response.status();
    let again = status.is_server_error()
        || matches!(status, StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    if !again {
        return Ok(Answer::Settled(response));
    }
    // A body that breaks says no less than one without a code.
    let body = response.into_body().bytes().await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let shown = format!("{status}: {}", text.chars().take(MAX_SHOWN).collect::<String>());
    let turned_away = TURNED_AWAY.iter().any(|code| text.contains(&format!("<Code>{code}</Code>")));
    if turned_away || matches!(status, StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS) {
        return Ok(Answer::NotApplied(shown));
    }
    Err(Unsettled::Unknown { reason: shown }.into())
}

/// Half of the exponential wait, and up to its other half by `random`, so that writers that race do not stay in step.
fn backoff(attempts: usize, random: u128) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    let whole = FIRST_BACKOFF.saturating_mul(2_u32.saturating_pow(doublings)).min(MAX_BACKOFF);
    let half = whole / 2;
    half + Duration::from_nanos(u64::try_from(random % half.as_nanos().max(1)).unwrap_or(0))
}
