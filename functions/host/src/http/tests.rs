use std::io::Read as _;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use http::HeaderMap;
use icegate_model::Timestamp;
use lambda_runtime::{Context, FunctionResponse, LambdaEvent};
use serde_json::{Value, json};

use super::service::Answer;
use super::*;
use crate::Settings;

/// Noon, as the clock and Lambda's deadlines have it.
const NOW_MS: u64 = 1_700_000_000_000;

#[derive(Debug)]
struct At(u64);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0).unwrap())
    }
}

/// Says what of a request reached it.
async fn echo(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let values = |name: &str| -> Vec<_> {
        parts.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    };
    let seen = json!({
        "method": parts.method.as_str(), "path": parts.uri.path(), "query": parts.uri.query(),
        "tenant": values("x-scope-orgid"), "account": values("x-account-id"), "accept": values("accept"), "cookie": values("cookie"),
        "authorization": values("authorization"), "body": String::from_utf8_lossy(&body), "bytes": body.len(),
    });
    axum::Json(seen).into_response()
}

fn router() -> Router {
    Router::new()
        .route("/size/{bytes}", get(async |axum::extract::Path(bytes): axum::extract::Path<usize>| "a".repeat(bytes)))
        .route("/binary", get(async || Body::from(vec![0xff, 0x00, 0xfe])))
        .route(
            "/twice",
            get(async || {
                let mut headers = HeaderMap::new();
                for (name, value) in [("vary", "origin"), ("vary", "accept"), ("set-cookie", "a=1"), ("set-cookie", "b=2")] {
                    headers.append(name, value.parse().unwrap());
                }
                (headers, "text")
            }),
        )
        .route("/never", any(async || std::future::pending::<()>().await))
        .route(
            "/broken",
            get(async || {
                let pieces = futures::stream::iter([Ok(Bytes::from_static(b"a part")), Err(std::io::Error::other("gone"))]);
                Body::from_stream(pieces)
            }),
        )
        .route("/length", post(async |body: Bytes| body.len().to_string()).layer(axum::extract::DefaultBodyLimit::disable()))
        .route("/echo", post(echo))
        .fallback(echo)
}

fn service(admission: Admission, settings: &[(&str, &str)]) -> Service {
    let variables: Vec<_> = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let http = Http {
        router: router(),
        need: Scope::Read,
        refuse: Arc::new(|request, status, message| {
            (status, [("content-type", "text/plain")], format!("{} {message}", request.uri.path())).into_response()
        }),
        late: StatusCode::GATEWAY_TIMEOUT,
        advice: "narrow it",
        base_path: "/tempo",
    };
    Service::at(http, Settings::from_variables(&variables).unwrap(), admission, Arc::new(At(NOW_MS)))
}

/// A request of an HTTP API as AWS documents it, with changes.
fn http_api(path: &str, changes: Value) -> Value {
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {"accept": "text/plain", "host": "id.execute-api.us-east-1.amazonaws.com"},
        "requestContext": {
            "accountId": "123456789012", "apiId": "api-id", "domainName": "id.execute-api.us-east-1.amazonaws.com", "domainPrefix": "id",
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "agent"},
            "requestId": "JKJaXmPLvHcESHA=", "routeKey": "$default", "stage": "$default", "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1_583_348_638_390_u64,
        },
        "isBase64Encoded": false,
    });
    merge(&mut event, changes);
    event
}

/// The same of a REST API.
fn rest_api(path: &str, changes: Value) -> Value {
    let mut event = json!({
        "resource": "/{proxy+}", "path": path, "httpMethod": "GET", "headers": {"accept": "b"}, "multiValueHeaders": {"accept": ["a", "b"]},
        "queryStringParameters": null, "multiValueQueryStringParameters": null, "pathParameters": null, "stageVariables": null,
        "requestContext": {
            "accountId": "123456789012", "apiId": "id", "authorizer": {"principalId": "p"}, "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "httpMethod": "GET", "path": format!("/prod{path}"), "requestId": "rest-id", "stage": "prod", "resourceId": null,
        },
        "body": null, "isBase64Encoded": false,
    });
    merge(&mut event, changes);
    event
}

fn merge(event: &mut Value, changes: Value) {
    match (event, changes) {
        (Value::Object(event), Value::Object(changes)) => {
            for (key, change) in changes {
                merge(event.entry(key).or_insert(Value::Null), change);
            }
        }
        (event, change) => *event = change,
    }
}

fn granted(tenants: &str, scopes: &str) -> Value {
    json!({"requestContext": {"authorizer": {"lambda": {"tenants": tenants, "scopes": scopes, "key_id": "grafana"}}}})
}

async fn answer(service: &Service, event: Value) -> Result<Answer, HostError> {
    let mut context = Context::default();
    context.deadline = NOW_MS + 30_000;
    context.request_id = "lambda-id".to_owned();
    service.answer(LambdaEvent::new(serde_json::from_value(event).unwrap(), context)).await
}

/// The answer as Lambda gets it.
async fn reply(service: &Service, event: Value) -> Value {
    match answer(service, event).await.unwrap() {
        FunctionResponse::BufferedResponse(reply) => serde_json::to_value(reply).unwrap(),
        FunctionResponse::StreamingResponse(_) => panic!("a stream"),
    }
}

/// What [`echo`] saw.
async fn seen(service: &Service, event: Value) -> Value {
    let reply = reply(service, event).await;
    assert_eq!(reply["statusCode"], 200, "{reply}");
    serde_json::from_str(reply["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_request_of_an_http_api_reaches_the_router_whole() {
    let service = service(Admission::Header, &[]);
    let event = json!({
        "rawQueryString": "query=%7Ba%3D%22b%22%7D+%7C%3D+%22x%22&limit=5&limit=6", "cookies": ["a=1", "b=2"],
        "headers": {"x-scope-orgid": "team-a", "x-account-id": "7", "authorization": "Bearer x"},
    });
    let seen = seen(&service, http_api("/loki/api/v1/query", event)).await;
    assert_eq!((&seen["method"], &seen["path"]), (&json!("GET"), &json!("/loki/api/v1/query")));
    assert_eq!(seen["query"], "query=%7Ba%3D%22b%22%7D+%7C%3D+%22x%22&limit=5&limit=6");
    assert_eq!((&seen["tenant"], &seen["account"]), (&json!(["team-a"]), &json!(["7"])));
    assert_eq!(seen["accept"], json!(["text/plain"]));
}

#[tokio::test]
async fn a_request_of_a_rest_api_keeps_every_value_of_its_headers_and_parameters() {
    let service = service(Admission::Header, &[]);
    let event = json!({
        "multiValueHeaders": {"X-Scope-OrgID": ["a", "b"]}, "headers": {"X-Scope-OrgID": "b"},
        "queryStringParameters": {"match[]": "{b=\"c&d\"}"}, "multiValueQueryStringParameters": {"match[]": ["{a=\"b\"}", "{b=\"c&d\"}"]},
    });
    let seen = seen(&service, rest_api("/loki/api/v1/series", event)).await;
    assert_eq!((&seen["path"], &seen["accept"]), (&json!("/loki/api/v1/series"), &json!(["a", "b"])));
    assert_eq!(seen["tenant"], json!(["a", "b"]));
    let query: Vec<_> = form_urlencoded::parse(seen["query"].as_str().unwrap().as_bytes()).into_owned().collect();
    let pair = |value: &str| ("match[]".to_owned(), value.to_owned());
    assert_eq!(query, [pair("{a=\"b\"}"), pair("{b=\"c&d\"}")]);
}

#[tokio::test]
async fn paths_come_without_stage_and_prefix_and_with_what_a_uri_can_not_hold_escaped() {
    let service = service(Admission::Header, &[]);
    let stage = |name: &str| json!({"requestContext": {"stage": name}});
    for (event, path) in [
        (http_api("/v1/logs", json!({})), "/v1/logs"),
        (http_api("/prod/v1/logs", stage("prod")), "/v1/logs"),
        // A stage that is called as a part of the path takes one part only.
        (http_api("/v1/v1/logs", stage("v1")), "/v1/logs"),
        (http_api("/product/v1/logs", stage("prod")), "/product/v1/logs"),
        (http_api("/prod", stage("prod")), "/"),
        (rest_api("/v1/logs", json!({"requestContext": {"stage": "v1"}})), "/v1/logs"),
        (http_api("/tempo/api/search", json!({})), "/api/search"),
        (http_api("/tempo", json!({})), "/"),
        (http_api("/temporal", json!({})), "/temporal"),
        (http_api("", json!({})), "/"),
        (http_api("/loki/api/v1/label/a b/values", json!({})), "/loki/api/v1/label/a%20b/values"),
        (http_api("/loki/api/v1/label/ü{}/values", json!({})), "/loki/api/v1/label/%C3%BC%7B%7D/values"),
        (http_api("/loki/api/v1/label/a%2Fb/values", json!({})), "/loki/api/v1/label/a%2Fb/values"),
        (http_api("//evil.example/../x?y#z", json!({})), "//evil.example/../x%3Fy%23z"),
    ] {
        assert_eq!(seen(&service, event).await["path"], path);
    }
}

#[tokio::test]
async fn bodies_come_as_text_or_base64_and_forms_by_post() {
    let service = service(Admission::Header, &[]);
    let form = "query=%7Ba%3D%22b%22%7D&limit=5";
    let post = |body: &str, base64: bool| {
        json!({"body": body, "isBase64Encoded": base64, "requestContext": {"http": {"method": "POST"}},
               "headers": {"content-type": "application/x-www-form-urlencoded"}})
    };
    let plain = seen(&service, http_api("/echo", post(form, false))).await;
    assert_eq!((&plain["body"], &plain["method"]), (&json!(form), &json!("POST")));
    let encoded = seen(&service, http_api("/echo", post(&STANDARD.encode(form), true))).await;
    assert_eq!(encoded["body"], json!(form));
    let rest = json!({"body": STANDARD.encode([0xff, 0, 1]), "isBase64Encoded": true, "httpMethod": "POST"});
    assert_eq!(seen(&service, rest_api("/echo", rest)).await["bytes"], 3);
}

/// AWS's own adapter is the other reader of what both can read; of a header with several values in payload 1.0 it keeps one.
#[test]
fn well_formed_events_are_read_as_by_lambda_http() {
    use lambda_http::RequestExt as _;

    let post =
        json!({"body": STANDARD.encode([0, 0xff]), "isBase64Encoded": true, "requestContext": {"http": {"method": "POST"}}});
    let form = json!({"body": "query=%7Ba%3D%22%C3%BC%22%7D", "httpMethod": "POST", "headers": {"content-type": "application/x-www-form-urlencoded"},
        "multiValueHeaders": {"accept": ["b"], "content-type": ["application/x-www-form-urlencoded"]}});
    let query = json!({"multiValueHeaders": {"accept": ["b"]}, "queryStringParameters": {"match[]": "b&=ü", "end": "2"},
        "multiValueQueryStringParameters": {"match[]": ["a b", "b&=ü"], "end": ["2"]}});
    for event in [
        http_api("/ready", json!({})),
        http_api(
            "/loki/api/v1/query",
            json!({"rawQueryString": "query=%7Ba%3D%22b%22%7D+%7C%3D+%22x%22&limit=5&limit=6&empty="}),
        ),
        http_api(
            "/loki/api/v1/label/a%2Fb%20c/values",
            json!({"headers": {"x-scope-orgid": "a|b", "accept": "application/json, */*"}}),
        ),
        http_api("/v1/logs", post),
        rest_api("/loki/api/v1/series", query),
        rest_api("/loki/api/v1/query", form),
    ] {
        let theirs = lambda_http::request::from_str(&event.to_string()).unwrap();
        let event: event::Event = serde_json::from_value(event).unwrap();
        let ours = head::head(&event, "/none").unwrap().unwrap();
        let pairs = |uri: &http::Uri| {
            let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
            pairs.into_owned().collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!((&ours.method, ours.uri.path()), (theirs.method(), theirs.raw_http_path()));
        assert_eq!((pairs(&ours.uri), &ours.headers), (pairs(theirs.uri()), theirs.headers()));
        assert_eq!(body::decode(event).unwrap().unwrap(), theirs.body().as_ref());
    }
}

#[tokio::test]
async fn a_body_over_lambdas_limit_is_413_with_the_limit_and_what_to_set() {
    let service = service(Admission::Header, &[]);
    let post = |body: String| json!({"body": body, "isBase64Encoded": true, "requestContext": {"http": {"method": "POST"}}});
    let most = "AAAA".repeat(body::MAX_ENCODED_BYTES / 4);
    let taken = reply(&service, http_api("/length", post(most.clone()))).await;
    assert_eq!(taken["body"], (most.len() / 4 * 3).to_string());
    let refused = reply(&service, http_api("/length", post(most + "AAAA"))).await;
    assert_eq!(refused["statusCode"], 413);
    let message = refused["body"].as_str().unwrap();
    for part in ["/length a body of 46", "6 MB", "4.5 MB", "compression: zstd", "sizer: bytes", "max_size: 4000000"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[tokio::test]
async fn answers_are_text_or_base64_with_every_value_of_their_headers() {
    let service = service(Admission::Header, &[]);
    let two = reply(&service, http_api("/twice", json!({}))).await;
    assert_eq!((&two["body"], &two["isBase64Encoded"]), (&json!("text"), &json!(false)));
    assert_eq!((&two["headers"]["vary"], &two["cookies"]), (&json!("origin, accept"), &json!(["a=1", "b=2"])));
    assert_eq!((two.get("multiValueHeaders"), two["headers"].get("set-cookie")), (None, None));
    let one = reply(&service, rest_api("/twice", json!({}))).await;
    assert_eq!(one["multiValueHeaders"]["vary"], json!(["origin", "accept"]));
    assert_eq!((&one["multiValueHeaders"]["set-cookie"], one.get("headers")), (&json!(["a=1", "b=2"]), None));
    let binary = reply(&service, http_api("/binary", json!({}))).await;
    assert_eq!((&binary["body"], &binary["isBase64Encoded"]), (&json!(STANDARD.encode([0xff, 0, 0xfe])), &json!(true)));
}

#[tokio::test]
async fn an_answer_over_lambdas_limit_is_an_error_that_says_what_to_do_and_never_a_part() {
    let service = service(Admission::Header, &[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")]);
    let fits = reply(&service, http_api(&format!("/size/{}", reply::MAX_BODY_BYTES), json!({}))).await;
    assert_eq!((&fits["statusCode"], fits["body"].as_str().unwrap().len()), (&json!(200), reply::MAX_BODY_BYTES));
    let over = format!("/size/{}", reply::MAX_BODY_BYTES + 1);
    let refused = reply(&service, http_api(&over, json!({}))).await;
    let message = refused["body"].as_str().unwrap();
    assert_eq!(refused["statusCode"], 400);
    for part in [over.as_str(), "6 MB", "narrow the time range", "function URL"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    // Compressed it fits.
    let gzip = json!({"headers": {"accept-encoding": "gzip"}});
    let compressed = reply(&service, http_api(&over, gzip.clone())).await;
    assert_eq!((&compressed["statusCode"], &compressed["headers"]["content-encoding"]), (&json!(200), &json!("gzip")));
    let bytes = STANDARD.decode(compressed["body"].as_str().unwrap()).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, "a".repeat(reply::MAX_BODY_BYTES + 1));
    // But an eighth of the memory is all that an answer may take.
    let refused = reply(&service, http_api(&format!("/size/{}", (32 << 20) + 1), gzip)).await;
    assert!(refused["body"].as_str().unwrap().contains("larger than 33554432 bytes"), "{refused}");
}

#[tokio::test]
async fn an_answer_that_ends_early_is_an_error() {
    let service = service(Admission::Header, &[]);
    let refused = reply(&service, http_api("/broken", json!({}))).await;
    assert_eq!(refused["statusCode"], 500);
    assert!(refused["body"].as_str().unwrap().contains("ended early"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_answered_before_the_gateway_and_lambda_give_up() {
    let within = |settings: &'static [(&str, &str)], changes: Value, deadline: u64| async move {
        let (service, began) = (service(Admission::Header, settings), tokio::time::Instant::now());
        let mut context = Context::default();
        context.deadline = NOW_MS + deadline;
        let event = serde_json::from_value(http_api("/never", changes)).unwrap();
        let Ok(FunctionResponse::BufferedResponse(reply)) = service.answer(LambdaEvent::new(event, context)).await else {
            panic!("no reply")
        };
        let reply = serde_json::to_value(reply).unwrap();
        assert_eq!(reply["statusCode"], 504);
        assert!(reply["body"].as_str().unwrap().ends_with("nobody waits for it: narrow it"), "{reply}");
        began.elapsed().as_millis()
    };
    // The gateway's 30 s and a function's own time, each with a margin; the timer counts whole milliseconds.
    assert_eq!(within(&[], json!({}), 900_000).await, 28_000);
    assert_eq!(within(&[], json!({}), 20_000).await, 19_000);
    assert_eq!(within(&[], json!({}), 2_000).await, 1_500);
    assert_eq!(within(&[("ICEGATE_FUNCTION_ANSWER_WITHIN_MS", "5000")], json!({}), 900_000).await, 5_000);
    // No gateway stands before a function URL.
    let url = json!({"requestContext": {"domainName": "abc.lambda-url.us-east-1.on.aws"}});
    assert_eq!(within(&[], url, 900_000).await, 899_000);
}

#[tokio::test]
async fn only_the_authorizers_context_decides_the_tenant() {
    let service = service(Admission::Authorizer, &[]);
    let named = |tenant: Value| json!({"headers": {"X-Scope-OrgID": tenant, "authorization": "Bearer ig_k_s"}});
    let with = |tenants: &str, changes: Value| {
        let mut event = http_api("/loki", granted(tenants, "read"));
        merge(&mut event, changes);
        event
    };
    let first = seen(&service, with("a,b", json!({"headers": {"x-account-id": "7"}}))).await;
    assert_eq!((&first["tenant"], &first["account"]), (&json!(["a"]), &json!(["7"])));
    let second = seen(&service, with("a,b", named(json!("b")))).await;
    // The credentials end here.
    assert_eq!((&second["tenant"], &second["authorization"]), (&json!(["b"]), &json!([])));
    for forged in ["c", "", "a,b", "A", "a|b", "default", "b\u{e9}"] {
        let refused = reply(&service, with("a,b", named(json!(forged)))).await;
        assert_eq!(refused["statusCode"], 403, "{forged}");
    }
    let mut twice = rest_api("/loki", json!({"requestContext": {"authorizer": {"tenants": "a,b", "scopes": "read"}}}));
    assert_eq!(seen(&service, twice.clone()).await["tenant"], json!(["a"]));
    merge(&mut twice, json!({"multiValueHeaders": {"X-Scope-OrgID": ["a", "b"]}}));
    assert_eq!(reply(&service, twice).await["statusCode"], 403);
}

#[tokio::test]
async fn a_request_that_was_not_authorized_is_401_and_one_without_the_scope_403() {
    let service = service(Admission::Authorizer, &[]);
    let forged = json!({
        "headers": {"x-scope-orgid": "a", "x-icegate-tenants": "a", "tenants": "a", "scopes": "read"},
        "rawQueryString": "tenants=a&scopes=read", "stageVariables": {"tenants": "a", "scopes": "read"},
    });
    for (event, status) in [
        (http_api("/loki", json!({})), 401),
        (http_api("/loki", forged), 401),
        (http_api("/loki", json!({"requestContext": {"authorizer": {"lambda": null}}})), 401),
        // What other authorizers say is not said by ours.
        (
            http_api("/loki", json!({"requestContext": {"authorizer": {"jwt": {"claims": {"tenants": "a", "scopes": "read"}}}}})),
            401,
        ),
        (http_api("/loki", json!({"requestContext": {"authorizer": {"tenants": "a", "scopes": "read"}}})), 401),
        (http_api("/loki", granted("a|b", "read")), 401),
        (http_api("/loki", granted("", "read")), 401),
        (http_api("/loki", granted("a", "all")), 401),
        (rest_api("/loki", json!({})), 401),
        (rest_api("/loki", json!({"requestContext": {"authorizer": {"claims": {"tenants": "a", "scopes": "read"}}}})), 401),
        (http_api("/loki", granted("a", "write")), 403),
    ] {
        let refused = reply(&service, event.clone()).await;
        assert_eq!(refused["statusCode"], status, "{event}");
        assert_eq!(
            refused["headers"].get("www-authenticate").or(refused["multiValueHeaders"].get("www-authenticate")).is_some(),
            status == 401
        );
    }
}

#[tokio::test]
async fn a_stream_has_what_the_router_answered_and_no_limit_of_6_mb() {
    let service =
        service(Admission::Header, &[("ICEGATE_FUNCTION_STREAMING", "true"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")]);
    let Ok(FunctionResponse::StreamingResponse(stream)) = answer(&service, http_api("/size/10000000", json!({}))).await else {
        panic!("no stream")
    };
    assert_eq!(stream.metadata_prelude.status_code, 200);
    let pieces: Vec<_> = stream.stream.map(|piece| piece.unwrap().len()).collect().await;
    assert_eq!(pieces.iter().sum::<usize>(), 10_000_000);
    let over = http_api("/size/209715201", json!({}));
    let Ok(FunctionResponse::StreamingResponse(stream)) = answer(&service, over).await else { panic!("no stream") };
    assert_eq!(stream.metadata_prelude.status_code, 400);
}

#[tokio::test]
async fn an_event_that_is_no_request_is_an_error_and_a_request_that_http_does_not_know_is_400() {
    let service = service(Admission::Header, &[]);
    for event in [json!({}), json!({"Records": []}), json!({"requestContext": {"http": {"method": "GET"}}})] {
        assert!(matches!(answer(&service, event).await, Err(HostError::NoRequest { .. })));
    }
    let broken = json!({"body": "%", "isBase64Encoded": true});
    assert!(matches!(answer(&service, http_api("/", broken)).await, Err(HostError::Body { .. })));
    for changes in [
        json!({"headers": {"bad name": "x"}}),
        json!({"headers": {"x": "a\nb"}}),
        json!({"requestContext": {"http": {"method": "G T"}}}),
    ] {
        assert_eq!(reply(&service, http_api("/", changes)).await["statusCode"], 400);
    }
}
