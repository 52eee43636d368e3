//! The function `prometheus`: PromQL over the tables and the WAL.

use std::process::ExitCode;

use icegate_function_host::events::HandlerError;
use icegate_function_host::{Start, http};
use icegate_lake::Lake;
use icegate_queries::BuildInfo;
use prometheus_client::registry::Registry;

fn main() -> ExitCode {
    icegate_function_host::main(async |start: Start| -> Result<(), HandlerError> {
        let mut registry = Registry::with_prefix("icegate");
        let lake = Lake::open(start.config.clone(), &mut registry)?;
        let revision = option_env!("ICEGATE_REVISION").unwrap_or_default().to_owned();
        let build = BuildInfo { version: env!("CARGO_PKG_VERSION").to_owned(), revision };
        let served = icegate_function_prometheus::http(&lake, build, &mut registry).await?;
        Ok(http::serve("prometheus", &start, registry, served).await?)
    })
}
