//! Prometheus' remote write: what the specifications of 1.0 and 2.0 say of content types, statuses and headers.

use http::{Method, StatusCode};
use icegate_model::Table;
use icegate_otlp_api::Bounds;
use icegate_testkit::Protobuf;

use crate::{Answer, Receiver, fast, gzip, receiver};

const WRITE: &str = "/api/v1/write";
const V1: (&str, &str) = ("content-type", "application/x-protobuf");
const V2: (&str, &str) = ("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request");
const SNAPPY: (&str, &str) = ("content-encoding", "snappy");
/// 2024-01-01T00:00:00Z.
const T: i64 = 1_704_067_200_000;

fn snappy(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap()
}

fn sample(at: i64) -> Protobuf {
    Protobuf::new().double(1, 1.0).int(2, at)
}

/// Samples of a series of remote write 1.0.
fn v1(name: &str, times: &[i64]) -> Vec<u8> {
    let series = Protobuf::new().message(1, &Protobuf::new().text(1, "__name__").text(2, name));
    let series = series.messages(2, times.iter().map(|at| sample(*at)));
    snappy(&Protobuf::new().message(1, &series).bytes())
}

/// Two samples, a histogram and an exemplar of remote write 2.0, and samples of a series without a name.
fn v2(without_name: u64) -> Vec<u8> {
    let request = ["", "__name__", "a", "h", "job"].iter().fold(Protobuf::new(), |request, symbol| request.text(4, symbol));
    let exemplar = Protobuf::new().double(2, 0.5).int(3, T);
    let series = Protobuf::new().uints(1, &[1, 2]).message(2, &sample(T)).message(2, &sample(T + 1)).message(4, &exemplar);
    let histogram = Protobuf::new().uints(1, &[1, 3]).message(3, &Protobuf::new().int(15, T));
    let bad = Protobuf::new().uints(1, &[4, 2]).messages(2, (0..without_name).map(|_| sample(T)));
    let request = request.message(5, &series).message(5, &histogram);
    snappy(&if without_name > 0 { request.message(5, &bad) } else { request }.bytes())
}

impl Receiver {
    async fn write(&self, headers: &[(&str, &str)], body: impl Into<axum::body::Body>) -> Answer {
        self.send(Method::POST, WRITE, headers, body).await
    }

    async fn points(&self) -> u64 {
        let mut rows = 0;
        for segment in self.wal.list(Table::Metrics).await.unwrap().segments {
            rows += self.wal.footer(&segment).await.unwrap().rows();
        }
        rows
    }
}

/// Samples, histograms and exemplars that an answer says are written.
fn counts(answer: &Answer) -> [Option<&str>; 3] {
    ["samples", "histograms", "exemplars"]
        .map(|kind| answer.headers.get(format!("x-prometheus-remote-write-{kind}-written")).map(|value| value.to_str().unwrap()))
}

#[tokio::test]
async fn each_form_of_a_write_is_answered_204_after_it_is_in_the_wal() {
    let receiver = receiver();
    let older = ("content-type", "Application/X-Protobuf; proto=\"prometheus.WriteRequest\"");
    for (headers, rows) in [
        (vec![V1, SNAPPY, ("x-prometheus-remote-write-version", "0.1.0")], 1),
        (vec![older, ("content-encoding", "Snappy")], 2),
        // Prometheus takes both headers as given.
        (vec![], 3),
        (vec![V1, ("x-prometheus-remote-write-version", "2.0.0")], 4),
    ] {
        let answer = receiver.write(&headers, v1("a", &[T + rows])).await;
        assert_eq!((answer.status, answer.text().as_str()), (StatusCode::NO_CONTENT, ""), "{headers:?}");
        assert_eq!(counts(&answer), [None; 3]);
        assert_eq!(receiver.points().await, u64::try_from(rows).unwrap());
    }
    let answer = receiver.write(&[V2, SNAPPY], v2(0)).await;
    assert_eq!((answer.status, answer.text().as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(counts(&answer), [Some("2"), Some("1"), Some("1")]);
    assert_eq!(receiver.points().await, 8);
    // A request that holds nothing is whole.
    for header in [V1, V2] {
        assert_eq!(receiver.write(&[header, SNAPPY], snappy(b"")).await.status, StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn each_bad_write_has_its_status_and_says_what_is_allowed() {
    let receiver = receiver();
    let good = v1("a", &[T]);
    let unknown = ("content-type", "application/x-protobuf;proto=io.prometheus.write.v3.Request");
    for (headers, body, status, named) in [
        (vec![unknown, SNAPPY], good.clone(), 415, "proto=prometheus.WriteRequest"),
        (vec![("content-type", "application/json"), SNAPPY], b"{}".to_vec(), 415, "application/x-protobuf with"),
        (vec![V1, ("content-encoding", "gzip")], gzip(b"x"), 415, "allowed is snappy"),
        (vec![V1, ("content-encoding", "snappy, snappy")], good.clone(), 415, "allowed is snappy"),
        (vec![V1, SNAPPY], b"no snappy".to_vec(), 400, "body is not valid snappy"),
        (vec![V2, SNAPPY], snappy(&[0x0a, 0x7f]), 400, "no valid protobuf of io.prometheus.write.v2.Request"),
        (vec![V1, SNAPPY], snappy(&vec![0; 2_000_000]), 413, "1000000 bytes decompressed"),
        // A length that is promised, and that no such few bytes can hold.
        (vec![V1, SNAPPY], vec![0xc0, 0x84, 0x3d, 0x00], 400, "4 bytes can't hold the 1000000 that they promise"),
        (vec![V1, SNAPPY], vec![0; 100_001], 413, "100000 bytes as sent"),
        (vec![V1, SNAPPY, ("x-scope-orgid", "../x")], good.clone(), 400, "../x"),
    ] {
        let answer = receiver.write(&headers, body).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}: {}", answer.text());
        assert!(answer.text().contains(named), "{headers:?}: {}", answer.text());
        assert_eq!(answer.content_type, "text/plain; charset=utf-8");
        let zeros = if headers.contains(&V2) { [Some("0"); 3] } else { [None; 3] };
        assert_eq!(counts(&answer), zeros, "{headers:?}");
    }
    assert_eq!(receiver.send(Method::GET, WRITE, &[], axum::body::Body::empty()).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(receiver.points().await, 0);
}

#[tokio::test]
async fn what_is_refused_is_named_and_all_else_is_stored() {
    let receiver = receiver();
    let answer = receiver.write(&[V2, SNAPPY], v2(3)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(counts(&answer), [Some("2"), Some("1"), Some("1")]);
    let text = "3 points were refused, all others are stored: timeseries[2]: it has no metric name: the label __name__ is missing or empty";
    assert_eq!(answer.text(), text);
    assert_eq!(receiver.points().await, 4);
    let answer = receiver.write(&[V1, SNAPPY], v1("a", &[T, -5])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("timeseries[0].samples[1]: the timestamp -5"), "{}", answer.text());
    assert_eq!(receiver.points().await, 5);
}

#[tokio::test]
async fn a_write_that_is_repeated_has_the_same_id_and_those_of_other_tenants_another_one() {
    let receiver = receiver();
    for tenant in ["a", "a", "b"] {
        let answer = receiver.write(&[V1, SNAPPY, ("x-scope-orgid", tenant)], v1("a", &[T])).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    let mut ids = std::collections::HashMap::new();
    for segment in receiver.wal.list(Table::Metrics).await.unwrap().segments {
        for run in receiver.wal.footer(&segment).await.unwrap().requests {
            *ids.entry(run.id).or_insert(0) += run.rows;
        }
    }
    let mut rows: Vec<u64> = ids.into_values().collect();
    rows.sort_unstable();
    assert_eq!(rows, [1, 2]);
}

#[tokio::test]
async fn too_many_writes_at_once_are_told_to_come_again_and_otlp_has_a_path_beside() {
    let receiver = Receiver::new(Bounds { concurrent_requests: 1, ..Bounds::default() }, fast());
    let admitted = receiver.ingest.admit().unwrap();
    let answer = receiver.write(&[V2, SNAPPY], v2(0)).await;
    assert_eq!((answer.status, answer.retry_after.as_deref()), (StatusCode::TOO_MANY_REQUESTS, Some("1")));
    assert_eq!(counts(&answer), [Some("0"); 3]);
    drop(admitted);
    let body = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{"asInt":"1"}]}}]}]}]}"#;
    let answer = receiver.send(Method::POST, "/api/v1/otlp/v1/metrics", &[crate::JSON], body).await;
    assert_eq!((answer.status, receiver.points().await), (StatusCode::OK, 1));
}
