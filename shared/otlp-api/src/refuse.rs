use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use icegate_http::accepts;
use icegate_model::ErrorKind;
use icegate_otlp::Encoding;

use crate::{answer, content, push, remote_write};

/// What a host refuses before a request reaches [`crate::router`], as the API that it is meant for writes errors: OTLP's status in the
/// request's encoding, or the text of Loki and Prometheus.
#[must_use]
pub fn refuse(request: &Parts, status: StatusCode, message: &str) -> Response {
    if push::PATHS.contains(&request.uri.path()) {
        return push::refused(status, message, accepts(&request.headers, "application/json"));
    }
    // A function may have it behind the name of its API.
    if request.uri.path().ends_with(remote_write::PATH) {
        return push::refused(status, message, false);
    }
    let encoding = content::encoding(&request.headers).unwrap_or(Encoding::Json);
    answer::refused(encoding, status, kind(status), message)
}

/// The kind whose gRPC code says the same as the status.
const fn kind(status: StatusCode) -> ErrorKind {
    match status {
        StatusCode::UNAUTHORIZED => ErrorKind::Unauthenticated,
        StatusCode::FORBIDDEN => ErrorKind::Forbidden,
        StatusCode::NOT_FOUND => ErrorKind::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS => ErrorKind::LimitExceeded,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => ErrorKind::Unavailable,
        status if status.as_u16() >= 500 => ErrorKind::Internal,
        _ => ErrorKind::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use http::Request;
    use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};

    async fn refused(path: &str, header: (http::HeaderName, &str), status: StatusCode) -> (Response<()>, Vec<u8>) {
        let (parts, ()) = Request::post(path).header(header.0, header.1).body(()).unwrap().into_parts();
        let (head, body) = refuse(&parts, status, "no").into_parts();
        (Response::from_parts(head, ()), to_bytes(body, 1_000).await.unwrap().to_vec())
    }

    #[tokio::test]
    async fn a_refusal_is_written_as_the_api_that_was_asked_writes_errors() {
        let (head, body) = refused("/v1/logs", (CONTENT_TYPE, "application/json"), StatusCode::UNAUTHORIZED).await;
        // google.rpc.Code 16 is UNAUTHENTICATED.
        assert_eq!((head.status().as_u16(), &body[..]), (401, &br#"{"code":16,"message":"no"}"#[..]));
        let (head, body) = refused("/v1/traces", (CONTENT_TYPE, "application/x-protobuf"), StatusCode::SERVICE_UNAVAILABLE).await;
        // Field 1 is the code, 14 is UNAVAILABLE; field 2 is the message.
        assert_eq!((head.headers()[RETRY_AFTER].as_bytes(), &body[..]), (&b"1"[..], &b"\x08\x0e\x12\x02no"[..]));
        let (head, body) = refused("/loki/api/v1/push", (CONTENT_TYPE, "application/json"), StatusCode::FORBIDDEN).await;
        assert_eq!((head.status().as_u16(), &body[..]), (403, &b"no"[..]));
        let (head, body) =
            refused("/prometheus/api/v1/write", (CONTENT_TYPE, "application/x-protobuf"), StatusCode::FORBIDDEN).await;
        assert_eq!((head.status().as_u16(), &body[..]), (403, &b"no"[..]));
        let (_, body) = refused("/api/prom/push", (ACCEPT, "application/json"), StatusCode::FORBIDDEN).await;
        assert_eq!(&body[..], br#"{"error":"no","errorType":"forbidden","message":"no","status":"error"}"#);
    }
}
