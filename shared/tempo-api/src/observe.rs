use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;

use crate::error::Failure;
use crate::state::Shared;

/// Around every request: counts it and logs the server's own failures.
pub(crate) async fn observe(
    State(state): State<Arc<Shared>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let since = Instant::now();
    let mut response = next.run(request).await;
    let endpoint = path.as_ref().map_or("other", |path| path.as_str());
    if let Some(Failure(message)) = response.extensions_mut().remove::<Failure>() {
        failed(endpoint, response.status(), &message);
    }
    state.metrics.answered(endpoint, response.status(), since.elapsed());
    response
}

/// Logs what is the server's own failure.
pub(crate) fn failed(endpoint: &str, status: StatusCode, message: &str) {
    if status.is_server_error() {
        tracing::error!(endpoint, status = status.as_u16(), error = message, "query failed");
    }
}
