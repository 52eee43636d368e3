//! Around every API: who asks, and may they? Health and readiness are open.

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use icegate_auth::{Authenticator, Refusal, Scope};
use icegate_http::{challenge, status};
use icegate_loki_api::ErrorFormat;
use icegate_runtime::config::ErrorFormat as Configured;
use tonic::{Code, Status};

use super::grpc::is_grpc;

/// Lets everybody in who names a tenant, or only those whose credentials are good.
#[derive(Clone, Debug)]
pub(super) struct Guard(Option<Arc<Authenticator>>);

/// Writes a refusal as the API that was asked writes errors.
trait Refuse: Fn(&Parts, &Refusal) -> Response + Clone + Send + Sync + 'static {}

impl<F: Fn(&Parts, &Refusal) -> Response + Clone + Send + Sync + 'static> Refuse for F {}

impl Guard {
    /// Believes the tenant's header where there is no authenticator.
    pub(super) fn new(authenticator: Option<Authenticator>) -> Self {
        Self(authenticator.map(Arc::new))
    }

    /// OTLP over HTTP, and what comes to its port beside it.
    pub(super) fn otlp(&self, router: Router) -> Router {
        self.around(router, "otlp_http", Scope::Write, &["/health"], taken_in)
    }

    /// What takes telemetry in on a port for queries.
    pub(super) fn pushes(&self, server: &'static str, router: Router) -> Router {
        self.around(router, server, Scope::Write, &[], taken_in)
    }

    /// Loki's queries, tails included.
    pub(super) fn loki(&self, router: Router, format: Configured) -> Router {
        let format = match format {
            Configured::Text => ErrorFormat::Text,
            Configured::Json => ErrorFormat::Json,
        };
        self.around(router, "loki", Scope::Read, &["/ready"], move |request, refusal| {
            icegate_loki_api::refuse(request, format, status(refusal.kind()), &refusal.to_string())
        })
    }

    /// Tempo's queries, over HTTP and gRPC.
    pub(super) fn tempo(&self, router: Router) -> Router {
        self.around(router, "tempo", Scope::Read, &["/ready"], |request, refusal| {
            if is_grpc(&request.headers) {
                by_grpc(refusal)
            } else {
                icegate_queries::refuse_tempo(status(refusal.kind()), &refusal.to_string())
            }
        })
    }

    /// Prometheus' queries.
    pub(super) fn prometheus(&self, router: Router) -> Router {
        self.around(router, "prometheus", Scope::Read, &["/-/ready", "/-/healthy"], |_, refusal| {
            icegate_queries::refuse_prometheus(status(refusal.kind()), &refusal.to_string())
        })
    }

    /// OTLP over gRPC, and the description of its services.
    pub(super) fn grpc(&self, router: Router) -> Router {
        self.around(router, "otlp_grpc", Scope::Write, &[], |_, refusal| by_grpc(refusal))
    }

    fn around(
        &self,
        router: Router,
        server: &'static str,
        need: Scope,
        open: &'static [&'static str],
        refuse: impl Refuse,
    ) -> Router {
        let Some(authenticator) = &self.0 else { return router };
        let authenticator = Arc::clone(authenticator);
        router.layer(from_fn(move |request: Request, next: Next| {
            let (authenticator, refuse) = (Arc::clone(&authenticator), refuse.clone());
            async move {
                if open.contains(&request.uri().path()) {
                    return next.run(request).await;
                }
                let (mut head, body) = request.into_parts();
                match authenticator.admit(&mut head.headers, need).await {
                    Ok(_) => next.run(Request::from_parts(head, body)).await,
                    Err(refusal) => refused(server, &head, &refusal, &refuse),
                }
            }
        }))
    }
}

fn by_grpc(refusal: &Refusal) -> Response {
    let code = match refusal {
        Refusal::Unauthenticated { .. } => Code::Unauthenticated,
        Refusal::Forbidden { .. } => Code::PermissionDenied,
    };
    Status::new(code, refusal.to_string()).into_http()
}

fn taken_in(request: &Parts, refusal: &Refusal) -> Response {
    icegate_otlp_api::refuse(request, status(refusal.kind()), &refusal.to_string())
}

/// Logs and writes a refusal. The path as it was asked for isn't logged: a client may have put its key there.
fn refused(server: &'static str, head: &Parts, refusal: &Refusal, refuse: &impl Refuse) -> Response {
    let endpoint = head.extensions.get::<MatchedPath>().map_or("other", MatchedPath::as_str);
    tracing::warn!(server, endpoint, status = status(refusal.kind()).as_u16(), reason = %refusal, "request was refused");
    let mut response = refuse(head, refusal);
    if response.status() == StatusCode::UNAUTHORIZED
        && let Some(challenge) = challenge(StatusCode::UNAUTHORIZED)
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}
