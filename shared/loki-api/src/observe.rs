use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use icegate_http::{accepts, error_type, retry_after};

use crate::ErrorFormat;
use crate::error::Failure;
use crate::state::Shared;

/// Around every request: counts it, logs the server's own failures and writes errors as the client wants them.
pub(crate) async fn observe(
    State(state): State<Arc<Shared>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let since = Instant::now();
    let json = wants_json(request.headers(), state.config.error_format);
    let mut response = next.run(request).await;
    let endpoint = path.as_ref().map_or("other", |path| path.as_str());
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        if failure.status.is_server_error() {
            tracing::error!(endpoint, status = failure.status.as_u16(), error = &*failure.message, "query failed");
        }
        response = body(&failure, json);
    }
    state.metrics.answered(endpoint, response.status(), since.elapsed());
    response
}

/// What a host refuses before a request reaches [`crate::router`], as this API writes errors.
#[must_use]
pub fn refuse(request: &Parts, format: ErrorFormat, status: StatusCode, message: &str) -> Response {
    body(&Failure { status, message: Arc::from(message) }, wants_json(&request.headers, format))
}

fn wants_json(headers: &HeaderMap, format: ErrorFormat) -> bool {
    format == ErrorFormat::Json || accepts(headers, "application/json")
}

fn body(failure: &Failure, json: bool) -> Response {
    let (content_type, body) = if json {
        let message = &*failure.message;
        // Grafana shows `message`, the documented form has `error`.
        let body = serde_json::json!({ "status": "error", "errorType": error_type(failure.status), "error": message, "message": message });
        ("application/json", body.to_string())
    } else {
        ("text/plain; charset=utf-8", failure.message.to_string())
    };
    let mut response = (failure.status, [(CONTENT_TYPE, content_type)], body).into_response();
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(seconds) = retry_after(failure.status) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
