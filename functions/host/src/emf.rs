//! Metrics for CloudWatch: a line of its embedded metric format after each invocation.
//!
//! All values of a line are properties, which logs are searched for. The few that `_aws` names are metrics as well, of [`NAMESPACE`]:
//! CloudWatch charges for each. All values are of one invocation; what an environment counted before is subtracted. The dimensions are
//! `service` (the configured name) and `function`, and never a tenant.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use icegate_model::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::{Map, Value, json};

/// CloudWatch's namespace of all of these.
pub const NAMESPACE: &str = "IceGate";

/// What the stack's alarms and dashboard are made of.
const METRICS: [&str; 10] = [
    "ColdStartMilliseconds",
    "CommitConflicts",
    "IngestRecords",
    "IngestRefusedRecords",
    "ShiftLagSeconds",
    "ShiftQuarantinedSegments",
    "ShiftRows",
    "StorageGets",
    "StorageLists",
    "StoragePuts",
];

/// How a value comes from those that the crates count.
#[derive(Clone, Copy, Debug)]
struct Source {
    name: &'static str,
    unit: &'static str,
    family: &'static str,
    /// A label that the samples must have.
    label: Option<(&'static str, &'static str)>,
    take: Take,
}

/// What is taken of a family's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Take {
    /// Their sum's growth since the last invocation.
    Growth,
    /// The largest.
    Largest,
    /// Their sum.
    Sum,
}

const fn growth(name: &'static str, unit: &'static str, family: &'static str) -> Source {
    Source { name, unit, family, label: None, take: Take::Growth }
}

const fn requests(name: &'static str, operation: &'static str) -> Source {
    let label = Some(("operation", operation));
    Source { name, unit: "Count", family: "icegate_storage_requests_total", label, take: Take::Growth }
}

const fn gauge(name: &'static str, unit: &'static str, family: &'static str, take: Take) -> Source {
    Source { name, unit, family, label: None, take }
}

/// An invocation shows those of which something was ever counted in its environment.
const SOURCES: [Source; 27] = [
    growth("IngestRequests", "Count", "icegate_ingest_requests_total"),
    growth("IngestRecords", "Count", "icegate_ingest_records_total"),
    growth("IngestRefusedRecords", "Count", "icegate_ingest_refused_records_total"),
    growth("IngestBytes", "Bytes", "icegate_ingest_body_bytes_total"),
    growth("WalSegments", "Count", "icegate_wal_segments_total"),
    growth("WalBytes", "Bytes", "icegate_wal_bytes_total"),
    growth("WalFailures", "Count", "icegate_wal_flush_failures_total"),
    requests("StorageGets", "get"),
    requests("StorageHeads", "head"),
    requests("StoragePuts", "put"),
    requests("StorageLists", "list"),
    requests("StorageDeletes", "delete"),
    growth("StorageErrors", "Count", "icegate_storage_errors_total"),
    growth("StorageReadBytes", "Bytes", "icegate_storage_read_bytes_total"),
    growth("StorageWrittenBytes", "Bytes", "icegate_storage_written_bytes_total"),
    growth("ShiftSegments", "Count", "icegate_shift_segments_total"),
    growth("ShiftRows", "Count", "icegate_shift_rows_total"),
    growth("ShiftRepeatedRows", "Count", "icegate_shift_repeated_rows_total"),
    growth("CommitConflicts", "Count", "icegate_shift_commits_lost_total"),
    growth("CommitRetries", "Count", "icegate_shift_commit_retries_total"),
    growth("ShiftFailures", "Count", "icegate_shift_failures_total"),
    gauge("ShiftLagSeconds", "Seconds", "icegate_shift_lag_seconds", Take::Largest),
    gauge("WalPendingSegments", "Count", "icegate_wal_pending_segments", Take::Sum),
    gauge("ShiftQuarantinedSegments", "Count", "icegate_shift_quarantined_segments", Take::Sum),
    growth("ShiftBadMessages", "Count", "icegate_shift_bad_messages_total"),
    growth("MaintainFailures", "Count", "icegate_maintain_failures_total"),
    growth("MaintainRemovedObjects", "Count", "icegate_maintain_removed_objects_total"),
];

/// Writes a line for each invocation.
#[derive(Debug)]
pub struct Emf {
    service: String,
    function: &'static str,
    registry: Registry,
    before: Mutex<HashMap<&'static str, f64>>,
}

/// What only the host knows of an invocation.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// When it ended.
    pub at: Timestamp,
    /// Lambda's name of it, a property that logs are searched for.
    pub request_id: &'a str,
    /// How long it took, milliseconds.
    pub millis: f64,
    /// Whether it failed.
    pub failed: bool,
    /// Of the environment's first one, how long it had taken to start, milliseconds.
    pub init_millis: Option<f64>,
}

impl Emf {
    /// Of the metrics in a registry, which everything has registered its own with.
    #[must_use]
    pub fn new(service: impl Into<String>, function: &'static str, registry: Registry) -> Self {
        Self { service: service.into(), function, registry, before: Mutex::default() }
    }

    /// The line of an invocation, with its end.
    #[must_use]
    pub fn line(&self, measured: &Measured<'_>) -> String {
        let mut values = vec![
            ("Invocations", "Count", 1.0),
            ("Failures", "Count", f64::from(u8::from(measured.failed))),
            ("Duration", "Milliseconds", measured.millis),
            ("ColdStarts", "Count", f64::from(u8::from(measured.init_millis.is_some()))),
        ];
        values.extend(measured.init_millis.map(|millis| ("ColdStartMilliseconds", "Milliseconds", millis)));
        let mut text = String::new();
        // Into a string this does not fail; without the crates' metrics the host's own are still worth a line.
        if encode(&mut text, &self.registry).is_ok() {
            values.extend(self.counted(&text));
        }
        let metrics = values.iter().filter(|(name, ..)| METRICS.contains(name));
        let metrics: Vec<_> = metrics.map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
        let mut line = Map::new();
        if !metrics.is_empty() {
            line.insert(
                "_aws".to_owned(),
                json!({"Timestamp": measured.at.millis(), "CloudWatchMetrics":
                    [{"Namespace": NAMESPACE, "Dimensions": [["service", "function"]], "Metrics": metrics}]}),
            );
        }
        line.insert("service".to_owned(), json!(self.service));
        line.insert("function".to_owned(), json!(self.function));
        line.insert("request_id".to_owned(), json!(measured.request_id));
        line.extend(values.into_iter().map(|(name, _, value)| (name.to_owned(), number(value))));
        format!("{}\n", Value::Object(line))
    }

    /// Writes the line to standard output, which CloudWatch reads.
    pub fn write(&self, measured: &Measured<'_>) {
        let line = self.line(measured);
        if let Err(error) = std::io::stdout().lock().write_all(line.as_bytes()) {
            tracing::warn!(%error, "metrics can't be written");
        }
    }

    fn counted(&self, text: &str) -> Vec<(&'static str, &'static str, f64)> {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counted = Vec::new();
        for source in &SOURCES {
            let Some(now) = source.value(text) else { continue };
            let value = match source.take {
                Take::Growth => now - before.insert(source.name, now).unwrap_or(0.0),
                Take::Largest | Take::Sum => now,
            };
            counted.push((source.name, source.unit, value));
        }
        counted
    }
}

impl Source {
    /// The value in OpenMetrics text; none without a sample: what was never counted is no zero.
    fn value(&self, text: &str) -> Option<f64> {
        let described = format!("# TYPE {} ", self.family.trim_end_matches("_total"));
        let (_, rest) = text.split_once(&described)?;
        let samples = rest.lines().skip(1).take_while(|line| !line.starts_with('#')).filter_map(|line| self.sample(line));
        match self.take {
            Take::Growth | Take::Sum => samples.reduce(|sum, sample| sum + sample),
            Take::Largest => samples.reduce(f64::max),
        }
    }

    fn sample(&self, line: &str) -> Option<f64> {
        let rest = line.strip_prefix(self.family)?;
        let (labels, value) = match rest.strip_prefix('{') {
            Some(rest) => rest.rsplit_once("} ")?,
            None => ("", rest.strip_prefix(' ')?),
        };
        let has = |(key, value): (&str, &str)| labels.split(',').any(|label| label == format!("{key}=\"{value}\""));
        self.label.is_none_or(has).then(|| value.parse().ok()).flatten()
    }
}

/// Whole numbers without a fraction, which halves their length.
fn number(value: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "whole and small")]
    let whole = value as i64;
    #[allow(clippy::cast_precision_loss, reason = "compared after it is back")]
    let is_whole = whole as f64 == value;
    if is_whole { json!(whole) } else { json!((value * 1000.0).round() / 1000.0) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::metrics::gauge::Gauge;

    use super::*;

    type Labels = [(&'static str, &'static str); 1];

    const WARM: Measured<'_> = Measured {
        at: Timestamp::from_millis(1_767_225_600_123),
        request_id: "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        millis: 12.345_678,
        failed: false,
        init_millis: None,
    };

    struct World {
        requests: Family<Labels, Counter>,
        lag: Family<Labels, Gauge>,
        emf: Emf,
    }

    impl World {
        fn new() -> Self {
            let mut registry = Registry::with_prefix("icegate");
            let (requests, lag) = (Family::<Labels, Counter>::default(), Family::<Labels, Gauge>::default());
            registry.sub_registry_with_prefix("storage").register("requests", "IngestRequests", requests.clone());
            registry.sub_registry_with_prefix("shift").register("lag_seconds", "Lag", lag.clone());
            Self { requests, lag, emf: Emf::new("prod", "shift", registry) }
        }

        fn line(&self, measured: &Measured<'_>) -> Value {
            let line = self.emf.line(measured);
            assert_eq!(line.matches('\n').count(), 1, "a line: {line}");
            serde_json::from_str(&line).unwrap()
        }

        fn put(&self, times: u64) {
            self.requests.get_or_create(&[("operation", "put")]).inc_by(times);
        }
    }

    #[test]
    fn a_line_is_what_cloudwatch_reads() {
        let world = World::new();
        let quiet = json!({
            "service": "prod", "function": "shift", "request_id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "Invocations": 1, "Failures": 0, "Duration": 12.346, "ColdStarts": 0,
        });
        assert_eq!(world.line(&WARM), quiet);
        world.put(2);
        world.requests.get_or_create(&[("operation", "delete")]).inc();
        let mut counted = quiet;
        counted["StoragePuts"] = json!(2);
        counted["StorageDeletes"] = json!(1);
        counted["_aws"] = json!({"Timestamp": 1_767_225_600_123_i64, "CloudWatchMetrics": [{
            "Namespace": "IceGate", "Dimensions": [["service", "function"]],
            "Metrics": [{"Name": "StoragePuts", "Unit": "Count"}],
        }]});
        assert_eq!(world.line(&WARM), counted);
    }

    /// A metric that nothing looks at costs without use, and an alarm on one that isn't written never rings.
    #[test]
    fn metrics_are_those_that_the_stack_watches() {
        let watch = include_str!("../../../infra/watch.yaml");
        let of_alarms =
            watch.split("Namespace: IceGate\n").skip(1).filter_map(|rest| rest.split_once("MetricName: ")?.1.lines().next());
        let of_dashboard = watch.split("[\"IceGate\",\"").skip(1).filter_map(|rest| rest.split('"').next());
        let watched: BTreeSet<_> = of_alarms.chain(of_dashboard).collect();
        assert_eq!(watched, METRICS.into());
    }

    #[test]
    fn a_cold_start_and_a_failure_are_counted_and_timed() {
        let line = World::new().line(&Measured { failed: true, init_millis: Some(3.0), ..WARM });
        assert_eq!((&line["ColdStarts"], &line["ColdStartMilliseconds"], &line["Failures"]), (&json!(1), &json!(3), &json!(1)));
    }

    #[test]
    fn counts_are_those_of_the_invocation_alone_and_by_kind() {
        let world = World::new();
        world.put(3);
        world.requests.get_or_create(&[("operation", "get")]).inc();
        let line = world.line(&WARM);
        assert_eq!((&line["StoragePuts"], &line["StorageGets"]), (&json!(3), &json!(1)));
        world.put(2);
        let line = world.line(&WARM);
        assert_eq!((&line["StoragePuts"], &line["StorageGets"]), (&json!(2), &json!(0)));
    }

    #[test]
    fn a_gauge_is_the_worst_of_its_tables_and_absent_where_nobody_looked() {
        let world = World::new();
        assert_eq!(world.line(&WARM).get("ShiftLagSeconds"), None);
        world.lag.get_or_create(&[("table", "logs")]).set(7);
        world.lag.get_or_create(&[("table", "spans")]).set(90);
        assert_eq!(world.line(&WARM)["ShiftLagSeconds"], 90);
        assert_eq!(world.line(&WARM)["ShiftLagSeconds"], 90);
    }
}
