//! The function `ingest`: what a request costs, and the real binary under the Runtime API.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod cost;
mod environment;
mod runtime;

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use icegate_testkit::{Invoked, LambdaFunction};
use serde_json::{Value, json};

/// More time than any request here needs, as an HTTP API's function has.
const TIME: Duration = Duration::from_secs(30);

/// One log record as OTLP's JSON.
fn logs(line: &str) -> Vec<u8> {
    let record = json!({"timeUnixNano": "1700000000000000000", "body": {"stringValue": line}});
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]});
    json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}).to_string().into_bytes()
}

/// A POST of an HTTP API by a caller with this grant.
fn post(path: &str, grant: Option<(&str, &str)>, headers: Value, body: &[u8]) -> Value {
    let authorizer =
        grant.map(|(tenants, scopes)| json!({"lambda": {"tenants": tenants, "scopes": scopes, "key_id": "collector"}}));
    let mut event = json!({
        "version": "2.0", "routeKey": format!("POST {path}"), "rawPath": path, "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "id.execute-api.us-east-1.amazonaws.com"},
        "requestContext": {
            "domainName": "id.execute-api.us-east-1.amazonaws.com", "requestId": "gateway-id", "stage": "$default",
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"}, "authorizer": authorizer,
        },
        "body": STANDARD.encode(body), "isBase64Encoded": true,
    });
    for (name, value) in headers.as_object().unwrap() {
        event["headers"][name] = value.clone();
    }
    event
}

fn invoke(function: &LambdaFunction, event: &Value) -> (u64, Value) {
    answer(&function.invoke(event.to_string().as_bytes(), TIME))
}

/// Status and body of an answer.
fn answer(invoked: &Invoked) -> (u64, Value) {
    assert!(invoked.ok, "{}", String::from_utf8_lossy(&invoked.body));
    let reply: Value = serde_json::from_slice(&invoked.body).unwrap();
    let body = reply["body"].as_str().unwrap();
    (reply["statusCode"].as_u64().unwrap(), serde_json::from_str(body).unwrap_or_else(|_| body.into()))
}

/// Names of the segments of a table below a data folder.
fn segments(data: &Path, table: &str) -> Vec<String> {
    let folder = std::fs::read_dir(data.join("data/queue").join(table));
    let names = folder.into_iter().flatten().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".parquet")).collect();
    names.sort();
    names
}

/// The line of metrics of an invocation.
fn metrics(function: &LambdaFunction, request_id: &str) -> Value {
    let lines = function.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let mut found = lines.filter(|line| line.get("Invocations").is_some() && line["request_id"] == request_id);
    found.next().unwrap_or_else(|| panic!("no metrics of {request_id}"))
}
