use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use icegate_model::SystemClock;
use icegate_runtime::Config;
use lambda_runtime::service_fn;
use prometheus_client::registry::Registry;
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use super::invocation::Environment;
use super::{Handler, HandlerError};
use crate::emf::Emf;

/// Where data lies that no variable places: beside the function, as `cargo lambda watch` runs it.
const DATA: &str = "data";

/// The life of a function that is no HTTP: opens its handler, then handles events until Lambda ends the process.
pub fn run<H: Handler + 'static>(
    function: &'static str,
    open: impl AsyncFnOnce(Config, &mut Registry) -> Result<H, HandlerError>,
) -> ExitCode {
    let began = Instant::now();
    let served = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(HandlerError::from);
    match served.and_then(|runtime| runtime.block_on(serve(function, began, open))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Also where logging has not begun.
            let _ = writeln!(std::io::stderr(), "function-{function}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve<H: Handler + 'static>(
    function: &'static str,
    began: Instant,
    open: impl AsyncFnOnce(Config, &mut Registry) -> Result<H, HandlerError>,
) -> Result<(), HandlerError> {
    start_logging()?;
    let config = config()?;
    let service = config.tracing.service_name.clone();
    let mut registry = Registry::with_prefix("icegate");
    let handler = open(config, &mut registry).await?;
    let environment = Arc::new(Environment {
        handler,
        emf: Emf::new(service, function, registry),
        clock: Box::new(SystemClock),
        init: began.elapsed(),
        warm: AtomicBool::new(false),
    });
    lambda_runtime::run(service_fn(move |event: lambda_runtime::LambdaEvent<Value>| {
        let environment = Arc::clone(&environment);
        async move { environment.handle(event).await }
    }))
    .await
}

fn config() -> Result<Config, HandlerError> {
    let variables: Vec<_> =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
    Ok(Config::load(None, Path::new(DATA), &variables)?)
}

fn start_logging() -> Result<(), HandlerError> {
    let default = format!("info,{}=debug", icegate_model::TRAIL);
    let filter = EnvFilter::builder().parse(std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or(default))?;
    tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).try_init()
}
