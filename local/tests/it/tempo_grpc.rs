//! Tempo's streams with a real client of gRPC, on the port of its HTTP API.

use std::process::Command;

use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message;
use serde_json::{Value, json};
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::grpc::Raw;
use crate::process::{Process, Settings, python, script};

const SEARCH: &str = "/tempopb.StreamingQuerier/Search";
const ID: &str = "5b8efff798038103d269b633813fc60c";
/// When the span starts, in seconds.
const START: u32 = 1_700_000_000;

/// `tempopb.SearchRequest`, as far as it is used.
#[derive(Clone, PartialEq, prost::Message)]
struct SearchRequest {
    #[prost(uint32, tag = "5")]
    start: u32,
    #[prost(uint32, tag = "6")]
    end: u32,
    #[prost(string, tag = "8")]
    query: String,
}

/// `tempopb.SearchResponse`, as far as it is looked at.
#[derive(Clone, PartialEq, prost::Message)]
struct SearchResponse {
    #[prost(message, repeated, tag = "1")]
    traces: Vec<TraceFound>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TraceFound {
    #[prost(string, tag = "1")]
    trace_id: String,
    #[prost(string, tag = "2")]
    root_service_name: String,
}

/// All messages of a stream; the first error.
async fn stream(
    process: &Process,
    path: &'static str,
    metadata: &[(&'static str, &str)],
    body: Vec<u8>,
) -> Result<Vec<Bytes>, Status> {
    let endpoint = Channel::from_shared(format!("http://127.0.0.1:{}", process.tempo)).unwrap();
    let mut grpc = tonic::client::Grpc::new(endpoint.connect().await.unwrap()).accept_compressed(CompressionEncoding::Gzip);
    grpc.ready().await.unwrap();
    let mut request = Request::new(Bytes::from(body));
    for (name, value) in metadata {
        request.metadata_mut().append(*name, value.parse().unwrap());
    }
    let mut messages = grpc.server_streaming(request, PathAndQuery::from_static(path), Raw).await?.into_inner();
    let mut all = Vec::new();
    while let Some(message) = messages.message().await? {
        all.push(message);
    }
    Ok(all)
}

/// The ids of the traces that a query finds, with this metadata, in the last message.
pub(crate) async fn search_as(process: &Process, metadata: &[(&'static str, &str)], query: &str) -> Result<Vec<String>, Status> {
    let request = SearchRequest { start: START - 60, end: START + 60, query: query.to_owned() };
    let messages = stream(process, SEARCH, metadata, request.encode_to_vec()).await?;
    let last = SearchResponse::decode(messages.last().unwrap().clone()).unwrap();
    Ok(last.traces.into_iter().map(|trace| format!("{} {}", trace.trace_id, trace.root_service_name)).collect())
}

async fn ingest(process: &Process, tenant: &str) {
    let span = json!({
        "traceId": ID, "spanId": "eee19b7ec3c1b174", "name": "GET /", "kind": 2,
        "startTimeUnixNano": format!("{START}000000000"), "endTimeUnixNano": format!("{START}500000000"),
        "attributes": [{"key": "n", "value": {"intValue": "5"}}],
    });
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]});
    let body = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}).to_string();
    let headers = [("Content-Type", "application/json"), ("X-Scope-OrgID", tenant)];
    let (status, text) = process.post("/v1/traces", &headers, body.into_bytes()).await;
    assert_eq!(status, 200, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_are_streamed_on_the_port_of_tempos_api_to_their_tenant_and_errors_have_their_codes() {
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 86_400_000, variables: &[] }).await;
    ingest(&process, "team-a").await;
    let tenant = [("x-scope-orgid", "team-a")];
    assert_eq!(search_as(&process, &tenant, "{ kind = server }").await.unwrap(), [format!("{ID} shop")]);
    assert!(search_as(&process, &[], "{ kind = server }").await.unwrap().is_empty());

    let error = search_as(&process, &tenant, "{ foo = 1 }").await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.message().starts_with("invalid TraceQL query: "), "{}", error.message());
    let error = search_as(&process, &[("x-scope-orgid", "a/b")], "{ }").await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    let error = search_as(&process, &tenant, "{ span.n / 0 > 1 }").await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Internal, "division by zero"));
    let unknown = stream(&process, "/tempopb.StreamingQuerier/Nothing", &tenant, Vec::new()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
    let unknown = stream(&process, "/tempopb.Querier/FindTraceByID", &tenant, Vec::new()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);

    // A client in another language, where there is one.
    if let Some(python) = python("traces_are_streamed_to_python") {
        let ask = |query: &str| {
            let (address, start, end) = (format!("127.0.0.1:{}", process.tempo), START - 60, START + 60);
            let mut command = Command::new(&python);
            command.arg(script("tempo_stream.py")).args([&address, "team-a", query, &start.to_string(), &end.to_string(), ID]);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        assert_eq!((ask("{ kind = server }").as_str(), ask("{ foo = 1 }").as_str()), ("1 True", "INVALID_ARGUMENT"));
    }

    // HTTP goes on beside it.
    let url = format!("http://127.0.0.1:{}/api/search?q=%7B%7D&start={}&end={}", process.tempo, START - 60, START + 60);
    let answer = reqwest::Client::new().get(url).header("X-Scope-OrgID", "team-a").send().await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_11);
    let found: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(found["traces"][0]["traceID"], ID);
    let counted = process.metrics().await;
    assert!(counted.contains("icegate_tempo_requests_total{endpoint=\"Search\",status=\"400\"} 1"), "{counted}");
    assert!(process.stop().success());
}
