use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};

use super::shop::{self, Exchange, Service};
use super::times::Span;
use super::{Draw, body};
use crate::send::random::{Random, Stream};

/// Records that come from one pod in a row.
const FROM_ONE_POD: usize = 16;
/// Percentage of records that are in a trace.
const TRACED: f64 = 60.0;
/// Set in the flags of a sampled trace.
const SAMPLED: u32 = 1;

/// The records of a request, a few pods each with its own.
pub(super) fn generate(draw: &Draw, span: &Span) -> Vec<ResourceLogs> {
    let mut groups: Vec<ResourceLogs> = Vec::new();
    let mut numbers = span.numbers().peekable();
    while let Some(&first) = numbers.peek() {
        let mut random = draw.stream(Stream::Resource, first);
        let (service, pod) = (shop::service_at(random.next()), random.next());
        let records =
            numbers.by_ref().take(FROM_ONE_POD).map(|number| record(draw, service, number, span.time(number))).collect();
        let scope = ScopeLogs { scope: Some(shop::scope("shop.http")), log_records: records, ..ScopeLogs::default() };
        groups.push(ResourceLogs {
            resource: Some(shop::resource(service, pod)),
            scope_logs: vec![scope],
            ..ResourceLogs::default()
        });
    }
    groups
}

fn record(draw: &Draw, service: &'static Service, number: u64, time: u64) -> LogRecord {
    let mut random = draw.stream(Stream::Record, number);
    let exchange = Exchange::draw(service, &mut random);
    let (severity, level) = severity(&exchange, &mut random);
    let line = body::line(&exchange, level, &mut random);
    let mut attributes = exchange.attributes();
    attributes.push(shop::boolean("http.retried", random.below(25) == 0));
    attributes.push(draw.send_id(number));
    let mut record = LogRecord {
        time_unix_nano: time,
        observed_time_unix_nano: time + random.between(50_000, 5_000_000),
        severity_number: severity.into(),
        severity_text: level.to_owned(),
        body: Some(AnyValue { value: Some(Value::StringValue(line)) }),
        attributes,
        ..LogRecord::default()
    };
    // An invalid record is one with an id of the wrong length, so it has to have one.
    if random.chance(TRACED) || draw.is_invalid(number) {
        record.trace_id = draw.trace_id(number, number);
        record.span_id = draw.span_id(number);
        record.flags = SAMPLED;
    }
    record
}

/// As bad as the answer; of good ones some are for developers.
fn severity(exchange: &Exchange, random: &mut Random) -> (SeverityNumber, &'static str) {
    match exchange.status {
        500.. if random.below(10) == 0 => (SeverityNumber::Fatal, "FATAL"),
        500.. => (SeverityNumber::Error, "ERROR"),
        400.. => (SeverityNumber::Warn, "WARN"),
        _ => match random.below(20) {
            0 => (SeverityNumber::Trace, "TRACE"),
            1..=3 => (SeverityNumber::Debug, "DEBUG"),
            4 => (SeverityNumber::Warn, "WARN"),
            _ => (SeverityNumber::Info, "INFO"),
        },
    }
}
