use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use icegate_model::Clock;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::Value;
use tracing::Instrument;

use super::Deadline;
use crate::emf::{Emf, Measured};

/// Why an invocation failed, as whoever invoked the function is told.
pub type HandlerError = Box<dyn std::error::Error + Send + Sync>;

/// What a handler may know of its invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Lambda's name of it.
    pub request_id: String,
    /// When the function is killed.
    pub deadline: Deadline,
}

/// What a function does with an event.
pub trait Handler: Send + Sync {
    /// Handles it, and has nothing left to do when this returns: the environment may be frozen then.
    fn handle(&self, event: Value, invocation: &Invocation) -> impl Future<Output = Result<Value, HandlerError>> + Send;
}

/// A function's environment: its handler, and what is told of each invocation.
#[derive(Debug)]
pub(super) struct Environment<H> {
    pub(super) handler: H,
    pub(super) emf: Emf,
    pub(super) clock: Box<dyn Clock>,
    /// How long it took until the first event could be taken.
    pub(super) init: Duration,
    pub(super) warm: AtomicBool,
}

impl<H: Handler> Environment<H> {
    pub(super) async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
        let (began, cold) = (Instant::now(), !self.warm.swap(true, Ordering::Relaxed));
        let LambdaEvent { payload, context } = event;
        let invocation =
            Invocation { deadline: Deadline::given(context.deadline, self.clock.as_ref()), request_id: context.request_id };
        let outcome = invoke(&self.handler, payload, &invocation).await;
        self.emf.write(&Measured {
            at: self.clock.now(),
            request_id: &invocation.request_id,
            millis: millis(began.elapsed()),
            failed: outcome.is_err(),
            init_millis: cold.then(|| millis(self.init)),
        });
        // A name for those who count errors by their type; the runtime would take one that says nothing.
        outcome.map_err(|error| Diagnostic { error_type: "EventFailed".to_owned(), error_message: error.to_string() })
    }
}

/// Handles one event, and logs how it ended.
///
/// # Errors
/// Those of the handler.
pub async fn invoke<H: Handler>(handler: &H, event: Value, invocation: &Invocation) -> Result<Value, HandlerError> {
    let span = tracing::info_span!("invocation", request_id = invocation.request_id);
    async {
        let outcome = handler.handle(event, invocation).await;
        if let Err(error) = &outcome {
            tracing::error!(%error, "invocation failed");
        }
        outcome
    }
    .instrument(span)
    .await
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
