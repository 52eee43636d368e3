//! Loki's push: what its agents send, and Loki's answers.

use http::{Method, StatusCode};
use icegate_otlp_api::Bounds;
use prost::Message;
use serde_json::json;

use crate::{Answer, JSON, PROTOBUF, Receiver, fast, gzip, receiver};

const PUSH: &str = "/loki/api/v1/push";

/// The messages as Loki's documentation of the wire format has them.
#[derive(Clone, PartialEq, Message)]
struct PushRequest {
    #[prost(message, repeated, tag = "1")]
    streams: Vec<Stream>,
}
#[derive(Clone, PartialEq, Message)]
struct Stream {
    #[prost(string, tag = "1")]
    labels: String,
    #[prost(message, repeated, tag = "2")]
    entries: Vec<Entry>,
    #[prost(uint64, tag = "3")]
    hash: u64,
}
#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(message, optional, tag = "1")]
    timestamp: Option<Time>,
    #[prost(string, tag = "2")]
    line: String,
    #[prost(message, repeated, tag = "3")]
    structured_metadata: Vec<Pair>,
}
#[derive(Clone, PartialEq, Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}
#[derive(Clone, PartialEq, Message)]
struct Pair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

fn protobuf(labels: &str, seconds: i64, line: &str) -> Vec<u8> {
    let entry = Entry { timestamp: Some(Time { seconds, nanos: 5 }), line: line.to_owned(), structured_metadata: Vec::new() };
    PushRequest { streams: vec![Stream { labels: labels.to_owned(), entries: vec![entry], hash: 7 }] }.encode_to_vec()
}

fn snappy(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap()
}

fn body(line: &str) -> String {
    json!({"streams": [{"stream": {"app": "x"}, "values": [["1704067200000000001", line]]}]}).to_string()
}

impl Receiver {
    async fn push(&self, headers: &[(&str, &str)], body: impl Into<axum::body::Body>) -> Answer {
        self.send(Method::POST, PUSH, headers, body).await
    }
}

#[tokio::test]
async fn each_form_of_a_push_is_answered_204_after_its_lines_are_in_the_wal() {
    let receiver = receiver();
    let message = |line: &str| snappy(&protobuf(r#"{app="x"}"#, 1_704_067_200, line));
    let metadata = json!({"streams": [{"stream": {"app": "x"}, "values": [["1", "a", {"k": "v"}], ["2", "b", {}]]}], "more": 1});
    for (headers, body, rows) in [
        (vec![JSON], body("json").into_bytes(), 1),
        (
            vec![("content-type", "application/json; charset=utf-8"), ("content-encoding", "gzip")],
            gzip(body("gzip").as_bytes()),
            2,
        ),
        (vec![JSON], metadata.to_string().into_bytes(), 4),
        (vec![PROTOBUF], message("protobuf"), 5),
        (vec![PROTOBUF, ("content-encoding", "snappy")], message("named"), 6),
        (vec![], message("no type"), 7),
        (vec![JSON], br#"{"streams": []}"#.to_vec(), 7),
        (vec![JSON], br#"{"streams": [{"stream": {"app": "x"}}]}"#.to_vec(), 7),
    ] {
        let answer = receiver.push(&headers, body).await;
        assert_eq!((answer.status, answer.text().as_str()), (StatusCode::NO_CONTENT, ""), "{headers:?}");
        assert_eq!(receiver.rows().await, rows, "{headers:?}");
    }
    let older = receiver.send(Method::POST, "/api/prom/push", &[PROTOBUF], message("older path")).await;
    assert_eq!(older.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn each_bad_push_has_its_status_and_says_what_is_wrong_and_where() {
    let receiver = receiver();
    let values =
        |values: &str| format!(r#"{{"streams": [{{"stream": {{"app": "x"}}, "values": [["1", "a"], {values}]}}]}}"#).into_bytes();
    let place = "body is no JSON of a push at streams[0].values[1]";
    for (headers, body, status, named) in [
        (vec![("content-type", "text/plain")], b"x".to_vec(), 415, "application/x-protobuf and application/json"),
        (vec![JSON, ("content-encoding", "snappy")], b"x".to_vec(), 415, "gzip"),
        (vec![JSON], b"{".to_vec(), 400, "body is no JSON of a push at "),
        (vec![JSON], b"{}".to_vec(), 400, "missing field `streams`"),
        (vec![JSON], values(r#"["yesterday", "a"]"#), 400, r#"[1]: "yesterday" is no time in nanoseconds"#),
        (vec![JSON], values(r#"[2, "a"]"#), 400, place),
        (vec![JSON], values(r#"["2"]"#), 400, place),
        (vec![JSON], values(r#"["2", "a", {"k": 1}]"#), 400, place),
        (vec![JSON], values(r#"["2", "a", {}, 1]"#), 400, place),
        (vec![PROTOBUF], b"no snappy".to_vec(), 400, "body is not valid snappy"),
        (vec![PROTOBUF], snappy(&[0x0a, 0x7f]), 400, "body is no protobuf of a push"),
        (
            vec![PROTOBUF],
            snappy(&protobuf("{app=x}", 1, "a")),
            400,
            "streams[0].labels can't be read: literal not terminated at byte 5",
        ),
        (vec![PROTOBUF], snappy(&vec![0; 2_000_000]), 413, "1000000 bytes decompressed"),
        (vec![JSON], vec![b' '; 100_001], 413, "100000 bytes as sent"),
        (vec![JSON, ("x-scope-orgid", "../x")], body("x").into_bytes(), 400, "../x"),
    ] {
        let answer = receiver.push(&headers, body).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}: {}", answer.text());
        assert!(answer.text().contains(named), "{headers:?}: {}", answer.text());
        assert_eq!(answer.content_type, "text/plain; charset=utf-8");
    }
    assert_eq!(receiver.rows().await, 0);
}

#[tokio::test]
async fn an_entry_that_is_refused_is_named_and_all_others_are_stored() {
    let receiver = receiver();
    let body = json!({"streams": [
        {"stream": {}, "values": [["1", "no labels"]]},
        {"stream": {"app": "x"}, "values": [["1", "good"], ["0", "epoch"]]},
    ]});
    let answer = receiver.push(&[JSON, ("accept", "application/json")], body.to_string()).await;
    assert_eq!((answer.status, answer.content_type.as_str()), (StatusCode::BAD_REQUEST, "application/json"));
    let error = answer.json();
    assert_eq!(
        (&error["status"], &error["errorType"], &error["error"]),
        (&json!("error"), &json!("bad_data"), &error["message"])
    );
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("2 entries were refused, all others are stored: streams[0].values[0]: the stream has no"),
        "{message}"
    );
    assert!(message.contains("; streams[1].values[1]: the timestamp is not"), "{message}");
    assert_eq!(receiver.rows().await, 1);
}

#[tokio::test]
async fn the_same_bytes_have_the_same_id_and_those_of_another_tenant_or_kind_another_one() {
    let receiver = receiver();
    for (path, tenant) in [(PUSH, "a"), (PUSH, "a"), ("/api/prom/push", "a"), (PUSH, "b")] {
        let headers = [JSON, ("x-scope-orgid", tenant)];
        assert_eq!(receiver.send(Method::POST, path, &headers, body("x")).await.status, StatusCode::NO_CONTENT);
    }
    let gzipped = [JSON, ("x-scope-orgid", "a"), ("content-encoding", "gzip")];
    assert_eq!(receiver.push(&gzipped, gzip(body("x").as_bytes())).await.status, StatusCode::NO_CONTENT);
    let mut ids = std::collections::HashMap::new();
    for segment in receiver.wal.list(icegate_model::Table::Logs).await.unwrap().segments {
        for run in receiver.wal.footer(&segment).await.unwrap().requests {
            *ids.entry(run.id).or_insert(0) += run.rows;
        }
    }
    let mut rows: Vec<u64> = ids.into_values().collect();
    rows.sort_unstable();
    assert_eq!(rows, [1, 4]);
}

#[tokio::test]
async fn too_many_pushes_at_once_are_told_to_come_again() {
    let receiver = Receiver::new(Bounds { concurrent_requests: 1, ..Bounds::default() }, fast());
    let _admitted = receiver.ingest.admit().unwrap();
    let answer = receiver.push(&[JSON], body("x")).await;
    assert_eq!((answer.status, answer.retry_after.as_deref()), (StatusCode::TOO_MANY_REQUESTS, Some("1")));
}
