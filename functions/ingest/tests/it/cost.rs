//! Requests to storage of a request, counted.

use std::path::Path;

use axum::body::{Body, to_bytes};
use icegate_function_host::Settings;
use icegate_lake::Lake;
use icegate_runtime::Config;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::logs;

const REQUESTS: u64 = 50;

#[tokio::test]
async fn a_request_is_one_put_and_no_get_and_no_list() {
    let config = Config::from_yaml("storage: { backend: memory }", Path::new("data")).unwrap();
    let lake = Lake::open(config, &mut Registry::default()).unwrap();
    let settings = Settings::from_variables(&[]).unwrap();
    let router = icegate_function_ingest::http(&lake, &settings, &mut Registry::default()).router;
    let span = json!({"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "get", "kind": 2,
        "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000001000000000"});
    let traces = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string();
    let point = json!({"timeUnixNano": "1700000000000000000", "asInt": "1"});
    let metrics =
        json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": [point]}}]}]}]})
            .to_string();
    for number in 0..REQUESTS {
        let (path, body) = match number % 3 {
            0 => ("/v1/logs", logs(&format!("line {number}"))),
            1 => ("/v1/traces", traces.replace("eee19b7e", &format!("{number:08x}")).into_bytes()),
            _ => ("/v1/metrics", metrics.replace("\"1\"", &format!("\"{number}\"")).into_bytes()),
        };
        let request = http::Request::post(path).header("content-type", "application/json").body(Body::from(body)).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), 200, "{path}");
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let refused = body["partialSuccess"].as_object().unwrap().iter().filter(|(name, _)| name.starts_with("rejected"));
        assert!(refused.into_iter().all(|(_, count)| *count == 0 || *count == "0"), "{path}: {body}");
    }
    let counts = lake.requests().counts();
    assert_eq!((counts.put, counts.get, counts.head, counts.list, counts.delete), (REQUESTS, 0, 0, 0, 0));
}
