//! Requests of any shape that become rows.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    Sum, Summary, SummaryDataPoint, exemplar, metric::Data, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-c.]{1,3}", "\\PC{0,6}", Just("\"\\\n\u{1}\u{7f}é".to_owned())]
}

/// NaN as protobuf writers send it: the text of a NaN doesn't tell its payload.
fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_map(|number| if number.is_nan() { f64::NAN } else { number }),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(-0.0),
        Just(0.0),
        Just(5.0),
        Just(1e300),
    ]
}

fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        Just(None),
        text().prop_map(|text| Some(Value::StringValue(text))),
        any::<bool>().prop_map(|bool| Some(Value::BoolValue(bool))),
        any::<i64>().prop_map(|int| Some(Value::IntValue(int))),
        double().prop_map(|double| Some(Value::DoubleValue(double))),
        vec(any::<u8>(), 0..5).prop_map(|bytes| Some(Value::BytesValue(bytes))),
        any::<i32>().prop_map(|index| Some(Value::StringValueStrindex(index))),
    ];
    let leaf = leaf.prop_map(|value| AnyValue { value });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let pair = (text(), option::weighted(0.9, inner.clone()), prop_oneof![9 => Just(0), 1 => any::<i32>()]);
        let pair = pair.prop_map(|(key, value, key_strindex)| KeyValue { key, value, key_strindex });
        prop_oneof![
            vec(inner, 0..4).prop_map(|values| AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) }),
            vec(pair, 0..4).prop_map(|values| AnyValue { value: Some(Value::KvlistValue(KeyValueList { values })) }),
        ]
    })
}

/// Attributes, each key once.
pub(crate) fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let pair = (text(), option::weighted(0.9, value()), prop_oneof![9 => Just(0), 1 => 1..9_i32]);
    vec(pair, 0..4).prop_map(|pairs| {
        let mut seen = std::collections::HashSet::new();
        let pairs = pairs.into_iter().map(|(key, value, key_strindex)| KeyValue { key, value, key_strindex });
        let key = |pair: &KeyValue| match (pair.key.as_str(), pair.key_strindex) {
            ("", index) if index != 0 => format!("strindex:{index}"),
            (key, _) => key.to_owned(),
        };
        pairs.filter(|pair| seen.insert(key(pair))).collect()
    })
}

pub(crate) fn resource() -> impl Strategy<Value = Option<Resource>> {
    let entity = (text(), text(), vec(text(), 0..2), vec(text(), 0..2));
    let entity = entity.prop_map(|(schema_url, r#type, id_keys, description_keys)| EntityRef {
        schema_url,
        r#type,
        id_keys,
        description_keys,
    });
    let resource = (attributes(), any::<u32>(), vec(entity, 0..2));
    option::weighted(
        0.9,
        resource.prop_map(|(attributes, dropped_attributes_count, entity_refs)| Resource {
            attributes,
            dropped_attributes_count,
            entity_refs,
        }),
    )
}

pub(crate) fn scope() -> impl Strategy<Value = Option<InstrumentationScope>> {
    let scope = (text(), text(), attributes(), any::<u32>());
    option::weighted(
        0.9,
        scope.prop_map(|(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count,
        }),
    )
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), any::<u64>(), 1..5_000_u64]
}

/// An id that is not all zeros.
fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), length - 1).prop_map(|mut id| {
        id.push(1);
        id
    })
}

fn optional_id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(Vec::new()), id(length)]
}

pub(crate) fn log() -> impl Strategy<Value = LogRecord> {
    let times = (time(), time());
    let severity = (prop_oneof![0..25_i32, any::<i32>()], text());
    let content = (option::of(value()), attributes(), text());
    let numbers = (any::<u32>(), any::<u32>(), optional_id(16), optional_id(8));
    (times, severity, content, numbers).prop_map(|(times, severity, content, numbers)| LogRecord {
        time_unix_nano: times.0,
        observed_time_unix_nano: times.1,
        severity_number: severity.0,
        severity_text: severity.1,
        body: content.0,
        attributes: content.1,
        event_name: content.2,
        dropped_attributes_count: numbers.0,
        flags: numbers.1,
        trace_id: numbers.2,
        span_id: numbers.3,
    })
}

pub(crate) fn span() -> impl Strategy<Value = Span> {
    let ids = (id(16), id(8), optional_id(8));
    let texts = (text(), text(), 0..6_i32);
    let numbers = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
    let status = (text(), 0..3_i32).prop_map(|(message, code)| Status { message, code });
    let parts = (attributes(), vec(event(), 0..3), vec(link(), 0..3), option::of(status));
    (ids, texts, (time(), time()), numbers, parts).prop_map(|(ids, texts, times, numbers, parts)| Span {
        trace_id: ids.0,
        span_id: ids.1,
        parent_span_id: ids.2,
        trace_state: texts.0,
        name: texts.1,
        kind: texts.2,
        start_time_unix_nano: times.0,
        end_time_unix_nano: times.1,
        flags: numbers.0,
        dropped_attributes_count: numbers.1,
        dropped_events_count: numbers.2,
        dropped_links_count: numbers.3,
        attributes: parts.0,
        events: parts.1,
        links: parts.2,
        status: parts.3,
    })
}

fn event() -> impl Strategy<Value = Event> {
    (time(), text(), attributes(), any::<u32>()).prop_map(|(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
        time_unix_nano,
        name,
        attributes,
        dropped_attributes_count,
    })
}

fn link() -> impl Strategy<Value = Link> {
    let ids = (prop_oneof![Just(vec![0; 16]), optional_id(16)], optional_id(8));
    (ids, text(), attributes(), any::<u32>(), any::<u32>()).prop_map(
        |(ids, trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id: ids.0,
            span_id: ids.1,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

pub(crate) fn metric() -> impl Strategy<Value = Metric> {
    let data = prop_oneof![
        vec(number(), 1..3).prop_map(|data_points| Data::Gauge(Gauge { data_points })),
        (vec(number(), 1..3), 0..3_i32, any::<bool>()).prop_map(|(data_points, aggregation_temporality, is_monotonic)| {
            Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic })
        }),
        (vec(histogram(), 1..3), 0..3_i32).prop_map(|(data_points, aggregation_temporality)| {
            Data::Histogram(Histogram { data_points, aggregation_temporality })
        }),
        (vec(exponential(), 1..3), 0..3_i32).prop_map(|(data_points, aggregation_temporality)| {
            Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality })
        }),
        vec(summary(), 1..3).prop_map(|data_points| Data::Summary(Summary { data_points })),
    ];
    ("[a-z]{1,8}", text(), text(), attributes(), data).prop_map(|(name, description, unit, metadata, data)| Metric {
        name,
        description,
        unit,
        metadata,
        data: Some(data),
    })
}

/// What all points have: attributes, start, time, flags.
fn point() -> impl Strategy<Value = (Vec<KeyValue>, u64, u64, u32)> {
    (attributes(), time(), time(), any::<u32>())
}

fn number() -> impl Strategy<Value = NumberDataPoint> {
    let value = prop_oneof![
        double().prop_map(number_data_point::Value::AsDouble),
        any::<i64>().prop_map(number_data_point::Value::AsInt)
    ];
    (point(), vec(exemplar(), 0..2), option::of(value)).prop_map(|(point, exemplars, value)| NumberDataPoint {
        attributes: point.0,
        start_time_unix_nano: point.1,
        time_unix_nano: point.2,
        flags: point.3,
        exemplars,
        value,
    })
}

/// Sum, min and max.
fn totals() -> impl Strategy<Value = (Option<f64>, Option<f64>, Option<f64>)> {
    (option::of(double()), option::of(double()), option::of(double()))
}

fn histogram() -> impl Strategy<Value = HistogramDataPoint> {
    let buckets = (any::<u64>(), vec(any::<u64>(), 0..3), vec(double(), 0..3));
    (point(), buckets, totals(), vec(exemplar(), 0..2)).prop_map(|(point, buckets, totals, exemplars)| HistogramDataPoint {
        attributes: point.0,
        start_time_unix_nano: point.1,
        time_unix_nano: point.2,
        flags: point.3,
        count: buckets.0,
        bucket_counts: buckets.1,
        explicit_bounds: buckets.2,
        sum: totals.0,
        min: totals.1,
        max: totals.2,
        exemplars,
    })
}

fn exponential() -> impl Strategy<Value = ExponentialHistogramDataPoint> {
    let buckets = || {
        let buckets = (any::<i32>(), vec(any::<u64>(), 0..3));
        option::of(buckets.prop_map(|(offset, bucket_counts)| Buckets { offset, bucket_counts }))
    };
    let numbers = (any::<u64>(), any::<i32>(), any::<u64>(), double(), buckets(), buckets());
    (point(), numbers, totals(), vec(exemplar(), 0..2)).prop_map(|(point, numbers, totals, exemplars)| {
        ExponentialHistogramDataPoint {
            attributes: point.0,
            start_time_unix_nano: point.1,
            time_unix_nano: point.2,
            flags: point.3,
            count: numbers.0,
            scale: numbers.1,
            zero_count: numbers.2,
            zero_threshold: numbers.3,
            positive: numbers.4,
            negative: numbers.5,
            sum: totals.0,
            min: totals.1,
            max: totals.2,
            exemplars,
        }
    })
}

fn summary() -> impl Strategy<Value = SummaryDataPoint> {
    let quantile = (double(), double()).prop_map(|(quantile, value)| ValueAtQuantile { quantile, value });
    (point(), any::<u64>(), double(), vec(quantile, 0..3)).prop_map(|(point, count, sum, quantile_values)| SummaryDataPoint {
        attributes: point.0,
        start_time_unix_nano: point.1,
        time_unix_nano: point.2,
        flags: point.3,
        count,
        sum,
        quantile_values,
    })
}

fn exemplar() -> impl Strategy<Value = Exemplar> {
    let value = prop_oneof![double().prop_map(exemplar::Value::AsDouble), any::<i64>().prop_map(exemplar::Value::AsInt)];
    (attributes(), time(), optional_id(8), optional_id(16), option::of(value)).prop_map(
        |(filtered_attributes, time_unix_nano, span_id, trace_id, value)| Exemplar {
            filtered_attributes,
            time_unix_nano,
            span_id,
            trace_id,
            value,
        },
    )
}
