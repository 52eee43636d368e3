use bytes::Bytes;
use icegate_model::Signal;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::json;

/// An export request of any signal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Payload {
    Logs(ExportLogsServiceRequest),
    Traces(ExportTraceServiceRequest),
    Metrics(ExportMetricsServiceRequest),
}

impl Payload {
    pub(crate) fn decode(signal: Signal, protobuf: &[u8]) -> Result<Self, prost::DecodeError> {
        Ok(match signal {
            Signal::Logs => Self::Logs(ExportLogsServiceRequest::decode(protobuf)?),
            Signal::Traces => Self::Traces(ExportTraceServiceRequest::decode(protobuf)?),
            Signal::Metrics => Self::Metrics(ExportMetricsServiceRequest::decode(protobuf)?),
        })
    }

    /// The request's bytes.
    pub(crate) fn encode(&self, as_json: bool) -> Bytes {
        if as_json {
            return Bytes::from(json::write(self));
        }
        Bytes::from(match self {
            Self::Logs(request) => request.encode_to_vec(),
            Self::Traces(request) => request.encode_to_vec(),
            Self::Metrics(request) => request.encode_to_vec(),
        })
    }
}
