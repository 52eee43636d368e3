use arrow::array::{AsArray, BinaryArray, Float64Array, Int32Array, Int64Array, ListArray, StructArray};
use arrow::datatypes::{Float64Type, Int64Type};
use icegate_schema::columns;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint, SummaryDataPoint, exemplar, number_data_point,
};

use crate::error::OtlpError;
use crate::rebuild::attributes::Attributes;
use crate::rebuild::cells::{Time, bits, bytes, column, given_double, given_int, given_long, int, items, long_bits, structs};
use crate::rebuild::group::Parts;

/// The columns of points.
pub(super) struct Points<'a> {
    time: Time<'a>,
    start: Time<'a>,
    flags: &'a Int32Array,
    value_double: &'a Float64Array,
    value_int: &'a Int64Array,
    count: &'a Int64Array,
    sum: &'a Float64Array,
    min: &'a Float64Array,
    max: &'a Float64Array,
    bucket_counts: &'a ListArray,
    explicit_bounds: &'a ListArray,
    scale: &'a Int32Array,
    zero_count: &'a Int64Array,
    zero_threshold: &'a Float64Array,
    positive_offset: &'a Int32Array,
    positive_bucket_counts: &'a ListArray,
    negative_offset: &'a Int32Array,
    negative_bucket_counts: &'a ListArray,
    quantile_lists: &'a ListArray,
    exemplar_lists: &'a ListArray,
    exemplars: Exemplars<'a>,
}

impl<'a> Points<'a> {
    pub(super) fn new(rows: &'a StructArray) -> Result<Self, OtlpError> {
        let exemplar_lists = column(rows, columns::EXEMPLARS)?;
        Ok(Self {
            time: Time::new(rows, columns::TIMESTAMP, columns::TIMESTAMP_NANOS)?,
            start: Time::new(rows, columns::START_TIMESTAMP, columns::START_TIMESTAMP_NANOS)?,
            flags: column(rows, columns::FLAGS)?,
            value_double: column(rows, columns::VALUE_DOUBLE)?,
            value_int: column(rows, columns::VALUE_INT)?,
            count: column(rows, columns::COUNT)?,
            sum: column(rows, columns::SUM)?,
            min: column(rows, columns::MIN)?,
            max: column(rows, columns::MAX)?,
            bucket_counts: column(rows, columns::BUCKET_COUNTS)?,
            explicit_bounds: column(rows, columns::EXPLICIT_BOUNDS)?,
            scale: column(rows, columns::SCALE)?,
            zero_count: column(rows, columns::ZERO_COUNT)?,
            zero_threshold: column(rows, columns::ZERO_THRESHOLD)?,
            positive_offset: column(rows, columns::POSITIVE_OFFSET)?,
            positive_bucket_counts: column(rows, columns::POSITIVE_BUCKET_COUNTS)?,
            negative_offset: column(rows, columns::NEGATIVE_OFFSET)?,
            negative_bucket_counts: column(rows, columns::NEGATIVE_BUCKET_COUNTS)?,
            quantile_lists: column(rows, columns::QUANTILE_VALUES)?,
            exemplar_lists,
            exemplars: Exemplars::new(structs(exemplar_lists, columns::EXEMPLARS)?)?,
        })
    }

    /// Adds a row's point to its metric.
    pub(super) fn add(&self, data: &mut Data, row: usize, parts: &Parts<'_>) -> Result<(), OtlpError> {
        match data {
            Data::Gauge(gauge) => gauge.data_points.push(self.number(row, parts)?),
            Data::Sum(sum) => sum.data_points.push(self.number(row, parts)?),
            Data::Histogram(histogram) => histogram.data_points.push(self.histogram(row, parts)?),
            Data::ExponentialHistogram(histogram) => histogram.data_points.push(self.exponential(row, parts)?),
            Data::Summary(summary) => summary.data_points.push(self.summary(row, parts)?),
        }
        Ok(())
    }

    fn number(&self, row: usize, parts: &Parts<'_>) -> Result<NumberDataPoint, OtlpError> {
        let double = given_double(self.value_double, row).map(number_data_point::Value::AsDouble);
        let int = given_long(self.value_int, row).map(number_data_point::Value::AsInt);
        Ok(NumberDataPoint {
            attributes: parts.record.at(row)?,
            start_time_unix_nano: self.start.at(row),
            time_unix_nano: self.time.at(row),
            exemplars: self.exemplars(row)?,
            flags: bits(self.flags, row),
            value: double.or(int),
        })
    }

    fn histogram(&self, row: usize, parts: &Parts<'_>) -> Result<HistogramDataPoint, OtlpError> {
        Ok(HistogramDataPoint {
            attributes: parts.record.at(row)?,
            start_time_unix_nano: self.start.at(row),
            time_unix_nano: self.time.at(row),
            count: long_bits(self.count, row),
            sum: given_double(self.sum, row),
            bucket_counts: counts(self.bucket_counts, row, columns::BUCKET_COUNTS)?,
            explicit_bounds: self.bounds(row)?,
            exemplars: self.exemplars(row)?,
            flags: bits(self.flags, row),
            min: given_double(self.min, row),
            max: given_double(self.max, row),
        })
    }

    fn exponential(&self, row: usize, parts: &Parts<'_>) -> Result<ExponentialHistogramDataPoint, OtlpError> {
        let positive =
            buckets(self.positive_offset, counts(self.positive_bucket_counts, row, columns::POSITIVE_BUCKET_COUNTS)?, row);
        let negative =
            buckets(self.negative_offset, counts(self.negative_bucket_counts, row, columns::NEGATIVE_BUCKET_COUNTS)?, row);
        Ok(ExponentialHistogramDataPoint {
            attributes: parts.record.at(row)?,
            start_time_unix_nano: self.start.at(row),
            time_unix_nano: self.time.at(row),
            count: long_bits(self.count, row),
            sum: given_double(self.sum, row),
            scale: int(self.scale, row),
            zero_count: long_bits(self.zero_count, row),
            positive,
            negative,
            flags: bits(self.flags, row),
            exemplars: self.exemplars(row)?,
            min: given_double(self.min, row),
            max: given_double(self.max, row),
            zero_threshold: given_double(self.zero_threshold, row).unwrap_or(0.0),
        })
    }

    fn summary(&self, row: usize, parts: &Parts<'_>) -> Result<SummaryDataPoint, OtlpError> {
        let values = structs(self.quantile_lists, columns::QUANTILE_VALUES)?;
        let quantiles: &Float64Array = column(values, columns::QUANTILE)?;
        let values: &Float64Array = column(values, columns::VALUE)?;
        let quantile = |item| ValueAtQuantile { quantile: quantiles.value(item), value: values.value(item) };
        Ok(SummaryDataPoint {
            attributes: parts.record.at(row)?,
            start_time_unix_nano: self.start.at(row),
            time_unix_nano: self.time.at(row),
            count: long_bits(self.count, row),
            sum: given_double(self.sum, row).unwrap_or(0.0),
            quantile_values: items(self.quantile_lists, row).map(quantile).collect(),
            flags: bits(self.flags, row),
        })
    }

    fn bounds(&self, row: usize) -> Result<Vec<f64>, OtlpError> {
        let missing = || OtlpError::Column { column: columns::EXPLICIT_BOUNDS, expected: "list of doubles".to_owned() };
        let bounds = self.explicit_bounds.values().as_primitive_opt::<Float64Type>().ok_or_else(missing)?;
        Ok(items(self.explicit_bounds, row).map(|item| bounds.value(item)).collect())
    }

    fn exemplars(&self, row: usize) -> Result<Vec<Exemplar>, OtlpError> {
        items(self.exemplar_lists, row).map(|item| self.exemplars.at(item)).collect()
    }
}

fn counts(lists: &ListArray, row: usize, column: &'static str) -> Result<Vec<u64>, OtlpError> {
    let missing = || OtlpError::Column { column, expected: "list of integers".to_owned() };
    let counts = lists.values().as_primitive_opt::<Int64Type>().ok_or_else(missing)?;
    Ok(items(lists, row).map(|item| counts.value(item).cast_unsigned()).collect())
}

/// Buckets are there where their offset is.
fn buckets(offsets: &Int32Array, bucket_counts: Vec<u64>, row: usize) -> Option<Buckets> {
    given_int(offsets, row).map(|offset| Buckets { offset, bucket_counts })
}

struct Exemplars<'a> {
    time: Time<'a>,
    value_double: &'a Float64Array,
    value_int: &'a Int64Array,
    span_id: &'a BinaryArray,
    trace_id: &'a BinaryArray,
    attributes: Attributes<'a>,
}

impl<'a> Exemplars<'a> {
    fn new(items: &'a StructArray) -> Result<Self, OtlpError> {
        Ok(Self {
            time: Time::new(items, columns::TIMESTAMP, columns::TIMESTAMP_NANOS)?,
            value_double: column(items, columns::VALUE_DOUBLE)?,
            value_int: column(items, columns::VALUE_INT)?,
            span_id: column(items, columns::SPAN_ID)?,
            trace_id: column(items, columns::TRACE_ID)?,
            attributes: Attributes::new(items, columns::ATTRIBUTES, columns::ATTRIBUTE_TYPES)?,
        })
    }

    fn at(&self, item: usize) -> Result<Exemplar, OtlpError> {
        let double = given_double(self.value_double, item).map(exemplar::Value::AsDouble);
        let int = given_long(self.value_int, item).map(exemplar::Value::AsInt);
        Ok(Exemplar {
            filtered_attributes: self.attributes.at(item)?,
            time_unix_nano: self.time.at(item),
            span_id: bytes(self.span_id, item),
            trace_id: bytes(self.trace_id, item),
            value: double.or(int),
        })
    }
}
