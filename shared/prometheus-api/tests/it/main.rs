//! What Prometheus' API says today.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::{Request, StatusCode};
use icegate_prometheus_api::{BuildInfo, refuse, router};
use serde_json::{Value, json};
use tower::ServiceExt;

async fn read(response: Response) -> (u16, String) {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, 10_000).await.unwrap();
    (head.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
}

async fn get(path: &str) -> (u16, String) {
    let build = BuildInfo { version: "1.2.3".to_owned(), revision: "abc".to_owned() };
    read(router(&build).oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()).await
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn what_says_that_there_is_a_server_answers() {
    assert_eq!(get("/-/ready").await, (200, "IceGate is ready.\n".to_owned()));
    assert_eq!(get("/-/healthy").await, (200, "IceGate is healthy.\n".to_owned()));
    assert_eq!(get("/nothing").await.0, 404);
    let (status, body) = get("/api/v1/status/buildinfo").await;
    let build = parsed(&body);
    assert_eq!((status, &build["status"], &build["data"]["version"]), (200, &json!("success"), &json!("1.2.3")));
    // Features would make Grafana take this for Mimir.
    assert!(build["data"].get("features").is_none());
}

#[tokio::test]
async fn a_path_that_would_read_metrics_is_501_and_named() {
    for (path, named) in [
        ("/api/v1/query?query=up", "/api/v1/query"),
        ("/api/v1/label/job/values", "/api/v1/label/{name}/values"),
        ("/api/v1/rules", "/api/v1/rules"),
        ("/api/v1/write", "/api/v1/write"),
    ] {
        let (status, body) = get(path).await;
        let error = format!("{named} is not supported: this build stores metrics and does not query them");
        assert_eq!((status, parsed(&body)), (501, json!({"status": "error", "errorType": "not_implemented", "error": error})));
    }
}

#[tokio::test]
async fn a_refusal_is_json_and_says_when_to_come_again() {
    let busy = refuse(StatusCode::SERVICE_UNAVAILABLE, "no");
    assert_eq!(busy.headers()["retry-after"], "1");
    let (status, body) = read(busy).await;
    assert_eq!((status, parsed(&body)), (503, json!({"status": "error", "errorType": "unavailable", "error": "no"})));
}
