use std::fmt::Debug;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use lambda_runtime::{Diagnostic, Error, IntoFunctionResponse, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tower::Service;
use tower::layer::layer_fn;

use crate::HostError;

/// How long invocations may take to end once the environment is to shut down. Lambda itself waits for half a second at most.
const DRAIN: Duration = Duration::from_secs(10);

/// Takes invocations until Lambda ends the environment, one at a time; on Lambda Managed Instances as many at once as
/// `AWS_LAMBDA_MAX_CONCURRENCY` says. On SIGTERM the invocations at hand are answered, and then it returns.
///
/// # Errors
/// [`HostError::Runtime`] where the Runtime API can't be reached.
pub async fn invocations<A, R, B, S, D, E, F, Fut, Failure>(handler: F) -> Result<(), HostError>
where
    F: Fn(LambdaEvent<A>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<R, Failure>> + Send + 'static,
    Failure: Into<Diagnostic> + Debug + Send + 'static,
    A: for<'de> Deserialize<'de> + Send + 'static,
    R: IntoFunctionResponse<B, S> + Send + 'static,
    B: Serialize + Send + 'static,
    S: futures::Stream<Item = Result<D, E>> + Unpin + Send + 'static,
    D: Into<bytes::Bytes> + Send + 'static,
    E: Into<Error> + Send + Debug + 'static,
{
    let running = watch::Sender::new(0_usize);
    let counted = running.clone();
    let runtime = Runtime::new(service_fn(handler));
    let runtime = runtime.layer(layer_fn(move |inner| Counted { inner, running: counted.clone() }));
    until_stopped(runtime.run_concurrent(), &running).await.map_err(|source| HostError::Runtime { source })
}

async fn until_stopped(run: impl Future<Output = Result<(), Error>>, running: &watch::Sender<usize>) -> Result<(), Error> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut run = std::pin::pin!(run);
    tokio::select! {
        ended = &mut run => return ended,
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    let mut running = running.subscribe();
    tokio::select! {
        biased;
        _ = running.wait_for(|running| *running == 0) => {}
        ended = &mut run => return ended,
        () = tokio::time::sleep(DRAIN) => tracing::warn!(seconds = DRAIN.as_secs(), "invocations were still running and are dropped"),
    }
    tracing::info!("the function has stopped");
    Ok(())
}

/// Counts the invocations whose answers are not yet with Lambda.
#[derive(Clone)]
struct Counted<S> {
    inner: S,
    running: watch::Sender<usize>,
}

impl<S> Service<LambdaInvocation> for Counted<S>
where
    S: Service<LambdaInvocation>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let running = Running::new(self.running.clone());
        let answer = self.inner.call(invocation);
        Box::pin(async move {
            let answered = answer.await;
            drop(running);
            answered
        })
    }
}

struct Running(watch::Sender<usize>);

impl Running {
    fn new(count: watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
