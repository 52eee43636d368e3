//! `tempopb.StreamingQuerier`: Tempo's answers as streams, on the port of its HTTP API.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use http::StatusCode;
use icegate_http::{RETRY_AFTER_SECONDS, TenantScope};
use icegate_queries::{TempoError, TempoMethod, TempoStreams};
use tokio_stream::{Stream, StreamExt};
use tonic::codec::CompressionEncoding;
use tonic::server::{Grpc, ServerStreamingService};
use tonic::{Code, Status};

use super::code::code;
use super::export::{Answer, values};
use super::is_grpc;
use crate::bytes_codec::BytesCodec;

/// Bytes of a request, with room for a query's text.
const MAX_REQUEST_BYTES: usize = 1 << 20;

/// An API with the service beside it.
pub(in crate::serve) fn beside(api: Router, streams: TempoStreams) -> Router {
    let service = Router::new().route(&format!("/{}/{{method}}", TempoMethod::SERVICE), post(call)).with_state(streams);
    api.merge(service).layer(from_fn(known))
}

/// Calls of other services end as clients of gRPC understand it, not with the API's 404.
async fn known(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let service = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    if is_grpc(request.headers()) && service != TempoMethod::SERVICE {
        return Status::unimplemented(format!("there is no service {service}")).into_http();
    }
    next.run(request).await
}

async fn call(State(streams): State<TempoStreams>, Path(method): Path<String>, request: Request) -> Response {
    let Some(method) = TempoMethod::named(&method) else {
        let status = Status::unimplemented(format!("{} has no method {method}", TempoMethod::SERVICE));
        return status.into_http::<Body>();
    };
    let mut grpc = Grpc::new(BytesCodec)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Zstd)
        .send_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MAX_REQUEST_BYTES);
    grpc.server_streaming(Streaming { streams, method }, request).await.map(Body::new)
}

struct Streaming {
    streams: TempoStreams,
    method: TempoMethod,
}

impl ServerStreamingService<Bytes> for Streaming {
    type Response = Bytes;
    type ResponseStream = std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;
    type Future = Answer<tonic::Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (streams, method) = (self.streams.clone(), self.method);
        Box::pin(async move {
            let (metadata, _, body) = request.into_parts();
            let scope = TenantScope::of_values(|name| values(&metadata, name));
            let scope = scope.map_err(|error| Status::new(code(error.kind()), error.to_string()))?;
            let messages = streams.answer(method, scope.tenant, body);
            let messages: Self::ResponseStream = Box::pin(messages.map(|message| message.map_err(|error| status(&error))));
            Ok(tonic::Response::new(messages))
        })
    }
}

/// The gRPC status of an error: by kind, but for those that have a status of their own in HTTP, too.
fn status(error: &TempoError) -> Status {
    let code = match error.status() {
        StatusCode::GATEWAY_TIMEOUT => Code::DeadlineExceeded,
        StatusCode::TOO_MANY_REQUESTS => Code::ResourceExhausted,
        StatusCode::INTERNAL_SERVER_ERROR => Code::Internal,
        _ => code(error.kind()),
    };
    let mut status = Status::new(code, error.to_string());
    if icegate_http::retry_after(error.status()).is_some() {
        status.metadata_mut().insert("retry-after", RETRY_AFTER_SECONDS.into());
    }
    status
}
