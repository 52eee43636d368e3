//! `traces_spanmetrics_*`.

use icegate_generator::{
    DimensionMapping, IntrinsicDimensions, Options, Processors, ServiceGraphs, SpanMetrics, State, generate,
};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::series::{metrics, series, value};
use crate::written::{START, both, owner, part, pass, span, with};

const LABELS: [(&str, &str); 4] =
    [("service", "cart"), ("span_name", "op cart"), ("span_kind", "SPAN_KIND_SERVER"), ("status_code", "STATUS_CODE_UNSET")];

#[test]
fn a_span_is_counted_with_its_duration_and_its_size() {
    let spans = [
        span("cart", SpanKind::Server, 1, 9).millis(0, 2),
        span("cart", SpanKind::Server, 2, 9).millis(0, 3),
        span("cart", SpanKind::Server, 3, 9).millis(0, 20_000),
        span("cart", SpanKind::Internal, 4, 3).failed(),
    ];
    // An empty status has 2 bytes.
    let size: usize = spans[..3].iter().map(|written| written.span.encoded_len() + 2).sum();
    let found = series(&pass(&both(), &State::default(), &spans, START).batches);
    assert_eq!(value(&found, "traces_spanmetrics_calls_total", &LABELS), 3.0);
    assert_eq!(value(&found, "traces_spanmetrics_size_total", &LABELS), size as f64);
    assert_eq!(value(&found, "traces_spanmetrics_latency_count", &LABELS), 3.0);
    assert_eq!(value(&found, "traces_spanmetrics_latency_sum", &LABELS), 20.005);
    let bucket = |le| {
        let labels: Vec<_> = LABELS.into_iter().chain([("le", le)]).collect();
        value(&found, "traces_spanmetrics_latency_bucket", &labels)
    };
    // A bound belongs to the bucket below it.
    assert_eq!(["0.002", "0.004", "16.384", "+Inf"].map(bucket), [1.0, 2.0, 2.0, 3.0]);
    let failed = [
        ("service", "cart"),
        ("span_name", "op cart"),
        ("span_kind", "SPAN_KIND_INTERNAL"),
        ("status_code", "STATUS_CODE_ERROR"),
    ];
    assert_eq!(value(&found, "traces_spanmetrics_calls_total", &failed), 1.0);
}

#[test]
fn a_span_that_ends_before_it_starts_took_no_time() {
    let mut backwards = span("cart", SpanKind::Server, 1, 9);
    backwards.span.end_time_unix_nano = 5;
    let found = series(&pass(&both(), &State::default(), &[backwards], START).batches);
    assert_eq!(value(&found, "traces_spanmetrics_latency_sum", &LABELS), 0.0);
    assert_eq!(value(&found, "traces_spanmetrics_latency_count", &LABELS), 1.0);
}

#[test]
fn attributes_become_labels_and_none_takes_the_place_of_another() {
    let options = SpanMetrics {
        histogram_buckets: vec![1.0],
        intrinsic_dimensions: IntrinsicDimensions { span_kind: false, status_message: true, ..IntrinsicDimensions::default() },
        dimensions: ["http.method", "region", "service", "absent"].map(str::to_owned).to_vec(),
        dimension_mappings: vec![DimensionMapping {
            name: "where.from".to_owned(),
            source_labels: ["region", "absent", "zone"].map(str::to_owned).to_vec(),
            join: "/".to_owned(),
        }],
    };
    let written = span("cart", SpanKind::Server, 1, 9).with("http.method", "GET").with("service", "mine").with("zone", "z");
    let options = with(options, ServiceGraphs::default());
    let found = series(&pass(&options, &State::default(), &[written.failed()], START).batches);
    let labels = [
        ("service", "cart"),
        ("__service", "mine"),
        ("span_name", "op cart"),
        ("status_code", "STATUS_CODE_ERROR"),
        ("status_message", "broken"),
        ("http_method", "GET"),
        ("region", "of cart"),
        ("where_from", "of cart/z"),
    ];
    assert_eq!(value(&found, "traces_spanmetrics_calls_total", &labels), 1.0);
    assert_eq!(found.keys().filter(|labels| labels["__name__"] == "traces_spanmetrics_latency_bucket").count(), 2);
}

#[test]
fn points_of_one_pass_follow_those_of_the_pass_before_and_claim_a_minute_at_most() {
    let written = [span("cart", SpanKind::Server, 1, 9)];
    let times = |generated: &icegate_generator::Generated| {
        let metrics = metrics(&generated.batches);
        let metric = metrics.iter().find(|metric| metric.name == "traces_spanmetrics_calls_total").unwrap();
        let Some(Data::Sum(sum)) = &metric.data else { panic!("{metric:?}") };
        (sum.data_points[0].start_time_unix_nano, sum.data_points[0].time_unix_nano)
    };
    let nanos = |seconds: u64| (1_700_000_000 + seconds) * 1_000_000_000;
    let first = pass(&both(), &State::default(), &written, START);
    assert_eq!(times(&first), (nanos(0) - 60_000_000_000, nanos(0)));
    let second = pass(&both(), &first.state, &written, START + Duration::from_secs(30));
    assert_eq!(times(&second), (nanos(0), nanos(30)));
    // A clock that doesn't move, and one that is set back.
    let third = pass(&both(), &second.state, &written, START + Duration::from_secs(30));
    assert_eq!(times(&third), (nanos(30), nanos(30) + 1_000_000));
    let fourth = pass(&both(), &third.state, &written, START);
    assert_eq!(times(&fourth), (nanos(30) + 1_000_000, nanos(30) + 2_000_000));
    let late = pass(&both(), &fourth.state, &written, START + Duration::from_secs(3600));
    assert_eq!(times(&late), (nanos(3540), nanos(3600)));
}

#[test]
fn the_example_of_a_point_is_its_longest_span() {
    let spans = [1, 2, 3].map(|id| span("cart", SpanKind::Server, id, 9).millis(0, if id == 2 { 90 } else { 10 }));
    let metrics = metrics(&pass(&both(), &State::default(), &spans, START).batches);
    let latency = metrics.iter().find(|metric| metric.name == "traces_spanmetrics_latency").unwrap();
    let Some(Data::Histogram(histogram)) = &latency.data else { panic!("{latency:?}") };
    let [example] = &histogram.data_points[0].exemplars[..] else { panic!("{histogram:?}") };
    assert_eq!((example.trace_id.as_slice(), example.span_id.as_slice()), (&1_u128.to_be_bytes()[..], &2_u64.to_be_bytes()[..]));
    assert_eq!(latency.unit, "", "the name would get a unit");
}

#[test]
fn tenants_and_accounts_are_counted_apart_and_who_asks_for_nothing_gets_nothing() {
    let on = Processors { span_metrics: Some(SpanMetrics::default()), ..Processors::default() };
    let tenants = ["a", "b"].map(|name| (name.parse().unwrap(), on.clone()));
    let options = Options { tenants: BTreeMap::from(tenants), ..Options::default() };
    let written = [span("cart", SpanKind::Server, 1, 9)];
    let owners = [owner("a", None), owner("a", Some("x")), owner("b", None), owner("c", None)];
    let parts = owners.each_ref().map(|owner| part(owner, &written));
    let generated = generate(&parts, &State::default(), &options, START, true).unwrap();
    assert_eq!((generated.batches.len(), generated.counts.spans), (3, 3));
    for batch in &generated.batches {
        assert_eq!(value(&series(std::slice::from_ref(batch)), "traces_spanmetrics_calls_total", &LABELS), 1.0);
    }
}
