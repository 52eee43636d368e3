use std::fmt;

/// Whose attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Of the span itself.
    Span,
    /// Of what the span's process is.
    Resource,
    /// Of one of the span's events.
    Event,
    /// Of one of the span's links.
    Link,
    /// Of what made the span.
    Instrumentation,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Span, Self::Resource, Self::Event, Self::Link, Self::Instrumentation];

    /// As queries write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Span => "span",
            Self::Resource => "resource",
            Self::Event => "event",
            Self::Link => "link",
            Self::Instrumentation => "instrumentation",
        }
    }
}

/// An attribute by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// Whose; without one the span's, and the resource's where the span has none.
    pub scope: Option<Scope>,
    /// Its key.
    pub name: String,
}

/// What a span has besides attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intrinsic {
    /// From start to end of the span.
    Duration,
    /// The span's name.
    Name,
    /// How the span ended.
    Status,
    /// What was said about how it ended.
    StatusMessage,
    /// Which side of a call it is.
    Kind,
    /// The name of the trace's root.
    RootName,
    /// The service of the trace's root.
    RootServiceName,
    /// From the trace's first start to its last end.
    TraceDuration,
    /// Where the span opens in the numbering of its trace.
    NestedSetLeft,
    /// Where it closes.
    NestedSetRight,
    /// Where its parent opens; below 0 for a root.
    NestedSetParent,
    /// The trace's id in hexadecimal, without leading zeros.
    TraceId,
    /// The span's id in hexadecimal.
    SpanId,
    /// Its parent's id in hexadecimal; zeros for a root.
    ParentId,
    /// How many spans name it as their parent.
    ChildCount,
    /// An event's name.
    EventName,
    /// From the span's start to the event.
    EventTimeSinceStart,
    /// The id of the trace that a link leads to.
    LinkTraceId,
    /// The id of the span that a link leads to.
    LinkSpanId,
    /// The name of what made the span.
    InstrumentationName,
    /// Its version.
    InstrumentationVersion,
}

/// Both names of each intrinsic, the plain one where it has one.
const NAMES: [(Intrinsic, Option<&str>, Option<&str>); 21] = [
    (Intrinsic::Duration, Some("duration"), Some("span:duration")),
    (Intrinsic::Name, Some("name"), Some("span:name")),
    (Intrinsic::Status, Some("status"), Some("span:status")),
    (Intrinsic::StatusMessage, Some("statusMessage"), Some("span:statusMessage")),
    (Intrinsic::Kind, Some("kind"), Some("span:kind")),
    (Intrinsic::RootName, Some("rootName"), Some("trace:rootName")),
    (Intrinsic::RootServiceName, Some("rootServiceName"), Some("trace:rootService")),
    (Intrinsic::TraceDuration, Some("traceDuration"), Some("trace:duration")),
    (Intrinsic::NestedSetLeft, Some("nestedSetLeft"), None),
    (Intrinsic::NestedSetRight, Some("nestedSetRight"), None),
    (Intrinsic::NestedSetParent, Some("nestedSetParent"), None),
    (Intrinsic::TraceId, None, Some("trace:id")),
    (Intrinsic::SpanId, None, Some("span:id")),
    (Intrinsic::ParentId, None, Some("span:parentID")),
    (Intrinsic::ChildCount, None, Some("span:childCount")),
    (Intrinsic::EventName, None, Some("event:name")),
    (Intrinsic::EventTimeSinceStart, None, Some("event:timeSinceStart")),
    (Intrinsic::LinkTraceId, None, Some("link:traceID")),
    (Intrinsic::LinkSpanId, None, Some("link:spanID")),
    (Intrinsic::InstrumentationName, None, Some("instrumentation:name")),
    (Intrinsic::InstrumentationVersion, None, Some("instrumentation:version")),
];

impl Intrinsic {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(intrinsic, _, _)| *intrinsic)
    }

    /// The names that are offered for completion, in both forms: of all but the numbering of traces and the count of children.
    pub fn listed() -> impl Iterator<Item = &'static str> {
        let offered = |(intrinsic, _, _): &&(Self, _, _)| {
            !matches!(intrinsic, Self::NestedSetLeft | Self::NestedSetRight | Self::NestedSetParent | Self::ChildCount)
        };
        NAMES.iter().filter(offered).flat_map(|(_, plain, scoped)| [*plain, *scoped]).flatten()
    }

    /// The one with this name, in either form, and whether it is the scoped form.
    #[must_use]
    pub fn named(name: &str) -> Option<(Self, bool)> {
        NAMES.iter().find_map(|(intrinsic, plain, scoped)| {
            (*plain == Some(name)).then_some((*intrinsic, false)).or((*scoped == Some(name)).then_some((*intrinsic, true)))
        })
    }

    /// Its name: the plain one, or the scoped one where it is asked for or there is no plain one.
    #[must_use]
    pub fn name(self, scoped: bool) -> &'static str {
        let names = NAMES.iter().find(|(intrinsic, _, _)| *intrinsic == self);
        let Some((_, plain, long)) = names else { return "" };
        let (first, second) = if scoped { (long, plain) } else { (plain, long) };
        first.or(*second).unwrap_or_default()
    }

    /// Whether the whole trace decides it.
    #[must_use]
    pub const fn is_of_trace(self) -> bool {
        matches!(
            self,
            Self::RootName
                | Self::RootServiceName
                | Self::TraceDuration
                | Self::NestedSetLeft
                | Self::NestedSetRight
                | Self::NestedSetParent
                | Self::ChildCount
        )
    }
}

/// Something that a span has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// An attribute.
    Attribute(Attribute),
    /// An intrinsic, and whether it is written in its scoped form.
    Intrinsic(Intrinsic, bool),
}

impl Field {
    /// An attribute.
    pub fn attribute(scope: Option<Scope>, name: impl Into<String>) -> Self {
        Self::Attribute(Attribute { scope, name: name.into() })
    }

    /// Which intrinsic it is.
    #[must_use]
    pub const fn intrinsic(&self) -> Option<Intrinsic> {
        match self {
            Self::Intrinsic(intrinsic, _) => Some(*intrinsic),
            Self::Attribute(_) => None,
        }
    }

    /// Whether it is the service's name on the resource, which every span has.
    #[must_use]
    pub fn is_service_name(&self) -> bool {
        matches!(self, Self::Attribute(Attribute { scope: Some(Scope::Resource), name }) if name == "service.name")
    }

    /// Whether it belongs to one of the span's events.
    #[must_use]
    pub const fn is_of_event(&self) -> bool {
        matches!(
            self,
            Self::Attribute(Attribute { scope: Some(Scope::Event), .. })
                | Self::Intrinsic(Intrinsic::EventName | Intrinsic::EventTimeSinceStart, _)
        )
    }

    /// Whether it belongs to one of the span's links.
    #[must_use]
    pub const fn is_of_link(&self) -> bool {
        matches!(
            self,
            Self::Attribute(Attribute { scope: Some(Scope::Link), .. })
                | Self::Intrinsic(Intrinsic::LinkTraceId | Intrinsic::LinkSpanId, _)
        )
    }
}

/// Whether a character ends the name of an attribute.
pub(crate) fn ends_name(c: char) -> bool {
    c.is_whitespace() || "{}()=~!<>&|^,".contains(c)
}

/// As a query writes it.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intrinsic(intrinsic, scoped) => f.write_str(intrinsic.name(*scoped)),
            Self::Attribute(Attribute { scope, name }) => {
                let plain = !name.is_empty() && !name.contains(|c: char| ends_name(c) || c == '"' || c == '\\');
                // A digit behind a bare point starts a number.
                let number = scope.is_none() && name.starts_with(|c: char| c.is_ascii_digit());
                f.write_str(scope.map_or("", Scope::name))?;
                if plain && !number {
                    return write!(f, ".{name}");
                }
                write!(f, ".\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
            }
        }
    }
}
