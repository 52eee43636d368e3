use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use icegate_model::SystemClock;
use icegate_runtime::Config;
use lambda_runtime::LambdaEvent;
use prometheus_client::registry::Registry;
use serde_json::Value;

use super::invocation::Environment;
use super::{Handler, HandlerError};
use crate::emf::Emf;
use crate::{Start, invocations};

/// The life of a function that is no HTTP: opens its handler, then handles events until Lambda ends the process.
pub fn run<H: Handler + 'static>(
    function: &'static str,
    open: impl AsyncFnOnce(Config, &mut Registry) -> Result<H, HandlerError>,
) -> ExitCode {
    crate::main(async |start: Start| -> Result<(), HandlerError> {
        let service = start.config.tracing.service_name.clone();
        let mut registry = Registry::with_prefix("icegate");
        let handler = open(start.config.clone(), &mut registry).await?;
        let environment = Arc::new(Environment {
            handler,
            emf: Emf::new(service, function, registry),
            clock: Box::new(SystemClock),
            init: start.elapsed(),
            warm: AtomicBool::new(false),
        });
        let handle = move |event: LambdaEvent<Value>| {
            let environment = Arc::clone(&environment);
            async move { environment.handle(event).await }
        };
        Ok(invocations(handle).await?)
    })
}
