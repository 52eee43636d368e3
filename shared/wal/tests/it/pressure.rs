use std::time::Duration;

use icegate_model::ErrorKind;
use icegate_wal::{Metrics, WalError, WriterConfig};
use prometheus_client::registry::Registry;

use crate::faulty::{root, stuck};
use crate::{logs, start, start_counted};

#[tokio::test(start_paused = true)]
async fn a_full_writer_refuses_at_once_and_takes_requests_again_when_rows_are_durable() {
    let store = stuck();
    let config = WriterConfig { channel_capacity: 2, put_timeout: Duration::from_secs(3_600), ..WriterConfig::default() };
    let (_, writer, _task) = start(&root(&store), config);
    let spawn = |id| {
        let writer = writer.clone();
        tokio::spawn(async move { writer.append(logs(id, "a", &[1])).await })
    };
    let waiting = [spawn(1), spawn(2)];
    tokio::time::sleep(Duration::from_secs(1)).await;
    let started = tokio::time::Instant::now();
    let error = writer.append(logs(3, "a", &[1])).await.unwrap_err();
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.to_string(), "write-ahead log is full: requests is bounded by 2");
    store.let_through(10);
    for request in waiting {
        request.await.unwrap().unwrap();
    }
    writer.append(logs(3, "a", &[1])).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn buffered_bytes_are_bounded_over_all_requests_and_one_large_request_passes_alone() {
    let store = stuck();
    let config = WriterConfig { max_buffered_bytes: 1_000, put_timeout: Duration::from_secs(3_600), ..WriterConfig::default() };
    let mut registry = Registry::default();
    let (_, writer, _task) = start_counted(&root(&store), config, Metrics::register(&mut registry));
    let times: Vec<i64> = (0..1_000).collect();
    let large = tokio::spawn({
        let (writer, request) = (writer.clone(), logs(1, "a", &times));
        async move { writer.append(request).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let error = writer.append(logs(2, "a", &[1])).await.unwrap_err();
    assert!(matches!(error, WalError::Full { bound: "buffered bytes", limit: 1_000 }), "{error}");
    assert_eq!(gauge(&registry, "wal_buffered_bytes "), "1000");
    store.let_through(10);
    large.await.unwrap().unwrap();
    assert_eq!(gauge(&registry, "wal_buffered_bytes "), "0");
    assert_eq!(gauge(&registry, "wal_refused_total{bound=\"buffered bytes\"} "), "1");
    assert_eq!(gauge(&registry, "wal_rows_total{table=\"logs\"} "), "1000");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_append_gives_its_room_back_when_its_rows_are_written() {
    let store = stuck();
    let config = WriterConfig { channel_capacity: 1, ..WriterConfig::default() };
    let (_, writer, _task) = start(&root(&store), config);
    assert!(tokio::time::timeout(Duration::from_secs(1), writer.append(logs(1, "a", &[1]))).await.is_err());
    assert!(matches!(writer.append(logs(2, "a", &[1])).await, Err(WalError::Full { .. })));
    store.let_through(10);
    tokio::time::sleep(Duration::from_secs(1)).await;
    writer.append(logs(3, "a", &[1])).await.unwrap();
}

pub(crate) fn gauge(registry: &Registry, line: &str) -> String {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
    text.lines().find_map(|found| found.strip_prefix(line)).unwrap_or("none").to_owned()
}
