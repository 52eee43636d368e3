//! Telemetry of an invented web shop. Everything is drawn from the seed and a record's number, so that any request can be made
//! again on its own, in any order.

mod body;
mod logs;
mod metrics;
mod points;
mod shop;
mod times;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use icegate_model::{Clock, Signal};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;

use super::args::SendArgs;
use super::payload::Payload;
use super::random::{Random, Stream};
use times::Times;

/// Bytes of a trace id.
const TRACE_ID: usize = 16;
/// Bytes of a span id.
const SPAN_ID: usize = 8;

/// Makes export requests.
#[derive(Debug)]
pub(crate) struct Generator {
    signal: Signal,
    start_number: u64,
    per_request: u64,
    times: Times,
    draw: Draw,
}

/// A made request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Generated {
    /// Goes on from where a run that ended before the first record's number would have stopped.
    pub(crate) number: u64,
    pub(crate) rows: u64,
    pub(crate) payload: Payload,
}

/// What content is drawn from.
#[derive(Clone, Copy, Debug)]
struct Draw {
    seed: u64,
    invalid_percent: f64,
}

impl Generator {
    pub(crate) fn new(args: &SendArgs, clock: Arc<dyn Clock>) -> Self {
        let times = match args.start_time {
            Some(start) => Times::Stepped { start, step: Duration::from_millis(args.time_step_ms) },
            None => Times::Clock { began: clock.now(), clock },
        };
        let draw = Draw { seed: args.seed, invalid_percent: args.invalid_record_percent };
        Self { signal: args.signal, start_number: args.start_number, per_request: args.records_per_message.max(1), times, draw }
    }

    /// The request at a place of the run, which counts from zero; none where records would run out of numbers.
    pub(crate) fn request(&self, place: u64) -> Option<Generated> {
        let first = place.checked_mul(self.per_request)?.checked_add(self.start_number)?;
        first.checked_add(self.per_request)?;
        let span = self.times.of(first, self.per_request);
        let payload = match self.signal {
            Signal::Logs => Payload::Logs(ExportLogsServiceRequest { resource_logs: logs::generate(&self.draw, &span) }),
            Signal::Traces => Payload::Traces(ExportTraceServiceRequest { resource_spans: traces::generate(&self.draw, &span) }),
            Signal::Metrics => {
                Payload::Metrics(ExportMetricsServiceRequest { resource_metrics: metrics::generate(&self.draw, &span) })
            }
        };
        Some(Generated { number: self.start_number / self.per_request + place, rows: self.per_request, payload })
    }
}

impl Draw {
    fn stream(&self, stream: Stream, number: u64) -> Random {
        Random::of(self.seed, stream, number)
    }

    /// The id of the trace that a record is in; one byte short where the record has to be refused.
    fn trace_id(&self, trace: u64, record: u64) -> Vec<u8> {
        let mut id = self.stream(Stream::TraceId, trace).id::<TRACE_ID>();
        if self.is_invalid(record) {
            id.truncate(TRACE_ID - 1);
        }
        id
    }

    fn span_id(&self, span: u64) -> Vec<u8> {
        self.stream(Stream::SpanId, span).id::<SPAN_ID>()
    }

    fn is_invalid(&self, record: u64) -> bool {
        self.invalid_percent > 0.0 && self.stream(Stream::Invalid, record).chance(self.invalid_percent)
    }

    /// What tells this record from all others of all seeds, for counting what arrived.
    fn send_id(&self, record: u64) -> KeyValue {
        shop::text("send.id", format!("{}-{record}", self.seed))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use icegate_model::Timestamp;

    use super::*;
    use crate::send::args::tests::parsed;
    use crate::send::rows;

    #[derive(Debug)]
    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(1_700_000_000)
        }
    }

    fn generator(line: &str) -> Generator {
        Generator::new(&parsed(line), Arc::new(Stopped))
    }

    fn bytes(line: &str, place: u64) -> Vec<u8> {
        generator(line).request(place).unwrap().payload.encode(false).to_vec()
    }

    const FIXED: &str = "--records-per-message 50 --start-time 2024-01-01T00:00:00Z --signal";

    #[test]
    fn the_same_seed_and_place_make_the_same_bytes_in_any_order() {
        for signal in Signal::ALL {
            let line = format!("{FIXED} {signal}");
            let ordered = generator(&line);
            let forth: Vec<_> = (0..5).map(|place| ordered.request(place).unwrap()).collect();
            let back: Vec<_> = (0..5).rev().map(|place| generator(&line).request(place).unwrap()).collect();
            assert!(forth.iter().eq(back.iter().rev()), "{signal}");
            assert_ne!(bytes(&line, 0), bytes(&line, 1), "{signal}");
            assert_ne!(bytes(&line, 0), bytes(&format!("{line} --seed 2"), 0), "{signal}");
        }
    }

    #[test]
    fn a_request_has_as_many_rows_as_it_says() {
        for signal in Signal::ALL {
            for per_request in [1, 7, 500] {
                let line = format!("--signal {signal} --records-per-message {per_request}");
                let request = generator(&line).request(3).unwrap();
                assert_eq!(request.rows, per_request);
                assert_eq!(rows::count(signal, &request.payload.encode(false)), Ok(per_request), "{line}");
            }
        }
    }

    #[test]
    fn a_run_goes_on_where_another_ended() {
        for signal in Signal::ALL {
            let whole = generator(&format!("{FIXED} {signal}"));
            let rest = generator(&format!("{FIXED} {signal} --start-number 150"));
            assert_eq!(rest.request(0), whole.request(3), "{signal}");
            assert_eq!(rest.request(0).unwrap().number, 3);
        }
        assert_eq!(generator("--start-number 18446744073709551615").request(0), None);
    }

    #[test]
    fn every_log_record_and_span_has_an_id_of_its_own() {
        let ids = |request: Generated| -> Vec<String> {
            let attributes: Vec<KeyValue> = match request.payload {
                Payload::Logs(logs) => {
                    let scopes = logs.resource_logs.into_iter().flat_map(|logs| logs.scope_logs);
                    scopes.flat_map(|scope| scope.log_records).flat_map(|record| record.attributes).collect()
                }
                Payload::Traces(traces) => {
                    let scopes = traces.resource_spans.into_iter().flat_map(|spans| spans.scope_spans);
                    scopes.flat_map(|scope| scope.spans).flat_map(|span| span.attributes).collect()
                }
                Payload::Metrics(_) => Vec::new(),
            };
            attributes.into_iter().filter(|pair| pair.key == "send.id").map(|pair| format!("{:?}", pair.value)).collect()
        };
        for signal in [Signal::Logs, Signal::Traces] {
            let generator = generator(&format!("{FIXED} {signal}"));
            let all: Vec<String> = (0..20).flat_map(|place| ids(generator.request(place).unwrap())).collect();
            assert_eq!(all.len(), 1_000, "{signal}");
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 1_000, "{signal}");
            assert!(all.iter().any(|id| id.contains("\"1-999\"")), "{signal}");
        }
    }

    #[test]
    fn a_server_has_to_refuse_exactly_the_invalid_records() {
        use icegate_otlp::{Encoding, Limits, Origin};
        let origin = Origin { tenant: "t".parse().unwrap(), account: None, ingested: Timestamp::from_secs(0) };
        for signal in Signal::ALL {
            for (percent, low, high) in [(0, 0, 0), (20, 140, 260), (100, 1_000, 1_000)] {
                let line = format!("--records-per-message 1000 --signal {signal} --invalid-record-percent {percent}");
                let request = generator(&line).request(0).unwrap();
                for (encoding, as_json) in [(Encoding::Protobuf, false), (Encoding::Json, true)] {
                    let rows =
                        icegate_otlp::decode(signal, encoding, &request.payload.encode(as_json), &origin, &Limits::default())
                            .unwrap();
                    let rejected = rows.rejected.count;
                    assert!((low..=high).contains(&rejected), "{line}: {rejected}");
                    assert_eq!(rows.accepted + rejected, 1_000, "{line}");
                }
            }
        }
    }
}
