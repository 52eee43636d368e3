//! Metric points to rows of `metrics`.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;

use crate::cells::Cells;
use crate::check::{Cause, Scale, known};
use crate::error::OtlpError;
use crate::group::{ResourceText, ScopeText};
use crate::limits::{Budget, presized};
use crate::points::{Points, Series};
use crate::{Limits, Origin, Rejected, Rows};

/// `aggregation_temporality` by its number in the protocol.
pub(crate) const TEMPORALITIES: [&str; 3] = ["unspecified", "delta", "cumulative"];
/// `metric_type` of each kind.
pub(crate) const GAUGE: &str = "gauge";
pub(crate) const SUM: &str = "sum";
pub(crate) const HISTOGRAM: &str = "histogram";
pub(crate) const EXPONENTIAL_HISTOGRAM: &str = "exponential_histogram";
pub(crate) const SUMMARY: &str = "summary";

/// The rows of a request.
pub(crate) fn rows(request: &ExportMetricsServiceRequest, from: &Origin, limits: &Limits) -> Result<Rows, OtlpError> {
    let points = presized(metrics(request).map(size).sum());
    let mut build = Build { points: Points::new(points, 0), budget: Budget::new(limits), limits, rejected: Rejected::default() };
    for (i, resource_metrics) in request.resource_metrics.iter().enumerate() {
        let schema_url = &resource_metrics.schema_url;
        let resource = resource_metrics.resource.as_ref();
        let resource = ResourceText::new(resource, schema_url, limits, &mut build.points.scratch);
        for (j, scope_metrics) in resource_metrics.scope_metrics.iter().enumerate() {
            let schema_url = &scope_metrics.schema_url;
            let scope = scope_metrics.scope.as_ref();
            let scope = ScopeText::new(&resource, scope, schema_url, limits, &mut build.points.scratch);
            let group_bytes = scope.bytes(&resource);
            for (k, metric) in scope_metrics.metrics.iter().enumerate() {
                let place = Place { resource: i, scope: j, metric: k };
                match check(metric, &scope, limits) {
                    Ok((data, bytes)) => {
                        let series = series(&resource, &scope, metric, data);
                        build.metric(&series, group_bytes.saturating_add(bytes), data, place)?;
                    }
                    Err(cause) => {
                        let points = u64::try_from(size(metric)).unwrap_or(u64::MAX);
                        build.rejected.add(points.max(1), || format!("{place}: {cause}"));
                    }
                }
            }
        }
    }
    let Build { points, rejected, .. } = build;
    points.finish(from, rejected)
}

/// Where a metric stands in the request.
#[derive(Clone, Copy)]
struct Place {
    resource: usize,
    scope: usize,
    metric: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "resourceMetrics[{}].scopeMetrics[{}].metrics[{}]", self.resource, self.scope, self.metric)
    }
}

struct Build<'a> {
    points: Points,
    budget: Budget,
    limits: &'a Limits,
    rejected: Rejected,
}

impl Build<'_> {
    fn metric(&mut self, series: &Series<'_>, group_bytes: usize, data: &Data, place: Place) -> Result<(), OtlpError> {
        match data {
            Data::Gauge(gauge) => self.each(series, group_bytes, &gauge.data_points, place),
            Data::Sum(sum) => self.each(series, group_bytes, &sum.data_points, place),
            Data::Histogram(histogram) => self.each(series, group_bytes, &histogram.data_points, place),
            Data::ExponentialHistogram(histogram) => self.each(series, group_bytes, &histogram.data_points, place),
            Data::Summary(summary) => self.each(series, group_bytes, &summary.data_points, place),
        }
    }

    fn each<'p, P>(&mut self, series: &Series<'_>, group_bytes: usize, points: &'p [P], place: Place) -> Result<(), OtlpError>
    where
        Cells<'p>: From<&'p P>,
    {
        for (at, point) in points.iter().enumerate() {
            let cells = Cells::from(point);
            match cells.check(Scale::new(self.limits)) {
                Ok(bytes) => {
                    self.budget.row(bytes, group_bytes)?;
                    self.points.append(series, &cells)?;
                }
                Err(cause) => self.rejected.add(1, || format!("{place}.dataPoints[{at}]: {cause}")),
            }
        }
        Ok(())
    }
}

/// The metric's data, and the bytes that it puts into each of its rows.
fn check<'a>(metric: &'a Metric, scope: &ScopeText<'_>, limits: &Limits) -> Result<(&'a Data, usize), Cause> {
    if let Some(cause) = &scope.refused {
        return Err(cause.clone());
    }
    if metric.name.is_empty() {
        return Err(Cause::EmptyName);
    }
    let data = metric.data.as_ref().ok_or(Cause::NoData)?;
    let last = i32::try_from(TEMPORALITIES.len() - 1).unwrap_or(i32::MAX);
    known("aggregationTemporality", temporality(data).unwrap_or(0), last)?;
    let mut scale = Scale::new(limits);
    scale.bytes(metric.name.len() + metric.description.len() + metric.unit.len());
    scale.attributes(&metric.metadata)?;
    Ok((data, scale.total()?))
}

fn series<'a>(resource: &'a ResourceText<'a>, scope: &'a ScopeText<'a>, metric: &'a Metric, data: &Data) -> Series<'a> {
    let (kind, monotonic) = match data {
        Data::Gauge(_) => (GAUGE, None),
        Data::Sum(sum) => (SUM, Some(sum.is_monotonic)),
        Data::Histogram(_) => (HISTOGRAM, None),
        Data::ExponentialHistogram(_) => (EXPONENTIAL_HISTOGRAM, None),
        Data::Summary(_) => (SUMMARY, None),
    };
    let temporality = temporality(data).and_then(|number| TEMPORALITIES.get(usize::try_from(number).ok()?).copied());
    Series { resource, service_name: resource.service_name(), scope, metric, kind, temporality, monotonic }
}

/// The number of the aggregation temporality of kinds that have one.
fn temporality(data: &Data) -> Option<i32> {
    match data {
        Data::Sum(sum) => Some(sum.aggregation_temporality),
        Data::Histogram(histogram) => Some(histogram.aggregation_temporality),
        Data::ExponentialHistogram(histogram) => Some(histogram.aggregation_temporality),
        Data::Gauge(_) | Data::Summary(_) => None,
    }
}

fn metrics(request: &ExportMetricsServiceRequest) -> impl Iterator<Item = &Metric> {
    let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    scopes.flat_map(|scope| &scope.metrics)
}

/// How many points a metric has.
fn size(metric: &Metric) -> usize {
    match &metric.data {
        Some(Data::Gauge(gauge)) => gauge.data_points.len(),
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.len(),
        Some(Data::Summary(summary)) => summary.data_points.len(),
        None => 0,
    }
}
