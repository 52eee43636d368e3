//! The function `tempo` under the Runtime API.
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
    let function = LambdaFunction::start("function-tempo", &std::env::temp_dir(), &[]);
    for path in ["/tempo/api/echo", "/api/echo"] {
        assert_eq!(get(&function, path, Some("read")), (200, "echo\n".to_owned()));
    }
    let (status, text) = get(&function, "/tempo/api/search", Some("read"));
    assert_eq!(
        (status, text.as_str()),
        (501, "/api/search is not supported: this build stores traces and does not query them\n")
    );
    assert_eq!(get(&function, "/tempo/api/nothing", Some("read")), (404, "404 page not found\n".to_owned()));
    assert_eq!(get(&function, "/tempo/api/echo", Some("write")).0, 403);
    assert_eq!(get(&function, "/tempo/api/echo", None), (401, "the request has not been authorized\n".to_owned()));
}
