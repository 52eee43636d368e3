//! Column names. A column that several tables have is named once.

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $text;)*
    };
}

columns! {
    /// All tables: whose row it is; partition.
    TENANT_ID = "tenant_id";
    /// All tables: the part of the tenant, NULL without `X-Account-ID`; partition.
    ACCOUNT_ID = "account_id";
    /// All tables: `service.name`, else what the tables' documentation says.
    SERVICE_NAME = "service_name";
    /// All tables: when it happened, microseconds UTC; partition by day.
    TIMESTAMP = "timestamp";
    /// All tables: nanoseconds beyond `timestamp`.
    TIMESTAMP_NANOS = "timestamp_nanos";
    /// All tables: when the request was taken in.
    INGESTED_TIMESTAMP = "ingested_timestamp";
    /// All tables: resource, scope and record attributes merged, values as text.
    ATTRIBUTES = "attributes";
    /// The resource's attributes.
    RESOURCE_ATTRIBUTES = "resource_attributes";
    /// Types of the resource's attributes that are not strings.
    RESOURCE_ATTRIBUTE_TYPES = "resource_attribute_types";
    /// The resource's dropped attributes, NULL for 0.
    RESOURCE_DROPPED_ATTRIBUTES_COUNT = "resource_dropped_attributes_count";
    /// The resource's schema URL.
    RESOURCE_SCHEMA_URL = "resource_schema_url";
    /// The resource's entity references as an OTLP/JSON array.
    RESOURCE_ENTITY_REFS = "resource_entity_refs";
    /// The instrumentation scope's name.
    SCOPE_NAME = "scope_name";
    /// The instrumentation scope's version.
    SCOPE_VERSION = "scope_version";
    /// The instrumentation scope's attributes.
    SCOPE_ATTRIBUTES = "scope_attributes";
    /// Types of the scope's attributes that are not strings.
    SCOPE_ATTRIBUTE_TYPES = "scope_attribute_types";
    /// The scope's dropped attributes, NULL for 0.
    SCOPE_DROPPED_ATTRIBUTES_COUNT = "scope_dropped_attributes_count";
    /// The scope's schema URL.
    SCOPE_SCHEMA_URL = "scope_schema_url";
    /// The log record's, span's or point's own attributes.
    RECORD_ATTRIBUTES = "record_attributes";
    /// Types of the record's own attributes that are not strings.
    RECORD_ATTRIBUTE_TYPES = "record_attribute_types";
    /// 16 bytes.
    TRACE_ID = "trace_id";
    /// 8 bytes.
    SPAN_ID = "span_id";
    /// Flags, their 32 bits.
    FLAGS = "flags";
    /// The record's dropped attributes.
    DROPPED_ATTRIBUTES_COUNT = "dropped_attributes_count";

    /// Logs, events: when the collector saw it.
    OBSERVED_TIMESTAMP = "observed_timestamp";
    /// Logs, events: nanoseconds beyond `observed_timestamp`.
    OBSERVED_TIMESTAMP_NANOS = "observed_timestamp_nanos";
    /// Logs: which times the sender left out, [`ABSENT_TIMESTAMP`] + [`ABSENT_OBSERVED_TIMESTAMP`]; NULL for none.
    ABSENT_TIMES = "absent_times";
    /// Logs: 1 to 24.
    SEVERITY_NUMBER = "severity_number";
    /// Logs: severity as the sender wrote it.
    SEVERITY_TEXT = "severity_text";
    /// Logs: the body as text.
    BODY = "body";
    /// Logs: the body's type where it is not a string, as in `value_type`.
    BODY_TYPE = "body_type";
    /// Logs, events: the event's name.
    EVENT_NAME = "event_name";
    /// Logs: Loki's stream labels, a JSON object with sorted keys.
    STREAM_LABELS = "stream_labels";
    /// Logs: Loki's `detected_level`.
    DETECTED_LEVEL = "detected_level";

    /// Events: `event.domain`, else the name's first dotted part.
    EVENT_DOMAIN = "event_domain";

    /// Spans: 8 bytes, NULL for a root.
    PARENT_SPAN_ID = "parent_span_id";
    /// Spans: when it ended.
    END_TIMESTAMP = "end_timestamp";
    /// Spans: nanoseconds beyond `end_timestamp`.
    END_TIMESTAMP_NANOS = "end_timestamp_nanos";
    /// Spans: whole microseconds from start to end.
    DURATION_MICROS = "duration_micros";
    /// Spans: nanoseconds beyond `duration_micros`.
    DURATION_NANOS = "duration_nanos";
    /// Spans: W3C trace state.
    TRACE_STATE = "trace_state";
    /// Spans: the operation. Also a field of a span event.
    NAME = "name";
    /// Spans: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    KIND = "kind";
    /// Spans: 0 unset, 1 ok, 2 error.
    STATUS_CODE = "status_code";
    /// Spans: the status's message.
    STATUS_MESSAGE = "status_message";
    /// Spans: dropped events.
    DROPPED_EVENTS_COUNT = "dropped_events_count";
    /// Spans: dropped links.
    DROPPED_LINKS_COUNT = "dropped_links_count";
    /// Spans: the span's events.
    EVENTS = "events";
    /// Spans: the span's links.
    LINKS = "links";
    /// A field of span events, links and exemplars: types of attributes that are not strings.
    ATTRIBUTE_TYPES = "attribute_types";

    /// Metrics: start of the interval of a cumulative or delta point.
    START_TIMESTAMP = "start_timestamp";
    /// Metrics: nanoseconds beyond `start_timestamp`.
    START_TIMESTAMP_NANOS = "start_timestamp_nanos";
    /// Metrics: the name as it was sent.
    METRIC_NAME = "metric_name";
    /// Metrics: gauge, sum, histogram, exponential_histogram, summary.
    METRIC_TYPE = "metric_type";
    /// Metrics: description.
    DESCRIPTION = "description";
    /// Metrics: unit (UCUM).
    UNIT = "unit";
    /// Metrics: unspecified, delta, cumulative; NULL where the type has none.
    AGGREGATION_TEMPORALITY = "aggregation_temporality";
    /// Metrics: for sums.
    IS_MONOTONIC = "is_monotonic";
    /// Metrics: the metric's own metadata.
    METADATA = "metadata";
    /// Metrics: types of metadata that are not strings.
    METADATA_TYPES = "metadata_types";
    /// Metrics: value of a gauge or sum, and of an exemplar.
    VALUE_DOUBLE = "value_double";
    /// Metrics: value of a gauge or sum, and of an exemplar.
    VALUE_INT = "value_int";
    /// Metrics: number of observations.
    COUNT = "count";
    /// Metrics: sum of observations.
    SUM = "sum";
    /// Metrics: least observation.
    MIN = "min";
    /// Metrics: greatest observation.
    MAX = "max";
    /// Metrics: histogram buckets.
    BUCKET_COUNTS = "bucket_counts";
    /// Metrics: upper bounds of all histogram buckets but the last.
    EXPLICIT_BOUNDS = "explicit_bounds";
    /// Metrics: exponential histogram.
    SCALE = "scale";
    /// Metrics: exponential histogram.
    ZERO_COUNT = "zero_count";
    /// Metrics: exponential histogram.
    ZERO_THRESHOLD = "zero_threshold";
    /// Metrics: exponential histogram.
    POSITIVE_OFFSET = "positive_offset";
    /// Metrics: exponential histogram.
    POSITIVE_BUCKET_COUNTS = "positive_bucket_counts";
    /// Metrics: exponential histogram.
    NEGATIVE_OFFSET = "negative_offset";
    /// Metrics: exponential histogram.
    NEGATIVE_BUCKET_COUNTS = "negative_bucket_counts";
    /// Metrics: summary quantiles.
    QUANTILE_VALUES = "quantile_values";
    /// A field of a summary quantile.
    QUANTILE = "quantile";
    /// A field of a summary quantile.
    VALUE = "value";
    /// Metrics: exemplars.
    EXEMPLARS = "exemplars";
    /// Data files of spans: how many of [`crate::attribute_columns`] the row has; NULL where they say nothing of it.
    ATTRIBUTE_COLUMNS = "attribute_columns";
    /// Metrics: set for rows that came by Prometheus' remote write, and for these alone: the type that their sender says, `unknown`
    /// where it says none. Name and labels of such a row are Prometheus' own. One without a value holds exemplars or metadata.
    PROMETHEUS_TYPE = "prometheus_type";
    /// Metrics: what the sender of a native histogram says of a counter reset: 1 there was one, 2 none, 3 it is no counter.
    RESET_HINT = "reset_hint";
    /// Metrics: number of observations of a native histogram that counts in fractions, in place of `count`.
    COUNT_DOUBLE = "count_double";
    /// Metrics: the same for `zero_count`.
    ZERO_COUNT_DOUBLE = "zero_count_double";
    /// Metrics: the same for `bucket_counts`.
    BUCKET_COUNTS_DOUBLE = "bucket_counts_double";
    /// Metrics: the same for `positive_bucket_counts`.
    POSITIVE_BUCKET_COUNTS_DOUBLE = "positive_bucket_counts_double";
    /// Metrics: the same for `negative_bucket_counts`.
    NEGATIVE_BUCKET_COUNTS_DOUBLE = "negative_bucket_counts_double";
}

/// Bit of [`ABSENT_TIMES`]: the record had no time; `timestamp` is the observed time, else the time of ingest.
pub const ABSENT_TIMESTAMP: i32 = 1;
/// Bit of [`ABSENT_TIMES`]: the record had no observed time; `observed_timestamp` is the time of ingest.
pub const ABSENT_OBSERVED_TIMESTAMP: i32 = 2;
