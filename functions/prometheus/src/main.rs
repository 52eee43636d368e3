//! The function `prometheus`: Prometheus' query API over the tables and the WAL.

use std::process::ExitCode;
use std::sync::Arc;

use http::StatusCode;
use icegate_auth::Scope;
use icegate_function_host::Start;
use icegate_function_host::events::HandlerError;
use icegate_function_host::http::{Http, serve};
use icegate_lake::Lake;
use icegate_queries::{BuildInfo, Data, engine, prometheus, refuse_prometheus};
use prometheus_client::registry::Registry;

fn main() -> ExitCode {
    icegate_function_host::main(async |start: Start| -> Result<(), HandlerError> {
        let mut registry = Registry::with_prefix("icegate");
        let lake = Lake::open(start.config.clone(), &mut registry)?;
        let data = Data { tables: lake.tables().await?, wal: Arc::clone(lake.wal()), clock: Arc::clone(lake.clock()) };
        let revision = option_env!("ICEGATE_REVISION").unwrap_or_default().to_owned();
        let build = BuildInfo { version: env!("CARGO_PKG_VERSION").to_owned(), revision };
        let engine = engine(lake.config(), &data, &mut registry)?;
        let served = Http {
            router: prometheus(lake.config(), &data, &engine, build),
            need: Scope::Read,
            refuse: Arc::new(|_, status, message| refuse_prometheus(status, message)),
            late: StatusCode::SERVICE_UNAVAILABLE,
            advice: "narrow the time range, or ask the function URL, which waits longer",
            // Both APIs begin with /api, so that one gateway tells them by what comes before it.
            base_path: "/prometheus",
        };
        Ok(serve("prometheus", &start, registry, served).await?)
    })
}
