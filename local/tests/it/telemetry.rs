//! The process tells about itself: metrics to scrape, traces to a collector.

use crate::process::{Process, Settings};

const LINE: &str = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}"#;

async fn metrics(process: &Process) -> String {
    reqwest::get(format!("http://127.0.0.1:{}/metrics", process.metrics)).await.unwrap().text().await.unwrap()
}

async fn send_a_line(process: &Process) {
    let (status, text) = process.post("/v1/logs", &[("Content-Type", "application/json")], LINE.into()).await;
    assert_eq!(status, 200, "{text}");
}

/// The value of the first sample whose line starts so.
fn sample(metrics: &str, start: &str) -> f64 {
    let line = metrics.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in\n{metrics}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_count_what_was_done() {
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 86_400_000, variables: &[] }).await;
    send_a_line(&process).await;
    assert_eq!(process.count_logs("default", r#"{service_name=~".+"}"#).await, 1);
    let metrics = metrics(&process).await;
    for (start, expected) in [
        (r#"icegate_ingest_requests_total{signal="logs",transport="http",status="200"}"#, 1.0),
        (r#"icegate_ingest_records_total{signal="logs"}"#, 1.0),
        (r#"icegate_ingest_body_bytes_total{signal="logs"}"#, LINE.len() as f64),
        (r#"icegate_ingest_ack_seconds_count{signal="logs",transport="http"}"#, 1.0),
        (r#"icegate_wal_segments_total{table="logs"}"#, 1.0),
        (r#"icegate_wal_rows_total{table="logs"}"#, 1.0),
        (r#"icegate_loki_requests_total{endpoint="/loki/api/v1/query",status="200"}"#, 1.0),
    ] {
        assert_eq!(sample(&metrics, start), expected, "{start}");
    }
    for named in [
        "icegate_shift_lag_seconds",
        "icegate_wal_pending_bytes",
        "icegate_loki_request_seconds_count",
        "icegate_storage_requests_total{operation=\"put\"}",
    ] {
        sample(&metrics, named);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_reach_a_collector_where_one_is_configured() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let collector = Process::start(&Settings { data: there.path(), shift_interval_ms: 86_400_000, variables: &[] }).await;
    let endpoint = format!("http://127.0.0.1:{}", collector.otlp_grpc);
    let variables = &[("ICEGATE_TRACING__OTLP_ENDPOINT", endpoint.as_str())];
    let process = Process::start(&Settings { data: here.path(), shift_interval_ms: 86_400_000, variables }).await;
    send_a_line(&process).await;
    assert!(process.stop().success());
    let metrics = metrics(&collector).await;
    assert!(sample(&metrics, r#"icegate_ingest_records_total{signal="traces"}"#) >= 1.0);
}
