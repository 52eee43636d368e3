use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

/// `/ready`: the API serves. Storage isn't asked: a process that can't reach it answers 503 to queries and says why.
pub(crate) async fn ready() -> Response {
    ([(CONTENT_TYPE, "application/json")], r#"{"status":"ready"}"#).into_response()
}
