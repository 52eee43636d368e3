//! Messages of `tempopb`, as far as clients of Tempo send and read them. Their fields are those of the JSON answers.

use std::collections::{BTreeMap, HashMap};

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::TracesData;

/// `tempopb.SearchRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SearchRequest {
    #[prost(map = "string, string", tag = "1")]
    pub(crate) tags: HashMap<String, String>,
    #[prost(uint32, tag = "2")]
    pub(crate) min_duration_ms: u32,
    #[prost(uint32, tag = "3")]
    pub(crate) max_duration_ms: u32,
    #[prost(uint32, tag = "4")]
    pub(crate) limit: u32,
    /// Unix seconds.
    #[prost(uint32, tag = "5")]
    pub(crate) start: u32,
    /// Unix seconds.
    #[prost(uint32, tag = "6")]
    pub(crate) end: u32,
    #[prost(string, tag = "8")]
    pub(crate) query: String,
    #[prost(uint32, tag = "9")]
    pub(crate) spans_per_span_set: u32,
}

/// `tempopb.SearchResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SearchResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) traces: Vec<TraceSearchMetadata>,
    #[prost(message, optional, tag = "2")]
    pub(crate) metrics: Option<SearchMetrics>,
    /// Not Tempo's, which has no place for them.
    #[prost(string, repeated, tag = "1000")]
    pub(crate) warnings: Vec<String>,
}

/// `tempopb.TraceSearchMetadata`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TraceSearchMetadata {
    #[prost(string, tag = "1")]
    pub(crate) trace_id: String,
    #[prost(string, tag = "2")]
    pub(crate) root_service_name: String,
    #[prost(string, tag = "3")]
    pub(crate) root_trace_name: String,
    #[prost(uint64, tag = "4")]
    pub(crate) start_time_unix_nano: u64,
    #[prost(uint32, tag = "5")]
    pub(crate) duration_ms: u32,
    /// The first of the sets, for clients from before there were several.
    #[prost(message, optional, tag = "6")]
    pub(crate) span_set: Option<SpanSet>,
    #[prost(message, repeated, tag = "7")]
    pub(crate) span_sets: Vec<SpanSet>,
    #[prost(btree_map = "string, message", tag = "8")]
    pub(crate) service_stats: BTreeMap<String, ServiceStats>,
}

/// `tempopb.ServiceStats`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct ServiceStats {
    #[prost(uint32, tag = "1")]
    pub(crate) span_count: u32,
    #[prost(uint32, tag = "2")]
    pub(crate) error_count: u32,
}

/// `tempopb.SpanSet`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SpanSet {
    #[prost(message, repeated, tag = "1")]
    pub(crate) spans: Vec<Span>,
    #[prost(uint32, tag = "2")]
    pub(crate) matched: u32,
    #[prost(message, repeated, tag = "3")]
    pub(crate) attributes: Vec<KeyValue>,
}

/// `tempopb.Span`: of a search, with what the query touches.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Span {
    #[prost(string, tag = "1")]
    pub(crate) span_id: String,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(uint64, tag = "3")]
    pub(crate) start_time_unix_nano: u64,
    #[prost(uint64, tag = "4")]
    pub(crate) duration_nanos: u64,
    #[prost(message, repeated, tag = "5")]
    pub(crate) attributes: Vec<KeyValue>,
}

/// `tempopb.SearchMetrics`: what was read up to now.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct SearchMetrics {
    #[prost(uint64, tag = "2")]
    pub(crate) inspected_bytes: u64,
    #[prost(uint32, tag = "3")]
    pub(crate) total_blocks: u32,
    #[prost(uint32, tag = "4")]
    pub(crate) completed_jobs: u32,
    #[prost(uint32, tag = "5")]
    pub(crate) total_jobs: u32,
    #[prost(uint64, tag = "6")]
    pub(crate) total_block_bytes: u64,
}

/// `tempopb.MetadataMetrics`: what was read for names and values.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct MetadataMetrics {
    #[prost(uint64, tag = "1")]
    pub(crate) inspected_bytes: u64,
    #[prost(uint32, tag = "2")]
    pub(crate) total_jobs: u32,
    #[prost(uint32, tag = "3")]
    pub(crate) completed_jobs: u32,
    #[prost(uint32, tag = "4")]
    pub(crate) total_blocks: u32,
    #[prost(uint64, tag = "5")]
    pub(crate) total_block_bytes: u64,
}

/// `tempopb.SearchTagsRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SearchTagsRequest {
    #[prost(string, tag = "1")]
    pub(crate) scope: String,
    /// Unix seconds.
    #[prost(uint32, tag = "3")]
    pub(crate) start: u32,
    /// Unix seconds.
    #[prost(uint32, tag = "4")]
    pub(crate) end: u32,
    #[prost(uint32, tag = "5")]
    pub(crate) max_tags_per_scope: u32,
}

/// `tempopb.SearchTagsResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SearchTagsResponse {
    #[prost(string, repeated, tag = "1")]
    pub(crate) tag_names: Vec<String>,
    #[prost(message, optional, tag = "2")]
    pub(crate) metrics: Option<MetadataMetrics>,
    /// Not Tempo's.
    #[prost(string, repeated, tag = "1000")]
    pub(crate) warnings: Vec<String>,
}

/// `tempopb.SearchTagsV2Response`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SearchTagsV2Response {
    #[prost(message, repeated, tag = "1")]
    pub(crate) scopes: Vec<SearchTagsV2Scope>,
    #[prost(message, optional, tag = "2")]
    pub(crate) metrics: Option<MetadataMetrics>,
    /// Not Tempo's.
    #[prost(string, repeated, tag = "1000")]
    pub(crate) warnings: Vec<String>,
}

/// `tempopb.SearchTagsV2Scope`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SearchTagsV2Scope {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, repeated, tag = "2")]
    pub(crate) tags: Vec<String>,
}

/// `tempopb.SearchTagValuesRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SearchTagValuesRequest {
    #[prost(string, tag = "1")]
    pub(crate) tag_name: String,
    #[prost(string, tag = "2")]
    pub(crate) query: String,
    /// Unix seconds.
    #[prost(uint32, tag = "4")]
    pub(crate) start: u32,
    /// Unix seconds.
    #[prost(uint32, tag = "5")]
    pub(crate) end: u32,
    #[prost(uint32, tag = "6")]
    pub(crate) max_tag_values: u32,
}

/// `tempopb.SearchTagValuesResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SearchTagValuesResponse {
    #[prost(string, repeated, tag = "1")]
    pub(crate) tag_values: Vec<String>,
    #[prost(message, optional, tag = "2")]
    pub(crate) metrics: Option<MetadataMetrics>,
    /// Not Tempo's.
    #[prost(string, repeated, tag = "1000")]
    pub(crate) warnings: Vec<String>,
}

/// `tempopb.SearchTagValuesV2Response`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SearchTagValuesV2Response {
    #[prost(message, repeated, tag = "1")]
    pub(crate) tag_values: Vec<TagValue>,
    #[prost(message, optional, tag = "2")]
    pub(crate) metrics: Option<MetadataMetrics>,
    /// Not Tempo's.
    #[prost(string, repeated, tag = "1000")]
    pub(crate) warnings: Vec<String>,
}

/// `tempopb.TagValue`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TagValue {
    #[prost(string, tag = "1")]
    pub(crate) kind: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

/// `tempopb.QueryRangeRequest`; `tempopb.QueryInstantRequest` has its first three fields.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct QueryRangeRequest {
    #[prost(string, tag = "1")]
    pub(crate) query: String,
    /// Unix nanoseconds.
    #[prost(uint64, tag = "2")]
    pub(crate) start: u64,
    /// Unix nanoseconds.
    #[prost(uint64, tag = "3")]
    pub(crate) end: u64,
    /// Nanoseconds.
    #[prost(uint64, tag = "4")]
    pub(crate) step: u64,
    #[prost(uint32, tag = "17")]
    pub(crate) exemplars: u32,
}

/// `tempopb.QueryRangeResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct QueryRangeResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) series: Vec<TimeSeries>,
    #[prost(message, optional, tag = "2")]
    pub(crate) metrics: Option<SearchMetrics>,
    /// 0 for a whole answer, 1 for a part of it.
    #[prost(int32, tag = "3")]
    pub(crate) status: i32,
    #[prost(string, tag = "4")]
    pub(crate) message: String,
}

/// `tempopb.TimeSeries`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(crate) labels: Vec<KeyValue>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) samples: Vec<Sample>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) exemplars: Vec<Exemplar>,
}

/// `tempopb.Sample`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Sample {
    #[prost(double, tag = "1")]
    pub(crate) value: f64,
    #[prost(int64, tag = "2")]
    pub(crate) timestamp_ms: i64,
}

/// `tempopb.Exemplar`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Exemplar {
    #[prost(message, repeated, tag = "1")]
    pub(crate) labels: Vec<KeyValue>,
    #[prost(double, tag = "2")]
    pub(crate) value: f64,
    #[prost(int64, tag = "3")]
    pub(crate) timestamp_ms: i64,
}

/// `tempopb.QueryInstantResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct QueryInstantResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) series: Vec<InstantSeries>,
    #[prost(message, optional, tag = "2")]
    pub(crate) metrics: Option<SearchMetrics>,
    /// 0 for a whole answer, 1 for a part of it.
    #[prost(int32, tag = "3")]
    pub(crate) status: i32,
    #[prost(string, tag = "4")]
    pub(crate) message: String,
}

/// `tempopb.InstantSeries`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct InstantSeries {
    #[prost(message, repeated, tag = "1")]
    pub(crate) labels: Vec<KeyValue>,
    #[prost(double, tag = "2")]
    pub(crate) value: f64,
}

/// `tempopb.TraceByIDResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TraceByIdResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) trace: Option<TracesData>,
    #[prost(message, optional, tag = "2")]
    pub(crate) metrics: Option<TraceByIdMetrics>,
    /// 0 for a whole trace, 1 for a part of it.
    #[prost(int32, tag = "3")]
    pub(crate) status: i32,
    #[prost(string, tag = "4")]
    pub(crate) message: String,
}

/// `tempopb.TraceByIDMetrics`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct TraceByIdMetrics {
    #[prost(uint64, tag = "1")]
    pub(crate) inspected_bytes: u64,
}
