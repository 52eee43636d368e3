use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogram, Gauge, Histogram, Metric, ResourceMetrics, ScopeMetrics, Sum, Summary,
};

use super::Draw;
use super::points::{self, Place};
use super::shop::{self, SERVICES};
use super::times::Span;
use crate::send::random::index;

/// Metrics of a pod.
const KINDS: u64 = 5;
/// Series of a metric of a pod: one for each route of its service.
const ROUTES: u64 = SERVICES[0].routes.len() as u64;
/// Pods that tell of themselves, one of each service.
const HOSTS: u64 = SERVICES.len() as u64;
/// Points until all series had one.
const ROUND: u64 = HOSTS * KINDS * ROUTES;

/// The points of a request. They go round: a pod's metrics, each with its series, then the next pod; after the last pod the first
/// one has its next values.
pub(super) fn generate(draw: &Draw, span: &Span) -> Vec<ResourceMetrics> {
    let mut groups: Vec<(u64, u64, ResourceMetrics)> = Vec::new();
    for number in span.numbers() {
        let (round, series) = (number / ROUND, number % ROUND);
        let (host, kind, route) = (series / (KINDS * ROUTES), series / ROUTES % KINDS, series % ROUTES);
        if groups.last().is_none_or(|(known_round, known_host, _)| (*known_round, *known_host) != (round, host)) {
            groups.push((round, host, pod(host)));
        }
        let Some((_, _, group)) = groups.last_mut() else { continue };
        let Some(scope) = group.scope_metrics.first_mut() else { continue };
        // A point is refused with its metric where that has no name, so an invalid one has a nameless metric to itself.
        let invalid = draw.is_invalid(number);
        if invalid || scope.metrics.last().is_none_or(|metric| metric.name != NAMES[index(kind)].0) {
            scope.metrics.push(metric(kind, invalid));
        }
        if let Some(data) = scope.metrics.last_mut().and_then(|metric| metric.data.as_mut()) {
            let (method, route) = shop::service_at(host).routes[index(route)];
            add(data, draw, &Place { number, series, round, method, route, time: span.time(number), began: span.began });
        }
    }
    groups.into_iter().map(|(_, _, group)| group).collect()
}

/// Name, unit and description of each kind.
const NAMES: [(&str, &str, &str); KINDS as usize] = [
    ("http.server.active_requests", "{request}", "Requests that are being served"),
    ("http.server.requests", "{request}", "Requests that were served"),
    ("http.server.request.duration", "s", "Time that requests took"),
    ("db.client.operation.duration", "s", "Time that operations of a database took"),
    ("rpc.server.duration", "ms", "Time that calls took"),
];

fn pod(host: u64) -> ResourceMetrics {
    let scope = ScopeMetrics { scope: Some(shop::scope("shop.metrics")), ..ScopeMetrics::default() };
    let resource = Some(shop::resource(shop::service_at(host), host));
    ResourceMetrics { resource, scope_metrics: vec![scope], ..ResourceMetrics::default() }
}

fn metric(kind: u64, nameless: bool) -> Metric {
    let aggregation_temporality = AggregationTemporality::Cumulative.into();
    let data = match kind {
        0 => Data::Gauge(Gauge::default()),
        1 => Data::Sum(Sum { data_points: Vec::new(), aggregation_temporality, is_monotonic: true }),
        2 => Data::Histogram(Histogram { data_points: Vec::new(), aggregation_temporality }),
        3 => Data::ExponentialHistogram(ExponentialHistogram { data_points: Vec::new(), aggregation_temporality }),
        _ => Data::Summary(Summary::default()),
    };
    let (name, unit, description) = NAMES[index(kind)];
    let name = if nameless { String::new() } else { name.to_owned() };
    Metric { name, unit: unit.to_owned(), description: description.to_owned(), data: Some(data), ..Metric::default() }
}

fn add(data: &mut Data, draw: &Draw, place: &Place) {
    match data {
        Data::Gauge(gauge) => gauge.data_points.push(points::gauge(draw, place)),
        Data::Sum(sum) => sum.data_points.push(points::sum(draw, place)),
        Data::Histogram(data) => data.data_points.push(points::histogram(draw, place)),
        Data::ExponentialHistogram(data) => data.data_points.push(points::exponential(draw, place)),
        Data::Summary(data) => data.data_points.push(points::summary(draw, place)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use icegate_model::Timestamp;
    use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;

    use super::super::times::Times;
    use super::*;

    fn metrics(count: u64) -> Vec<(String, Metric)> {
        let times = Times::Stepped { start: Timestamp::from_secs(1_000), step: Duration::from_millis(1) };
        let made = generate(&Draw { seed: 1, invalid_percent: 0.0 }, &times.of(0, count));
        let named = |group: ResourceMetrics| {
            let pod = format!("{:?}", group.resource);
            group.scope_metrics.into_iter().flat_map(|scope| scope.metrics).map(move |metric| (pod.clone(), metric))
        };
        made.into_iter().flat_map(named).collect()
    }

    #[test]
    fn a_cumulative_series_never_falls_and_keeps_its_start() {
        let mut series: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (pod, metric) in metrics(ROUND * 6) {
            let Some(Data::Sum(sum)) = metric.data else { continue };
            for point in sum.data_points {
                assert_eq!(point.start_time_unix_nano, 1_000_000_000_000);
                let Some(Value::AsInt(value)) = point.value else { panic!("{point:?}") };
                series.entry(format!("{pod}{:?}", point.attributes)).or_default().push(value);
            }
        }
        assert_eq!(series.len(), 24);
        for values in series.values() {
            assert_eq!(values.len(), 6);
            assert!(values.is_sorted() && values[0] < values[5], "{values:?}");
        }
    }

    #[test]
    fn histograms_count_what_their_buckets_hold() {
        for (_, metric) in metrics(ROUND) {
            match metric.data {
                Some(Data::Histogram(data)) => data.data_points.iter().for_each(|point| {
                    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
                    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
                }),
                Some(Data::ExponentialHistogram(data)) => data.data_points.iter().for_each(|point| {
                    let positive: u64 = point.positive.iter().flat_map(|side| &side.bucket_counts).sum();
                    assert_eq!(positive + point.zero_count, point.count);
                }),
                _ => {}
            }
        }
    }

    #[test]
    fn a_round_has_every_kind_of_every_pod() {
        let mut names: BTreeMap<String, u32> = BTreeMap::new();
        metrics(ROUND).into_iter().for_each(|(_, metric)| *names.entry(metric.name).or_default() += 1);
        assert_eq!(names.into_values().collect::<Vec<_>>(), [8; 5]);
    }
}
