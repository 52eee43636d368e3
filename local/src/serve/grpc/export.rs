use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use icegate_http::{RETRY_AFTER_SECONDS, TenantScope};
use icegate_model::Signal;
use icegate_otlp::Encoding;
use icegate_otlp_api::{Ingest, IngestError, Transport};
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Code, Request, Response, Status};

use super::code::code;
use crate::bytes_codec::BytesCodec;

/// One of OTLP's Export services.
pub(super) trait ExportService: Send + Sync + 'static {
    const NAME: &'static str;
    const SIGNAL: Signal;
}

macro_rules! service {
    ($name:ident, $signal:ident, $text:literal) => {
        #[derive(Debug)]
        pub(super) struct $name;

        impl $name {
            pub(super) const NAME: &'static str = $text;
        }

        impl ExportService for $name {
            const NAME: &'static str = $text;
            const SIGNAL: Signal = Signal::$signal;
        }
    };
}

service!(Logs, Logs, "opentelemetry.proto.collector.logs.v1.LogsService");
service!(Traces, Traces, "opentelemetry.proto.collector.trace.v1.TraceService");
service!(Metrics, Metrics, "opentelemetry.proto.collector.metrics.v1.MetricsService");

/// Serves `S` over an [`Ingest`].
#[derive(Debug)]
pub(super) struct Export<S> {
    ingest: Arc<Ingest>,
    service: PhantomData<S>,
}

impl<S> Export<S> {
    pub(super) const fn new(ingest: Arc<Ingest>) -> Self {
        Self { ingest, service: PhantomData }
    }
}

impl<S> Clone for Export<S> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.ingest))
    }
}

impl<S: ExportService> NamedService for Export<S> {
    const NAME: &'static str = S::NAME;
}

pub(super) type Answer<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl<S: ExportService> tower::Service<http::Request<Body>> for Export<S> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let unary = Unary::<S>(self.clone());
        if request.uri().path().rsplit('/').next() != Some("Export") {
            return Box::pin(async { Ok(Status::unimplemented("the service has one method, Export").into_http()) });
        }
        let limit = self.ingest.bounds().decoded_bytes;
        Box::pin(async move {
            let mut grpc = Grpc::new(BytesCodec)
                .accept_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Zstd)
                .max_decoding_message_size(limit);
            Ok(not_to_be_repeated(grpc.unary(unary, request).await))
        })
    }
}

/// A message over the bound is `OUT_OF_RANGE` to tonic, which OTLP's clients send again and again; `RESOURCE_EXHAUSTED` without a
/// time to come again tells them not to.
fn not_to_be_repeated(mut response: http::Response<Body>) -> http::Response<Body> {
    if let Some(status) = response.headers_mut().get_mut(Status::GRPC_STATUS)
        && Code::from_bytes(status.as_bytes()) == Code::OutOfRange
    {
        *status = http::HeaderValue::from(Code::ResourceExhausted as i32);
    }
    response
}

struct Unary<S>(Export<S>);

impl<S: ExportService> UnaryService<Bytes> for Unary<S> {
    type Response = Bytes;
    type Future = Answer<Response<Bytes>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let ingest = Arc::clone(&self.0.ingest);
        Box::pin(async move {
            let began = Instant::now();
            let answered = export(&ingest, S::SIGNAL, request).await;
            let code = answered.as_ref().err().map_or(Code::Ok, Status::code);
            ingest.metrics().answered(S::SIGNAL, Transport::Grpc, format!("{code:?}"), began.elapsed());
            answered
        })
    }
}

async fn export(ingest: &Ingest, signal: Signal, request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
    let (metadata, _, body) = request.into_parts();
    let taken = async {
        let _admitted = ingest.admit()?;
        let scope = TenantScope::of_values(|name| values(&metadata, name))?;
        ingest.take(signal, &scope, Encoding::Protobuf, body).await
    };
    let taken = taken.await.map_err(|error| status(&error))?;
    Ok(Response::new(icegate_otlp::response(signal, Encoding::Protobuf, &taken.rejected).into()))
}

pub(super) fn values<'a>(metadata: &'a MetadataMap, name: &'static str) -> Vec<&'a [u8]> {
    metadata.get_all(name).iter().map(|value| value.as_encoded_bytes()).collect()
}

/// The gRPC status of an error. What a client should send again says when.
fn status(error: &IngestError) -> Status {
    let code = code(error.kind());
    let mut status = Status::new(code, error.to_string());
    if code == Code::Unavailable {
        tracing::warn!(%error, "request was not taken");
        status.metadata_mut().insert("retry-after", RETRY_AFTER_SECONDS.into());
    }
    status
}
