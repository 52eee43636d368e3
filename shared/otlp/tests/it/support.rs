use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use icegate_model::{Signal, Table, TenantId, Timestamp};
use icegate_otlp::{Encoding, Limits, Origin, OtlpError, Rows, decode};

/// 2001-09-09T01:46:40.000000005Z, when the requests of tests are taken in.
pub(crate) const INGESTED: Timestamp = Timestamp::from_nanos(1_000_000_000_000_000_005);

pub(crate) fn origin() -> Origin {
    Origin { tenant: "acme".parse::<TenantId>().unwrap(), account: None, ingested: INGESTED }
}

pub(crate) fn json(signal: Signal, body: &str) -> Result<Rows, OtlpError> {
    decode(signal, Encoding::Json, body.as_bytes(), &origin(), &Limits::default())
}

pub(crate) fn protobuf(signal: Signal, body: &[u8]) -> Result<Rows, OtlpError> {
    decode(signal, Encoding::Protobuf, body, &origin(), &Limits::default())
}

/// Rows of one log record under a resource and scope.
pub(crate) fn log(record: &str) -> Rows {
    let body = format!(
        r#"{{"resourceLogs":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"shop"}}}}]}},
        "scopeLogs":[{{"scope":{{"name":"lib"}},"logRecords":[{record}]}}]}}]}}"#
    );
    json(Signal::Logs, &body).unwrap()
}

/// Rows of one span.
pub(crate) fn span(members: &str) -> Rows {
    let body = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"0102030405060708090a0b0c0d0e0f10",
        "spanId":"0102030405060708","name":"GET",{members}}}]}}]}}]}}"#
    );
    json(Signal::Traces, &body).unwrap()
}

/// Rows of one metric.
pub(crate) fn metric(metric: &str) -> Rows {
    let body = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}"#);
    json(Signal::Metrics, &body).unwrap()
}

pub(crate) fn batch(rows: &Rows, table: Table) -> &RecordBatch {
    &rows.batches.iter().find(|(of, _)| *of == table).unwrap().1
}

/// The text of the first row.
pub(crate) fn text<'a>(batch: &'a RecordBatch, column: &str) -> Option<&'a str> {
    let column = batch.column_by_name(column).unwrap().as_string::<i32>();
    column.is_valid(0).then(|| column.value(0))
}

/// The 32-bit number of the first row.
pub(crate) fn int(batch: &RecordBatch, column: &str) -> Option<i32> {
    let column = batch.column_by_name(column).unwrap().as_primitive::<Int32Type>();
    column.is_valid(0).then(|| column.value(0))
}

/// The 64-bit number of the first row.
pub(crate) fn long(batch: &RecordBatch, column: &str) -> Option<i64> {
    let column = batch.column_by_name(column).unwrap().as_primitive::<Int64Type>();
    column.is_valid(0).then(|| column.value(0))
}

/// Microseconds and nanoseconds of the first row.
pub(crate) fn time(batch: &RecordBatch, column: &str) -> (i64, i32) {
    let micros = batch.column_by_name(column).unwrap().as_primitive::<TimestampMicrosecondType>();
    (micros.value(0), int(batch, &format!("{column}_nanos")).unwrap())
}

/// The bytes of the first row.
pub(crate) fn bytes<'a>(batch: &'a RecordBatch, column: &str) -> Option<&'a [u8]> {
    let column = batch.column_by_name(column).unwrap().as_binary::<i32>();
    column.is_valid(0).then(|| column.value(0))
}

/// The map of the first row, sorted, `None` for NULL.
pub(crate) fn map(batch: &RecordBatch, column: &str) -> Option<Vec<(String, Option<String>)>> {
    let column = batch.column_by_name(column).unwrap().as_map();
    if column.is_null(0) {
        return None;
    }
    let entries = column.value(0);
    let (keys, values) = (entries.column(0).as_string::<i32>(), entries.column(1).as_string::<i32>());
    let mut pairs: Vec<_> =
        keys.iter().zip(values.iter()).map(|(key, value)| (key.unwrap().to_owned(), value.map(str::to_owned))).collect();
    pairs.sort();
    Some(pairs)
}

/// Pairs as [`map`] gives them.
pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Option<Vec<(String, Option<String>)>> {
    Some(pairs.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect())
}
