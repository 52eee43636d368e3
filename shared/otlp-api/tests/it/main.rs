//! Request in, status and body out: what OTLP's specification says of its HTTP transport.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod push;
mod remote_write;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use icegate_model::{Clock, RandomIds, SystemClock, Table};
use icegate_otlp_api::{Bounds, Ingest, Metrics, router};
use icegate_storage::Root;
use icegate_wal::{SegmentTenants, Wal, Writer, WriterConfig};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use prost::Message;
use serde_json::{Value, json};
use tower::ServiceExt;

const JSON: (&str, &str) = ("content-type", "application/json");
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");

struct Receiver {
    wal: Arc<Wal>,
    router: Router,
    ingest: Arc<Ingest>,
}

impl Receiver {
    fn new(bounds: Bounds, writer: WriterConfig) -> Self {
        let wal = Arc::new(Wal::new(Root::memory()));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let started =
            Writer::start(Arc::clone(&wal), writer, Arc::clone(&clock), Arc::new(RandomIds), icegate_wal::Metrics::default());
        // The task lives as long as the runtime; a test closes nothing.
        std::mem::forget(started.1);
        let ingest = Arc::new(Ingest::new(started.0, clock, bounds, Metrics::default()));
        Self { wal, router: router(Arc::clone(&ingest)), ingest }
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let header = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: head.status,
            content_type: header("content-type").unwrap_or_default(),
            retry_after: header("retry-after"),
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    async fn post(&self, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        self.send(Method::POST, "/v1/logs", headers, body).await
    }

    async fn rows(&self) -> u64 {
        let mut rows = 0;
        for segment in self.wal.list(Table::Logs).await.unwrap().segments {
            rows += self.wal.footer(&segment).await.unwrap().rows();
        }
        rows
    }
}

struct Answer {
    status: StatusCode,
    content_type: String,
    retry_after: Option<String>,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn receiver() -> Receiver {
    Receiver::new(Bounds { body_bytes: 100_000, decoded_bytes: 1_000_000, ..Bounds::default() }, fast())
}

fn fast() -> WriterConfig {
    WriterConfig { flush_interval: Duration::from_millis(1), ..WriterConfig::default() }
}

fn record(body: &str) -> LogRecord {
    let body = AnyValue { value: Some(any_value::Value::StringValue(body.to_owned())) };
    LogRecord { body: Some(body), time_unix_nano: 1, ..LogRecord::default() }
}

fn protobuf(log_records: Vec<LogRecord>) -> Vec<u8> {
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] }.encode_to_vec()
}

fn json_body(body: &str) -> String {
    json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [{ "body": { "stringValue": body } }] }] }] }).to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_request_is_answered_in_its_own_encoding_after_its_rows_are_in_the_wal() {
    let receiver = receiver();
    let answer = receiver.post(&[("content-type", "Application/JSON; charset=utf-8")], json_body("a")).await;
    assert_eq!((answer.status, answer.content_type.as_str()), (StatusCode::OK, "application/json"));
    assert_eq!(answer.json(), json!({ "partialSuccess": { "rejectedLogRecords": 0, "errorMessage": "" } }));
    assert_eq!(receiver.rows().await, 1);

    let answer = receiver.post(&[PROTOBUF], protobuf(vec![record("b"), record("c")])).await;
    assert_eq!((answer.status, answer.content_type.as_str()), (StatusCode::OK, "application/x-protobuf"));
    assert_eq!(ExportLogsServiceResponse::decode(&answer.body[..]).unwrap(), ExportLogsServiceResponse::default());
    assert_eq!(receiver.rows().await, 3);

    let answer = receiver.send(Method::POST, "/otlp/v1/logs", &[], protobuf(vec![record("d")])).await;
    assert_eq!((answer.status, answer.content_type.as_str()), (StatusCode::OK, "application/x-protobuf"));
    assert_eq!(receiver.rows().await, 4);
}

#[tokio::test]
async fn a_refused_record_is_counted_and_named_and_the_others_are_kept() {
    let receiver = receiver();
    let bad = LogRecord { trace_id: vec![1, 2], ..record("bad") };
    let answer = receiver.post(&[PROTOBUF], protobuf(vec![record("good"), bad])).await;
    assert_eq!(answer.status, StatusCode::OK);
    let partial = ExportLogsServiceResponse::decode(&answer.body[..]).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_log_records, 1);
    assert!(partial.error_message.contains("logRecords[1]"), "{}", partial.error_message);
    assert_eq!(receiver.rows().await, 1);
}

#[tokio::test]
async fn compressed_and_chunked_bodies_are_read() {
    let receiver = receiver();
    let body = |text: &str| protobuf(vec![record(text)]);
    for (encoding, body) in
        [("gzip", gzip(&body("a"))), ("zstd", zstd::encode_all(&body("b")[..], 3).unwrap()), ("identity", body("c"))]
    {
        let answer = receiver.post(&[PROTOBUF, ("content-encoding", encoding)], body).await;
        assert_eq!(answer.status, StatusCode::OK, "{encoding}: {}", answer.text());
    }
    let text = json_body("chunks");
    let pieces: Vec<Result<Vec<u8>, std::io::Error>> = text.as_bytes().chunks(7).map(|piece| Ok(piece.to_vec())).collect();
    let answer = receiver.post(&[JSON], Body::from_stream(futures::stream::iter(pieces))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(receiver.rows().await, 4);
}

#[tokio::test]
async fn each_bad_request_has_its_status_and_says_what_is_allowed() {
    let receiver = receiver();
    let gzipped = gzip(&protobuf(vec![record("x")]));
    let truncated = gzipped[..gzipped.len() - 9].to_vec();
    for (headers, body, status, named) in [
        (vec![("content-type", "text/plain")], b"x".to_vec(), 415, "application/x-protobuf"),
        (vec![PROTOBUF, ("content-encoding", "br")], b"x".to_vec(), 415, "gzip"),
        (vec![PROTOBUF, ("content-encoding", "gzip, gzip")], b"x".to_vec(), 415, "gzip"),
        (vec![PROTOBUF], vec![0; 100_001], 413, "100000"),
        (vec![PROTOBUF, ("content-encoding", "gzip")], gzip(&vec![0; 2_000_000]), 413, "1000000"),
        (vec![PROTOBUF, ("content-encoding", "zstd")], zstd::encode_all(&vec![0; 2_000_000][..], 3).unwrap(), 413, "1000000"),
        (vec![PROTOBUF, ("content-encoding", "gzip")], truncated, 400, "gzip"),
        (vec![PROTOBUF, ("content-encoding", "zstd")], b"no zstd".to_vec(), 400, "zstd"),
        (vec![PROTOBUF], vec![0x0a, 0x7f], 400, "protobuf"),
        (vec![JSON], b"{\"resourceLogs\": 7}".to_vec(), 400, "line 1 column"),
        (vec![JSON, ("x-scope-orgid", "../x")], json_body("x").into_bytes(), 400, "../x"),
        (vec![JSON, ("x-scope-orgid", "")], json_body("x").into_bytes(), 400, "tenant"),
        (vec![JSON, ("x-account-id", "a b")], json_body("x").into_bytes(), 400, "a b"),
    ] {
        let answer = receiver.post(&headers, body).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}: {}", answer.text());
        assert!(answer.text().contains(named), "{headers:?}: {}", answer.text());
        assert_eq!(answer.retry_after, None);
    }
    assert_eq!(receiver.rows().await, 0);
}

#[tokio::test]
async fn an_error_is_a_status_in_the_requests_encoding() {
    let receiver = receiver();
    let answer = receiver.post(&[JSON], "{").await;
    assert_eq!(answer.content_type, "application/json");
    // google.rpc.Code.INVALID_ARGUMENT is 3.
    assert_eq!(answer.json()["code"], 3);
    let answer = receiver.post(&[PROTOBUF], vec![0xff]).await;
    assert_eq!(answer.content_type, "application/x-protobuf");
    // Field 1, a varint, of google.rpc.Status: the code.
    assert_eq!(answer.body[..2], [0x08, 0x03]);
}

#[tokio::test]
async fn tenants_and_accounts_reach_the_segment() {
    let receiver = receiver();
    let headers = [JSON, ("X-Scope-OrgID", "team-a"), ("X-Account-ID", "acc")];
    assert_eq!(receiver.post(&headers, json_body("x")).await.status, StatusCode::OK);
    let segment = receiver.wal.list(Table::Logs).await.unwrap().segments.remove(0);
    assert_eq!(segment.tenants, SegmentTenants::One("team-a".parse().unwrap()));
    let footer = receiver.wal.footer(&segment).await.unwrap();
    assert_eq!(footer.row_groups[0].account.as_ref().unwrap().as_str(), "acc");
}

#[tokio::test]
async fn too_many_requests_and_a_full_wal_say_when_to_come_again() {
    let receiver = Receiver::new(Bounds { concurrent_requests: 1, ..Bounds::default() }, fast());
    let admitted = receiver.ingest.admit().unwrap();
    let answer = receiver.post(&[JSON], json_body("x")).await;
    assert_eq!((answer.status, answer.retry_after.as_deref()), (StatusCode::TOO_MANY_REQUESTS, Some("1")));
    drop(admitted);
    assert_eq!(receiver.post(&[JSON], json_body("x")).await.status, StatusCode::OK);

    let slow = WriterConfig { channel_capacity: 1, flush_interval: Duration::from_secs(3600), ..WriterConfig::default() };
    let receiver = Arc::new(Receiver::new(Bounds::default(), slow));
    let waiting = tokio::spawn({
        let receiver = Arc::clone(&receiver);
        async move { receiver.post(&[JSON], json_body("waits")).await.status }
    });
    let full = loop {
        let answer = tokio::time::timeout(Duration::from_millis(200), receiver.post(&[JSON], json_body("full"))).await;
        if let Ok(answer) = answer {
            break answer;
        }
    };
    assert_eq!((full.status, full.retry_after.as_deref()), (StatusCode::SERVICE_UNAVAILABLE, Some("1")));
    assert!(full.text().contains("full"), "{}", full.text());
    waiting.abort();
}

#[tokio::test]
async fn the_health_and_what_is_not_there() {
    let receiver = receiver();
    let health = receiver.send(Method::GET, "/health", &[], Body::empty()).await;
    assert_eq!((health.status, health.text().as_str()), (StatusCode::OK, r#"{"status":"healthy"}"#));
    assert_eq!(receiver.send(Method::GET, "/v1/logs", &[], Body::empty()).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(receiver.send(Method::POST, "/v1/profiles", &[], Body::empty()).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_client_that_stalls_gives_its_place_back() {
    let bounds = Bounds { concurrent_requests: 1, body_time: Duration::from_millis(50), ..Bounds::default() };
    let receiver = Receiver::new(bounds, fast());
    let stalled = receiver.post(&[JSON], Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>())).await;
    assert_eq!(stalled.status, StatusCode::REQUEST_TIMEOUT, "{}", stalled.text());
    assert_eq!(receiver.post(&[JSON], json_body("up")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_client_that_trickles_without_end_gives_its_place_back() {
    let bounds = Bounds { concurrent_requests: 1, body_time: Duration::from_millis(50), ..Bounds::default() };
    let receiver = Receiver::new(bounds, fast());
    let trickle = futures::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Some((Ok::<_, std::io::Error>(b" ".to_vec()), ()))
    });
    let trickling = receiver.post(&[JSON], Body::from_stream(trickle)).await;
    assert_eq!(trickling.status, StatusCode::REQUEST_TIMEOUT, "{}", trickling.text());
    assert_eq!(receiver.post(&[JSON], json_body("up")).await.status, StatusCode::OK);
}
