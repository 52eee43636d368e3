//! The function `tempo`, over what the function `ingest` has stored; the real binaries under the Runtime API.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use icegate_testkit::LambdaFunction;
use serde_json::{Value, json};

/// As an HTTP API's function has.
const TIME: Duration = Duration::from_secs(30);
const ID: &str = "5b8efff798038103d269b633813fc60c";

fn get(function: &LambdaFunction, path: &str, query: &str, grant: Option<&str>) -> (u64, String) {
    let authorizer = grant.map(|scopes| json!({"lambda": {"tenants": "team-a", "scopes": scopes}}));
    let event = json!({
        "version": "2.0", "rawPath": path, "rawQueryString": query, "headers": {},
        "requestContext": {"stage": "$default", "http": {"method": "GET"}, "authorizer": authorizer},
    });
    invoke(function, &event)
}

fn invoke(function: &LambdaFunction, event: &Value) -> (u64, String) {
    let invoked = function.invoke(event.to_string().as_bytes(), TIME);
    let reply: Value = serde_json::from_slice(&invoked.body).unwrap();
    (reply["statusCode"].as_u64().unwrap(), reply["body"].as_str().unwrap_or_default().to_owned())
}

/// Takes a span in, by the function `ingest`, and ends it.
fn ingest(folder: &Path) {
    let function = LambdaFunction::start("function-ingest", folder, &[]);
    let span = json!({
        "traceId": ID, "spanId": "eee19b7ec3c1b174", "name": "GET /", "kind": 2,
        "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000001000000000",
    });
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]});
    let body = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}).to_string();
    let event = json!({
        "version": "2.0", "rawPath": "/v1/traces", "rawQueryString": "", "headers": {"content-type": "application/json"},
        "requestContext": {
            "stage": "$default", "http": {"method": "POST"}, "authorizer": {"lambda": {"tenants": "team-a", "scopes": "write"}},
        },
        "body": STANDARD.encode(body), "isBase64Encoded": true,
    });
    let (status, reply) = invoke(&function, &event);
    assert_eq!(status, 200, "{reply}");
}

#[test]
fn traces_are_found_below_the_prefix_and_without_it_by_who_may_read() {
    let folder = tempfile::tempdir().unwrap();
    ingest(folder.path());
    let function = LambdaFunction::start("function-tempo", folder.path(), &[]);
    for path in ["/tempo/api/echo", "/api/echo"] {
        assert_eq!(get(&function, path, "", Some("read")), (200, "echo\n".to_owned()));
    }
    let (status, found) =
        get(&function, "/tempo/api/search", "q=%7Bkind%3Dserver%7D&start=1700000000&end=1700000060", Some("read"));
    let found: Value = serde_json::from_str(&found).unwrap_or_else(|error| panic!("{status} {error} {found}"));
    assert_eq!((status, &found["traces"][0]["traceID"]), (200, &json!(ID)));
    let (status, trace) = get(&function, &format!("/tempo/api/v2/traces/{ID}"), "", Some("read"));
    let trace: Value = serde_json::from_str(&trace).unwrap();
    let span = &trace["trace"]["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!((status, &span["name"]), (200, &json!("GET /")));
    assert_eq!(get(&function, "/tempo/api/nothing", "", Some("read")), (404, "404 page not found\n".to_owned()));
    assert_eq!(get(&function, "/tempo/api/echo", "", Some("write")).0, 403);
    assert_eq!(get(&function, "/tempo/api/echo", "", None), (401, "the request has not been authorized\n".to_owned()));
}
