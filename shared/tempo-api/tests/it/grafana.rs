//! The requests of Grafana's Tempo data source and of Traces Drilldown, as they are sent.

use opentelemetry_proto::tonic::trace::v1::TracesData;
use prost::Message;
use serde_json::{Value, json};

use crate::world::{Api, State, T0, World, encoded, request, span};

/// A trace of two services: a request that fails in the second one, with an exception.
fn spans() -> Vec<Value> {
    let mut failed = span("abc", "2", Some("1"), "SELECT", 200_100, 50);
    failed["status"] = json!({ "code": 2, "message": "timeout" });
    failed["kind"] = json!(3);
    let text = |key: &str, text: &str| json!({ "key": key, "value": { "stringValue": text } });
    let exception =
        [text("exception.message", "no answer"), text("exception.type", "Timeout"), text("exception.stacktrace", "at x")];
    let time = format!("{}120000000", T0 + 200);
    failed["events"] = json!([{ "timeUnixNano": time, "name": "exception", "attributes": exception }]);
    failed["attributes"] = json!([text("db.system.name", "postgresql")]);
    vec![request("frontend", vec![span("abc", "1", None, "GET /", 200_000, 300)]), request("db", vec![failed])]
}

/// From the start of the tests' time to ten minutes later.
fn window() -> [(&'static str, String); 2] {
    [("start", T0.to_string()), ("end", (T0 + 600).to_string())]
}

async fn ask(api: &Api, path: &str, params: &[(&str, &str)]) -> Value {
    let window = window();
    let window = window.iter().map(|(name, value)| (*name, value.as_str()));
    let params: Vec<_> = params.iter().copied().chain(window).collect();
    api.query(path, &params).await.json()
}

#[tokio::test]
async fn the_data_source_is_tested_and_a_trace_is_opened_by_its_id() {
    let api = World::with(&spans(), State::Both).await.api();
    assert_eq!(api.get("/api/echo").await.status, 200);
    assert!(api.get("/api/status/buildinfo").await.json()["version"].is_string());
    let reply = api.ask("/api/v2/traces/abc", &[("accept", "application/protobuf")]).await;
    assert_eq!((reply.status, reply.content_type()), (200, Some("application/protobuf")));
    // `trace` is field 1, as a message.
    assert_eq!(reply.body[0], 0x0a);
    let reply = api.ask("/api/traces/abc", &[("accept", "application/protobuf")]).await;
    let trace = TracesData::decode(&*reply.body).unwrap();
    assert_eq!(trace.resource_spans.len(), 2);
    let json = api.get("/api/traces/abc").await.json();
    let found = &json["batches"][0]["scopeSpans"][0]["spans"][0];
    let expected = json!({
        "traceId": "AAAAAAAAAAAAAAAAAAAKvA==", "spanId": "AAAAAAAAAAE=", "name": "GET /", "kind": "SPAN_KIND_SERVER",
        "startTimeUnixNano": format!("{}000000000", T0 + 200), "endTimeUnixNano": format!("{}300000000", T0 + 200),
    });
    assert_eq!(found, &expected);
    let failed = &json["batches"][1]["scopeSpans"][0]["spans"][0];
    assert_eq!(failed["status"], json!({ "code": "STATUS_CODE_ERROR", "message": "timeout" }));
    // A time around it, as a shifted one is asked for, and one where it isn't.
    assert_eq!(ask(&api, "/api/v2/traces/abc", &[]).await["trace"]["resourceSpans"].as_array().unwrap().len(), 2);
    assert_eq!(api.get("/api/v2/traces/abc?start=1000000000&end=1000000001").await.json()["trace"], json!({}));
}

#[tokio::test]
async fn explore_searches_and_completes() {
    let api = World::with(&spans(), State::Both).await.api();
    let found =
        ask(&api, "/api/search", &[("q", "{resource.service.name=\"db\" && status=error}"), ("limit", "20"), ("spss", "3")])
            .await;
    let trace = &found["traces"][0];
    assert_eq!((&trace["traceID"], &trace["rootTraceName"], &trace["durationMs"]), (&json!("abc"), &json!("GET /"), &json!(300)));
    let set = json!({
        "matched": 1,
        "spans": [{
            "spanID": "0000000000000002", "startTimeUnixNano": format!("{}100000000", T0 + 200), "durationNanos": "50000000",
            "attributes": [
                { "key": "service.name", "value": { "stringValue": "db" } }, { "key": "status", "value": { "stringValue": "error" } },
            ],
        }],
    });
    let mut shown = trace["spanSets"][0].clone();
    shown["spans"][0]["attributes"].as_array_mut().unwrap().sort_by_key(|one| one["key"].to_string());
    assert_eq!(shown, set);
    assert_eq!(trace["spanSet"], trace["spanSets"][0]);
    assert_eq!(trace["serviceStats"]["db"], json!({ "spanCount": 1, "errorCount": 1 }));
    let tags = ask(&api, "/api/v2/search/tags", &[("limit", "5000")]).await;
    let scopes: Vec<_> = tags["scopes"].as_array().unwrap().iter().map(|scope| scope["name"].as_str().unwrap()).collect();
    assert_eq!(scopes, ["span", "resource", "event", "intrinsic"]);
    for (tag, q, values) in [
        ("resource.service.name", "{}", json!([{ "type": "string", "value": "db" }, { "type": "string", "value": "frontend" }])),
        ("resource.service.name", "{status=error}", json!([{ "type": "string", "value": "db" }])),
        ("status", "{}", json!([{ "type": "keyword", "value": "error" }, { "type": "keyword", "value": "unset" }])),
    ] {
        let path = format!("/api/v2/search/tag/{}/values", encoded(tag));
        assert_eq!(ask(&api, &path, &[("limit", "5000"), ("q", q)]).await["tagValues"], values, "{tag} {q}");
    }
}

#[tokio::test]
async fn metrics_are_series_over_time_and_numbers() {
    let api = World::with(&spans(), State::Both).await.api();
    let params = [("q", "{} | rate() by (resource.service.name)"), ("step", "300s"), ("exemplars", "100")];
    let found = ask(&api, "/api/metrics/query_range", &params).await;
    let series = found["series"].as_array().unwrap();
    assert_eq!(series.len(), 2);
    assert_eq!(series[0]["labels"], json!([{ "key": "resource.service.name", "value": { "stringValue": "db" } }]));
    let millis = |seconds: i64| ((T0 + seconds) * 1_000).to_string();
    let samples = json!([
        { "timestampMs": millis(0) }, { "timestampMs": millis(300), "value": 1.0 / 300.0 }, { "timestampMs": millis(600) },
    ]);
    assert_eq!(series[0]["samples"], samples);
    let exemplar = &series[0]["exemplars"][0];
    assert_eq!(exemplar["labels"][0], json!({ "key": "trace:id", "value": { "stringValue": "abc" } }));
    assert_eq!(exemplar["timestampMs"], ((T0 + 200) * 1_000 + 100).to_string());
    // Read strictly: other members than these would be an error in Grafana.
    let found = ask(&api, "/api/metrics/query", &[("q", "{status=error} | count_over_time()")]).await;
    let members: Vec<_> = found.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["metrics", "series"]);
    let one = json!([{ "labels": [{ "key": "__name__", "value": { "stringValue": "count_over_time" } }], "value": 1.0 }]);
    assert_eq!(found["series"], one);
}

#[tokio::test]
async fn drilldown_draws_its_pages() {
    let api = World::with(&spans(), State::Both).await.api();
    let range = async |q: &str, step: &str| {
        ask(&api, "/api/metrics/query_range", &[("q", q), ("step", step)]).await["series"].as_array().unwrap().clone()
    };
    assert_eq!(range("{} | rate()", "60s").await.len(), 1);
    for of in ["nestedSetParent<0", "true", "kind=server", "kind=client", "span.db.system.name!=\"\""] {
        let series = range(&format!("{{{of} && true}} | rate() by (resource.service.name)"), "60s").await;
        assert_eq!(series.len(), if of == "true" { 2 } else { 1 }, "{of}");
    }
    assert_eq!(range("{true && status=error} | rate()", "60s").await.len(), 1);
    let quantiles =
        range("{true && resource.service.name != nil} | quantile_over_time(duration, 0.5, 0.9) by(resource.service.name)", "60s");
    assert_eq!(quantiles.await.len(), 4);
    assert!(!range("{true} | histogram_over_time(duration) with(sample=true)", "60s").await.is_empty());
    let (start, end) = (T0 * 1_000_000_000, (T0 + 600) * 1_000_000_000);
    let compared = range(&format!("{{nestedSetParent<0 && true}} | compare({{status=error}}, 10, {start}, {end})"), "600s").await;
    assert!(
        compared
            .iter()
            .any(|series| series["labels"][0] == json!({ "key": "__meta_type", "value": { "stringValue": "baseline" } }))
    );
    let structure = "({nestedSetParent<0 && true} &>> {kind = client}) || ({nestedSetParent<0 && true}) \
                     | select(status, resource.service.name, name, nestedSetParent, nestedSetLeft, nestedSetRight)";
    let found = ask(&api, "/api/search", &[("q", structure), ("limit", "200"), ("spss", "20")]).await;
    let spans = found["traces"][0]["spanSets"][0]["spans"].as_array().unwrap().clone();
    let place = |span: &Value| {
        let number = |key: &str| {
            let attributes = span["attributes"].as_array().unwrap();
            let found = attributes.iter().find(|one| one["key"] == key);
            found.map_or(0, |one| one["value"]["intValue"].as_str().unwrap().parse::<i64>().unwrap())
        };
        [number("nestedSetParent"), number("nestedSetLeft"), number("nestedSetRight")]
    };
    let mut places: Vec<_> = spans.iter().map(place).collect();
    places.sort_unstable();
    assert_eq!(places, [[-1, 1, 4], [1, 2, 3]]);
    let exceptions = "{nestedSetParent<0 || true && status=error} \
                      | select(resource.service.name, event.exception.message, event.exception.stacktrace, event.exception.type) with(most_recent=true)";
    let found = ask(&api, "/api/search", &[("q", exceptions), ("limit", "400"), ("spss", "10")]).await;
    assert!(found.to_string().contains("no answer"), "{found}");
}
