use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

/// `GET /health`: the process serves.
pub(crate) async fn health() -> Response {
    ([(CONTENT_TYPE, "application/json")], r#"{"status":"healthy"}"#).into_response()
}
