use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use object_store::client::{HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService};
use tokio::time::{Instant, Sleep};

use super::{conditional, with_sources};

/// The slowest upload that is waited for, in bytes a second.
const SLOWEST_UPLOAD: usize = 1 << 20;

/// Sends requests, and ends those that the server leaves without a byte for too long. A slow server is not a stalled one: what
/// keeps coming may take as long as it takes.
#[derive(Debug)]
pub(super) struct Connection {
    client: reqwest::Client,
    silence: Duration,
}

impl Connection {
    pub(super) const fn new(client: reqwest::Client, silence: Duration) -> Self {
        Self { client, silence }
    }

    /// Sends a request once.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let upload = Duration::from_secs((request.body().content_length() / SLOWEST_UPLOAD) as u64);
        let answer = tokio::time::timeout(self.silence + upload, HttpService::call(&self.client, request));
        let response = answer.await.map_err(|_| stalled(self.silence + upload))?.map_err(|error| explained(&error))?;
        Ok(response.map(|body| HttpResponseBody::new(Steady { body, silence: self.silence, waiting: None })))
    }
}

#[async_trait]
impl HttpService for Connection {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if conditional::is_conditional_put(&request) {
            return conditional::put(self, request).await;
        }
        self.send(request).await
    }
}

/// The same error with its sources in its text: what the network said is in the last of them, and most who print it print no more.
fn explained(error: &HttpError) -> HttpError {
    HttpError::new(error.kind(), io::Error::other(error.source().map_or_else(|| error.to_string(), with_sources)))
}

fn stalled(after: Duration) -> HttpError {
    let text = format!("the server did not answer within {after:?}");
    HttpError::new(HttpErrorKind::Timeout, io::Error::new(io::ErrorKind::TimedOut, text))
}

/// A body that fails when its server stalls.
struct Steady {
    body: HttpResponseBody,
    silence: Duration,
    /// Runs while bytes are waited for, so that a reader that takes its time is not taken for a server that does.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Body for Steady {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            this.waiting = None;
            return Poll::Ready(frame);
        }
        let silence = this.silence;
        let waiting = this.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + silence)));
        waiting.as_mut().poll(context).map(|()| Some(Err(stalled(silence))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    const SILENCE: Duration = Duration::from_secs(5);

    /// Comes in parts, each after a wait.
    struct Parts(Mutex<Vec<Pin<Box<Sleep>>>>);

    impl Parts {
        fn after(seconds: &[u64]) -> Steady {
            let mut at = Instant::now();
            let mut sleeps: Vec<_> = seconds
                .iter()
                .map(|&wait| {
                    at += Duration::from_secs(wait);
                    Box::pin(tokio::time::sleep_until(at))
                })
                .collect();
            sleeps.reverse();
            Steady { body: HttpResponseBody::new(Self(Mutex::new(sleeps))), silence: SILENCE, waiting: None }
        }
    }

    impl Body for Parts {
        type Data = Bytes;
        type Error = HttpError;

        fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
            let mut parts = self.0.lock().unwrap();
            let Some(next) = parts.last_mut() else { return Poll::Ready(None) };
            next.as_mut().poll(context).map(|()| {
                parts.pop();
                Some(Ok(Frame::data(Bytes::from_static(b"x"))))
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_is_read_to_its_end_and_a_stalled_one_fails() {
        let slow = HttpResponseBody::new(Parts::after(&[4, 4, 4, 4]));
        assert_eq!(slow.bytes().await.unwrap(), "xxxx");
        let began = Instant::now();
        let error = HttpResponseBody::new(Parts::after(&[4, 6])).bytes().await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Timeout);
        assert_eq!(began.elapsed(), Duration::from_secs(4) + SILENCE);
    }
}
