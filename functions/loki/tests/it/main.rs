//! The function `loki`, over what the function `ingest` has stored; the real binaries under the Runtime API.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod query;
mod watch;

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use icegate_testkit::{Invoked, LambdaFunction};
use serde_json::{Value, json};

/// As an HTTP API's function has.
const TIME: Duration = Duration::from_secs(30);

/// A request of an HTTP API by a caller with this grant.
fn request(method: &str, path: &str, query: &str, grant: Option<(&str, &str)>, headers: Value, body: &[u8]) -> Value {
    let authorizer =
        grant.map(|(tenants, scopes)| json!({"lambda": {"tenants": tenants, "scopes": scopes, "key_id": "grafana"}}));
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": {"host": "id.execute-api.us-east-1.amazonaws.com"},
        "requestContext": {
            "domainName": "id.execute-api.us-east-1.amazonaws.com", "requestId": "gateway-id", "stage": "$default",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"}, "authorizer": authorizer,
        },
        "body": STANDARD.encode(body), "isBase64Encoded": true,
    });
    for (name, value) in headers.as_object().unwrap() {
        event["headers"][name] = value.clone();
    }
    event
}

/// Takes lines in as the tenant's, by the function `ingest`, and ends it.
fn ingest(folder: &Path, tenant: &str, lines: &[String]) {
    let function = LambdaFunction::start("function-ingest", folder, &[]);
    let records: Vec<_> =
        lines.iter().map(|line| json!({"timeUnixNano": "1700000000000000000", "body": {"stringValue": line}})).collect();
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]});
    let body = json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]}).to_string();
    let headers = json!({"content-type": "application/json"});
    let event = request("POST", "/v1/logs", "", Some((tenant, "write")), headers, body.as_bytes());
    let (status, reply) = invoke(&function, &event);
    assert_eq!(status, 200, "{reply}");
}

fn invoke(function: &LambdaFunction, event: &Value) -> (u64, Value) {
    answer(&function.invoke(event.to_string().as_bytes(), TIME))
}

/// Status and body of an answer; the body as text where it is no JSON.
fn answer(invoked: &Invoked) -> (u64, Value) {
    assert!(invoked.ok, "{}", String::from_utf8_lossy(&invoked.body));
    let reply: Value = serde_json::from_slice(&invoked.body).unwrap();
    let body = reply["body"].as_str().unwrap();
    let mut bytes = if reply["isBase64Encoded"] == true { STANDARD.decode(body).unwrap() } else { body.into() };
    if reply["headers"]["content-encoding"] == "gzip" {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
        bytes = plain;
    }
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8(bytes).unwrap().into());
    (reply["statusCode"].as_u64().unwrap(), body)
}
