//! OTLP over gRPC: the three Export services and reflection, over the same [`Ingest`] as HTTP. And Tempo's streams, beside its API.

mod code;
mod export;
mod querier;

use std::sync::Arc;

use axum::Router;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use icegate_otlp_api::Ingest;
use opentelemetry_proto::DESCRIPTORS;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_reflection::server::Builder;

use super::guard::Guard;
use crate::error::ProcessError;
use export::{Export, Logs, Metrics, Traces};

pub(super) use querier::beside as querier_beside;

/// The services that a client sees when it asks; the descriptors describe more of OTLP.
const SERVICES: [&str; 3] = [Logs::NAME, Traces::NAME, Metrics::NAME];

/// Whether a request is a call of gRPC.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|media_type| media_type.as_bytes().starts_with(b"application/grpc"))
}

/// Serves until `stop`, and then the requests that have begun.
pub(super) fn serve(
    listener: TcpListener,
    ingest: Arc<Ingest>,
    guard: &Guard,
    stop: CancellationToken,
) -> Result<impl Future<Output = Result<(), String>> + Send + 'static, ProcessError> {
    let describe = || {
        SERVICES
            .into_iter()
            .fold(Builder::configure().register_encoded_file_descriptor_set(DESCRIPTORS), Builder::with_service_name)
    };
    let failed = |error: tonic_reflection::server::Error| ProcessError::Reflection { message: error.to_string() };
    let routes = Routes::new(describe().build_v1().map_err(failed)?)
        .add_service(describe().build_v1alpha().map_err(failed)?)
        .add_service(Export::<Logs>::new(Arc::clone(&ingest)))
        .add_service(Export::<Traces>::new(Arc::clone(&ingest)))
        .add_service(Export::<Metrics>::new(ingest));
    let router = Server::builder().add_routes(Routes::from(guard.grpc(routes.into_axum_router())));
    Ok(async move {
        let served = router.serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop.cancelled_owned());
        served.await.map_err(|error| error.to_string())
    })
}

/// Serves a router over HTTP/1 and HTTP/2, whichever a client begins with, until `stop`, and then the requests that have begun.
pub(super) async fn serve_beside_http(listener: TcpListener, router: Router, stop: CancellationToken) -> Result<(), String> {
    let server = Server::builder().accept_http1(true).add_routes(Routes::from(router));
    let served = server.serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop.cancelled_owned());
    served.await.map_err(|error| error.to_string())
}
