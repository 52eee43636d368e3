mod grpc;
mod http;

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::write::GzEncoder;
use icegate_model::{AccountId, Signal, TenantId};

use super::SendError;
use super::args::{Compression, Transport};
use super::endpoint::Endpoint;
use super::reply::Answer;

/// How long a server may take for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;

/// Where requests go and in what form.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// At least one.
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) transport: Transport,
    pub(crate) compression: Compression,
    pub(crate) signal: Signal,
    pub(crate) as_json: bool,
    pub(crate) account: Option<AccountId>,
}

/// A worker's own connections to the replicas; each is made when the first request goes over it.
pub(crate) struct Clients {
    all: Vec<Client>,
    current: usize,
}

impl Clients {
    pub(crate) fn new(target: &Target) -> Result<Self, SendError> {
        let all = target.endpoints.iter().map(|endpoint| Client::new(target, endpoint)).collect::<Result<_, _>>()?;
        Ok(Self { all, current: 0 })
    }

    /// The one that requests go to until it fails.
    pub(crate) fn current(&mut self) -> &mut Client {
        &mut self.all[self.current]
    }

    /// Turns to the next one.
    pub(crate) fn turn(&mut self) {
        self.current = (self.current + 1) % self.all.len();
    }
}

/// A connection to one replica.
pub(crate) enum Client {
    Http(http::Http),
    Grpc(grpc::Grpc),
}

impl Client {
    fn new(target: &Target, endpoint: &Endpoint) -> Result<Self, SendError> {
        Ok(match target.transport {
            Transport::Http => Self::Http(http::Http::new(target, endpoint)?),
            Transport::Grpc => Self::Grpc(grpc::Grpc::new(target, endpoint)?),
        })
    }

    /// The bytes that go out, the same for every attempt. gRPC compresses while it sends.
    pub(crate) fn prepare(&self, body: &Bytes) -> Result<Bytes, SendError> {
        match self {
            Self::Http(http) => compress(http.compression(), body).map_err(|source| SendError::Compress { source }),
            Self::Grpc(_) => Ok(body.clone()),
        }
    }

    pub(crate) async fn send(&mut self, tenant: &TenantId, body: Bytes) -> Answer {
        match self {
            Self::Http(http) => http.send(tenant, body).await,
            Self::Grpc(grpc) => grpc.send(tenant, body).await,
        }
    }
}

fn compress(compression: Compression, body: &Bytes) -> std::io::Result<Bytes> {
    Ok(match compression {
        Compression::None => body.clone(),
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(body)?;
            Bytes::from(encoder.finish()?)
        }
        Compression::Zstd => Bytes::from(zstd::stream::encode_all(&body[..], ZSTD_LEVEL)?),
    })
}

/// An error with all its causes: the outermost one of a connection says little.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn compressed_bodies_read_back() {
        let body = Bytes::from(vec![b'x'; 10_000]);
        assert_eq!(compress(Compression::None, &body).unwrap(), body);
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(&compress(Compression::Gzip, &body).unwrap()[..]).read_to_end(&mut read).unwrap();
        assert_eq!(read, body);
        assert_eq!(zstd::stream::decode_all(&compress(Compression::Zstd, &body).unwrap()[..]).unwrap(), body);
    }
}
