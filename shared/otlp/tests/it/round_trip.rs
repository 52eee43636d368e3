//! LOSSLESS-1: rows rebuild to the request that they came from.

use arrow::array::RecordBatch;
use icegate_model::{Signal, Table};
use icegate_otlp::rebuild;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use crate::strategies::{log, metric, resource, scope, span, text};
use crate::support::protobuf;

/// The batches of a table, each cut into single rows, as a scan may give them.
fn slices(signal: Signal, table: Table, request: &impl Message) -> Vec<RecordBatch> {
    let rows = protobuf(signal, &request.encode_to_vec()).unwrap();
    assert_eq!(rows.rejected.message(), "");
    let batches = rows.batches.into_iter().filter(|(of, _)| *of == table);
    batches.flat_map(|(_, batch)| (0..batch.num_rows()).map(move |row| batch.slice(row, 1))).collect()
}

/// The request as a receiver sees it: protobuf writers leave out -0 where it is the default.
fn sent<T: Message + Default>(request: &T) -> T {
    T::decode(request.encode_to_vec().as_slice()).unwrap()
}

/// Schema URLs that differ between neighbours, which would otherwise be rebuilt as one group.
fn numbered(at: usize, url: &str) -> String {
    format!("{at}{url}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn logs(groups in vec((resource(), text(), vec((scope(), text(), vec(log(), 1..3)), 1..3)), 0..3)) {
        let resource_logs = groups.into_iter().enumerate().map(|(at, (resource, url, scopes))| ResourceLogs {
            resource,
            schema_url: numbered(at, &url),
            scope_logs: scopes.into_iter().enumerate().map(|(at, (scope, url, log_records))| {
                ScopeLogs { scope, log_records, schema_url: numbered(at, &url) }
            }).collect(),
        });
        let request = sent(&ExportLogsServiceRequest { resource_logs: resource_logs.collect() });
        let rebuilt = rebuild::logs(&slices(Signal::Logs, Table::Logs, &request)).unwrap();
        // Bytes and debug text compare NaN as equal.
        prop_assert_eq!(format!("{rebuilt:?}"), format!("{request:?}"));
        prop_assert_eq!(rebuilt.encode_to_vec(), request.encode_to_vec());
    }

    #[test]
    fn spans(groups in vec((resource(), text(), vec((scope(), text(), vec(span(), 1..3)), 1..3)), 0..3)) {
        let resource_spans = groups.into_iter().enumerate().map(|(at, (resource, url, scopes))| ResourceSpans {
            resource,
            schema_url: numbered(at, &url),
            scope_spans: scopes.into_iter().enumerate().map(|(at, (scope, url, spans))| {
                ScopeSpans { scope, spans, schema_url: numbered(at, &url) }
            }).collect(),
        });
        let request = sent(&ExportTraceServiceRequest { resource_spans: resource_spans.collect() });
        let rebuilt = rebuild::spans(&slices(Signal::Traces, Table::Spans, &request)).unwrap();
        prop_assert_eq!(format!("{rebuilt:?}"), format!("{request:?}"));
        prop_assert_eq!(rebuilt.encode_to_vec(), request.encode_to_vec());
    }

    #[test]
    fn metrics(groups in vec((resource(), text(), vec((scope(), text(), vec(metric(), 1..3)), 1..3)), 0..3)) {
        let resource_metrics = groups.into_iter().enumerate().map(|(at, (resource, url, scopes))| ResourceMetrics {
            resource,
            schema_url: numbered(at, &url),
            scope_metrics: scopes.into_iter().enumerate().map(|(at, (scope, url, mut metrics))| {
                for (at, metric) in metrics.iter_mut().enumerate() {
                    metric.name = numbered(at, &metric.name);
                }
                ScopeMetrics { scope, metrics, schema_url: numbered(at, &url) }
            }).collect(),
        });
        let request = sent(&ExportMetricsServiceRequest { resource_metrics: resource_metrics.collect() });
        let rebuilt = rebuild::metrics(&slices(Signal::Metrics, Table::Metrics, &request)).unwrap();
        prop_assert_eq!(format!("{rebuilt:?}"), format!("{request:?}"));
        prop_assert_eq!(rebuilt.encode_to_vec(), request.encode_to_vec());
    }
}

#[test]
fn nothing_rebuilds_to_an_empty_request() {
    assert_eq!(rebuild::logs(&[]).unwrap(), ExportLogsServiceRequest::default());
}

#[test]
fn rows_without_a_needed_column_are_refused_by_its_name() {
    let request = ExportLogsServiceRequest::decode([0x0a, 4, 0x12, 2, 0x12, 0].as_slice()).unwrap();
    let batch = slices(Signal::Logs, Table::Logs, &request).remove(0);
    let body = batch.schema().index_of("body").unwrap();
    let kept: Vec<_> = (0..batch.num_columns()).filter(|column| *column != body).collect();
    let error = rebuild::logs(&[batch.project(&kept).unwrap()]).unwrap_err();
    assert_eq!(error.kind(), icegate_model::ErrorKind::Corrupt);
    assert!(error.to_string().starts_with("rows have no column body of type "), "{error}");
}
