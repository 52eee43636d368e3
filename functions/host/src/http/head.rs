//! The head of a request, from an event.

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Uri};

use super::event::Event;
use crate::HostError;

/// Why an event's request is none that HTTP knows; the client is told.
#[derive(Debug, thiserror::Error)]
#[error("the request's {part} can't be read")]
pub(crate) struct BadHead {
    part: &'static str,
}

/// Method, path without stage and `base_path`, query and headers.
pub(crate) fn head(event: &Event, base_path: &str) -> Result<Result<Parts, BadHead>, HostError> {
    let (method, path) = (event.method()?, event.path()?);
    Ok(read(event, method, below(path, base_path)))
}

fn read(event: &Event, method: &str, path: &str) -> Result<Parts, BadHead> {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = Method::from_bytes(method.as_bytes()).map_err(|_| BadHead { part: "method" })?;
    let query = event.query();
    let mut text = if path.is_empty() { "/".to_owned() } else { escaped(path, b"?") };
    if !query.is_empty() {
        text.push('?');
        text.push_str(&escaped(&query, b""));
    }
    parts.uri = Uri::try_from(text).map_err(|_| BadHead { part: "path" })?;
    for (name, value) in headers(event) {
        let bad = || BadHead { part: "headers" };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        parts.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad())?);
    }
    Ok(parts)
}

/// Every header with every value: payload 1.0 has those with several values in a member of their own, and all the last ones in another.
fn headers(event: &Event) -> impl Iterator<Item = (&String, &String)> {
    let multiple = event.multi_value_headers.as_ref().filter(|headers| !headers.is_empty());
    let single = event.headers.iter().filter(move |_| multiple.is_none()).flatten();
    multiple.into_iter().flatten().flat_map(|(name, values)| values.iter().map(move |value| (name, value))).chain(single)
}

fn below<'a>(path: &'a str, base_path: &str) -> &'a str {
    match path.strip_prefix(base_path) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// Escapes what can't stand in a URI, and `also`: gateways decode some of a path. What is escaped already stays as it is.
fn escaped(text: &str, also: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&byte) && !also.contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
