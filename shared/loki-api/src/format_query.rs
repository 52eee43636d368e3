use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use icegate_logql::{parse, pretty};
use serde_json::json;

use crate::LokiError;
use crate::call::Call;
use crate::config::MAX_ANSWER_BYTES;
use crate::render;

/// `/loki/api/v1/format_query`: the query, laid out for people. One that is no LogQL is told of as JSON, whatever the client wants.
pub(crate) async fn format_query(call: Call) -> Result<Response, LokiError> {
    match parse(call.params.get("query").unwrap_or_default()) {
        Ok(expr) => Ok(render::json(render::success(&pretty(&expr), MAX_ANSWER_BYTES)?)),
        Err(error) => {
            let body = json!({ "status": "invalid-query", "error": error.to_string() });
            Ok((StatusCode::BAD_REQUEST, [(CONTENT_TYPE, "application/json; charset=UTF-8")], body.to_string()).into_response())
        }
    }
}
