use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::Json;
use super::message::{Many, message};
use super::scalar::{Severity, SpanId, Text, TraceId, U32, U64};

message!(ExportLogsServiceRequest, "ExportLogsServiceRequest", |request, value| {
    "resourceLogs" | "resource_logs": Many<ResourceLogs> => request.resource_logs = value;
});

message!(ResourceLogs, "ResourceLogs", |logs, value| {
    "resource": Json<Resource> => logs.resource = Some(value);
    "scopeLogs" | "scope_logs": Many<ScopeLogs> => logs.scope_logs = value;
    "schemaUrl" | "schema_url": Text => logs.schema_url = value;
});

message!(ScopeLogs, "ScopeLogs", |logs, value| {
    "scope": Json<InstrumentationScope> => logs.scope = Some(value);
    "logRecords" | "log_records": Many<LogRecord> => logs.log_records = value;
    "schemaUrl" | "schema_url": Text => logs.schema_url = value;
});

message!(LogRecord, "LogRecord", |record, value| {
    "timeUnixNano" | "time_unix_nano": U64 => record.time_unix_nano = value;
    "observedTimeUnixNano" | "observed_time_unix_nano": U64 => record.observed_time_unix_nano = value;
    "severityNumber" | "severity_number": Severity => record.severity_number = value;
    "severityText" | "severity_text": Text => record.severity_text = value;
    "body": Json<AnyValue> => record.body = Some(value);
    "attributes": Many<KeyValue> => record.attributes = value;
    "droppedAttributesCount" | "dropped_attributes_count": U32 => record.dropped_attributes_count = value;
    "flags": U32 => record.flags = value;
    "traceId" | "trace_id": TraceId => record.trace_id = value;
    "spanId" | "span_id": SpanId => record.span_id = value;
    "eventName" | "event_name": Text => record.event_name = value;
});
