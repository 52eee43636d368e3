//! The function `prometheus` under the Runtime API.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use icegate_testkit::LambdaFunction;
use serde_json::{Value, json};

fn get(function: &LambdaFunction, path: &str, grant: Option<&str>) -> (u64, String) {
    let authorizer = grant.map(|scopes| json!({"lambda": {"tenants": "team-a", "scopes": scopes}}));
    let event = json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {},
        "requestContext": {"stage": "$default", "http": {"method": "GET"}, "authorizer": authorizer},
    });
    let invoked = function.invoke(event.to_string().as_bytes(), Duration::from_secs(30));
    let reply: Value = serde_json::from_slice(&invoked.body).unwrap();
    (reply["statusCode"].as_u64().unwrap(), reply["body"].as_str().unwrap().to_owned())
}

#[test]
fn paths_are_served_below_the_prefix_and_without_it_to_who_may_read() {
    let function = LambdaFunction::start("function-prometheus", &std::env::temp_dir(), &[]);
    for path in ["/prometheus/-/ready", "/-/ready"] {
        assert_eq!(get(&function, path, Some("read")), (200, "IceGate is ready.\n".to_owned()));
    }
    let json = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let (status, text) = get(&function, "/prometheus/api/v1/status/buildinfo", Some("read"));
    assert_eq!((status, &json(text)["status"]), (200, &json!("success")));
    let (status, text) = get(&function, "/prometheus/api/v1/read", Some("read"));
    let message = "/api/v1/read is not supported: series are read with queries";
    assert_eq!((status, json(text)), (501, json!({"status": "error", "errorType": "not_implemented", "error": message})));
    let (status, text) = get(&function, "/prometheus/-/ready", None);
    let message = "the request has not been authorized";
    assert_eq!((status, json(text)), (401, json!({"status": "error", "errorType": "unauthorized", "error": message})));
    assert_eq!(get(&function, "/prometheus/-/ready", Some("write")).0, 403);
}
