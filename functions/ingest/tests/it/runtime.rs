//! Requests of gateways to the real binary.

use icegate_testkit::{LambdaFunction, Protobuf};
use serde_json::json;

use crate::{answer, invoke, logs, metrics, post, segments};

const WRITER: Option<(&str, &str)> = Some(("team-a,team-b", "write"));

#[test]
fn a_request_is_a_durable_segment_of_the_grants_tenant_that_its_id_names() {
    let folder = tempfile::tempdir().unwrap();
    let function = LambdaFunction::start("function-ingest", folder.path(), &[]);
    let first = function.invoke(post("/v1/logs", WRITER, json!({}), &logs("one")).to_string().as_bytes(), crate::TIME);
    // It is there before the answer.
    let [first_segment] = &segments(folder.path(), "logs")[..] else { panic!("{:?}", segments(folder.path(), "logs")) };
    let (status, body) = answer(&first);
    assert_eq!(status, 200, "{body}");
    assert_eq!(first_segment.split('.').nth(2), Some("team-a"));
    let cost = metrics(&function, &first.request_id);
    assert_eq!((&cost["StoragePuts"], &cost["ColdStarts"], &cost["Failures"]), (&json!(1), &json!(1), &json!(0)));
    for none in ["StorageGets", "StorageHeads", "StorageLists", "StorageErrors"] {
        assert!(cost[none].is_null() || cost[none] == 0, "{none}: {cost}");
    }
    // A request that is sent again is another object with the same id in its name; another tenant's has another id.
    assert_eq!(invoke(&function, &post("/v1/logs", WRITER, json!({}), &logs("one"))).0, 200);
    assert_eq!(invoke(&function, &post("/v1/logs", WRITER, json!({"x-scope-orgid": "team-b"}), &logs("one"))).0, 200);
    let names = segments(folder.path(), "logs");
    let id = |name: &String| name.split('.').nth(1).unwrap().to_owned();
    assert_eq!((names.len(), id(&names[0]), names[2].split('.').nth(2)), (3, id(&names[1]), Some("team-b")));
    assert_ne!(id(&names[0]), id(&names[2]));
    // What the log says of it leads from the gateway's id to the segment, and says nothing of its content.
    let log = function.log().join("\n");
    assert!(log.contains("gateway-id") && log.contains(&first.request_id) && log.contains(&id(first_segment)), "{log}");
    assert!(!log.contains("one\""), "{log}");
}

#[test]
fn who_is_not_granted_to_write_stores_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let function = LambdaFunction::start("function-ingest", folder.path(), &[]);
    let own = |headers| post("/v1/logs", WRITER, headers, &logs("x"));
    for (event, status, code) in [
        (post("/v1/logs", None, json!({}), &logs("x")), 401, 16),
        (post("/v1/logs", None, json!({"x-scope-orgid": "team-a", "authorization": "Bearer ig_k_s"}), &logs("x")), 401, 16),
        (post("/v1/logs", Some(("team-a", "read")), json!({}), &logs("x")), 403, 7),
        (own(json!({"x-scope-orgid": "team-c"})), 403, 7),
        (own(json!({"X-SCOPE-OrgID": "team-a,team-b"})), 403, 7),
        (own(json!({"x-scope-orgid": "team-a|team-c"})), 403, 7),
        // An account is a part of the tenant and can't lead out of it.
        (own(json!({"x-account-id": "../team-c"})), 400, 3),
    ] {
        let (answered, body) = invoke(&function, &event);
        // google.rpc.Code: 16 UNAUTHENTICATED, 7 PERMISSION_DENIED, 3 INVALID_ARGUMENT.
        assert_eq!((answered, &body["code"]), (status, &json!(code)), "{event} {body}");
    }
    let (status, text) = invoke(&function, &post("/loki/api/v1/push", Some(("team-a", "read")), json!({}), b"{}"));
    assert_eq!((status, text), (403, json!("key collector has no scope write, it has read")));
    assert_eq!(segments(folder.path(), "logs"), [""; 0]);
    assert!(!function.log().join("\n").contains("ig_k_s"));
}

#[test]
fn pushes_and_rest_apis_are_taken_in_too() {
    let folder = tempfile::tempdir().unwrap();
    let function = LambdaFunction::start("function-ingest", folder.path(), &[("ICEGATE_AUTH__MODE", "authorizer")]);
    let streams = json!({"streams": [{"stream": {"app": "x"}, "values": [["1700000000000000000", "pushed"]]}]}).to_string();
    assert_eq!(invoke(&function, &post("/loki/api/v1/push", WRITER, json!({}), streams.as_bytes())).0, 204);
    let rest = json!({
        "resource": "/{proxy+}", "path": "/v1/logs", "httpMethod": "POST", "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]}, "body": String::from_utf8(logs("rest")).unwrap(), "isBase64Encoded": false,
        "requestContext": {"stage": "prod", "path": "/prod/v1/logs", "httpMethod": "POST", "requestId": "rest-id",
            "authorizer": {"tenants": "team-r", "scopes": "write", "principalId": "k", "integrationLatency": 5}},
    });
    let (status, body) = invoke(&function, &rest);
    assert_eq!(status, 200, "{body}");
    let tenants: Vec<_> = segments(folder.path(), "logs").iter().map(|name| name.split('.').nth(2).unwrap().to_owned()).collect();
    assert_eq!(tenants, ["team-a", "team-r"]);
}

#[test]
fn an_event_that_is_no_request_is_an_error_and_the_next_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let function = LambdaFunction::start("function-ingest", folder.path(), &[]);
    for event in [&b"{}"[..], br#"{"Records":[]}"#, b"no json"] {
        assert!(!function.invoke(event, crate::TIME).ok, "{}", String::from_utf8_lossy(event));
    }
    assert_eq!(invoke(&function, &post("/v1/logs", WRITER, json!({}), &logs("after"))).0, 200);
}

#[test]
fn several_requests_at_once_share_a_segment_on_managed_instances() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("AWS_LAMBDA_MAX_CONCURRENCY", "4"), ("ICEGATE_QUEUE__WRITE__FLUSH_INTERVAL_MS", "3000")];
    let function = LambdaFunction::start("function-ingest", folder.path(), &variables);
    let events: Vec<_> =
        (0..4).map(|number| post("/v1/logs", WRITER, json!({}), &logs(&format!("line {number}"))).to_string()).collect();
    let running: Vec<_> = events.iter().map(|event| function.begin(event.as_bytes(), crate::TIME)).collect();
    for invoked in running {
        assert_eq!(answer(&invoked.recv().unwrap()).0, 200);
    }
    let names = segments(folder.path(), "logs");
    assert!(names.len() < 4, "{names:?}");
}

#[test]
fn a_remote_write_is_taken_in_behind_the_name_that_the_gateway_has_for_prometheus() {
    let folder = tempfile::tempdir().unwrap();
    let function = LambdaFunction::start("function-ingest", folder.path(), &[]);
    let sample = Protobuf::new().double(1, 1.0).int(2, 1_704_067_200_000);
    let name = Protobuf::new().text(1, "__name__").text(2, "up");
    let request = Protobuf::new().message(1, &Protobuf::new().message(1, &name).message(2, &sample)).bytes();
    // A block of Snappy: how much it holds, and all of it as one piece.
    let length = u8::try_from(request.len()).unwrap();
    let block = [&[length, (length - 1) << 2], &request[..]].concat();
    let headers = json!({"content-type": "application/x-protobuf", "content-encoding": "snappy"});
    for (at, path) in ["/prometheus/api/v1/write", "/api/v1/write"].into_iter().enumerate() {
        let (status, body) = invoke(&function, &post(path, WRITER, headers.clone(), &block));
        assert_eq!((status, body), (204, json!("")), "{path}");
        assert_eq!(segments(folder.path(), "metrics").len(), at + 1);
    }
    let (status, body) = invoke(&function, &post("/prometheus/api/v1/write", Some(("team-a", "read")), headers, &block));
    assert_eq!((status, body), (403, json!("key collector has no scope write, it has read")));
}
