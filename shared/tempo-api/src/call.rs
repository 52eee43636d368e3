use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};
use icegate_http::{Params, TenantScope};
use icegate_model::TenantId;

use crate::TempoError;
use crate::config::MAX_FORM_BYTES;
use crate::state::Shared;

/// A request as the endpoints see it.
#[derive(Debug)]
pub(crate) struct Call {
    /// Whose traces.
    pub(crate) tenant: TenantId,
    /// From the query string and the form. Those that no endpoint knows are ignored, as Tempo does.
    pub(crate) params: Params,
    /// How a trace is written.
    pub(crate) format: Format,
}

/// How a trace is written, by `Accept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON as Tempo writes it: ids in base64, names of enums.
    Tempo,
    /// OTLP/JSON: ids in hexadecimal, numbers of enums.
    Otlp,
    /// Protobuf.
    Protobuf,
}

impl Format {
    /// Tempo looks for parts of the header's text.
    fn of(headers: &HeaderMap) -> Self {
        let accept: Vec<_> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        let has = |part: &str| accept.iter().any(|text| text.replace(' ', "").contains(part));
        if has("application/protobuf") {
            Self::Protobuf
        } else if has("application/json;format=otlp") {
            Self::Otlp
        } else {
            Self::Tempo
        }
    }
}

impl FromRequest<Arc<Shared>> for Call {
    type Rejection = TempoError;

    async fn from_request(request: Request, _: &Arc<Shared>) -> Result<Self, TempoError> {
        let (parts, body) = request.into_parts();
        let tenant = TenantScope::of(&parts.headers)?.tenant;
        let form = if is_form(&parts.headers) { read(body).await? } else { Bytes::new() };
        let params = Params::parse(parts.uri.query(), &form)?;
        Ok(Self { tenant, params, format: Format::of(&parts.headers) })
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

async fn read(body: Body) -> Result<Bytes, TempoError> {
    to_bytes(body, MAX_FORM_BYTES).await.map_err(|source| TempoError::Form { max: MAX_FORM_BYTES, source })
}
