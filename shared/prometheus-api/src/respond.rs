//! The envelope of answers.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::{Value, json};

use crate::PrometheusError;
use crate::config::{MAX_ANSWER_BYTES, MAX_NOTES};

/// What a user should know about an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    pub(crate) warnings: Vec<String>,
    pub(crate) infos: Vec<String>,
}

/// An answer whose data is JSON text.
pub(crate) fn raw(data: &str, notes: Notes) -> Result<Response, PrometheusError> {
    let mut body = format!(r#"{{"status":"success","data":{data}"#);
    for (name, kind, notes) in [("warnings", "warning", notes.warnings), ("infos", "info", notes.infos)] {
        if !notes.is_empty() {
            body.push_str(&format!(",\"{name}\":{}", json!(shown(notes, kind))));
        }
    }
    body.push('}');
    if body.len() > MAX_ANSWER_BYTES {
        return Err(PrometheusError::AnswerTooLarge { max: MAX_ANSWER_BYTES });
    }
    Ok(json_body(StatusCode::OK, body))
}

fn shown(mut notes: Vec<String>, kind: &str) -> Vec<String> {
    let more = notes.len().saturating_sub(MAX_NOTES);
    if more > 0 {
        notes.truncate(MAX_NOTES);
        notes.push(format!("{more} more {kind} annotations omitted"));
    }
    notes
}

/// An answer.
pub(crate) fn data(data: &Value, notes: Notes) -> Result<Response, PrometheusError> {
    raw(&data.to_string(), notes)
}

/// An error.
pub(crate) fn error(status: StatusCode, kind: &str, message: &str) -> Response {
    let mut response = json_body(status, json!({ "status": "error", "errorType": kind, "error": message }).to_string());
    if let Some(seconds) = icegate_http::retry_after(status) {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

fn json_body(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Plain text.
pub(crate) fn text(status: StatusCode, body: &'static str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_notes_are_shown_and_the_others_counted() {
        let notes: Vec<String> = (0..12).map(|note| note.to_string()).collect();
        let shown = shown(notes, "warning");
        assert_eq!((shown.len(), shown[10].as_str()), (11, "2 more warning annotations omitted"));
    }
}
