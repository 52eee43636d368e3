use tracing_subscriber::EnvFilter;

use crate::HostError;

/// Set by Lambda's own log settings.
const LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";

/// Logs JSON lines to standard output, which Lambda sends to CloudWatch, filtered by `RUST_LOG`, else by the level that the function's
/// log settings name, else `info`, and with the lines by which a request is followed. Each line carries what is known of the invocation that it belongs to.
pub(crate) fn start() -> Result<(), HostError> {
    let broken = |message: String| HostError::Log { message };
    let level = std::env::var(LEVEL).unwrap_or_else(|_| "info".to_owned());
    let directives = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| format!("{level},{}=debug", icegate_model::TRAIL));
    let filter = EnvFilter::builder().parse(directives).map_err(|error| broken(error.to_string()))?;
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(true);
    let subscriber = lines.with_writer(std::io::stdout).with_env_filter(filter);
    subscriber.try_init().map_err(|error| broken(error.to_string()))
}
