use std::fmt;
use std::sync::Arc;

use super::Attributes;
use crate::{Kind, Status, Value};

/// The id of a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(pub [u8; 16]);

/// The id of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(pub [u8; 8]);

/// In hexadecimal, without leading zeros, as searches show it.
impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(without_zeros(&hex::encode(self.0)))
    }
}

/// In hexadecimal, 16 digits.
impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A trace's id without its leading zeros.
pub(crate) fn without_zeros(digits: &str) -> &str {
    digits.trim_start_matches('0')
}

/// One span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Span {
    /// Its id.
    pub id: SpanId,
    /// The span that it is part of; a root has none.
    pub parent: Option<SpanId>,
    /// What it does.
    pub name: Arc<str>,
    /// Which side of a call it is.
    pub kind: Kind,
    /// How it ended.
    pub status: Status,
    /// What was said about how it ended.
    pub status_message: Arc<str>,
    /// Nanoseconds since 1970.
    pub start: i64,
    /// Nanoseconds.
    pub duration: i64,
    /// The W3C trace state.
    pub trace_state: Arc<str>,
    /// Of the span itself.
    pub attributes: Attributes,
    /// Of its process, shared between spans.
    pub resource: Arc<Attributes>,
    /// What made it, shared between spans.
    pub instrumentation: Arc<Instrumentation>,
    /// What happened within it.
    pub events: Vec<Event>,
    /// Spans elsewhere that it has to do with.
    pub links: Vec<Link>,
}

/// What made a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instrumentation {
    /// Its name.
    pub name: Arc<str>,
    /// Its version.
    pub version: Arc<str>,
    /// More about it.
    pub attributes: Attributes,
}

/// Something that happened within a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// Nanoseconds since 1970.
    pub time: i64,
    /// What happened.
    pub name: Arc<str>,
    /// More about it.
    pub attributes: Attributes,
}

/// A span elsewhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// Its trace.
    pub trace: TraceId,
    /// Its id.
    pub span: SpanId,
    /// More about it.
    pub attributes: Attributes,
}

impl Span {
    /// When it ends, in nanoseconds since 1970.
    #[must_use]
    pub const fn end(&self) -> i64 {
        self.start.saturating_add(self.duration)
    }

    /// The name of its service, empty where it isn't said.
    #[must_use]
    pub fn service(&self) -> Arc<str> {
        match self.resource.get("service.name") {
            Some(Value::Text(name)) => Arc::clone(name),
            _ => Arc::from(""),
        }
    }
}
