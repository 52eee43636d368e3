//! Statuses and bodies apart from metrics.

use http::{Method, StatusCode};
use icegate_prometheus_api::{PrometheusConfig, refuse};
use serde_json::json;

use crate::api::{Store, TENANT};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_told_as_prometheus_tells_it() {
    let api = Store::new().await.api(PrometheusConfig::default());
    for (path, error) in [
        ("/api/v1/query", r#"invalid parameter "query": unknown position: parse error: no expression found in input"#),
        ("/api/v1/query?query=1&limit=x", r#"invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax"#),
        ("/api/v1/query?query=1&timeout=x", r#"invalid parameter "timeout": cannot parse "x" to a valid duration"#),
        ("/api/v1/query_range?query=1&start=1&end=2", r#"invalid parameter "step": cannot parse "" to a valid duration"#),
        (
            "/api/v1/query_range?query=1&start=2&end=1&step=1",
            r#"invalid parameter "end": end timestamp must not be before start time"#,
        ),
        (
            "/api/v1/query_range?query=1&start=0&end=11001&step=1",
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        ),
        (
            "/api/v1/query_range?query=a%5B1m%5D&start=0&end=1&step=1",
            r#"invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector"#,
        ),
        ("/api/v1/series", "no match[] parameter provided"),
        ("/api/v1/labels?match[]=%7B%7D", "match[] must contain at least one non-empty matcher"),
    ] {
        let reply = api.get(path).await;
        let body = json!({"status": "error", "errorType": "bad_data", "error": error});
        assert_eq!((reply.status, reply.json()), (StatusCode::BAD_REQUEST, body), "{path}");
    }
    let reply = api.send(Method::GET, "/api/v1/query?query=1", "no/tenant", None).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_answers_with_nothing() {
    let api = Store::new().await.api(PrometheusConfig::default());
    assert_eq!(api.get("/api/v1/query?query=up").await.data(), json!({"resultType": "vector", "result": []}));
    assert_eq!(api.get("/api/v1/labels").await.data(), json!([]));
    assert_eq!(api.get("/api/v1/labels?start=5&end=1").await.data(), json!([]));
    assert_eq!(api.get("/api/v1/metadata").await.data(), json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_methods_and_what_is_not_served_are_told_apart() {
    let api = Store::new().await.api(PrometheusConfig::default());
    assert_eq!(api.get("/-/ready").await.body, "IceGate is ready.\n");
    assert_eq!(api.get("/-/healthy").await.body, "IceGate is healthy.\n");
    assert_eq!(api.get("/nothing").await.status, StatusCode::NOT_FOUND);
    let reply = api.send(Method::POST, "/api/v1/label/job/values", TENANT, None).await;
    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n"));
    let reply = api.send(Method::OPTIONS, "/api/v1/query", TENANT, None).await;
    assert_eq!((reply.status, reply.headers["access-control-allow-origin"].to_str().unwrap()), (StatusCode::NO_CONTENT, "*"));
    let reply = api.get("/api/v1/read").await;
    let error = "/api/v1/read is not supported: series are read with queries";
    assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), (501, Some(error)));
    for path in ["/api/v1/write", "/api/v1/otlp/v1/metrics"] {
        let reply = api.send(Method::POST, path, TENANT, None).await;
        let text = "this server answers queries only: send metrics to one that takes them in (icegate run or icegate ingest run)";
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (501, text), "{path}");
    }
}

#[test]
fn a_refusal_says_when_to_come_again() {
    let busy = refuse(StatusCode::SERVICE_UNAVAILABLE, "no");
    assert_eq!(
        (busy.status(), &busy.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &http::HeaderValue::from_static("1"))
    );
}
