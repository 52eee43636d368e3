use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::HostError;

/// Set by Lambda's own log settings.
const LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";

/// Logs JSON lines to standard output, which Lambda sends to CloudWatch, filtered by `RUST_LOG`, else by the level that the function's
/// log settings name, else `info`. Each line carries what is known of the invocation that it belongs to.
pub(crate) fn start() -> Result<(), HostError> {
    let level = std::env::var(LEVEL).ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let broken = |message: String| HostError::Log { message };
    let filter =
        EnvFilter::builder().with_default_directive(level.into()).from_env().map_err(|error| broken(format!("RUST_LOG: {error}")))?;
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(true);
    let subscriber = lines.with_writer(std::io::stdout).with_env_filter(filter);
    subscriber.try_init().map_err(|error| broken(error.to_string()))
}
