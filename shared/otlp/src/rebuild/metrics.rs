use arrow::array::{Array, BooleanArray, RecordBatch, StringArray, StructArray};
use icegate_schema::columns;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogram, Gauge, Histogram, Metric, ResourceMetrics, ScopeMetrics, Sum, Summary,
};
use prost::Message;

use crate::error::OtlpError;
use crate::metrics::{EXPONENTIAL_HISTOGRAM, GAUGE, HISTOGRAM, SUM, SUMMARY, TEMPORALITIES};
use crate::rebuild::attributes::Attributes;
use crate::rebuild::cells::{broken, column, given_text, text};
use crate::rebuild::group::{Before, Begins, Parts};
use crate::rebuild::points::Points;

/// The request that rows of `metrics` came from; consecutive points of equal metrics become one metric.
///
/// # Errors
/// [`OtlpError::Column`] where a column is missing or of another type, [`OtlpError::Cell`] where a cell is broken.
pub fn metrics(batches: &[RecordBatch]) -> Result<ExportMetricsServiceRequest, OtlpError> {
    let mut resource_metrics: Vec<ResourceMetrics> = Vec::new();
    let mut before = Before::default();
    let mut metric_before = Vec::new();
    for batch in batches {
        let rows = StructArray::from(batch.clone());
        let (series, points, parts) = (Series::new(&rows)?, Points::new(&rows)?, Parts::new(&rows)?);
        for row in 0..batch.num_rows() {
            let group = parts.group(row)?;
            let begins = before.begins(&group);
            if begins == Begins::Resource {
                let schema_url = group.resource_schema_url;
                resource_metrics.push(ResourceMetrics { resource: group.resource, scope_metrics: Vec::new(), schema_url });
            }
            let Some(resource) = resource_metrics.last_mut() else { continue };
            if begins != Begins::Nothing {
                let schema_url = group.scope_schema_url;
                resource.scope_metrics.push(ScopeMetrics { scope: group.scope, metrics: Vec::new(), schema_url });
            }
            let Some(scope) = resource.scope_metrics.last_mut() else { continue };
            let metric = series.at(row)?;
            let identity = metric.encode_to_vec();
            if begins != Begins::Nothing || identity != metric_before {
                metric_before = identity;
                scope.metrics.push(metric);
            }
            if let Some(Metric { data: Some(data), .. }) = scope.metrics.last_mut() {
                points.add(data, row, &parts)?;
            }
        }
    }
    Ok(ExportMetricsServiceRequest { resource_metrics })
}

struct Series<'a> {
    name: &'a StringArray,
    kind: &'a StringArray,
    description: &'a StringArray,
    unit: &'a StringArray,
    temporality: &'a StringArray,
    monotonic: &'a BooleanArray,
    metadata: Attributes<'a>,
}

impl<'a> Series<'a> {
    fn new(rows: &'a StructArray) -> Result<Self, OtlpError> {
        Ok(Self {
            name: column(rows, columns::METRIC_NAME)?,
            kind: column(rows, columns::METRIC_TYPE)?,
            description: column(rows, columns::DESCRIPTION)?,
            unit: column(rows, columns::UNIT)?,
            temporality: column(rows, columns::AGGREGATION_TEMPORALITY)?,
            monotonic: column(rows, columns::IS_MONOTONIC)?,
            metadata: Attributes::new(rows, columns::METADATA, columns::METADATA_TYPES)?,
        })
    }

    /// A row's metric, still without points.
    fn at(&self, row: usize) -> Result<Metric, OtlpError> {
        Ok(Metric {
            name: text(self.name, row),
            description: text(self.description, row),
            unit: text(self.unit, row),
            metadata: self.metadata.at(row)?,
            data: Some(self.data(row)?),
        })
    }

    fn data(&self, row: usize) -> Result<Data, OtlpError> {
        let kind = given_text(self.kind, row).unwrap_or_default();
        Ok(match kind {
            GAUGE => Data::Gauge(Gauge::default()),
            SUM => Data::Sum(Sum {
                aggregation_temporality: self.temporality(row)?,
                is_monotonic: self.monotonic.is_valid(row) && self.monotonic.value(row),
                ..Sum::default()
            }),
            HISTOGRAM => Data::Histogram(Histogram { aggregation_temporality: self.temporality(row)?, ..Histogram::default() }),
            EXPONENTIAL_HISTOGRAM => Data::ExponentialHistogram(ExponentialHistogram {
                aggregation_temporality: self.temporality(row)?,
                ..ExponentialHistogram::default()
            }),
            SUMMARY => Data::Summary(Summary::default()),
            other => return Err(broken(columns::METRIC_TYPE, other, "a metric type")),
        })
    }

    fn temporality(&self, row: usize) -> Result<i32, OtlpError> {
        let name = given_text(self.temporality, row).unwrap_or_default();
        let number = TEMPORALITIES.iter().position(|known| *known == name).and_then(|number| i32::try_from(number).ok());
        number.ok_or_else(|| broken(columns::AGGREGATION_TEMPORALITY, name, "an aggregation temporality"))
    }
}
