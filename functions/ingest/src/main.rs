//! The function `ingest`: OTLP/HTTP, Loki's pushes and Prometheus' remote writes, durable before the answer.

use std::process::ExitCode;

use icegate_function_host::events::HandlerError;
use icegate_function_host::{Start, http};
use icegate_lake::Lake;
use prometheus_client::registry::Registry;

fn main() -> ExitCode {
    icegate_function_host::main(async |start: Start| -> Result<(), HandlerError> {
        let mut registry = Registry::with_prefix("icegate");
        let lake = Lake::open(start.config.clone(), &mut registry)?;
        let served = icegate_function_ingest::http(&lake, &start.settings, &mut registry);
        Ok(http::serve("ingest", &start, registry, served).await?)
    })
}
