use icegate_testkit::LambdaFunction;
use serde_json::{Value, json};

use crate::{TIME, answer, ingest, invoke, request};

const READER: Option<(&str, &str)> = Some(("team-a,team-b", "read"));
const RANGE: &str = "/loki/api/v1/query_range";
/// `{service_name="shop"}` around the lines' time.
const SHOP: &str = "query=%7Bservice_name%3D%22shop%22%7D&start=1699999999&end=1700000001&limit=5000";

fn lines(answer: &Value) -> Vec<&str> {
    let streams = answer["data"]["result"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let mut lines: Vec<_> =
        streams.iter().flat_map(|stream| stream["values"].as_array().unwrap()).map(|value| value[1].as_str().unwrap()).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn what_one_function_has_acknowledged_the_other_finds_for_its_tenant_alone() {
    let folder = tempfile::tempdir().unwrap();
    ingest(folder.path(), "team-a", &["of a".to_owned()]);
    ingest(folder.path(), "team-b", &["of b".to_owned()]);
    ingest(folder.path(), "team-c", &["of c".to_owned()]);
    let function = LambdaFunction::start("function-loki", folder.path(), &[]);
    let get = |grant, headers| invoke(&function, &request("GET", RANGE, SHOP, grant, headers, b""));
    assert_eq!(lines(&get(READER, json!({})).1), ["of a"]);
    assert_eq!(lines(&get(READER, json!({"x-scope-orgid": "team-b"})).1), ["of b"]);
    // The same as a form, which no length of a request line bounds.
    let form = json!({"content-type": "application/x-www-form-urlencoded"});
    let (status, body) = invoke(&function, &request("POST", RANGE, "", READER, form, SHOP.as_bytes()));
    assert_eq!((status, lines(&body)), (200, vec!["of a"]));
    // Nobody else's, whatever is sent.
    for (grant, headers, status) in [
        (None, json!({}), 401),
        (None, json!({"x-scope-orgid": "team-a", "authorization": "Bearer ig_k_s"}), 401),
        (Some(("team-a", "write")), json!({}), 403),
        (READER, json!({"x-scope-orgid": "team-c"}), 403),
        (READER, json!({"X-Scope-OrgID": "team-a|team-c"}), 403),
        (READER, json!({"x-scope-orgid": "team-a,team-c"}), 403),
        (READER, json!({"x-scope-orgid": ""}), 403),
    ] {
        let (answered, body) = get(grant, headers);
        assert_eq!(answered, status, "{body}");
        assert!(body.is_string(), "{body}");
    }
    let (status, body) = get(None, json!({"accept": "application/json"}));
    assert_eq!((status, &body["status"], &body["errorType"]), (401, &json!("error"), &json!("unauthorized")));
    assert!(!function.log().join("\n").contains("ig_k_s"));
}

#[test]
fn a_request_of_a_rest_api_is_answered_by_its_authorizers_context() {
    let folder = tempfile::tempdir().unwrap();
    ingest(folder.path(), "team-a", &["of a".to_owned()]);
    let function = LambdaFunction::start("function-loki", folder.path(), &[]);
    let rest = |authorizer: Value| {
        json!({
            "resource": "/{proxy+}", "path": RANGE, "httpMethod": "GET", "headers": null, "multiValueHeaders": null,
            "queryStringParameters": {"query": "{service_name=\"shop\"}", "start": "1699999999", "end": "1700000001"},
            "multiValueQueryStringParameters": {"query": ["{service_name=\"shop\"}"], "start": ["1699999999"], "end": ["1700000001"]},
            "requestContext": {"stage": "prod", "httpMethod": "GET", "requestId": "rest-id", "authorizer": authorizer},
            "body": null, "isBase64Encoded": false,
        })
    };
    let (status, body) = invoke(&function, &rest(json!({"tenants": "team-a", "scopes": "read"})));
    assert_eq!((status, lines(&body)), (200, vec!["of a"]));
    assert_eq!(invoke(&function, &rest(Value::Null)).0, 401);
}

#[test]
fn a_tail_and_logs_to_take_in_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let function = LambdaFunction::start("function-loki", folder.path(), &[]);
    let (status, body) =
        invoke(&function, &request("GET", "/loki/api/v1/tail", "query=%7Ba%3D%22b%22%7D", READER, json!({}), b""));
    assert_eq!(status, 501);
    assert!(body.as_str().unwrap().contains("keeps no connection"), "{body}");
    let (status, body) = invoke(&function, &request("POST", "/loki/api/v1/push", "", READER, json!({}), b"{}"));
    assert_eq!(status, 501, "{body}");
}

#[test]
fn an_answer_over_6_mb_is_refused_and_comes_compressed_or_as_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    // 4000 lines of two kilobytes; as JSON they are larger than what Lambda passes on.
    let texts: Vec<_> = (0..4000).map(|number| format!("{number:04} {}", "word ".repeat(400))).collect();
    for part in texts.chunks(1000) {
        ingest(folder.path(), "team-a", part);
    }
    let function = LambdaFunction::start("function-loki", folder.path(), &[]);
    let (status, body) = invoke(&function, &request("GET", RANGE, SHOP, READER, json!({}), b""));
    assert_eq!(status, 400);
    assert!(body.as_str().unwrap().contains("larger than the 6 MB that Lambda passes on"), "{body}");
    let gzip = json!({"accept-encoding": "gzip"});
    let (status, body) = invoke(&function, &request("GET", RANGE, SHOP, READER, gzip, b""));
    assert_eq!((status, lines(&body)), (200, texts.iter().map(String::as_str).collect()));

    let variables = [("ICEGATE_FUNCTION_STREAMING", "true")];
    let streaming = LambdaFunction::start("function-loki", folder.path(), &variables);
    let invoked = streaming.invoke(request("GET", RANGE, SHOP, READER, json!({}), b"").to_string().as_bytes(), TIME);
    assert!(invoked.ok && invoked.streamed);
    // A prelude, eight zeros, and the body.
    let end = invoked.body.windows(8).position(|bytes| bytes == [0; 8]).unwrap();
    let prelude: Value = serde_json::from_slice(&invoked.body[..end]).unwrap();
    assert_eq!(prelude["statusCode"], 200);
    assert!(prelude["headers"]["content-type"].as_str().unwrap().starts_with("application/json"), "{prelude}");
    let body: Value = serde_json::from_slice(&invoked.body[end + 8..]).unwrap();
    assert_eq!(lines(&body).len(), 4000);
}

#[test]
fn a_query_that_takes_too_long_is_504_before_the_gateway_gives_up() {
    let folder = tempfile::tempdir().unwrap();
    ingest(folder.path(), "team-a", &["of a".to_owned()]);
    let variables = [("ICEGATE_FUNCTION_ANSWER_WITHIN_MS", "1")];
    let function = LambdaFunction::start("function-loki", folder.path(), &variables);
    let invoked = function.invoke(request("GET", RANGE, SHOP, READER, json!({}), b"").to_string().as_bytes(), TIME);
    let (status, body) = answer(&invoked);
    assert_eq!(status, 504, "{body}");
    let text = "no answer within 0.001 s, after which nobody waits for it: narrow the time range or the selector, or ask the function URL, which waits longer";
    assert_eq!(body, text);
}
