//! The function `authorizer` as gateways ask it; the real binary under the Runtime API.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod secret;

use std::path::Path;
use std::time::Duration;

use icegate_auth::ApiKey;
use icegate_testkit::{Invoked, LambdaFunction};
use serde_json::{Value, json};

/// A key of an id, the same for the same id.
fn key(id: &str) -> ApiKey {
    let first = id.bytes().next().unwrap();
    ApiKey::new(id.parse().unwrap(), &[first; 32])
}

/// An entry of the document of keys.
fn entry(id: &str, tenants: &[&str], scopes: &[&str]) -> Value {
    json!({"id": id, "hash": key(id).hash().to_text(), "tenants": tenants, "scopes": scopes})
}

fn document(entries: &[Value]) -> String {
    json!({ "keys": entries }).to_string()
}

fn start(folder: &Path, keys: &str, more: &[(&str, &str)]) -> LambdaFunction {
    let variables = [&[("ICEGATE_AUTH__MODE", "api_keys"), ("ICEGATE_AUTH__KEYS", keys)], more].concat();
    LambdaFunction::start("function-authorizer", folder, &variables)
}

/// What an HTTP API asks, payload 2.0.
fn asked(authorization: &str) -> Value {
    json!({
        "version": "2.0", "type": "REQUEST", "routeArn": "arn:aws:execute-api:us-east-1:123456789012:abcdef123/$default/POST/v1/logs",
        "identitySource": [authorization], "routeKey": "POST /v1/logs", "rawPath": "/v1/logs", "rawQueryString": "", "cookies": [],
        "headers": {"authorization": authorization, "x-scope-orgid": "team-c"}, "queryStringParameters": {},
        "requestContext": {"accountId": "123456789012", "apiId": "api-id", "http": {"method": "POST", "path": "/v1/logs"}, "requestId": "id",
            "stage": "$default"},
        "pathParameters": {}, "stageVariables": {},
    })
}

fn ask(function: &LambdaFunction, event: &Value) -> Invoked {
    function.invoke(event.to_string().as_bytes(), Duration::from_secs(10))
}

fn answer(function: &LambdaFunction, event: &Value) -> Value {
    let invoked = ask(function, event);
    assert!(invoked.ok, "{}", String::from_utf8_lossy(&invoked.body));
    serde_json::from_slice(&invoked.body).unwrap()
}

#[test]
fn an_http_api_is_told_all_tenants_and_scopes_of_a_key_and_nothing_of_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut revoked = entry("revoked", &["team-a"], &["read"]);
    revoked["revoked"] = json!(true);
    let mut expired = entry("expired", &["team-a"], &["read"]);
    expired["expires"] = json!("2020-01-01T00:00:00Z");
    let keys = document(&[entry("grafana", &["team-a", "team-b"], &["read"]), revoked, expired]);
    let function = start(folder.path(), &keys, &[]);
    let secret = key("grafana").reveal().to_owned();
    let granted = json!({"isAuthorized": true, "context": {"tenants": "team-a,team-b", "scopes": "read", "key_id": "grafana"}});
    assert_eq!(answer(&function, &asked(&format!("Bearer {secret}"))), granted);
    let refused = json!({"isAuthorized": false});
    let wrong = secret.replace("_grafana_", "_other_");
    for authorization in [
        String::new(),
        "Bearer".to_owned(),
        format!("Bearer {}", key("unknown").reveal()),
        format!("Bearer {}", key("revoked").reveal()),
        format!("Bearer {}", key("expired").reveal()),
        format!("Bearer {wrong}"),
        format!("Bearer {}x", secret),
        // Two headers, as payload 2.0 joins them.
        format!("Bearer {secret},Bearer {secret}"),
    ] {
        assert_eq!(answer(&function, &asked(&authorization)), refused, "{authorization}");
    }
    let log = function.log().join("\n");
    let random = secret.rsplit('_').next().unwrap();
    assert!(log.contains("\"key_id\":\"grafana\"") && !log.contains(random), "{log}");
}

#[test]
fn a_rest_api_gets_a_policy_for_all_methods_or_unauthorized() {
    let folder = tempfile::tempdir().unwrap();
    let function = start(folder.path(), &document(&[entry("grafana", &["team-a"], &["read"])]), &[]);
    let method = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/GET/loki/api/v1/query";
    let secret = format!("Bearer {}", key("grafana").reveal());
    let request = |headers: Value| json!({"type": "REQUEST", "methodArn": method, "headers": headers, "httpMethod": "GET"});
    let token = json!({"type": "TOKEN", "methodArn": method, "authorizationToken": secret});
    for event in [request(json!({"Authorization": secret})), token] {
        let policy = answer(&function, &event);
        assert_eq!(policy["context"], json!({"tenants": "team-a", "scopes": "read", "key_id": "grafana"}));
        let statement = &policy["policyDocument"]["Statement"][0];
        assert_eq!((&statement["Effect"], &statement["Action"]), (&json!("Allow"), &json!("execute-api:Invoke")));
        assert_eq!(statement["Resource"], "arn:aws:execute-api:us-east-1:123456789012:abcdef123/prod/*");
    }
    let twice =
        json!({"type": "REQUEST", "methodArn": method, "headers": {}, "multiValueHeaders": {"Authorization": [secret, secret]}});
    for event in [request(json!({})), request(json!({"authorization": "Bearer no"})), twice] {
        let refused = ask(&function, &event);
        let error: Value = serde_json::from_slice(&refused.body).unwrap();
        assert_eq!((refused.ok, &error["errorMessage"]), (false, &json!("Unauthorized")));
    }
}

#[test]
fn an_event_of_nobody_that_asks_is_an_error_and_keys_that_are_not_there_end_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let function = start(folder.path(), &document(&[]), &[]);
    assert!(!ask(&function, &json!({"version": "2.0"})).ok);
    let mut header = LambdaFunction::start("function-authorizer", folder.path(), &[("ICEGATE_AUTH__MODE", "header")]);
    assert!(!header.wait().success());
    let log = header.log().join("\n");
    assert!(log.contains("auth.mode"), "{log}");
}
