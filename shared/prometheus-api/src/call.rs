use std::error::Error;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::LengthLimitError;
use icegate_http::{Params, TenantScope};
use icegate_model::TenantId;

use crate::PrometheusError;
use crate::config::MAX_FORM_BYTES;
use crate::state::Shared;

/// A request as the endpoints see it.
#[derive(Debug)]
pub(crate) struct Call {
    /// Whose metrics.
    pub(crate) tenant: TenantId,
    /// From the query string and the form. A body that isn't a form is ignored, as Prometheus does.
    pub(crate) params: Params,
}

impl FromRequest<Arc<Shared>> for Call {
    type Rejection = PrometheusError;

    async fn from_request(request: Request, _: &Arc<Shared>) -> Result<Self, PrometheusError> {
        let (parts, body) = request.into_parts();
        let tenant = TenantScope::of(&parts.headers)?.tenant;
        let form = if is_form(&parts.headers) { read(body).await? } else { Bytes::new() };
        Ok(Self { tenant, params: Params::parse(parts.uri.query(), &form)? })
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

async fn read(body: Body) -> Result<Bytes, PrometheusError> {
    to_bytes(body, MAX_FORM_BYTES).await.map_err(|source| match source.source() {
        Some(cause) if cause.is::<LengthLimitError>() => PrometheusError::FormTooLarge { max: MAX_FORM_BYTES },
        _ => PrometheusError::Form { source },
    })
}
