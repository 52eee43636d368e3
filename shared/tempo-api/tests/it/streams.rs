//! Answers as streams of messages, and as one message by `Accept`.

use axum::body::Bytes;
use futures::StreamExt;
use icegate_engine::EngineConfig;
use icegate_tempo_api::{Method, Streams, TempoConfig, TempoError};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message;
use serde_json::{Value, json};

use crate::world::{State, T0, World, request, span};

#[derive(Clone, PartialEq, prost::Message)]
struct SearchRequest {
    #[prost(uint32, tag = "4")]
    limit: u32,
    #[prost(uint32, tag = "5")]
    start: u32,
    #[prost(uint32, tag = "6")]
    end: u32,
    #[prost(string, tag = "8")]
    query: String,
    #[prost(uint32, tag = "9")]
    spss: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SearchResponse {
    #[prost(message, repeated, tag = "1")]
    traces: Vec<TraceFound>,
    #[prost(message, optional, tag = "2")]
    metrics: Option<SearchMetrics>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TraceFound {
    #[prost(string, tag = "1")]
    trace_id: String,
    #[prost(string, tag = "2")]
    root_service_name: String,
    #[prost(string, tag = "3")]
    root_trace_name: String,
    #[prost(uint64, tag = "4")]
    start_time_unix_nano: u64,
    #[prost(uint32, tag = "5")]
    duration_ms: u32,
    #[prost(message, repeated, tag = "7")]
    span_sets: Vec<SpanSet>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SpanSet {
    #[prost(message, repeated, tag = "1")]
    spans: Vec<SpanFound>,
    #[prost(uint32, tag = "2")]
    matched: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SpanFound {
    #[prost(string, tag = "1")]
    span_id: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "5")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct SearchMetrics {
    #[prost(uint64, tag = "2")]
    inspected_bytes: u64,
    #[prost(uint32, tag = "4")]
    completed_jobs: u32,
    #[prost(uint32, tag = "5")]
    total_jobs: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TagsRequest {
    #[prost(string, tag = "1")]
    scope_or_tag: String,
    #[prost(string, tag = "2")]
    query: String,
}

/// Names, or values, as texts.
#[derive(Clone, PartialEq, prost::Message)]
struct Texts {
    #[prost(string, repeated, tag = "1")]
    texts: Vec<String>,
}

/// Scopes with their names.
#[derive(Clone, PartialEq, prost::Message)]
struct Scopes {
    #[prost(message, repeated, tag = "1")]
    scopes: Vec<Scope>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, repeated, tag = "2")]
    tags: Vec<String>,
}

/// Values with their types.
#[derive(Clone, PartialEq, prost::Message)]
struct Typed {
    #[prost(message, repeated, tag = "1")]
    values: Vec<TagValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TagValue {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct MetricsRequest {
    #[prost(string, tag = "1")]
    query: String,
    #[prost(uint64, tag = "2")]
    start: u64,
    #[prost(uint64, tag = "3")]
    end: u64,
    #[prost(uint64, tag = "4")]
    step: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RangeResponse {
    #[prost(message, repeated, tag = "1")]
    series: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<KeyValue>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp_ms: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct InstantResponse {
    #[prost(message, repeated, tag = "1")]
    series: Vec<InstantSeries>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct InstantSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<KeyValue>,
    #[prost(double, tag = "2")]
    value: f64,
}

/// All messages that answer; the first error.
async fn answer<M: Message + Default>(
    streams: &Streams,
    method: Method,
    tenant: &str,
    request: &impl Message,
) -> Result<Vec<M>, TempoError> {
    let messages: Vec<_> = streams.answer(method, tenant.parse().unwrap(), request.encode_to_vec().into()).collect().await;
    messages.into_iter().map(|message| message.map(|bytes| M::decode(bytes).unwrap())).collect()
}

/// Traces every 30 s, each of a span with a number, half of them in the table.
async fn world() -> World {
    let one = |n: i64| {
        let mut span = span(&format!("{n:x}"), "1", None, "x", n * 30_000, 250);
        span["attributes"] = json!([{ "key": "n", "value": { "intValue": n.to_string() } }]);
        span
    };
    let spans: Vec<Value> = (1..=40).map(one).collect();
    World::with(&spans.chunks(20).map(|spans| request("shop", spans.to_vec())).collect::<Vec<_>>(), State::Both).await
}

fn in_slices() -> TempoConfig {
    TempoConfig { rows_at_once: 0, ..TempoConfig::default() }
}

fn ids(traces: &[TraceFound]) -> Vec<&str> {
    traces.iter().map(|trace| trace.trace_id.as_str()).collect()
}

fn search(query: &str, limit: u32) -> SearchRequest {
    let (start, end) = (u32::try_from(T0).unwrap(), u32::try_from(T0 + 1_250).unwrap());
    SearchRequest { limit, start, end, query: query.to_owned(), spss: 1 }
}

#[tokio::test]
async fn traces_come_as_they_are_certain_and_all_of_them_last() {
    let (_, streams) = world().await.api_and_streams(in_slices(), EngineConfig::default());
    for (query, limit) in [("{ span.n > 0 }", 30), ("{ span.n % 7 = 0 }", 30), ("{ }", 3)] {
        let messages: Vec<SearchResponse> = answer(&streams, Method::Search, "default", &search(query, limit)).await.unwrap();
        let (last, before) = messages.split_last().unwrap();
        assert!(before.len() > usize::from(limit != 3), "{query} {}", before.len());
        let all: Vec<i64> = match query {
            "{ span.n % 7 = 0 }" => vec![35, 28, 21, 14, 7],
            _ => (1..=40).rev().take(limit as usize).collect(),
        };
        let all: Vec<String> = all.iter().map(|n| format!("{n:x}")).collect();
        assert_eq!(ids(&last.traces), all, "{query}");
        // What came before is where the answer begins, each trace once, and as it is in the end.
        let early: Vec<_> = before.iter().flat_map(|message| message.traces.clone()).collect();
        assert_eq!(early, last.traces[..early.len()], "{query}");
        assert!(!early.is_empty(), "{query}");
        let done = |message: &SearchResponse| message.metrics.unwrap().completed_jobs;
        assert_eq!((before.iter().map(done).max(), done(last)), (Some(0), 1));
        let read: Vec<_> = messages.iter().map(|message| message.metrics.unwrap().inspected_bytes).collect();
        assert!(read.is_sorted() && read[0] > 0, "{read:?}");
    }
}

#[tokio::test]
async fn a_trace_that_is_found_has_its_spans_and_what_the_query_touches() {
    let (_, streams) = world().await.api_and_streams(TempoConfig::default(), EngineConfig::default());
    let messages: Vec<SearchResponse> =
        answer(&streams, Method::Search, "default", &search("{ span.n = 5 && name = \"x\" }", 20)).await.unwrap();
    let value = Some(AnyValue { value: Some(Any::IntValue(5)) });
    let attributes = vec![KeyValue { key: "n".to_owned(), value, ..KeyValue::default() }];
    let span = SpanFound { span_id: format!("{:0>16}", 1), name: "x".to_owned(), attributes };
    let trace = TraceFound {
        trace_id: "5".to_owned(),
        root_service_name: "shop".to_owned(),
        root_trace_name: "x".to_owned(),
        start_time_unix_nano: u64::try_from(T0 + 150).unwrap() * 1_000_000_000,
        duration_ms: 250,
        span_sets: vec![SpanSet { spans: vec![span], matched: 1 }],
    };
    assert_eq!(messages.last().unwrap().traces, [trace]);
}

#[tokio::test]
async fn names_and_values_and_series_are_those_of_http() {
    let (_, streams) = world().await.api_and_streams(TempoConfig::default(), EngineConfig::default());
    let tags = |scope_or_tag: &str, query: &str| TagsRequest { scope_or_tag: scope_or_tag.to_owned(), query: query.to_owned() };
    let names: Vec<Texts> = answer(&streams, Method::SearchTags, "default", &tags("", "")).await.unwrap();
    assert_eq!(names, [Texts { texts: vec!["n".to_owned(), "service.name".to_owned()] }]);
    let scopes: Vec<Scopes> = answer(&streams, Method::SearchTagsV2, "default", &tags("span", "")).await.unwrap();
    assert_eq!(scopes, [Scopes { scopes: vec![Scope { name: "span".to_owned(), tags: vec!["n".to_owned()] }] }]);
    let values: Vec<Texts> = answer(&streams, Method::SearchTagValues, "default", &tags("service.name", "")).await.unwrap();
    assert_eq!(values, [Texts { texts: vec!["shop".to_owned()] }]);
    let typed: Vec<Typed> =
        answer(&streams, Method::SearchTagValuesV2, "default", &tags("span.n", "{ span.n < 3 }")).await.unwrap();
    let int = |value: &str| TagValue { kind: "int".to_owned(), value: value.to_owned() };
    assert_eq!(typed, [Typed { values: vec![int("1"), int("2")] }]);

    let at = |seconds: i64| u64::try_from(T0 + seconds).unwrap() * 1_000_000_000;
    let asked =
        MetricsRequest { query: "{ } | count_over_time()".to_owned(), start: at(0), end: at(1_200), step: at(600) - at(0) };
    let range: Vec<RangeResponse> = answer(&streams, Method::MetricsQueryRange, "default", &asked).await.unwrap();
    let samples: Vec<_> =
        range[0].series[0].samples.iter().map(|sample| (sample.timestamp_ms / 1_000 - T0, sample.value)).collect();
    assert_eq!((range.len(), range[0].series.len(), samples), (1, 1, vec![(0, 0.0), (600, 20.0), (1_200, 20.0)]));
    let text = Some(AnyValue { value: Some(Any::StringValue("count_over_time".to_owned())) });
    assert_eq!(range[0].series[0].labels, [KeyValue { key: "__name__".to_owned(), value: text, ..KeyValue::default() }]);
    let instant: Vec<InstantResponse> = answer(&streams, Method::MetricsQueryInstant, "default", &asked).await.unwrap();
    assert_eq!((instant.len(), instant[0].series[0].value), (1, 40.0));
}

#[tokio::test]
async fn streams_have_the_errors_the_bounds_and_the_tenants_of_the_api() {
    let world = world().await;
    let (api, streams) = world.api_and_streams(TempoConfig::default(), EngineConfig::default());
    let failed = async |method, request: &SearchRequest| {
        let ended: Result<Vec<SearchResponse>, _> = answer(&streams, method, "default", request).await;
        let error = ended.unwrap_err();
        (error.status().as_u16(), error.to_string())
    };
    let (status, text) = failed(Method::Search, &search("{ foo = 1 }", 20)).await;
    let http = api.query("/api/search", &[("q", "{ foo = 1 }")]).await;
    assert_eq!((status, text.as_str()), (http.status, http.text()));
    assert_eq!(failed(Method::Search, &search("{ span.n / 0 > 1 }", 20)).await, (500, "division by zero".to_owned()));
    assert_eq!(failed(Method::SearchTagValuesV2, &search("", 0)).await.0, 400);
    let no_message = streams.answer(Method::Search, "default".parse().unwrap(), Bytes::from_static(&[0xff])).next().await;
    assert_eq!(no_message.unwrap().unwrap_err().status().as_u16(), 400);

    let others: Vec<SearchResponse> = answer(&streams, Method::Search, "other", &search("{ }", 20)).await.unwrap();
    assert!(others.iter().all(|message| message.traces.is_empty()));
    let (_, none) = world.api_and_streams(TempoConfig { max_concurrent_queries: 0, ..in_slices() }, EngineConfig::default());
    let busy: Result<Vec<SearchResponse>, _> = answer(&none, Method::Search, "default", &search("{ }", 20)).await;
    assert_eq!(busy.unwrap_err().status().as_u16(), 429);
}

#[tokio::test]
async fn a_query_whose_stream_is_dropped_leaves_its_place() {
    let config = TempoConfig { max_concurrent_queries: 1, ..in_slices() };
    let (_, streams) = world().await.api_and_streams(config, EngineConfig::default());
    let request = search("{ }", 40);
    drop(streams.answer(Method::Search, "default".parse().unwrap(), request.encode_to_vec().into()));
    // Its task ends when it is scheduled next.
    tokio::task::yield_now().await;
    let mut messages = streams.answer(Method::Search, "default".parse().unwrap(), request.encode_to_vec().into());
    messages.next().await.unwrap().unwrap();
    drop(messages);
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    let whole: Vec<SearchResponse> = answer(&streams, Method::Search, "default", &request).await.unwrap();
    assert_eq!(whole.last().unwrap().traces.len(), 40);
}

#[tokio::test]
async fn searches_names_and_values_are_protobuf_where_the_client_takes_it() {
    let (api, _) = world().await.api_and_streams(TempoConfig::default(), EngineConfig::default());
    let ask = async |path: &str| {
        let reply = api.ask(path, &[("accept", "application/protobuf")]).await;
        assert_eq!((reply.status, reply.content_type()), (200, Some("application/protobuf")), "{path}");
        reply.body
    };
    let found = SearchResponse::decode(&*ask("/api/search?q=%7Bspan.n%3D5%7D").await).unwrap();
    assert_eq!(ids(&found.traces), ["5"]);
    let names = Texts::decode(&*ask("/api/search/tags").await).unwrap();
    assert_eq!(names.texts, ["n", "service.name"]);
    let scopes = Scopes::decode(&*ask("/api/v2/search/tags?scope=resource").await).unwrap();
    assert_eq!(scopes.scopes[0].tags, ["service.name"]);
    let values = Texts::decode(&*ask("/api/search/tag/service.name/values").await).unwrap();
    assert_eq!(values.texts, ["shop"]);
    let typed = Typed::decode(&*ask("/api/v2/search/tag/span.n/values?limit=1").await).unwrap();
    assert_eq!(typed.values, [TagValue { kind: "int".to_owned(), value: "1".to_owned() }]);
}
