use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use icegate_http::{ACCOUNT_HEADER, TENANT_HEADER};
use icegate_model::{Signal, TenantId};
use tonic::client;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::{self, Channel};
use tonic::{Code, Request, Status};

use super::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, Target, chain};
use crate::bytes_codec::BytesCodec;
use crate::send::SendError;
use crate::send::args::Compression;
use crate::send::endpoint::{Endpoint, grpc_method};
use crate::send::reply::{Answer, accepted, retry_delay};

/// OTLP over gRPC, with bodies that are bytes already.
pub(crate) struct Grpc {
    client: client::Grpc<Channel>,
    target: Target,
}

impl Grpc {
    pub(super) fn new(target: &Target, endpoint: &Endpoint) -> Result<Self, SendError> {
        let endpoint = transport::Endpoint::from_shared(endpoint.url.clone())
            .map_err(|source| SendError::GrpcClient { endpoint: endpoint.url.clone(), source })?
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .tcp_nodelay(true);
        let client = client::Grpc::new(endpoint.connect_lazy());
        let client = client.accept_compressed(CompressionEncoding::Gzip).accept_compressed(CompressionEncoding::Zstd);
        let client = match target.compression {
            Compression::None => client,
            Compression::Gzip => client.send_compressed(CompressionEncoding::Gzip),
            Compression::Zstd => client.send_compressed(CompressionEncoding::Zstd),
        };
        Ok(Self { client, target: target.clone() })
    }

    pub(super) async fn send(&mut self, tenant: &TenantId, body: Bytes) -> Answer {
        let mut request = Request::new(body);
        let account = self.target.account.as_ref().map(|account| (ACCOUNT_HEADER, account.as_str()));
        for (name, text) in std::iter::once((TENANT_HEADER, tenant.as_str())).chain(account) {
            if let Err(error) = insert(request.metadata_mut(), name, text) {
                return Answer::Refused { reason: error.to_string() };
            }
        }
        if let Err(error) = self.client.ready().await {
            return Answer::Busy { after: None, reason: chain(&error) };
        }
        let method = PathAndQuery::from_static(grpc_method(self.target.signal));
        match self.client.unary(request, method, BytesCodec).await {
            Ok(response) => acked(self.target.signal, response.get_ref()),
            Err(status) => refused(&status),
        }
    }
}

fn insert(
    metadata: &mut MetadataMap,
    name: &'static str,
    text: &str,
) -> Result<(), tonic::metadata::errors::InvalidMetadataValue> {
    metadata.insert(name, text.parse()?);
    Ok(())
}

fn acked(signal: Signal, body: &[u8]) -> Answer {
    match accepted(false, signal, body) {
        Ok(accepted) => Answer::Acked(accepted),
        Err(error) => Answer::Refused { reason: format!("answer can't be read: {error}") },
    }
}

fn refused(status: &Status) -> Answer {
    let after = retry_after(status);
    // A status with a cause was made on this side: the connection broke, and nobody knows what became of the request.
    if let Some(cause) = status.source() {
        return Answer::Busy { after, reason: format!("{}: {}", status.code(), chain(cause)) };
    }
    let reason = format!("{:?}: {}", status.code(), status.message());
    if is_busy(status.code(), after.is_some()) { Answer::Busy { after, reason } } else { Answer::Refused { reason } }
}

/// The codes that OTLP calls retryable; an exhausted resource only when the server says when it will have recovered.
fn is_busy(code: Code, says_when: bool) -> bool {
    match code {
        Code::Unavailable | Code::Aborted | Code::Cancelled | Code::DeadlineExceeded | Code::OutOfRange | Code::DataLoss => true,
        Code::ResourceExhausted => says_when,
        _ => false,
    }
}

fn retry_after(status: &Status) -> Option<Duration> {
    let seconds = || status.metadata().get("retry-after")?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs);
    retry_delay(status.details()).or_else(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unavailable_goes_again_and_invalid_does_not() {
        assert!(matches!(refused(&Status::unavailable("busy")), Answer::Busy { after: None, .. }));
        assert!(matches!(refused(&Status::invalid_argument("bad")), Answer::Refused { .. }));
        assert!(matches!(refused(&Status::resource_exhausted("full")), Answer::Refused { .. }));
    }

    #[test]
    fn a_servers_delay_is_honoured_from_the_metadata_too() {
        let mut status = Status::resource_exhausted("full");
        status.metadata_mut().insert("retry-after", "2".parse().unwrap());
        assert!(matches!(refused(&status), Answer::Busy { after: Some(after), .. } if after == Duration::from_secs(2)));
    }

    #[test]
    fn a_broken_connection_goes_again_whatever_its_code() {
        let status = Status::from_error(Box::new(std::io::Error::from(std::io::ErrorKind::ConnectionReset)));
        assert!(matches!(refused(&status), Answer::Busy { .. }));
    }
}
