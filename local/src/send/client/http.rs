use std::time::Duration;

use bytes::Bytes;
use icegate_http::{ACCOUNT_HEADER, TENANT_HEADER};
use icegate_model::{Signal, TenantId};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use super::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, Target, chain};
use crate::send::SendError;
use crate::send::args::Compression;
use crate::send::endpoint::Endpoint;
use crate::send::reply::{Answer, accepted, message};

/// Most bytes of an answer.
const MAX_ANSWER: usize = 4 << 20;
/// Most bytes of an answer that a reason quotes.
const MAX_QUOTED: usize = 200;

/// OTLP over HTTP/1.1.
pub(crate) struct Http {
    client: reqwest::Client,
    url: String,
    target: Target,
}

impl Http {
    pub(super) fn new(target: &Target, endpoint: &Endpoint) -> Result<Self, SendError> {
        let client = reqwest::Client::builder()
            .http1_only()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|source| SendError::HttpClient { source })?;
        Ok(Self { client, url: endpoint.url.clone(), target: target.clone() })
    }

    pub(super) fn compression(&self) -> Compression {
        self.target.compression
    }

    pub(super) async fn send(&self, tenant: &TenantId, body: Bytes) -> Answer {
        let mut request = self.client.post(&self.url).header(TENANT_HEADER, tenant.as_str());
        request = request.header(CONTENT_TYPE, if self.target.as_json { "application/json" } else { "application/x-protobuf" });
        if let Some(account) = &self.target.account {
            request = request.header(ACCOUNT_HEADER, account.as_str());
        }
        match self.target.compression {
            Compression::None => {}
            Compression::Gzip => request = request.header(CONTENT_ENCODING, "gzip"),
            Compression::Zstd => request = request.header(CONTENT_ENCODING, "zstd"),
        }
        match request.body(body).send().await {
            Ok(response) => answer(response, self.target.signal, self.target.as_json).await,
            Err(error) if error.is_builder() => Answer::Refused { reason: chain(&error) },
            Err(error) => Answer::Busy { after: None, reason: chain(&error) },
        }
    }
}

async fn answer(mut response: Response, signal: Signal, as_json: bool) -> Answer {
    let (status, after) = (response.status(), retry_after(response.headers()));
    let json = is_json(response.headers()).unwrap_or(as_json);
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Answer::Refused { reason: format!("answer {status} is longer than {MAX_ANSWER} bytes") },
            Ok(None) => break,
            // Without the whole answer nobody knows what became of the request.
            Err(error) => return Answer::Busy { after, reason: chain(&error) },
        }
    }
    if status.is_success() {
        return match accepted(json, signal, &body) {
            Ok(accepted) => Answer::Acked(accepted),
            Err(error) => Answer::Refused { reason: format!("answer {status} can't be read: {error}") },
        };
    }
    let reason = reason(status, json, &body);
    if is_busy(status) { Answer::Busy { after, reason } } else { Answer::Refused { reason } }
}

/// The statuses that OTLP calls retryable.
fn is_busy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

fn reason(status: StatusCode, json: bool, body: &[u8]) -> String {
    let mut said = message(json, body);
    if said.is_empty() {
        said = String::from_utf8_lossy(body).into_owned();
    }
    let said: String = said.trim().chars().take(MAX_QUOTED).collect();
    if said.is_empty() { format!("answer {status}") } else { format!("answer {status}: {said}") }
}

/// The answer's own word on its encoding.
fn is_json(headers: &HeaderMap) -> Option<bool> {
    headers.get(CONTENT_TYPE)?.to_str().ok().map(|kind| kind.starts_with("application/json"))
}

/// Seconds; the other form of the header, a date, counts as none.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_retryable_statuses_count_as_busy() {
        let busy: Vec<u16> = (100..600).filter(|code| is_busy(StatusCode::from_u16(*code).unwrap())).collect();
        assert_eq!(busy, [429, 502, 503, 504]);
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        let with = |text: &'static str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]));
        assert_eq!(with("3"), Some(Duration::from_secs(3)));
        assert_eq!(with("Wed, 21 Oct 2015 07:28:00 GMT"), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn a_reason_quotes_the_status_message_or_else_the_body() {
        let status = StatusCode::BAD_REQUEST;
        assert_eq!(reason(status, true, br#"{"code":3,"message":"no tenant"}"#), "answer 400 Bad Request: no tenant");
        assert_eq!(reason(status, true, b" nope\n"), "answer 400 Bad Request: nope");
        assert_eq!(reason(status, false, b""), "answer 400 Bad Request");
    }
}
