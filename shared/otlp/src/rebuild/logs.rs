use arrow::array::{BinaryArray, Int32Array, RecordBatch, StringArray, StructArray};
use icegate_schema::columns;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};

use crate::error::OtlpError;
use crate::rebuild::cells::{Time, bits, bytes, column, given_text, int, text};
use crate::rebuild::group::{Before, Begins, Parts};
use crate::rebuild::value::value;

/// The request that rows of `logs` came from.
///
/// # Errors
/// [`OtlpError::Column`] where a column is missing or of another type, [`OtlpError::Cell`] where a cell is broken.
pub fn logs(batches: &[RecordBatch]) -> Result<ExportLogsServiceRequest, OtlpError> {
    let mut resource_logs: Vec<ResourceLogs> = Vec::new();
    let mut before = Before::default();
    for batch in batches {
        let rows = StructArray::from(batch.clone());
        let (records, parts) = (Records::new(&rows)?, Parts::new(&rows)?);
        for row in 0..batch.num_rows() {
            let group = parts.group(row)?;
            let begins = before.begins(&group);
            if begins == Begins::Resource {
                let schema_url = group.resource_schema_url;
                resource_logs.push(ResourceLogs { resource: group.resource, scope_logs: Vec::new(), schema_url });
            }
            let Some(resource) = resource_logs.last_mut() else { continue };
            if begins != Begins::Nothing {
                let schema_url = group.scope_schema_url;
                resource.scope_logs.push(ScopeLogs { scope: group.scope, log_records: Vec::new(), schema_url });
            }
            let Some(scope) = resource.scope_logs.last_mut() else { continue };
            scope.log_records.push(records.at(row, &parts)?);
        }
    }
    Ok(ExportLogsServiceRequest { resource_logs })
}

struct Records<'a> {
    time: Time<'a>,
    observed: Time<'a>,
    absent_times: &'a Int32Array,
    severity_number: &'a Int32Array,
    severity_text: &'a StringArray,
    body: &'a StringArray,
    body_type: &'a StringArray,
    dropped: &'a Int32Array,
    flags: &'a Int32Array,
    trace_id: &'a BinaryArray,
    span_id: &'a BinaryArray,
    event_name: &'a StringArray,
}

impl<'a> Records<'a> {
    fn new(rows: &'a StructArray) -> Result<Self, OtlpError> {
        Ok(Self {
            time: Time::new(rows, columns::TIMESTAMP, columns::TIMESTAMP_NANOS)?,
            observed: Time::new(rows, columns::OBSERVED_TIMESTAMP, columns::OBSERVED_TIMESTAMP_NANOS)?,
            absent_times: column(rows, columns::ABSENT_TIMES)?,
            severity_number: column(rows, columns::SEVERITY_NUMBER)?,
            severity_text: column(rows, columns::SEVERITY_TEXT)?,
            body: column(rows, columns::BODY)?,
            body_type: column(rows, columns::BODY_TYPE)?,
            dropped: column(rows, columns::DROPPED_ATTRIBUTES_COUNT)?,
            flags: column(rows, columns::FLAGS)?,
            trace_id: column(rows, columns::TRACE_ID)?,
            span_id: column(rows, columns::SPAN_ID)?,
            event_name: column(rows, columns::EVENT_NAME)?,
        })
    }

    fn at(&self, row: usize, parts: &Parts<'_>) -> Result<LogRecord, OtlpError> {
        let absent = int(self.absent_times, row);
        let given = |bit: i32, time: &Time<'_>| if absent & bit == 0 { time.at(row) } else { 0 };
        Ok(LogRecord {
            time_unix_nano: given(columns::ABSENT_TIMESTAMP, &self.time),
            observed_time_unix_nano: given(columns::ABSENT_OBSERVED_TIMESTAMP, &self.observed),
            severity_number: int(self.severity_number, row),
            severity_text: text(self.severity_text, row),
            body: value(columns::BODY, given_text(self.body, row), given_text(self.body_type, row))?,
            attributes: parts.record.at(row)?,
            dropped_attributes_count: bits(self.dropped, row),
            flags: bits(self.flags, row),
            trace_id: bytes(self.trace_id, row),
            span_id: bytes(self.span_id, row),
            event_name: text(self.event_name, row),
        })
    }
}
