//! What Tempo's API says today.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::{Request, StatusCode};
use icegate_tempo_api::{BuildInfo, refuse, router};
use tower::ServiceExt;

async fn read(response: Response) -> (u16, String, String) {
    let (head, body) = response.into_parts();
    let content_type = head.headers["content-type"].to_str().unwrap().to_owned();
    let body = to_bytes(body, 10_000).await.unwrap();
    (head.status.as_u16(), content_type, String::from_utf8(body.to_vec()).unwrap())
}

async fn get(path: &str) -> (u16, String, String) {
    let build = BuildInfo { version: "1.2.3".to_owned(), revision: "abc".to_owned() };
    read(router(&build).oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()).await
}

#[tokio::test]
async fn what_says_that_there_is_a_server_answers_as_tempo_does() {
    let text = "text/plain; charset=utf-8".to_owned();
    assert_eq!(get("/ready").await, (200, text.clone(), "ready\n".to_owned()));
    assert_eq!(get("/api/echo").await, (200, text.clone(), "echo\n".to_owned()));
    assert_eq!(get("/nothing").await, (404, text, "404 page not found\n".to_owned()));
    let (status, content_type, body) = get("/api/status/buildinfo").await;
    let build: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, content_type.as_str(), &build["version"], &build["revision"]),
        (200, "application/json", &"1.2.3".into(), &"abc".into())
    );
}

#[tokio::test]
async fn a_path_that_would_read_traces_is_501_and_named() {
    for path in
        ["/api/traces/5b8efff798038103d269b633813fc60c", "/api/v2/search/tags", "/api/metrics/query_range?q={}", "/status/config"]
    {
        let (status, _, body) = get(path).await;
        assert_eq!(status, 501, "{path}");
        assert!(body.ends_with(" is not supported: this build stores traces and does not query them\n"), "{body}");
    }
    assert!(get("/api/v2/search/tag/name/values").await.2.starts_with("/api/v2/search/tag/{name}/values is not"));
}

#[tokio::test]
async fn a_refusal_is_text_and_says_when_to_come_again() {
    let busy = refuse(StatusCode::SERVICE_UNAVAILABLE, "no");
    assert_eq!(busy.headers()["retry-after"], "1");
    assert_eq!(read(busy).await, (503, "text/plain; charset=utf-8".to_owned(), "no\n".to_owned()));
}
