//! The columns of `metrics`.

use std::sync::Arc;

use arrow::array::{BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, StringBuilder};
use icegate_model::Table;
use icegate_schema::columns;
use opentelemetry_proto::tonic::metrics::v1::Metric;

use crate::attributes::AttributeColumns;
use crate::batch::{TimeColumn, batch, bits_given, origin, text_given};
use crate::cells::Cells;
use crate::error::OtlpError;
use crate::group::{ResourceText, ScopeText};
use crate::parts::Parts;
use crate::point_lists::{Doubles, Exemplars, Longs, Quantiles};
use crate::prometheus_columns::PrometheusColumns;
use crate::value::Scratch;
use crate::{Origin, Rejected, Rows};

/// What the points of a metric have in common.
pub(crate) struct Series<'a> {
    pub(crate) resource: &'a ResourceText<'a>,
    pub(crate) service_name: &'a str,
    pub(crate) scope: &'a ScopeText<'a>,
    pub(crate) metric: &'a Metric,
    /// As in `metric_type`.
    pub(crate) kind: &'static str,
    /// As in `aggregation_temporality`.
    pub(crate) temporality: Option<&'static str>,
    pub(crate) monotonic: Option<bool>,
}

pub(crate) struct Points {
    pub(crate) scratch: Scratch,
    rows: usize,
    service_name: StringBuilder,
    time: TimeColumn,
    start: TimeColumn,
    name: StringBuilder,
    kind: StringBuilder,
    description: StringBuilder,
    unit: StringBuilder,
    temporality: StringBuilder,
    monotonic: BooleanBuilder,
    metadata: AttributeColumns,
    flags: Int32Builder,
    value_double: Float64Builder,
    value_int: Int64Builder,
    count: Int64Builder,
    sum: Float64Builder,
    min: Float64Builder,
    max: Float64Builder,
    bucket_counts: Longs,
    explicit_bounds: Doubles,
    scale: Int32Builder,
    zero_count: Int64Builder,
    zero_threshold: Float64Builder,
    positive_offset: Int32Builder,
    positive_bucket_counts: Longs,
    negative_offset: Int32Builder,
    negative_bucket_counts: Longs,
    quantiles: Quantiles,
    exemplars: Exemplars,
    prometheus: PrometheusColumns,
    parts: Parts,
}

impl Points {
    /// For so many points with so many attributes of their own in all.
    pub(crate) fn new(rows: usize, attributes: usize) -> Self {
        let text = || StringBuilder::with_capacity(rows, 0);
        let double = || Float64Builder::with_capacity(rows);
        let long = || Int64Builder::with_capacity(rows);
        let int = || Int32Builder::with_capacity(rows);
        Self {
            scratch: Scratch::default(),
            rows: 0,
            service_name: text(),
            time: TimeColumn::new(rows),
            start: TimeColumn::new(rows),
            name: text(),
            kind: text(),
            description: text(),
            unit: text(),
            temporality: text(),
            monotonic: BooleanBuilder::with_capacity(rows),
            metadata: AttributeColumns::new(rows, 0),
            flags: int(),
            value_double: double(),
            value_int: long(),
            count: long(),
            sum: double(),
            min: double(),
            max: double(),
            bucket_counts: Longs::new(rows),
            explicit_bounds: Doubles::new(rows),
            scale: int(),
            zero_count: long(),
            zero_threshold: double(),
            positive_offset: int(),
            positive_bucket_counts: Longs::new(rows),
            negative_offset: int(),
            negative_bucket_counts: Longs::new(rows),
            quantiles: Quantiles::new(rows),
            exemplars: Exemplars::new(rows),
            prometheus: PrometheusColumns::new(rows),
            parts: Parts::new(rows, attributes),
        }
    }

    pub(crate) fn append(&mut self, series: &Series<'_>, cells: &Cells<'_>) -> Result<(), OtlpError> {
        self.series(series);
        self.time.append(cells.time);
        self.start.append_given(cells.start);
        bits_given(&mut self.flags, cells.flags);
        self.value_double.append_option(cells.value_double);
        self.value_int.append_option(cells.value_int);
        self.count.append_option(cells.count.map(u64::cast_signed));
        self.sum.append_option(cells.sum);
        self.min.append_option(cells.min);
        self.max.append_option(cells.max);
        self.bucket_counts.append_unsigned(cells.bucket_counts);
        self.explicit_bounds.append(cells.explicit_bounds);
        self.scale.append_option(cells.scale);
        self.zero_count.append_option(cells.zero_count.map(u64::cast_signed));
        self.zero_threshold.append_option(cells.zero_threshold);
        self.positive_offset.append_option(cells.positive.map(|buckets| buckets.offset));
        self.positive_bucket_counts.append_unsigned(cells.positive.map(|buckets| buckets.bucket_counts.as_slice()));
        self.negative_offset.append_option(cells.negative.map(|buckets| buckets.offset));
        self.negative_bucket_counts.append_unsigned(cells.negative.map(|buckets| buckets.bucket_counts.as_slice()));
        self.quantiles.append(cells.quantiles);
        self.exemplars.append(cells.exemplars, &mut self.scratch);
        self.prometheus.append(cells.prometheus.as_ref());
        self.parts.append(series.resource, series.scope, cells.attributes, &mut self.scratch)?;
        self.rows += 1;
        Ok(())
    }

    fn series(&mut self, series: &Series<'_>) {
        self.service_name.append_value(series.service_name);
        self.name.append_value(&series.metric.name);
        self.kind.append_value(series.kind);
        text_given(&mut self.description, &series.metric.description);
        text_given(&mut self.unit, &series.metric.unit);
        self.temporality.append_option(series.temporality);
        self.monotonic.append_option(series.monotonic);
        self.metadata.append(&series.metric.metadata, &mut self.scratch);
    }

    pub(crate) fn finish(mut self, from: &Origin, rejected: Rejected) -> Result<Rows, OtlpError> {
        let rows = self.rows;
        if rows == 0 {
            return Ok(Rows { rejected, ..Rows::default() });
        }
        let mut points = origin(from, rows);
        points.extend(self.parts.finish()?);
        points.extend(self.prometheus.finish()?);
        let (time, time_nanos) = self.time.finish();
        let (start, start_nanos) = self.start.finish();
        let (metadata, metadata_types) = self.metadata.finish()?;
        let mut text = |name, mut column: StringBuilder| points.push((name, Arc::new(column.finish())));
        text(columns::SERVICE_NAME, self.service_name);
        text(columns::METRIC_NAME, self.name);
        text(columns::METRIC_TYPE, self.kind);
        text(columns::DESCRIPTION, self.description);
        text(columns::UNIT, self.unit);
        text(columns::AGGREGATION_TEMPORALITY, self.temporality);
        let mut int = |name, mut column: Int32Builder| points.push((name, Arc::new(column.finish())));
        int(columns::FLAGS, self.flags);
        int(columns::SCALE, self.scale);
        int(columns::POSITIVE_OFFSET, self.positive_offset);
        int(columns::NEGATIVE_OFFSET, self.negative_offset);
        let mut long = |name, mut column: Int64Builder| points.push((name, Arc::new(column.finish())));
        long(columns::VALUE_INT, self.value_int);
        long(columns::COUNT, self.count);
        long(columns::ZERO_COUNT, self.zero_count);
        let mut double = |name, mut column: Float64Builder| points.push((name, Arc::new(column.finish())));
        double(columns::VALUE_DOUBLE, self.value_double);
        double(columns::SUM, self.sum);
        double(columns::MIN, self.min);
        double(columns::MAX, self.max);
        double(columns::ZERO_THRESHOLD, self.zero_threshold);
        points.extend([
            (columns::TIMESTAMP, time),
            (columns::TIMESTAMP_NANOS, time_nanos),
            (columns::START_TIMESTAMP, start),
            (columns::START_TIMESTAMP_NANOS, start_nanos),
            (columns::METADATA, metadata),
            (columns::METADATA_TYPES, metadata_types),
            (columns::IS_MONOTONIC, Arc::new(self.monotonic.finish())),
            (columns::BUCKET_COUNTS, self.bucket_counts.finish(columns::BUCKET_COUNTS)?),
            (columns::EXPLICIT_BOUNDS, self.explicit_bounds.finish(columns::EXPLICIT_BOUNDS)?),
            (columns::POSITIVE_BUCKET_COUNTS, self.positive_bucket_counts.finish(columns::POSITIVE_BUCKET_COUNTS)?),
            (columns::NEGATIVE_BUCKET_COUNTS, self.negative_bucket_counts.finish(columns::NEGATIVE_BUCKET_COUNTS)?),
            (columns::QUANTILE_VALUES, self.quantiles.finish()?),
            (columns::EXEMPLARS, self.exemplars.finish()?),
        ]);
        let batches = vec![(Table::Metrics, batch(Table::Metrics, &points)?)];
        Ok(Rows { batches, accepted: rows as u64, rejected })
    }
}
