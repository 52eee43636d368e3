//! Names of attributes and their values.

use serde_json::{Value, json};

use crate::world::{Api, State, World, encoded, request, span};

/// Spans with attributes of every scope, one request each.
fn spans() -> Vec<Value> {
    let text = |text: &str| json!({ "stringValue": text });
    let mut one = span("1", "1", None, "GET", 0, 1_500);
    one["attributes"] = json!([
        { "key": "http.status", "value": { "intValue": "200" } }, { "key": "my attr", "value": text("v/1") },
        { "key": "flags", "value": { "arrayValue": { "values": [text("a"), text("b")] } } },
        { "key": "ratio", "value": { "doubleValue": 0.5 } }, { "key": "ok", "value": { "boolValue": true } },
    ]);
    one["events"] = json!([{ "timeUnixNano": "1", "name": "e", "attributes": [{ "key": "why", "value": text("w") }] }]);
    one["links"] =
        json!([{ "traceId": "02".repeat(16), "spanId": "03".repeat(8), "attributes": [{ "key": "to", "value": text("t") }] }]);
    let mut other = span("2", "2", None, "PUT", 1_000, 5);
    other["status"] = json!({ "code": 2 });
    other["attributes"] = json!([{ "key": "http.status", "value": text("200") }]);
    let (mut first, second) = (request("api", vec![one]), request("db", vec![other]));
    let scope = json!({ "name": "lib", "version": "1", "attributes": [{ "key": "team", "value": text("x") }] });
    first["resourceSpans"][0]["scopeSpans"][0]["scope"] = scope;
    vec![first, second]
}

async fn values(api: &Api, tag: &str, q: &str) -> Vec<(String, String)> {
    let path = format!("/api/v2/search/tag/{}/values", encoded(tag));
    let found = api.query(&path, &[("q", q)]).await.json();
    let pair = |one: &Value| (one["type"].as_str().unwrap().to_owned(), one["value"].as_str().unwrap().to_owned());
    found["tagValues"].as_array().unwrap().iter().map(pair).collect()
}

fn typed(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(kind, value)| ((*kind).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn names_come_by_scope_or_all_together_and_of_the_spans_that_a_filter_lets_through() {
    for state in State::ALL {
        let api = World::with(&spans(), state).await.api();
        let scopes = api.get("/api/v2/search/tags").await.json()["scopes"].clone();
        let of = |name: &str| scopes.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()["tags"].clone();
        assert_eq!(of("span"), json!(["flags", "http.status", "my attr", "ok", "ratio"]));
        assert_eq!((of("resource"), of("event"), of("link")), (json!(["service.name"]), json!(["why"]), json!(["to"])));
        assert_eq!((of("instrumentation"), of("intrinsic").as_array().unwrap().len()), (json!(["team"]), 25));
        let all = json!(["flags", "http.status", "my attr", "ok", "ratio", "service.name", "team", "to", "why"]);
        assert_eq!(api.get("/api/search/tags").await.json()["tagNames"], all);
        let only = api.query("/api/v2/search/tags", &[("scope", "span"), ("q", "{ status = error }")]).await.json();
        assert_eq!(only["scopes"], json!([{ "name": "span", "tags": ["http.status"] }]));
        // What can't be read of a filter lets everything through, and what a trace decides is decided by all of it.
        let half = api.query("/api/v2/search/tags", &[("scope", "event"), ("q", "{ name = ")]).await.json();
        assert_eq!(half["scopes"], json!([{ "name": "event", "tags": ["why"] }]));
        let root = api.query("/api/v2/search/tags", &[("scope", "event"), ("q", "{ rootName = \"PUT\" }")]).await.json();
        assert_eq!(root["scopes"], json!([]));
        let limited = api.query("/api/v2/search/tags", &[("scope", "span"), ("limit", "2")]).await.json();
        assert_eq!(limited["scopes"], json!([{ "name": "span", "tags": ["flags", "http.status"] }]));
    }
}

#[tokio::test]
async fn values_come_with_their_types() {
    let api = World::with(&spans(), State::Both).await.api();
    for (tag, found) in [
        ("span.http.status", typed(&[("int", "200"), ("string", "200")])),
        (".service.name", typed(&[("string", "api"), ("string", "db")])),
        ("span.\"my attr\"", typed(&[("string", "v/1")])),
        ("span.flags", typed(&[("string", "a"), ("string", "b")])),
        ("span.ratio", typed(&[("float", "0.5")])),
        ("span.ok", typed(&[("bool", "true")])),
        ("event:name", typed(&[("string", "e")])),
        ("instrumentation.team", typed(&[("string", "x")])),
        ("status", typed(&[("keyword", "error"), ("keyword", "unset")])),
        ("kind", typed(&[("keyword", "server")])),
        ("rootName", typed(&[("string", "GET"), ("string", "PUT")])),
        ("span.none", Vec::new()),
    ] {
        assert_eq!(values(&api, tag, "").await, found, "{tag}");
    }
    assert_eq!(values(&api, "name", "{ status = error }").await, typed(&[("string", "PUT")]));
    assert_eq!(values(&api, "name", "{ rootServiceName = \"api\" }").await, typed(&[("string", "GET")]));
    let limited = api.get("/api/v2/search/tag/name/values?limit=1").await.json();
    assert_eq!(limited["tagValues"], json!([{ "type": "string", "value": "GET" }]));
}

#[tokio::test]
async fn values_of_a_bare_name_are_those_of_every_scope() {
    let api = World::with(&spans(), State::Both).await.api();
    for (tag, found) in [
        ("http.status", json!(["200"])),
        ("service.name", json!(["api", "db"])),
        ("my attr", json!(["v/1"])),
        ("why", json!(["w"])),
        ("name", json!(["GET", "PUT"])),
        ("root.service.name", json!(["api", "db"])),
        ("status.code", json!(["error", "unset"])),
    ] {
        let path = format!("/api/search/tag/{}/values", encoded(tag));
        assert_eq!(api.get(&path).await.json()["tagValues"], found, "{tag}");
    }
}

#[tokio::test]
async fn spans_outside_the_time_have_no_names_and_values() {
    let api = World::with(&spans(), State::Both).await.api();
    let before = "start=1000000000&end=1000000100";
    assert_eq!(api.get(&format!("/api/v2/search/tag/name/values?{before}")).await.json()["tagValues"], json!([]));
    assert_eq!(api.get(&format!("/api/search/tags?{before}")).await.json()["tagNames"], json!([]));
}
