//! What is held is bounded, by errors that name the bound; and what comes before a query runs.

use std::sync::Arc;

use icegate_model::ErrorKind;
use icegate_traceql::{
    Attributes, Event, Exemplar, Facts, Link, Metrics, MetricsLimits, MetricsOptions, Search, SearchOptions, Span, SpanId, Trace,
    TraceId, Value, parse,
};

const SECOND: i64 = 1_000_000_000;

fn span(number: u8) -> Span {
    Span {
        id: SpanId([number; 8]),
        name: format!("n{number}").into(),
        start: i64::from(number) * SECOND,
        duration: SECOND,
        attributes: Attributes::from_iter([("a", Value::text(format!("v{number}"))), ("zero", Value::Int(0))]),
        resource: Arc::new(Attributes::from_iter([("service.name", Value::text("s"))])),
        ..Span::default()
    }
}

fn trace(number: u8) -> Trace {
    Trace::new(TraceId([number; 16]), vec![span(number)])
}

fn options(limits: MetricsLimits) -> MetricsOptions {
    MetricsOptions { start: 0, end: 100 * SECOND, step: Some(10 * SECOND), exemplars: 0, limits }
}

fn fails_with(query: &str, limits: MetricsLimits) -> (String, ErrorKind) {
    let mut metrics = Metrics::new(&parse(query).unwrap(), &options(limits)).unwrap();
    let error = (1..50).find_map(|number| metrics.add(&trace(number)).err()).expect(query);
    (error.to_string(), error.kind())
}

#[test]
fn series_and_cells_are_bounded() {
    let limits = MetricsLimits { series: 10, ..MetricsLimits::default() };
    let (message, kind) = fails_with("{ } | rate() by (name)", limits);
    assert_eq!(message, "query makes more than 10 series; group by fewer or coarser attributes");
    assert_eq!(kind, ErrorKind::LimitExceeded);
    let limits = MetricsLimits { cells: 100, ..MetricsLimits::default() };
    for query in ["{ } | rate() by (name)", "{ } | compare({ })"] {
        assert!(fails_with(query, limits).0.contains("more than 100 points"));
    }
}

#[test]
fn an_attribute_with_too_many_values_is_told_so() {
    let limits = MetricsLimits { compared_values: 3, ..MetricsLimits::default() };
    let mut metrics = Metrics::new(&parse("{ } | compare({ name = \"n1\" })").unwrap(), &options(limits)).unwrap();
    (1..6).for_each(|number| metrics.add(&trace(number)).unwrap());
    let series = metrics.finish();
    let labels = |wanted: &[(&str, &str)]| {
        let has = |labels: &[(String, Value)]| {
            wanted.iter().all(|(key, value)| labels.contains(&((*key).to_owned(), Value::text(*value))))
        };
        series.iter().filter(|series| has(&series.labels)).count()
    };
    assert_eq!(labels(&[("__meta_type", "baseline"), ("__meta_error", "__too_many_values__"), ("span.a", "nil")]), 1);
    assert_eq!(labels(&[("__meta_type", "baseline"), ("span.a", "v2")]), 0);
    assert_eq!(labels(&[("__meta_type", "baseline_total"), ("span.a", "nil")]), 1);
    assert_eq!(labels(&[("__meta_type", "selection"), ("span.a", "v1")]), 1);
}

#[test]
fn metrics_that_cant_be_are_refused_before_they_run() {
    let new = |query: &str, options: MetricsOptions| Metrics::new(&parse(query).unwrap(), &options).unwrap_err().to_string();
    let usual = options(MetricsLimits::default());
    assert_eq!(new("{ }", usual), "not a metrics query");
    assert_eq!(new("{ } | rate()", MetricsOptions { end: 0, ..usual }), "end must be greater than start");
    assert_eq!(new("{ } | quantile_over_time(duration, 1.5)", usual), "compiling query: quantile must be between 0 and 1: 1.5");
    for (query, labels) in [
        ("{ } | rate() by (name, kind, status, span.a, span.b, span.c)", 6),
        ("{ } | avg_over_time(duration) by (name, kind, status, span.a, span.b)", 5),
    ] {
        assert_eq!(new(query, usual), format!("compiling query: metrics group by {labels} values not yet supported"));
    }
    let small = MetricsOptions { step: Some(1), ..usual };
    assert_eq!(
        new("{ } | rate()", small),
        "step of 1 ns is too small, the range has 100000000001 points a series and allowed are 10000"
    );
}

#[test]
fn spans_alone_are_refused_where_more_is_needed() {
    let new = |query: &str| Metrics::new(&parse(query).unwrap(), &options(MetricsLimits::default())).unwrap();
    for query in ["{ } >> { } | rate()", "{ } | count() > 0 | rate()", "{ } | by(name) | rate()"] {
        let mut metrics = new(query);
        assert!(metrics.needs_traces(), "{query}");
        assert!(metrics.add_span(TraceId([1; 16]), &span(1), Some(&Facts::default())).is_err(), "{query}");
    }
    for query in ["{ } | rate() by (rootName)", "{ nestedSetParent < 0 } | rate()", "{ } | compare({ })"] {
        let mut metrics = new(query);
        assert!(!metrics.needs_traces() && metrics.needs_facts(), "{query}");
        assert!(metrics.add_span(TraceId([1; 16]), &span(1), None).is_err(), "{query}");
        assert!(metrics.add_span(TraceId([1; 16]), &span(1), Some(&Facts::default())).is_ok(), "{query}");
    }
}

#[test]
fn partial_metrics_of_other_queries_are_not_merged() {
    let new = |query: &str| Metrics::new(&parse(query).unwrap(), &options(MetricsLimits::default())).unwrap();
    assert!(new("{ } | rate()").merge(new("{ } | count_over_time()")).is_err());
    assert!(new("{ } | rate()").merge(new("{ } | rate()")).is_ok());
}

#[test]
fn exemplars_spread_over_time_and_stand_where_their_series_is() {
    let query = parse("{ } | count_over_time() by (resource.service.name)").unwrap();
    let mut metrics = Metrics::new(&query, &MetricsOptions { exemplars: 2, ..options(MetricsLimits::default()) }).unwrap();
    (1..40).for_each(|number| metrics.add(&trace(number)).unwrap());
    let exemplar = |number: u8, value| Exemplar { trace_id: TraceId([number; 16]), time: i64::from(number) * SECOND, value };
    assert_eq!(metrics.finish()[0].exemplars, [exemplar(1, 10.0), exemplar(11, 10.0)]);

    let query = parse("{ } | max_over_time(duration)").unwrap();
    let mut metrics = Metrics::new(&query, &MetricsOptions { exemplars: 1, ..options(MetricsLimits::default()) }).unwrap();
    metrics.add(&trace(7)).unwrap();
    assert_eq!(metrics.finish()[0].exemplars, [exemplar(7, 1.0)]);
}

#[test]
fn a_search_holds_the_newest_traces_that_it_may_answer_and_says_from_when_on() {
    let mut search = Search::new(&parse("{ }").unwrap(), SearchOptions { limit: 2, spans: 0, window: None }).unwrap();
    assert_eq!(search.full_from(), None);
    for number in [5, 1, 9, 3, 7, 2] {
        search.add(&trace(number)).unwrap();
    }
    assert_eq!(search.full_from(), Some(7 * SECOND));
    assert!(!search.add(&trace(6)).unwrap());
    let starts: Vec<_> = search.finish().iter().map(|found| found.start / SECOND).collect();
    assert_eq!(starts, [9, 7]);
}

#[test]
fn a_search_tells_three_spans_of_a_spanset_unless_it_is_said() {
    let spans = |told| {
        let trace = Trace::new(TraceId([1; 16]), (1..=5).map(span).collect());
        let mut search = Search::new(&parse("{ }").unwrap(), SearchOptions { limit: 1, spans: told, window: None }).unwrap();
        search.add(&trace).unwrap();
        let found = search.finish();
        (found[0].spansets[0].matched, found[0].spansets[0].spans.len())
    };
    assert_eq!([spans(0), spans(2), spans(9)], [(5, 3), (5, 2), (5, 5)]);
}

#[test]
fn a_trace_is_in_the_window_that_it_overlaps() {
    // The trace lasts from 10s to 11s.
    for (window, expected) in [((0, 9), false), ((0, 10), true), ((11, 20), true), ((12, 20), false)] {
        let window = Some((window.0 * SECOND, window.1 * SECOND));
        let mut search = Search::new(&parse("{ }").unwrap(), SearchOptions { limit: 1, spans: 0, window }).unwrap();
        assert_eq!(search.add(&trace(10)).unwrap(), expected);
    }
}

#[test]
fn what_spans_make_fail_says_so_and_is_told_apart() {
    for (query, message) in [
        ("{ span.zero / 0 > 1 }", "division by zero"),
        ("{ 1 / span.zero > 1 }", "division by zero"),
        ("{ 1 / 0 > 1 }", "division by zero"),
        ("{ !span.zero }", "expression (!span.zero) expected a boolean, but got TypeInt"),
        ("{ span.a || true }", "expression (span.a || true) expected a boolean, but got TypeString"),
    ] {
        let mut search = Search::new(&parse(query).unwrap(), SearchOptions { limit: 1, spans: 0, window: None }).unwrap();
        let error = search.add(&trace(1)).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(error.is_of_evaluation());
    }
    let absent = parse("{ !span.missing || span.missing / 0 > 1 }").unwrap();
    let mut search = Search::new(&absent, SearchOptions { limit: 1, spans: 0, window: None }).unwrap();
    assert_eq!(search.add(&trace(1)), Ok(false));
}

#[test]
fn conditions_on_events_and_links_together_are_bounded() {
    let many = Span { events: vec![Event::default(); 2_000], links: vec![Link::default(); 2_000], ..span(1) };
    let trace = Trace::new(TraceId([1; 16]), vec![many]);
    let ask = |query: &str| {
        let mut search = Search::new(&parse(query).unwrap(), SearchOptions { limit: 1, spans: 0, window: None }).unwrap();
        search.add(&trace)
    };
    let error = ask("{ event:name = \"x\" && link.a = 1 }").unwrap_err();
    assert!(error.to_string().contains("4000000 pairs of a span, allowed are 1048576"), "{error}");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert_eq!(ask("{ event:name = \"x\" } | { link.a = 1 }"), Ok(false));
}
