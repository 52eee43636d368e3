//! An axum router behind API Gateway and function URLs.
//!
//! ```text
//! event ─▶ Event ─▶ head ─▶ admitted? ─▶ body ─▶ router, until the deadline ─▶ whole? ─▶ compressed? ─▶ reply, or a stream
//!          JSON     path    401, 403     413     504, 503                      400
//! ```
//!
//! The gateway's own limits are met like this:
//!
//! - **6 MB** of event, base64 included: a larger body is 413 and says what to set in the sender; an answer that doesn't fit, compressed
//!   where the client takes it, is 400 and says what to do.
//! - **30 s**: the answer comes before, as 504 or 503 ([`Settings::answer_within`](crate::Settings::answer_within) and a second before the function's
//!   own deadline). What was under way is dropped.
//! - **10,240 bytes** of request line and headers are the gateway's alone to refuse: everything that takes a query takes it as a form
//!   by POST, too.

mod admission;
mod answer;
mod body;
mod compress;
mod event;
mod head;
mod reply;
mod service;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use icegate_auth::Scope;
use icegate_model::{Clock, SystemClock};
use prometheus_client::registry::Registry;

use admission::Admission;

use crate::emf::Emf;
use crate::{HostError, Start, invocations};
use service::Service;

/// Writes an error as the API that was asked does; `Parts` are those of the request.
pub type Refuse = Arc<dyn Fn(&Parts, StatusCode, &str) -> Response + Send + Sync>;

/// What a function of HTTP serves.
#[derive(Clone)]
pub struct Http {
    /// Its routes.
    pub router: Router,
    /// What its requests need.
    pub need: Scope,
    /// Writes errors of the host as the API's own.
    pub refuse: Refuse,
    /// The status of a request that takes too long: one after which its client does the right thing.
    pub late: StatusCode,
    /// What a client can do about a request that takes too long.
    pub advice: &'static str,
    /// A prefix that paths may have, such as `/tempo`: of an API that shares a gateway with another one.
    pub base_path: &'static str,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("need", &self.need).field("base_path", &self.base_path).finish_non_exhaustive()
    }
}

/// Serves as `function` until Lambda ends the environment. What `registry` counts is written after each invocation.
///
/// # Errors
/// [`HostError::Auth`] where keys can't be read; [`HostError::Runtime`].
pub async fn serve(function: &'static str, start: &Start, mut registry: Registry, http: Http) -> Result<(), HostError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let metrics = icegate_auth::Metrics::register(&mut registry);
    let admission = Admission::open(&start.config.auth, &clock, metrics).await?;
    let emf = Emf::new(start.config.tracing.service_name.clone(), function, registry);
    let service = Arc::new(Service::new(start, http, admission, emf));
    tracing::info!(start_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX), "the function is ready");
    invocations(move |event| {
        let service = Arc::clone(&service);
        async move { service.answer(event).await }
    })
    .await
}
