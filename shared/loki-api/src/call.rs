use std::error::Error;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::LengthLimitError;
use icegate_http::{Params, TenantScope, accepts};
use icegate_model::TenantId;

use crate::LokiError;
use crate::config::MAX_FORM_BYTES;
use crate::state::Shared;

/// Lists what a client wants encoded differently.
const ENCODING_FLAGS: &str = "x-loki-response-encoding-flags";
/// Asks for stream labels, metadata and parsed labels apart.
const CATEGORIZE_LABELS: &str = "categorize-labels";

/// Tells who asks, as `Key=value` pairs with commas between.
const QUERY_TAGS: &str = "x-query-tags";
/// How Logs Drilldown names itself there; it takes a part of many series, with a warning, rather than an error.
const DRILLDOWN: &str = "source=grafana-lokiexplore-app";

/// A request as the endpoints see it.
#[derive(Debug)]
pub(crate) struct Call {
    /// Whose logs.
    pub(crate) tenant: TenantId,
    /// From the query string and the form.
    pub(crate) params: Params,
    /// How streams are encoded.
    pub(crate) encoding: Encoding,
    /// Whether plain text is wanted where there is a choice.
    pub(crate) wants_text: bool,
    /// Whether the client takes some of the series where there are too many.
    pub(crate) takes_part: bool,
}

/// How streams are encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// All flags as given, also unknown ones.
    pub(crate) flags: Vec<String>,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(ENCODING_FLAGS).iter().filter_map(|value| value.to_str().ok());
        let flags = values.flat_map(|value| value.split(',')).map(str::trim).filter(|flag| !flag.is_empty());
        Self { flags: flags.map(str::to_owned).collect() }
    }

    /// Whether stream labels, metadata and parsed labels stay apart.
    pub(crate) fn is_categorized(&self) -> bool {
        self.flags.iter().any(|flag| flag == CATEGORIZE_LABELS)
    }
}

impl FromRequest<Arc<Shared>> for Call {
    type Rejection = LokiError;

    async fn from_request(request: Request, _: &Arc<Shared>) -> Result<Self, LokiError> {
        let (parts, body) = request.into_parts();
        let tenant = TenantScope::of(&parts.headers)?.tenant;
        let form = if is_form(&parts.headers) { read(body).await? } else { Bytes::new() };
        let params = Params::parse(parts.uri.query(), &form)?;
        let wants_text = accepts(&parts.headers, "text/plain") && !accepts(&parts.headers, "application/json");
        let (encoding, takes_part) = (Encoding::of(&parts.headers), is_drilldown(&parts.headers));
        Ok(Self { tenant, params, encoding, wants_text, takes_part })
    }
}

fn is_drilldown(headers: &HeaderMap) -> bool {
    let tags = headers.get_all(QUERY_TAGS).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    tags.map(str::trim).any(|tag| tag.eq_ignore_ascii_case(DRILLDOWN))
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

async fn read(body: Body) -> Result<Bytes, LokiError> {
    to_bytes(body, MAX_FORM_BYTES).await.map_err(|source| match source.source() {
        Some(cause) if cause.is::<LengthLimitError>() => LokiError::FormTooLarge { max: MAX_FORM_BYTES },
        _ => LokiError::Form { source },
    })
}
