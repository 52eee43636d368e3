//! The function `prometheus`: Prometheus's query API.

use std::process::ExitCode;
use std::sync::Arc;

use http::StatusCode;
use icegate_auth::Scope;
use icegate_function_host::http::{Http, serve};
use icegate_function_host::{HostError, Start};
use icegate_prometheus_api::{BuildInfo, refuse, router};
use prometheus_client::registry::Registry;

fn main() -> ExitCode {
    icegate_function_host::main(async |start: Start| -> Result<(), HostError> {
        let revision = option_env!("ICEGATE_REVISION").unwrap_or_default().to_owned();
        let build = BuildInfo { version: env!("CARGO_PKG_VERSION").to_owned(), revision };
        let served = Http {
            router: router(&build),
            need: Scope::Read,
            refuse: Arc::new(|_, status, message| refuse(status, message)),
            late: StatusCode::SERVICE_UNAVAILABLE,
            advice: "narrow the time range, or ask the function URL, which waits longer",
            // Both APIs begin with /api, so that one gateway tells them by what comes before it.
            base_path: "/prometheus",
        };
        serve("prometheus", &start, Registry::with_prefix("icegate"), served).await
    })
}
