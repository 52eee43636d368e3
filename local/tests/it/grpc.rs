//! OTLP over gRPC with a real client: answers, compression, codes, reflection.

use bytes::{Buf, BufMut, Bytes};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use prost::Message;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use crate::process::{Process, Settings};

const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// Messages as bytes, so that a test can also send what is no message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

struct Client {
    channel: Channel,
}

impl Client {
    async fn new(process: &Process) -> Self {
        let endpoint = Channel::from_shared(format!("http://127.0.0.1:{}", process.otlp_grpc)).unwrap();
        Self { channel: endpoint.connect().await.unwrap() }
    }

    async fn export(
        &self,
        path: &'static str,
        tenant: &str,
        compression: Option<CompressionEncoding>,
        body: Vec<u8>,
    ) -> Result<Bytes, Status> {
        self.call(path, &[("x-scope-orgid", tenant)], compression, body).await
    }

    async fn call(
        &self,
        path: &'static str,
        metadata: &[(&'static str, &str)],
        compression: Option<CompressionEncoding>,
        body: Vec<u8>,
    ) -> Result<Bytes, Status> {
        let mut grpc = tonic::client::Grpc::new(self.channel.clone());
        if let Some(compression) = compression {
            grpc = grpc.send_compressed(compression);
        }
        grpc.ready().await.unwrap();
        let mut request = Request::new(Bytes::from(body));
        for (name, value) in metadata {
            request.metadata_mut().append(*name, value.parse().unwrap());
        }
        let path = http::uri::PathAndQuery::from_static(path);
        grpc.unary(request, path, Raw).await.map(tonic::Response::into_inner)
    }
}

/// One export of one log line.
pub(crate) async fn export_line(process: &Process, line: &str) -> Result<Bytes, Status> {
    Client::new(process).await.export(LOGS, "default", None, logs(&[(line, &[])])).await
}

/// The same with this metadata alone.
pub(crate) async fn export_line_as(process: &Process, metadata: &[(&'static str, &str)], line: &str) -> Result<Bytes, Status> {
    Client::new(process).await.call(LOGS, metadata, None, logs(&[(line, &[])])).await
}

fn logs(bodies: &[(&str, &[u8])]) -> Vec<u8> {
    let record = |(body, trace_id): &(&str, &[u8])| LogRecord {
        body: Some(AnyValue { value: Some(any_value::Value::StringValue((*body).to_owned())) }),
        trace_id: trace_id.to_vec(),
        time_unix_nano: 1_704_067_200_000_000_000,
        ..LogRecord::default()
    };
    let scope_logs = vec![ScopeLogs { log_records: bodies.iter().map(record).collect(), ..ScopeLogs::default() }];
    ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] }.encode_to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_stored_whatever_their_compression_and_bad_ones_have_their_codes() {
    let data = tempfile::tempdir().unwrap();
    let variables = &[("ICEGATE_OTLP_HTTP__MAX_DECODED_BYTES", "100000")];
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 86_400_000, variables }).await;
    let client = Client::new(&process).await;
    for (number, compression) in [None, Some(CompressionEncoding::Gzip), Some(CompressionEncoding::Zstd)].into_iter().enumerate()
    {
        let answer = client.export(LOGS, "grpc", compression, logs(&[(&format!("line {number}"), &[])])).await.unwrap();
        assert_eq!(ExportLogsServiceResponse::decode(answer).unwrap(), ExportLogsServiceResponse::default());
    }
    for path in [
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    ] {
        assert!(client.export(path, "grpc", None, Vec::new()).await.unwrap().is_empty());
    }
    let partial = client.export(LOGS, "grpc", None, logs(&[("kept", &[]), ("refused", &[1, 2])])).await.unwrap();
    let partial = ExportLogsServiceResponse::decode(partial).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_log_records, 1);
    assert!(partial.error_message.contains("logRecords[1]"), "{}", partial.error_message);
    assert_eq!(process.count_logs("grpc", r#"{service_name=~".+"}"#).await, 4);
    assert_eq!(process.count_logs("default", r#"{service_name=~".+"}"#).await, 0);

    for (tenant, compression, body, code, named) in [
        ("../x", None, logs(&[("x", &[])]), Code::InvalidArgument, "../x"),
        ("grpc", None, vec![0x0a, 0x7f], Code::InvalidArgument, "protobuf"),
        ("grpc", None, logs(&[(&"x".repeat(100_001), &[])]), Code::ResourceExhausted, "100000"),
    ] {
        let status = client.export(LOGS, tenant, compression, body).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(named), "{status}");
    }
    let bomb = client.export(LOGS, "grpc", Some(CompressionEncoding::Gzip), logs(&[(&"x".repeat(1_000_000), &[])])).await;
    assert!(bomb.is_err(), "a message that decompresses beyond the bound was taken");
    let unknown =
        client.export("/opentelemetry.proto.collector.logs.v1.LogsService/Import", "grpc", None, Vec::new()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
    assert_eq!(process.count_logs("grpc", r#"{service_name=~".+"}"#).await, 4);
}

async fn reflect(client: &Client, request: MessageRequest) -> ServerReflectionResponse {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(request) };
    let mut reflection = ServerReflectionClient::new(client.channel.clone());
    let mut answers = reflection.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    answers.message().await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_lists_the_services_and_describes_their_messages() {
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(&Settings { data: data.path(), shift_interval_ms: 86_400_000, variables: &[] }).await;
    let client = Client::new(&process).await;
    let listed = reflect(&client, MessageRequest::ListServices(String::new())).await.message_response;
    let Some(MessageResponse::ListServicesResponse(services)) = listed else { panic!("{listed:?}") };
    let names: Vec<_> = services.service.into_iter().map(|service| service.name).collect();
    for signal in ["logs.v1.LogsService", "trace.v1.TraceService", "metrics.v1.MetricsService"] {
        assert!(names.contains(&format!("opentelemetry.proto.collector.{signal}")), "{names:?}");
    }
    let symbol = MessageRequest::FileContainingSymbol("opentelemetry.proto.collector.logs.v1.LogsService".to_owned());
    let found = reflect(&client, symbol).await.message_response;
    let Some(MessageResponse::FileDescriptorResponse(file)) = found else { panic!("{found:?}") };
    let text = String::from_utf8_lossy(&file.file_descriptor_proto[0]).into_owned();
    assert!(text.contains("ExportLogsServiceRequest"), "{text}");
}
