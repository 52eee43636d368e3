use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use icegate_otlp::Encoding;

use crate::IngestError;

/// Content types of OTLP and of pushes.
pub(crate) const PROTOBUF_OR_JSON: &str = "application/x-protobuf and application/json";
const COMPRESSIONS: &str = "allowed are identity, gzip and zstd";

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Identity,
    Gzip,
    Zstd,
}

/// The media type of an answer.
pub(crate) const fn media_type(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    }
}

/// What the body is; protobuf where the request doesn't say. Parameters of the type (`; charset=utf-8`) change nothing.
pub(crate) fn encoding(headers: &HeaderMap) -> Result<Encoding, IngestError> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(Encoding::Protobuf) };
    let text = String::from_utf8_lossy(value.as_bytes());
    match text.split(';').next().unwrap_or("").trim().to_ascii_lowercase().as_str() {
        "application/x-protobuf" => Ok(Encoding::Protobuf),
        "application/json" => Ok(Encoding::Json),
        _ => Err(IngestError::ContentType { given: shown(&text), allowed: PROTOBUF_OR_JSON }),
    }
}

pub(crate) fn compression(headers: &HeaderMap) -> Result<Compression, IngestError> {
    let mut values = headers.get_all(CONTENT_ENCODING).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        let several =
            headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect::<Vec<_>>();
        return if several.is_empty() {
            Ok(Compression::Identity)
        } else {
            Err(IngestError::ContentEncoding { given: shown(&several.join(", ")), allowed: COMPRESSIONS })
        };
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    match text.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(Compression::Identity),
        "gzip" | "x-gzip" => Ok(Compression::Gzip),
        "zstd" => Ok(Compression::Zstd),
        _ => Err(IngestError::ContentEncoding { given: shown(&text), allowed: COMPRESSIONS }),
    }
}

/// As much of a text as an error shows.
pub(crate) fn shown(text: &str) -> String {
    const SHOWN: usize = 100;
    text.chars().take(SHOWN).collect()
}
